"""The stages that come with the package."""

import contextlib
import importlib
from collections.abc import Container
from pathlib import Path

from stagekit.engine import Engine
from stagekit.stage import Stage, make_engine


def installed_engines(stage: Stage, but: Container[str] = ()) -> dict[str, Engine]:
    """Name -> engine, of those whose Python packages are here, in alphabetical order. but: names of others."""
    folder = Path(importlib.import_module(f"services.{stage.name}").__path__[0]) / "engines"
    found = {}
    for name in sorted(path.parent.name for path in folder.glob("*/engine.py")):
        with contextlib.suppress(ValueError):
            if name not in but:
                found[name] = make_engine(stage, name)
    return found


def find_stage(name: str) -> Stage:
    """The declaration of a stage, without its engines. Raises ValueError naming the stages there are."""
    try:
        stage: Stage = importlib.import_module(f"services.{name}.stage").STAGE
    except ModuleNotFoundError as error:
        if not f"services.{name}.stage".startswith(error.name or " "):
            raise
        from gateway.settings import STAGES

        raise ValueError(f"There is no stage '{name}'. There are: {', '.join(STAGES)}.") from None
    return stage
