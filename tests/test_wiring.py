"""What names stages and engines is written by a script, from their folders; a stage is no more than a folder."""

import asyncio
import importlib
import inspect
import io
import json
import re
import sys
import textwrap
import zipfile

import httpx
import pytest
import yaml
from PIL import Image

import services
from gateway.settings import Settings
from howsfit.embedded import create_app
from howsfit.stages import find_stage, made_artifacts
from scripts.compose import ROOT, documents
from stagekit.folders import engine_names, stage_names
from stagekit.manifest import read_manifest

OF_COMPOSE = {"stages", "fallbacks", "engines", "data_dir", "web_dir", "listen_port", "weights_dir"}
"""Settings that are the compose file's own business: addresses and paths."""


def declared_settings():
    """Name -> default, of the gateway, the chassis, and all stages and engines."""
    yield from ((name, field.get_default()) for name, field in Settings.model_fields.items())
    for path in [ROOT / "stagekit" / "settings.py", *(ROOT / "services").rglob("settings.py")]:
        module = importlib.import_module(".".join(path.relative_to(ROOT).with_suffix("").parts))
        for name, each in inspect.getmembers(module, inspect.isclass):
            if name.endswith("Settings") and each.__module__ == module.__name__:
                yield from each._field_defaults.items()


def test_the_written_files_are_up_to_date():
    outdated = [name for name, text in documents().items() if (ROOT / name).read_text() != text]
    assert outdated == [], "run `make compose`"


def test_every_setting_is_in_the_example_and_in_compose():
    example = (ROOT / ".env.example").read_text()
    compose = (ROOT / "docker-compose.yml").read_text() + (ROOT / "docker-compose.engines.yml").read_text()
    found = {name: default for name, default in declared_settings() if name not in OF_COMPOSE}
    assert {"retention", "queue_size", "parse_scales", "openpose_model", "tryon_hem", "device"} <= found.keys()
    for name, default in found.items():
        variable = "HOWSFIT_" + name.upper()
        written = f"{default:g}" if isinstance(default, (int, float)) else str(default or "")
        assert re.search(rf"^# .*\n{variable}={re.escape(written)}$", example, re.MULTILINE), variable
        assert re.search(rf"^\s+{variable}:", compose, re.MULTILINE), variable
    for stage in stage_names():
        assert f"\n{find_stage(stage).engine_setting()}={find_stage(stage).default_engine}\n" in example
        further = f"HOWSFIT_{stage.upper()}_URLS"
        assert re.search(rf"^{further}=$", example, re.MULTILINE) and f"{further}:" in compose


def test_every_setting_of_the_example_is_used():
    files = [*ROOT.glob("docker-compose*.yml"), ROOT / "gateway" / "settings.py"]
    used = "".join(path.read_text() for path in files)
    for variable in re.findall(r"^(\w+)=", (ROOT / ".env.example").read_text(), re.MULTILINE):
        assert variable in used, variable


SHADOW = {
    "__init__.py": "",
    "app.py": """
        from services.shadow.stage import STAGE
        from stagekit.app import create_app

        app = create_app(STAGE)
    """,
    "engines/__init__.py": "",
    "engines/plain/__init__.py": "",
    "stage.py": """
        \"\"\"Draw the shadow of the garment.\"\"\"

        from stagekit import Stage

        STAGE = Stage(
            name="shadow", inputs={"cloth_mask": "mask"}, outputs={"shadow": "map"}, default_engine="plain"
        )
    """,
    "engines/plain/engine.py": """
        import stagekit
        from services.shadow.engines.plain.settings import ShadowSettings


        class Engine(stagekit.Engine):
            name = "plain"

            def run(self, inputs, warn):
                return {"shadow": inputs["cloth_mask"] // 255 * ShadowSettings().shadow_grey}
    """,
    "engines/plain/settings.py": """
        from typing import NamedTuple


        class ShadowSettings(NamedTuple):
            shadow_grey: int = 7
            \"\"\"How dark the shadow is.\"\"\"
    """,
    "engines/plain/image.toml": """
        memory = "5g"

        [args]
        DESCRIPTION = "Draws the shadow"
    """,
    "engines/plain/weights.json": """
        {"plain": {"title": "Plain", "source": "here", "licence": "MIT", "commercial": "yes", "terms": "", "files": []}}
    """,
    "engines/plain/requirements.in": "",
    "words.json": """
        {
          "stage": {"en": "Shadow cast", "ko": "그림자 드리우기"},
          "artifacts": {"shadow": {"en": "Its shadow", "ko": "그림자"}}
        }
    """,
}
"""A stage with one engine: the files of its folder. Not a line elsewhere knows of it."""


@pytest.fixture
def shadow(tmp_path, monkeypatch):
    """The stage, beside those of the package."""
    for name, text in SHADOW.items():
        path = tmp_path / "shadow" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text).lstrip())
    monkeypatch.setattr(services, "__path__", [*services.__path__, str(tmp_path)])
    yield find_stage("shadow")
    for name in [name for name in sys.modules if name.startswith("services.shadow")]:
        del sys.modules[name]
    del services.shadow


def test_a_new_stage_is_found_by_its_folder(shadow):
    assert shadow.outputs == {"shadow": "map"} and "shadow" in stage_names()
    assert made_artifacts()["shadow"] == "map" and read_manifest()["plain"].title == "Plain"
    with pytest.raises(ValueError, match="There are: .*shadow"):
        find_stage("moon")


