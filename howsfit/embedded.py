"""Gateway and stages in one process: the same services, mounted in memory."""

import importlib

from fastapi import FastAPI

import gateway.app
from gateway.settings import STAGES, Settings
from stagekit.app import create_app as create_stage_app
from stagekit.stage import Stage


def find_stage(name: str) -> Stage:
    """The declaration of a stage. Raises ValueError naming the stages there are."""
    if name not in STAGES:
        raise ValueError(f"There is no stage '{name}'. There are: {', '.join(STAGES)}.")
    stage: Stage = importlib.import_module(f"services.{name}.stage").STAGE
    return stage


def create_app(settings: Settings | None = None) -> FastAPI:
    """A gateway that mounts each stage whose address is inproc://NAME.

    Raises ValueError for an unknown stage or engine, StartupError (at start) when they make no graph.
    """
    settings = settings or Settings()
    inproc = [name for name, address in settings.stages.items() if address.startswith("inproc://")]
    return gateway.app.create_app(settings, {name: create_stage_app(find_stage(name)) for name in inproc})
