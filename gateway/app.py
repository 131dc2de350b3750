"""The gateway's web app: the public API, health, metrics and a debug page."""

import contextlib
from collections.abc import AsyncIterator, Mapping
from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute

from gateway.gateway import Gateway
from gateway.limits import BodyLimit
from gateway.openapi import describe
from gateway.problems import add_problem_handlers
from gateway.routes import batches, images, preprocessing, service, tryons, webhooks
from gateway.settings import Settings

ROUTERS = (
    tryons.router,
    preprocessing.router,
    images.router,
    batches.router,
    webhooks.router,
    service.stages,
    service.router,
)


def create_app(settings: Settings | None = None, apps: Mapping[str, Any] | None = None) -> FastAPI:
    """Make the gateway.

    apps: stage name -> ASGI app for the addresses inproc://name; their lifespans are run with the gateway's.
    """
    gateway = Gateway(settings or Settings(), apps or {})

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with contextlib.AsyncExitStack() as stack:
            for stage_app in (apps or {}).values():
                await stack.enter_async_context(stage_app.router.lifespan_context(stage_app))
            await stack.enter_async_context(gateway.running())
            yield

    app = FastAPI(
        title="Howsfit",
        version="1",
        description="Dresses the person in one photograph in the garment of another.",
        lifespan=lifespan,
        generate_unique_id_function=_operation_id,
    )
    app.state.gateway = gateway
    largest = 2 * gateway.settings.max_upload_mb + 1  # two pictures, and a little around them
    app.add_middleware(BodyLimit, max_bytes=int(largest * 1e6))
    add_problem_handlers(app)
    for router in ROUTERS:
        app.include_router(router)
    describe(app)
    for name, stage_app in (apps or {}).items():
        app.mount(f"/stages/{name}", stage_app)  # so that debug pages can be reached in one process too
    return app


def _operation_id(route: APIRoute) -> str:
    """The function's name, which becomes that of a method in generated clients."""
    return route.name
