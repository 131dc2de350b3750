"""The stages that come with the package."""

import importlib
from pathlib import Path

from stagekit.stage import Stage, make_engine


def installed_engines(stage: Stage) -> list[str]:
    """The names of its engines whose Python packages are here, in alphabetical order."""
    folder = Path(importlib.import_module(f"services.{stage.name}").__path__[0]) / "engines"
    return [path.parent.name for path in sorted(folder.glob("*/engine.py")) if _is_installed(stage, path.parent.name)]


def _is_installed(stage: Stage, engine: str) -> bool:
    try:
        make_engine(stage, engine)
    except ValueError:
        return False
    return True


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
