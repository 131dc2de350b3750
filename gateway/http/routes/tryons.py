"""/v1/tryons: start jobs, watch them, fetch what they made."""

import asyncio
import re
from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Path, Query, Request
from fastapi.responses import RedirectResponse, Response
from fastapi.sse import EventSourceResponse, ServerSentEvent

from gateway.documents import ProgressDocument, TryonDocument, TryonList
from gateway.errors import NotFound
from gateway.http.access import Reader, Writer
from gateway.http.bodies import body, described
from gateway.http.fetched import answer_with
from gateway.http.here import Here
from gateway.http.names import known_query, known_query_of_posts
from gateway.http.problems import refusals
from gateway.http.routes.orders import STARTING, Options, Quality, Rendering, WholeTryonFields, Width, start
from gateway.jobs.events import Event
from gateway.jobs.job import State
from gateway.pictures.previews import rendered
from gateway.tryons import dataset
from gateway.tryons.orders import MAX_SAMPLES, Kind
from gateway.tryons.outfits import MAX_GARMENTS
from gateway.tryons.subjects import REFERENCE
from stagekit.wire import Part

router = APIRouter(prefix="/v1/tryons", tags=["try-ons"], dependencies=[Depends(known_query_of_posts)])

Id = Annotated[str, Path(pattern=r"^[A-Za-z0-9._-]{1,100}$")]
Name = Annotated[str, Path(max_length=40, description="One of the document's `artifacts`.")]
Sample = Annotated[int, Query(ge=1, le=MAX_SAMPLES, description="Which one's, of a try-on with several.")]
Garment = Annotated[
    int | None, Query(ge=1, le=MAX_GARMENTS, description="For which one of several garments it was made.")
]
IMAGE: dict[int | str, dict[str, Any]] = {
    200: {
        "content": {
            name: {"schema": {"type": "string", "format": "binary"}}
            for name in ("image/png", "image/jpeg", "image/webp")
        }
        | {"application/json": {"schema": {"type": "object"}}},
        "description": "The bytes, in the media type that the artifact has.",
    },
    307: {"description": "Where it can be downloaded, when the storage gives links."},
}
PREVIEW: dict[int | str, dict[str, Any]] = {
    200: {"content": {"image/jpeg": {"schema": {"type": "string", "format": "binary"}}}}
}
ZIP: dict[int | str, dict[str, Any]] = {
    200: {"content": {"application/zip": {"schema": {"type": "string", "format": "binary"}}}}
}
EVENTS: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "`stage` events, numbered from 1, `progress` events in between, and at last `completed` with the "
        "document, or `deleted`. Their data are JSON. A comment comes every 15 seconds when nothing happens: read for 30 "
        "before you take the connection for dead.",
    }
}


@router.post(
    "",
    status_code=202,
    summary="Dress a person in a garment",
    responses=STARTING,
    openapi_extra=described(WholeTryonFields),
)
async def create_tryon(
    gateway: Here,
    caller: Writer,
    response: Response,
    options: Options,
    sent: Annotated[WholeTryonFields, Depends(body(WholeTryonFields))],
) -> TryonDocument:
    """Send `photo`, the person, and `garment`, laid flat or on a hanger: JPEG, PNG or WebP. Or the ids of uploaded images."""
    return await start(gateway, caller, "tryon", sent, options, response)


@router.get("", summary="Try-ons, the newest first", responses=refusals(), dependencies=[Depends(known_query)])
async def list_tryons(
    gateway: Here,
    caller: Reader,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    before: Annotated[str | None, Query(max_length=100, description="From `next` of the page before.")] = None,
    status: State | None = None,
    kind: Kind | None = None,
    reference: Annotated[str | None, Query(pattern=REFERENCE, description="Those that were sent with it.")] = None,
) -> TryonList:
    return await gateway.documents(limit, before, status, kind, caller.sees, reference)


@router.get("/{tryon_id}", summary="A try-on as it stands", responses=refusals(404))
async def get_tryon(gateway: Here, caller: Reader, tryon_id: Id) -> TryonDocument:
    return await gateway.document(tryon_id, caller.sees)


@router.delete(
    "/{tryon_id}", status_code=204, summary="Forget a try-on and its images", responses=refusals(404, 409, 503)
)
async def delete_tryon(gateway: Here, caller: Writer, tryon_id: Id) -> None:
    """Also what the cache keeps that was made from its uploads. Images of POST /v1/images stay."""
    await gateway.tryons.delete(tryon_id, caller.sees)


