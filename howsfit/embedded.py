"""Gateway and stages in one process: the same services, mounted in memory."""

from collections.abc import Container, Mapping, Sequence

from fastapi import FastAPI

import gateway.app
from gateway.settings import Settings
from howsfit.stages import find_stage, installed_engines
from stagekit.app import create_app as create_stage_app
from stagekit.engine import Engine
from stagekit.stage import Stage, make_engine


def create_app(settings: Settings | None = None, engines: Mapping[str, str | Sequence[str]] | None = None) -> FastAPI:
    """A gateway that mounts each stage whose address is inproc://NAME, and beside it the further engines that a request may
    choose.

    engines: stage -> the one or those that are mounted beside its own; default: all whose packages are installed.
    Raises ValueError for an unknown stage or engine, StartupError (at start) when they make no graph.
    """
    settings = settings or Settings()
    inproc = [name for name, address in settings.stages.items() if address.startswith("inproc://")]
    stages = {name: create_stage_app(find_stage(name)) for name in inproc}
    others, addresses = {}, {stage: dict(engines) for stage, engines in settings.engines.items()}
    for name, app in stages.items():
        there = {app.state.runner.engine.name, *addresses.setdefault(name, {})}
        for engine, made in _further(find_stage(name), engines, there).items():
            others[f"{name}.{engine}"] = create_stage_app(find_stage(name), made)
            addresses[name][engine] = f"inproc://{name}.{engine}"
    app = gateway.app.create_app(settings.model_copy(update={"engines": addresses}), stages | others)
    app.state.runners = {name: stage.state.runner for name, stage in stages.items()}
    return app


def _further(
    stage: Stage, engines: Mapping[str, str | Sequence[str]] | None, there: Container[str]
) -> dict[str, Engine]:
    """Name -> engine, of those that are to be mounted and are not there yet."""
    if engines is None:
        return installed_engines(stage, but=there)
    named = engines.get(stage.name, ())
    wanted = [named] if isinstance(named, str) else named
    return {name: make_engine(stage, name) for name in wanted if name not in there}
