"""The gateway's web app: the public API, health, metrics and a debug page."""

import contextlib
from collections.abc import AsyncIterator, Mapping
from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.middleware.cors import CORSMiddleware

from gateway.gateway import Gateway
from gateway.http.access import Access, AdminOnly
from gateway.http.limits import MAX_JSON, BodyLimit
from gateway.http.openapi import describe
from gateway.http.prefix import BehindProxy
from gateway.http.problems import add_problem_handlers
from gateway.http.routes import (
    batches,
    comparisons,
    images,
    keys,
    preprocessing,
    service,
    subjects,
    tryons,
    usage,
    webhooks,
)
from gateway.http.web import add_web_app, built
from gateway.settings import Settings

ROUTERS = (
    tryons.router,
    preprocessing.router,
    images.router,
    batches.router,
    comparisons.router,
    subjects.router,
    webhooks.router,
    keys.router,
    usage.router,
    service.stages,
    service.router,
)
SENT_BY_PAGES = ("Authorization", "Cache-Control", "Idempotency-Key", "Last-Event-ID", "Prefer", "traceparent")
READ_BY_PAGES = ("Location", "Preference-Applied", "RateLimit", "RateLimit-Policy", "Retry-After")
"""Headers, by pages of other origins; the rest a browser keeps from them."""


def create_app(settings: Settings | None = None, apps: Mapping[str, Any] | None = None) -> FastAPI:
    """Make the gateway.

    apps: stage name -> ASGI app for the addresses inproc://name; their lifespans are run with the gateway's.
    """
    settings = settings or Settings()
    gateway = Gateway(settings, apps or {})
    web = built(settings)

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
        docs_url=None if web else "/docs",  # its own needs scripts of another host
        redoc_url=None,
    )
    app.state.gateway = gateway
    largest = 2 * settings.max_upload_mb + 21  # two pictures, and artifacts of one canvas each
    # The last one is the outermost: whoever has no key uploads nothing, and every answer tells a browser who may read it.
    app.add_middleware(BodyLimit, max_bytes=int(largest * 1e6), small={"/v1/batches": MAX_JSON, "/v1/keys": MAX_JSON})
    if gateway.keys.on:
        app.add_middleware(Access, keys=gateway.keys)
    add_problem_handlers(app)
    if settings.cors_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=settings.cors_origins,
            allow_methods=("GET", "POST", "DELETE"),
            allow_headers=SENT_BY_PAGES,
            expose_headers=READ_BY_PAGES,
            allow_credentials=False,  # a page sends the key itself; a browser must not add one that it knows
        )
    app.add_middleware(BehindProxy, base_path=settings.base_path, trusted_proxies=settings.trusted_proxies)
    if web:
        add_web_app(app, web, settings)
    for router in ROUTERS:
        app.include_router(router)
    describe(app)
    for name, stage_app in (apps or {}).items():
        # So that debug pages can be reached in one process too.
        app.mount(f"/stages/{name}", AdminOnly(stage_app, gateway.keys))
    return app


def _operation_id(route: APIRoute) -> str:
    """The function's name, which becomes that of a method in generated clients."""
    return route.name
