"""Gateway and stages in one process: the same services, mounted in memory."""

from fastapi import FastAPI

import gateway.app
from gateway.settings import Settings
from howsfit.stages import find_stage
from stagekit.app import create_app as create_stage_app


def create_app(settings: Settings | None = None) -> FastAPI:
    """A gateway that mounts each stage whose address is inproc://NAME.

    Raises ValueError for an unknown stage or engine, StartupError (at start) when they make no graph.
    """
    settings = settings or Settings()
    inproc = [name for name, address in settings.stages.items() if address.startswith("inproc://")]
    stages = {name: create_stage_app(find_stage(name)) for name in inproc}
    app = gateway.app.create_app(settings, stages)
    app.state.runners = {name: stage.state.runner for name, stage in stages.items()}
    return app
