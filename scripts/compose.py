"""Write what names stages and engines: docker-compose.yml, docker-compose.engines.yml, .env.example, requirements/run.in,
web/src/api/kinds.ts, web/src/i18n/stages.ts.

    python -m scripts.compose

All of it comes from the folders of stages and engines, what is declared there, and scripts/templates/.
"""

import ast
import importlib
import importlib.util
import inspect
import itertools
import json
import textwrap
import tomllib
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import jinja2

from gateway.cluster.graph import Declaration, StageGraph
from gateway.settings import Settings
from howsfit.stages import find_stage
from stagekit.folders import engine_names, stage_names
from stagekit.kinds import KINDS
from stagekit.manifest import FILE, read_sets
from stagekit.settings import Settings as StageSettings

ROOT = Path(__file__).parents[1]
TEMPLATES = Path(__file__).parent / "templates"
WRITTEN = (
    "docker-compose.yml",
    "docker-compose.engines.yml",
    ".env.example",
    "requirements/run.in",
    "web/src/api/kinds.ts",
    "web/src/i18n/stages.ts",
)

WORDS = "words.json"
"""In a stage's folder: what people call it and the artifacts that it makes, in each of LANGUAGES."""

LANGUAGES = ("en", "ko")
"""Of the web app."""

OWN = ("stages", "fallbacks", "engines", "data_dir", "web_dir", "listen_port", "weights_dir")
"""Settings whose value is the compose file's own business: addresses and paths."""

WIDTH = 128
"""Of a line of help."""


@dataclass
class Setting:
    """A variable of the environment."""

    name: str
    default: str
    help: str


@dataclass
class Engine:
    """What the folder of an engine says. Its image.toml may have each of `memory`, `dockerfile`, `args`, `contexts` and
    `settings`; without a Dockerfile of its own it is built by the one that it names, by default services/Dockerfile."""

    name: str
    folder: str
    dockerfile: str
    settings: list[Setting]
    """Those that a run reads."""
    weights: list[str]
    """The settings that choose among its weights."""
    needs_weights: bool
    memory: str = ""
    """What it needs, where that is more than a stage has by default: 4g."""
    args: dict[str, str] = field(default_factory=dict)
    """Of its Dockerfile."""
    contexts: dict[str, str] = field(default_factory=dict)
    """Further folders or addresses that its image is built from."""
    build_settings: list[Setting] = field(default_factory=list)
    """Variables that `args` and `contexts` name."""


@dataclass
class Stage:
    """What the folder of a stage says."""

    name: str
    service: str
    variable: str
    purpose: str
    default: Engine
    engines: list[Engine]
    settings: list[Setting]
    """Those that all its engines read."""
    words: dict[str, Any]
    """Its WORDS."""

    @property
    def heavy(self) -> list[Engine]:
        """Engines that need more than a stage has by default."""
        return [engine for engine in self.engines if engine.memory]


def documents() -> dict[str, str]:
    """Path below the repository's root -> what belongs there."""
    templates = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    templates.filters |= {"comment": _comment, "json": partial(json.dumps, ensure_ascii=False)}
    stages = read_stages()
    found: dict[str, Any] = {
        "stages": stages,
        "of_stages": list(_declared(StageSettings)),
        "of_gateway": _of_gateway(),
        "written": _merged(stages),
        "languages": LANGUAGES,
        "documents": [name for name, kind in KINDS.items() if kind.document],
    }
    return {name: templates.get_template(Path(name).name.lstrip(".") + ".j2").render(found) for name in WRITTEN}


def read_stages() -> list[Stage]:
    """All that are here, in running order."""
    declared = {name: find_stage(name) for name in stage_names()}
    graph = StageGraph(
        [Declaration(name, stage.inputs, stage.outputs, stage.optional) for name, stage in declared.items()]
    )
    stages = []
    for name in graph.order:
        module = importlib.import_module(f"services.{name}.stage")
        engines = [_engine(name, engine) for engine in engine_names(name)]
        (default,) = (engine for engine in engines if engine.name == declared[name].default_engine)
        purpose = (inspect.getdoc(module) or "").splitlines()[0].rstrip(".")
        settings = _in_module(f"services.{name}.settings")
        words = _words(name, declared[name].outputs | declared[name].optional)
        stages.append(Stage(name, name.replace("_", "-"), name.upper(), purpose, default, engines, settings, words))
    return stages