def test_a_new_stage_is_part_of_the_gateways_graph_and_runs(shadow, tmp_path, monkeypatch, bundled):
    monkeypatch.setenv("HOWSFIT_SHADOW_URLS", "other=http://shadow:8000")
    settings = Settings(data_dir=tmp_path / "data")
    assert settings.stages["shadow"] == "inproc://shadow"
    assert settings.engines == {"shadow": {"other": "http://shadow:8000"}}
    settings = settings.model_copy(update={"engines": {}})

    async def made():
        app = create_app(settings, engines={})
        gateway = httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://gateway", timeout=100)
        async with app.router.lifespan_context(app), gateway as client:
            async with asyncio.timeout(60):
                while (await client.get("/readyz")).status_code != 200:
                    await asyncio.sleep(0.05)
            files, wait = {"garment": bundled[1]}, {"Prefer": "wait=100"}
            cloth = (await client.post("/v1/preprocess/cloth", files=files, headers=wait)).json()
            assert cloth["status"] == "succeeded", cloth
            serving = (await client.get("/v1/stages")).json()["stages"]
            archive = zipfile.ZipFile(io.BytesIO((await client.get(cloth["urls"]["dataset"])).content))
            picture = (await client.get(cloth["output"]["shadow"])).content
            assert archive.read("howsfit/00001_00_00002_00_shadow.png") == picture
            return picture, {each["stage"]: each for each in serving}

    picture, serving = asyncio.run(made())
    assert Image.open(io.BytesIO(picture)).getextrema() == (0, 7)
    assert serving["shadow"]["outputs"] == {"shadow": "map"} and serving["shadow"]["needs"] == ["cloth_mask"]


def test_a_new_stage_is_written_into_the_files_of_the_cluster(shadow):
    written = documents()
    compose, engines = (yaml.safe_load(written[f"docker-compose{name}.yml"])["services"] for name in ("", ".engines"))
    gateway = compose["gateway"]
    assert json.loads(gateway["environment"]["HOWSFIT_STAGES"])["shadow"] == "http://shadow:8000"
    assert "HOWSFIT_SHADOW_URLS" in gateway["environment"] and "shadow" in gateway["depends_on"]
    assert compose["shadow"]["extends"]["service"] == "shadow-${HOWSFIT_SHADOW_ENGINE:-plain}"
    assert compose["shadow"]["mem_limit"] == "${HOWSFIT_SHADOW_MEMORY:-1g}"
    assert "HOWSFIT_SHADOW_ENGINE" in compose["weights"]["environment"]
    built = engines["shadow-plain"]["build"]
    assert built["dockerfile"] == "services/Dockerfile" and built["args"].items() >= {
        "STAGE": "shadow", "ENGINE": "plain", "SETTING": "HOWSFIT_SHADOW_ENGINE", "DESCRIPTION": "Draws the shadow"
    }.items()  # fmt: skip
    assert engines["shadow-plain"]["environment"] == {"HOWSFIT_SHADOW_GREY": None}
    example = written[".env.example"]
    assert "# Draw the shadow of the garment. Engines: plain.\nHOWSFIT_SHADOW_ENGINE=plain\n" in example
    assert "plain needs 5g.\nHOWSFIT_SHADOW_MEMORY=1g\n" in example
    assert "# How dark the shadow is.\nHOWSFIT_SHADOW_GREY=7\n" in example
    assert "-r ../services/shadow/engines/plain/requirements.in\n" in written["requirements/run.in"]
    words = written["web/src/i18n/stages.ts"]
    assert re.findall(r"shadow: (.*),", words) == ['"Shadow cast"', '"Its shadow"', '"그림자 드리우기"', '"그림자"']


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (None, "does not say what 'shadow' is called in: en, ko"),
        ({"stage": {"en": "Shadow"}, "artifacts": {}}, "'shadow' is called in: ko"),
        ({"stage": {"en": "a", "ko": "b"}, "artifacts": {"shadow": {"en": "c"}}}, "'shadow' is called in: ko"),
        (
            {"stage": {"en": "a", "ko": "b"}, "artifacts": {"shadow": {"en": "c", "ko": "d"}, "sun": {}}},
            "not make: sun",
        ),
    ],
)
def test_a_stage_without_words_is_told_apart(shadow, tmp_path, words, said):
    path = tmp_path / "shadow" / "words.json"
    path.write_text(json.dumps(words)) if words else path.unlink()
    with pytest.raises(ValueError, match=rf"services/shadow/words.json .*{said}"):
        documents()


def rows(text):
    """The cells of a page's tables, row by row."""
    return [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("| ")]


def test_the_pages_list_every_stage_engine_and_artifact():
    """What a new stage is to be written into by hand: a line of the README for it, one of the protocol for what it makes."""
    readme = (ROOT / "README.md").read_text()
    flows = {row[0]: row[1].split(" → ") for row in rows(readme) if " → " in "".join(row[1:2])}
    protocol = (ROOT / "docs" / "stage-protocol.md").read_text()
    section = re.search(r"\n## Artifacts\n(.*?)\n## ", protocol, re.DOTALL)[1]
    kinds = {name: row[1] for row in rows(section) for name in re.findall(r"`(\w+)`", row[0])}
    del flows["stage"]  # the head of the table
    assert flows.keys() == set(stage_names())
    for stage in map(find_stage, stage_names()):
        takes, gives = (set(names.split(", ")) for names in flows[stage.name])
        assert gives == stage.outputs.keys() and takes - {"…"} <= stage.inputs.keys(), stage.name
        assert {name: kinds.get(name) for name in stage.outputs} == stage.outputs
        for engine in engine_names(stage.name):
            assert f"`{engine}`" in readme or engine == stage.default_engine, engine
