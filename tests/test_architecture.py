"""The rules of the house: imports point one way, and every setting is documented."""

import ast
import re
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from gateway.settings import Settings
from howsfit.stages import find_stage
from services.agnostic.engines.viton_hd.settings import AgnosticSettings
from services.cloth_mask.engines.carvekit.settings import CarvekitSettings
from services.densepose.engines.detectron2.settings import DensePoseSettings
from services.human_parse.settings import ParseSettings
from services.pose.engines.blazepose.settings import BlazeposeSettings
from services.pose.engines.openpose.settings import OpenposeSettings
from services.tryon.engines.hr_viton.settings import HrVitonSettings
from services.tryon.engines.tps.settings import TpsSettings
from stagekit.folders import stage_names
from stagekit.settings import Settings as StageSettings
from tests.servers import ROOT

MODULES = [
    path
    for package in ("stagekit", "garment_parser", "services", "gateway", "howsfit")
    for path in (ROOT / package).rglob("*.py")
]
GATEWAY_MAY_USE = {
    f"stagekit.{name}" for name in ("wire", "errors", "folders", "kinds", "licences", "options", "pictures", "tracing")
}

GATEWAY = (
    ("errors", "paths", "metrics", "sweeper"),
    ("settings",),
    ("storage",),
    ("jobs", "cluster", "callers", "outgoing"),
    ("pictures", "webhooks"),
    ("tryons",),
    ("documents", "move"),
    ("sheets",),
    ("gateway",),
    ("http",),
    ("app",),
    ("main",),
)
"""The rooms of the gateway, and the modules beside them: each may use what stands above it, none what stands beside it."""


def is_module(name: str) -> bool:
    return ROOT.joinpath(*name.split(".")).with_suffix(".py").exists()


def imported(path: Path) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
            names |= {name for alias in node.names if is_module(name := f"{node.module}.{alias.name}")}
    return {
        name
        for name in names
        if name.split(".")[0] in ("stagekit", "garment_parser", "services", "gateway", "howsfit", "tests")
    }


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_point_one_way(path):
    here = path.relative_to(ROOT).parts
    for name in imported(path):
        package = name.split(".")[0]
        assert package != "tests"
        if here[0] in ("stagekit", "garment_parser"):
            assert package == here[0], name
        elif here[0] == "gateway":
            assert package == "gateway" or name in GATEWAY_MAY_USE, name
        elif here[0] == "services":
            assert package in ("stagekit", "garment_parser") or name.split(".")[:2] == ["services", here[1]], name
            if "engines" in here and "engines" in name.split("."):
                assert name.split(".")[3] == here[3], "no engine imports another engine"


def test_the_gateways_rooms_use_only_those_before_them():
    rank = {room: at for at, rooms in enumerate(GATEWAY) for room in rooms}
    there = {path.stem for path in (ROOT / "gateway").glob("*.py")} | {
        path.parent.name for path in (ROOT / "gateway").glob("*/__init__.py")
    }
    assert there - {"__init__"} == rank.keys()
    for path in (ROOT / "gateway").rglob("*.py"):
        room = path.relative_to(ROOT / "gateway").with_suffix("").parts[0]
        used = {name.split(".")[1] for name in imported(path) if name.startswith("gateway.")}
        assert all(other == room or rank[other] < rank[room] for other in used), (path, used)


def test_every_room_of_the_gateway_says_what_it_is_for():
    for path in (ROOT / "gateway").rglob("__init__.py"):
        assert ast.get_docstring(ast.parse(path.read_text())), path


def test_no_modules_import_each_other():
    """Not even in a circle; the parts of a package may use each other, but not the names that it gathers from them."""
    modules = {}
    for path in MODULES:
        parts = path.relative_to(ROOT).with_suffix("").parts
        modules[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    TopologicalSorter({name: imported(path) & modules.keys() for name, path in modules.items()}).prepare()


@pytest.mark.parametrize("stage", stage_names())
def test_every_stage_has_its_folder_and_every_engine_its_files(stage):
    declared = find_stage(stage)
    engines = [path for path in (ROOT / "services" / stage / "engines").iterdir() if (path / "engine.py").exists()]
    assert declared.default_engine in {path.name for path in engines}
    for engine in engines:
        for name in ("requirements.in", "requirements.txt", "Dockerfile", "__init__.py"):
            assert (engine / name).is_file(), engine / name
        assert f"{declared.engine_setting()}={engine.name}" in (engine / "Dockerfile").read_text()


def test_every_setting_is_in_the_example_and_in_compose():
    example = (ROOT / ".env.example").read_text()
    compose = (ROOT / "docker-compose.yml").read_text()
    # Addresses and paths are the compose file's own business.
    fixed = {"stages", "engines", "data_dir", "web_dir", "listen_port", "weights_dir"}
    everything = (
        (Settings(), Settings.model_fields),
        (StageSettings(), StageSettings._fields),
        (DensePoseSettings(), DensePoseSettings._fields),
        (ParseSettings(), ParseSettings._fields),
        (HrVitonSettings(), HrVitonSettings._fields),
        (BlazeposeSettings(), BlazeposeSettings._fields),
        (TpsSettings(), TpsSettings._fields),
        (AgnosticSettings(), AgnosticSettings._fields),
        (OpenposeSettings(), OpenposeSettings._fields),
        (CarvekitSettings(), CarvekitSettings._fields),
    )
    for settings, fields in everything:
        for name in set(fields) - fixed:
            variable, default = "HOWSFIT_" + name.upper(), getattr(settings, name)
            written = f"{default:g}" if isinstance(default, (int, float)) else str(default or "")
            assert re.search(rf"^{variable}={re.escape(written)}$", example, re.MULTILINE), variable
            assert re.search(rf"^\s+{variable}:", compose, re.MULTILINE), variable
    for stage in stage_names():
        assert find_stage(stage).engine_setting() in example
        further = f"HOWSFIT_{stage.upper()}_URLS"
        assert re.search(rf"^{further}=$", example, re.MULTILINE) and f"{further}:" in compose


def test_every_setting_of_the_example_is_used():
    used = "".join(path.read_text() for path in [*ROOT.glob("docker-compose*.yml"), ROOT / "gateway" / "settings.py"])
    for variable in re.findall(r"^(\w+)=", (ROOT / ".env.example").read_text(), re.MULTILINE):
        assert variable in used, variable


def test_locked_requirements_name_hashes_and_no_host():
    locked = [
        path
        for where in ("requirements/*", "services/*/engines/*/requirements*", "deploy/*/requirements")
        for path in ROOT.glob(where + ".txt")
    ]
    for path in locked:
        text = path.read_text()
        assert "://" not in text, path
        if path.name != "overrides.txt":
            pinned = re.findall(r"^[a-z0-9][\w.-]*(?:\[.*?\])?==.*$", text, re.MULTILINE | re.IGNORECASE)
            assert pinned and all(line.endswith("\\") for line in pinned), path
