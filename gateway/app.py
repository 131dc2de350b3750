"""The gateway's web app: the public API, health, metrics and a debug page."""

import asyncio
import contextlib
import json
import re
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Annotated, Any

from fastapi import FastAPI, File, Header, Query, Request, UploadFile
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse, Response, StreamingResponse
from jinja2 import Environment, FileSystemLoader, select_autoescape
from starlette.exceptions import HTTPException

from gateway import dataset
from gateway.database import Database
from gateway.documents import TryonDocument, TryonList
from gateway.errors import BadRequest, GatewayError, UploadTooLarge
from gateway.jobs import ENDED, State
from gateway.limits import BodyLimit
from gateway.metrics import Metrics
from gateway.settings import Settings
from gateway.stages import Cluster
from gateway.tryons import Tryons
from gateway.uploads import uploaded
from stagekit.errors import Problem
from stagekit.tracing import trace_id
from stagekit.wire import Part

PROBLEM = "application/problem+json"
KEEP_ALIVE_S = 15.0
_pages = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"), autoescape=select_autoescape(["html"])
)


class Gateway:
    """What the routes share."""

    def __init__(self, settings: Settings, apps: Mapping[str, Any]) -> None:
        self.settings = settings
        self.metrics = Metrics()
        self.cluster = Cluster(settings, apps)
        self.database = Database(settings.database())
        self.tryons = Tryons(settings, self.cluster, self.database, settings.blobs(), self.metrics)

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Connected to all stages, and taking jobs. Raises StartupError, StorageUnavailable."""
        try:
            await self.cluster.connect()
            await self.tryons.start()
            yield
        finally:
            await self.tryons.stop()
            await self.cluster.close()
            await self.database.close()

    async def document(self, tryon_id: str) -> TryonDocument:
        """The document of a try-on as it stands. Raises NotFound."""
        job, events = await self.tryons.get(tryon_id)
        return TryonDocument.of(job, events, self._order())

    async def documents(self, limit: int, before: str | None = None, state: State | None = None) -> TryonList:
        """A page of them, the newest first. Raises BadRequest."""
        try:
            found = await self.tryons.page(limit + 1, before, state)
        except ValueError as error:
            raise BadRequest(str(error)) from None
        listed = [TryonDocument.of(job, events, self._order()) for job, events in found[:limit]]
        more = f"/v1/tryons?limit={limit}&before={found[limit - 1][0].cursor}" if len(found) > limit else None
        return TryonList(tryons=listed, next=more + f"&status={state}" if more and state else more)

    def _order(self) -> tuple[str, ...]:
        assert self.cluster.graph is not None, "it serves only after connect()"
        return self.cluster.graph.order


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
    )
    app.state.gateway = gateway
    largest = 2 * gateway.settings.max_upload_mb + 1  # two pictures, and a little around them
    app.add_middleware(BodyLimit, max_bytes=int(largest * 1e6))
    _add_errors(app)
    _add_service_routes(app, gateway)
    _add_public_routes(app, gateway)
    for name, stage_app in (apps or {}).items():
        app.mount(f"/stages/{name}", stage_app)  # so that debug pages can be reached in one process too
    return app


def _add_service_routes(app: FastAPI, gateway: Gateway) -> None:
    @app.get("/", include_in_schema=False)
    async def home() -> RedirectResponse:
        return RedirectResponse("/debug")

    @app.get("/livez", tags=["service"], summary="The process is up")
    async def livez() -> dict[str, str]:
        return {"status": "ok"}

    @app.get("/readyz", tags=["service"], summary="All stages are ready")
    async def readyz() -> Response:
        health = await gateway.cluster.health()
        ready = all(stage["ready"] for stage in health.values())
        return JSONResponse({"status": "ready" if ready else "unhealthy", "stages": health}, 200 if ready else 503)

    @app.get("/metrics", tags=["service"], summary="Prometheus metrics")
    async def metrics() -> Response:
        return Response(gateway.metrics.render(), media_type="text/plain; version=0.0.4; charset=utf-8")

    @app.get("/debug", tags=["service"], response_class=HTMLResponse, summary="Stages, recent try-ons, a form")
    async def debug() -> HTMLResponse:
        page = _pages.get_template("debug.html")
        listed = await gateway.documents(12)
        return HTMLResponse(page.render(stages=await _stages(gateway), tryons=listed.tryons))


def _add_public_routes(app: FastAPI, gateway: Gateway) -> None:
    @app.get("/v1/stages", tags=["v1"], summary="The stage graph, and what serves each stage")
    async def stages() -> dict[str, Any]:
        return {"stages": await _stages(gateway)}

    @app.post(
        "/v1/tryons",
        tags=["v1"],
        status_code=202,
        summary="Dress a person in a garment",
        responses={200: {"model": TryonDocument, "description": "Ended within the time of `Prefer: wait=N`."}},
    )
    async def create(
        request: Request,
        response: Response,
        photo: Annotated[UploadFile, File(description="The person: JPEG, PNG or WebP.")],
        garment: Annotated[UploadFile, File(description="The garment, laid flat or on a hanger.")],
        prefer: Annotated[str | None, Header(description="wait=N: answer at its end, after N s at most.")] = None,
        idempotency_key: Annotated[
            str | None, Header(max_length=255, description="The same key and pictures again: the same try-on.")
        ] = None,
        cache_control: Annotated[
            str | None, Header(description="no-store: run every stage anew, keep nothing.")
        ] = None,
    ) -> TryonDocument:
        wait_s = _wait_s(prefer, gateway.settings.max_wait_s)
        largest_mb = gateway.settings.max_upload_mb
        pictures = await _read(photo, largest_mb), await _read(garment, largest_mb)
        job = await gateway.tryons.create(
            *pictures,
            trace_id=trace_id(request.headers.get("traceparent")),
            no_store="no-store" in (cache_control or ""),
            key=idempotency_key,
        )
        response.headers["Location"] = f"/v1/tryons/{job.id}"
        if wait_s is not None:
            response.headers["Preference-Applied"] = f"wait={wait_s:g}"
            await gateway.tryons.wait(job.id, wait_s)
        document = await gateway.document(job.id)
        if document.status in ENDED:
            response.status_code = 200
        return document

    @app.get("/v1/tryons", tags=["v1"], summary="Try-ons, the newest first")
    async def listing(
        limit: Annotated[int, Query(ge=1, le=100)] = 20,
        before: Annotated[str | None, Query(max_length=100, description="From `next` of the page before.")] = None,
        status: State | None = None,
    ) -> TryonList:
        return await gateway.documents(limit, before, status)

    @app.get("/v1/tryons/{tryon_id}", tags=["v1"], summary="A try-on as it stands")
    async def get(tryon_id: str) -> TryonDocument:
        return await gateway.document(tryon_id)

    @app.delete("/v1/tryons/{tryon_id}", tags=["v1"], status_code=204, summary="Forget a try-on and its images")
    async def delete(tryon_id: str) -> None:
        await gateway.tryons.delete(tryon_id)

    @app.post("/v1/tryons/{tryon_id}/cancel", tags=["v1"], summary="Stop a try-on")
    async def cancel(tryon_id: str) -> TryonDocument:
        await gateway.tryons.cancel(tryon_id)
        return await gateway.document(tryon_id)

    @app.post("/v1/tryons/{tryon_id}/retry", tags=["v1"], summary="Run a failed or canceled try-on again")
    async def retry(tryon_id: str) -> TryonDocument:
        await gateway.tryons.retry(tryon_id)
        return await gateway.document(tryon_id)

    @app.get(
        "/v1/tryons/{tryon_id}/events",
        tags=["v1"],
        summary="What happens to it, as it happens (server-sent events)",
        response_class=StreamingResponse,
        responses={200: {"content": {"text/event-stream": {}}}},
    )
    async def events(
        tryon_id: str,
        last_event_id: Annotated[str | None, Header(description="Go on after this event.")] = None,
    ) -> StreamingResponse:
        await gateway.tryons.get(tryon_id)
        after = int(last_event_id) if last_event_id and last_event_id.isdecimal() else 0
        return StreamingResponse(_event_stream(gateway, tryon_id, after), media_type="text/event-stream")

    @app.get("/v1/tryons/{tryon_id}/artifacts/{name}", tags=["v1"], summary="One artifact", response_class=Response)
    async def artifact(tryon_id: str, name: str) -> Response:
        if gateway.settings.s3_public_endpoint and (link := await gateway.tryons.link(tryon_id, name)):
            return RedirectResponse(link)
        part = await gateway.tryons.artifact(tryon_id, name)
        return Response(part.data, media_type=part.media_type, headers={"X-Content-Type-Options": "nosniff"})

    @app.get(
        "/v1/tryons/{tryon_id}/dataset.zip", tags=["v1"], summary="In the VITON-HD layout", response_class=Response
    )
    async def dataset_zip(tryon_id: str) -> Response:
        parts = await gateway.tryons.artifacts(tryon_id)
        return Response(await asyncio.to_thread(dataset.export, parts), media_type="application/zip")


async def _event_stream(gateway: Gateway, tryon_id: str, after: int) -> AsyncIterator[str]:
    """`stage` events numbered from 1, comments to keep proxies from closing, and at last `completed` with the try-on."""
    events = gateway.tryons.events(tryon_id, after)
    coming = asyncio.ensure_future(anext(events, None))
    yield "retry: 1000\n\n"
    try:
        while True:
            done, _ = await asyncio.wait({coming}, timeout=KEEP_ALIVE_S)
            if not done:
                yield ": still there\n\n"
            elif (event := coming.result()) is None:
                document = await gateway.document(tryon_id)
                yield f"event: completed\ndata: {document.model_dump_json()}\n\n"
                return
            else:
                yield f"id: {event.number}\nevent: stage\ndata: {json.dumps(event.data)}\n\n"
                coming = asyncio.ensure_future(anext(events, None))
    finally:
        coming.cancel()


async def _stages(gateway: Gateway) -> list[dict[str, Any]]:
    graph = gateway.cluster.graph
    assert graph is not None
    health = await gateway.cluster.health()
    return [
        gateway.cluster.clients[name].info | {"needs": sorted(graph.needs(name)), "health": health[name]}
        for name in graph.order
    ]


async def _read(upload: UploadFile, max_mb: float) -> Part:
    data = await upload.read(int(max_mb * 1e6) + 1)
    if len(data) > max_mb * 1e6:
        raise UploadTooLarge(f"A picture may have {max_mb:g} MB at most. Send a smaller one.")
    return uploaded(data)


def _wait_s(prefer: str | None, longest: float) -> float | None:
    """The seconds of `Prefer: wait=N` (RFC 7240); other preferences are ignored, as it says."""
    match = re.search(r"(?:^|[,;\s])wait\s*=\s*\"?(\d{1,6})\b", prefer or "")
    return min(float(match.group(1)), longest) if match else None


def _add_errors(app: FastAPI) -> None:
    async def refused(request: Request, error: Any) -> Response:
        return _problem(request, error)

    async def invalid(request: Request, error: Any) -> Response:
        listed = [{"at": ".".join(map(str, e["loc"])), "message": e["msg"]} for e in error.errors()]
        said = "; ".join(f"{e['at']}: {e['message']}" for e in listed)
        return _problem(request, BadRequest(f"{said}. The page /docs shows what is expected."), errors=listed)

    async def http(request: Request, error: Any) -> Response:
        members = {"type": "about:blank", "title": str(error.detail), "status": error.status_code}
        return JSONResponse(members, error.status_code, media_type=PROBLEM, headers=error.headers)

    async def bug(request: Request, error: Any) -> Response:
        return _problem(request, GatewayError("An internal error. Please report it with the trace id."))

    app.add_exception_handler(Problem, refused)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(HTTPException, http)
    app.add_exception_handler(Exception, bug)


def _problem(request: Request, error: Problem, **extra: Any) -> Response:
    trace = trace_id(request.headers.get("traceparent"))
    body = error.problem() | {"instance": request.url.path, "trace_id": trace} | extra
    headers = {"Retry-After": str(error.retry_after_s)} if error.retry_after_s is not None else None
    return JSONResponse(body, error.status, media_type=PROBLEM, headers=headers)
