"""What names stages and engines is written by a script, from their folders."""

import importlib
import inspect
import re

from gateway.settings import Settings
from howsfit.stages import find_stage
from scripts.compose import ROOT, documents
from stagekit.folders import stage_names

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