@router.post("/{tryon_id}/cancel", summary="Stop a try-on", responses=refusals(404))
async def cancel_tryon(gateway: Here, caller: Writer, tryon_id: Id) -> TryonDocument:
    await gateway.tryons.cancel(tryon_id, caller.sees)
    return await gateway.document(tryon_id)


@router.post("/{tryon_id}/retry", summary="Run a failed or canceled try-on again", responses=refusals(404, 409))
async def retry_tryon(gateway: Here, caller: Writer, tryon_id: Id) -> TryonDocument:
    """Stages that succeeded do not run again."""
    await gateway.tryons.retry(tryon_id, caller.sees, caller.max_jobs)
    return await gateway.document(tryon_id)


async def _is_there(gateway: Here, caller: Reader, tryon_id: Id) -> None:
    """Before the stream begins, which can refuse nothing any more. Raises NotFound."""
    await gateway.tryons.get(tryon_id, caller.sees)


@router.get(
    "/{tryon_id}/events",
    summary="What happens to it, as it happens (server-sent events)",
    response_class=EventSourceResponse,
    responses=EVENTS | refusals(404),
    dependencies=[Depends(_is_there)],
)
async def tryon_events(
    gateway: Here,
    tryon_id: Id,
    last_event_id: Annotated[str | None, Header(description="Go on after this event.")] = None,
) -> AsyncIterator[ServerSentEvent]:
    # Anything else is no number that we gave.
    after = int(last_event_id) if last_event_id and re.fullmatch("[0-9]{1,9}", last_event_id) else 0
    yield ServerSentEvent(retry=1000)
    async for event in gateway.tryons.events(tryon_id, after):
        if isinstance(event, Event):
            yield ServerSentEvent(id=str(event.number), event="stage", data=event.data)
        else:
            yield ServerSentEvent(event="progress", data=ProgressDocument.told(tryon_id, event))
    try:
        yield ServerSentEvent(event="completed", data=await gateway.document(tryon_id))
    except NotFound as error:
        yield ServerSentEvent(event="deleted", data=error.problem())


@router.get(
    "/{tryon_id}/preview",
    summary="A small picture of what there is of it so far",
    response_class=Response,
    responses=PREVIEW | refusals(404),
)
async def get_preview(
    gateway: Here,
    caller: Reader,
    tryon_id: Id,
    stage: Annotated[str, Query(max_length=40)],
    step: Annotated[int, Query(ge=0, description="Of this one, or the latest that there is since.")] = 0,
) -> Response:
    """Its address, with the step, comes in `progress` where `previews` were asked for."""
    part = await gateway.tryons.preview(tryon_id, stage, step, caller.sees)
    return Response(part.data, media_type=part.media_type, headers={"Cache-Control": "no-store"})


@router.get(
    "/{tryon_id}/artifacts/{name}",
    summary="One artifact",
    response_class=Response,
    responses=IMAGE | refusals(404, 422, 503),
)
async def get_artifact(
    gateway: Here,
    caller: Reader,
    request: Request,
    tryon_id: Id,
    name: Name,
    width: Width = None,
    format: Rendering = None,
    quality: Quality = None,
    sample: Sample = 1,
    garment: Garment = None,
) -> Response:
    links = width is None and format is None and quality is None and gateway.settings.s3_public_endpoint
    if links and (link := await gateway.tryons.link(tryon_id, name, caller.sees, sample, garment)):
        return RedirectResponse(link)
    part = await gateway.tryons.artifact(tryon_id, name, caller.sees, sample, garment)
    part = await asyncio.to_thread(rendered, part, width, format, quality)
    is_preview = width is not None or garment is not None
    what = set() if is_preview else await gateway.tryons.results_in(tryon_id, name, sample)
    return answer_with(part, gateway.tryons, request, tryon_id, what)


@router.get(
    "/{tryon_id}/dataset.zip",
    summary="In the VITON-HD layout",
    response_class=Response,
    responses=ZIP | refusals(404, 503),
)
async def get_dataset(gateway: Here, caller: Reader, request: Request, tryon_id: Id) -> Response:
    parts = await gateway.tryons.artifacts(tryon_id, caller.sees)
    archive = Part(await asyncio.to_thread(dataset.export, parts), "application/zip")
    what = await gateway.tryons.results_in(tryon_id, name=None)
    return answer_with(archive, gateway.tryons, request, tryon_id, what)
