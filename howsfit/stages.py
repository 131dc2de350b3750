"""The stages that come with the package."""

import contextlib
import importlib
from collections.abc import Container

from stagekit.engine import Engine
from stagekit.folders import engine_names, stage_names
from stagekit.stage import Stage, make_engine


def installed_engines(stage: Stage, but: Container[str] = ()) -> dict[str, Engine]:
    """Name -> engine, of those whose Python packages are here, in alphabetical order. but: names of others."""
    found = {}
    for name in engine_names(stage.name):
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
        raise ValueError(f"There is no stage '{name}'. There are: {', '.join(stage_names())}.") from None
    return stage


def made_artifacts() -> dict[str, str]:
    """Artifact -> kind, of all that the stages make."""
    return {name: kind for stage in map(find_stage, stage_names()) for name, kind in stage.outputs.items()}


def optional_artifacts() -> dict[str, str]:
    """Artifact -> kind, of all that stages take where somebody brings it."""
    return {name: kind for stage in map(find_stage, stage_names()) for name, kind in stage.optional.items()}