def _words(stage: str, artifacts: Collection[str]) -> dict[str, Any]:
    """What a stage and its artifacts are called. Raises ValueError naming what has no word."""
    path = Path(importlib.import_module(f"services.{stage}").__path__[0], WORDS)
    words = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    of_artifacts = words.get("artifacts", {})
    for name, said in [(stage, words.get("stage", {})), *((name, of_artifacts.get(name, {})) for name in artifacts)]:
        if lacking := [language for language in LANGUAGES if not said.get(language)]:
            raise ValueError(f"services/{stage}/{WORDS} does not say what '{name}' is called in: {', '.join(lacking)}.")
    if unknown := of_artifacts.keys() - set(artifacts):
        raise ValueError(f"services/{stage}/{WORDS} names what the stage does not make: {', '.join(sorted(unknown))}.")
    return words


def _engine(stage: str, name: str) -> Engine:
    package = f"services.{stage}.engines.{name}"
    place = Path(importlib.import_module(package).__path__[0])
    image = tomllib.loads((place / "image.toml").read_text()) if (place / "image.toml").exists() else {}
    folder = f"services/{stage}/engines/{name}"
    own = (place / "Dockerfile").exists()
    plain = {} if own else {"STAGE": stage, "ENGINE": name, "SETTING": find_stage(stage).engine_setting()}
    sets = read_sets(str(place / FILE)).values() if (place / FILE).exists() else ()
    return Engine(
        name=name,
        folder=folder,
        dockerfile=f"{folder}/Dockerfile" if own else image.get("dockerfile", "services/Dockerfile"),
        settings=_in_module(package + ".settings"),
        weights=sorted({each.when["setting"] for each in sets if each.when}),
        needs_weights=bool(sets),
        memory=image.get("memory", ""),
        args=plain | image.get("args", {}),
        contexts=image.get("contexts", {}),
        build_settings=[Setting(variable, **each) for variable, each in image.get("settings", {}).items()],
    )


def _in_module(name: str) -> list[Setting]:
    """The settings that a module declares, where there is such a module."""
    if importlib.util.find_spec(name) is None:
        return []
    module = importlib.import_module(name)
    classes = [value for _, value in inspect.getmembers(module, inspect.isclass) if value.__module__ == name]
    return [setting for each in classes if hasattr(each, "_fields") for setting in _declared(each)]


def _declared(settings: Any) -> Iterator[Setting]:
    """The fields of a NamedTuple of settings, with the text below each."""
    body = ast.parse(inspect.getsource(settings)).body[0].body
    helps = {
        line.target.id: inspect.cleandoc(text.value.value)
        for line, text in itertools.pairwise(body)
        if isinstance(line, ast.AnnAssign) and isinstance(text, ast.Expr)
    }
    for name in settings._fields:
        if name not in OWN:
            yield Setting("HOWSFIT_" + name.upper(), _written(settings._field_defaults[name]), helps[name])


def _of_gateway() -> list[Setting]:
    return [
        Setting("HOWSFIT_" + name.upper(), _written(known.get_default()), inspect.cleandoc(known.description or ""))
        for name, known in Settings.model_fields.items()
        if name not in OWN
    ]


def _written(value: Any) -> str:
    return f"{value:g}" if isinstance(value, (int, float)) else str(value or "")


def _merged(stages: list[Stage]) -> dict[str, list[Setting]]:
    """Stage -> what its engines read and are built with; of a variable that several know the first, with the help of all."""
    known: dict[str, Setting] = {}
    found: dict[str, list[Setting]] = {stage.name: [] for stage in stages}
    for stage in stages:
        own = [setting for engine in stage.engines for setting in (*engine.settings, *engine.build_settings)]
        for setting in (*stage.settings, *own):
            first = known.setdefault(setting.name, Setting(setting.name, setting.default, setting.help))
            if first.default != setting.default:
                raise ValueError(f"{setting.name} has two defaults: '{first.default}' and '{setting.default}'.")
            if setting.help not in first.help:
                first.help += " " + setting.help
            if first not in [each for settings in found.values() for each in settings]:
                found[stage.name].append(first)
    return found


def _comment(text: str) -> str:
    return textwrap.fill(
        " ".join(text.split()),
        WIDTH,
        initial_indent="# ",
        subsequent_indent="# ",
        break_on_hyphens=False,
        break_long_words=False,
    )


def main() -> None:
    """Write what is not up to date."""
    for name, text in documents().items():
        path = ROOT / name
        if not path.exists() or path.read_text() != text:
            path.write_text(text)
            print(name)


if __name__ == "__main__":
    main()
