"""The rules of the house: imports point one way, and every folder has what belongs there."""

import ast
import re
import tomllib
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from howsfit.stages import find_stage
from stagekit.folders import stage_names
from tests.servers import ROOT

MODULES = [
    path
    for package in ("stagekit", "garment_parser", "services", "gateway", "howsfit", "training")
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
        if name.split(".")[0] in ("stagekit", "garment_parser", "services", "gateway", "howsfit", "training", "tests")
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
        elif here[0] == "training":
            trained = name.startswith("services.tryon.engines.hr_viton.")
            assert package in ("training", "stagekit") or trained, name
        elif here[0] == "howsfit":
            assert package != "training" or here[1] == "train", name
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


DBOS_ADAPTER = ROOT / "gateway" / "jobs" / "dbos_adapter.py"


@pytest.mark.parametrize(
    "path",
    [
        path
        for path in [*MODULES, *(ROOT / "tests").rglob("*.py")]
        if "dbos" in path.read_text() and path != DBOS_ADAPTER
    ],
    ids=lambda path: str(path.relative_to(ROOT)),
)
def test_only_the_adapter_names_what_dbos_keeps_private(path):
    """Where DBOS is used, each name with an underscore before it is the module's own."""
    nodes = list(ast.walk(ast.parse(path.read_text())))
    imports = [node for node in nodes if isinstance(node, ast.Import | ast.ImportFrom)]
    names = [getattr(node, "module", None) or alias.name for node in imports for alias in node.names]
    assert not [name for name in names if name.startswith("dbos._")]
    if "dbos" in names:
        own = {node.name for node in nodes if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)}
        own |= {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
        attributes = [node for node in nodes if isinstance(node, ast.Attribute) and node.attr.startswith("_")]
        own |= {
            node.attr for node in attributes if isinstance(node.ctx, ast.Store) and ast.unparse(node.value) == "self"
        }
        assert {node.attr for node in attributes if not node.attr.endswith("__")} <= own


@pytest.mark.parametrize("stage", stage_names())
def test_every_stage_has_its_folder_and_every_engine_its_files(stage):
    declared = find_stage(stage)
    for name in ("__init__.py", "app.py", "engines/__init__.py"):
        assert (ROOT / "services" / stage / name).is_file(), name
    engines = [path for path in (ROOT / "services" / stage / "engines").iterdir() if (path / "engine.py").exists()]
    assert declared.default_engine in {path.name for path in engines}
    for engine in engines:
        for name in ("requirements.in", "requirements.txt", "__init__.py"):
            assert (engine / name).is_file(), engine / name
        if (engine / "Dockerfile").exists():
            assert f"{declared.engine_setting()}={engine.name}" in (engine / "Dockerfile").read_text()
        else:
            image = tomllib.loads((engine / "image.toml").read_text())
            args, dockerfile = image["args"], image.get("dockerfile", "services/Dockerfile")
            assert args["DESCRIPTION"], f"{dockerfile} builds it"
            assert all(f"ARG {name}" in (ROOT / dockerfile).read_text() for name in args), engine
            used = {name.split(".")[0] for path in engine.rglob("*.py") for name in imported(path)}
            assert used - {"services", "stagekit"} <= {args.get("ALSO")}, engine


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
