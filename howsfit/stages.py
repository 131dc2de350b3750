"""The stages that come with the package."""

import importlib

from stagekit.stage import Stage


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
