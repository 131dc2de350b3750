"""/v1/batches: every person in every garment."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request, Response
from pydantic import ConfigDict, Field

from gateway.cluster.plan import Wishes
from gateway.documents import BatchDocument
from gateway.http.access import Reader, Writer
from gateway.http.here import Here
from gateway.http.names import known_query_of_posts
from gateway.http.problems import refusals
from gateway.http.routes.orders import (
    ABOUT_CATEGORY,
    ABOUT_COMMERCIAL,
    ABOUT_ENGINES,
    ABOUT_FORGET,
    ABOUT_OPTIONS,
    ABOUT_REFERENCE,
    ABOUT_RETENTION,
    ABOUT_WHOLE,
    IMAGE_ID,
    Category,
    EngineChoice,
    EngineOptions,
    HookedFields,
    IdempotencyKey,
    Retention,
    given,
)
from gateway.paths import address
from gateway.tryons.orders import Order, job_id_for
from gateway.tryons.retention import Forget, check_retention
from gateway.tryons.subjects import REFERENCE
from stagekit.tracing import trace_id

router = APIRouter(prefix="/v1/batches", tags=["batches"], dependencies=[Depends(known_query_of_posts)])

BatchId = Annotated[str, Path(pattern=r"^[A-Za-z0-9._-]{1,100}$")]
ImageIds = Annotated[list[Annotated[str, Field(pattern=IMAGE_ID)]], Field(min_length=1, max_length=1000)]


class BatchRequest(HookedFields):
    """What to make."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"photo_ids": ["sha256:" + 64 * "0"], "garment_ids": ["sha256:" + 64 * "1"]}]},
    )

    photo_ids: ImageIds = Field(description="Persons: ids from POST /v1/images.")
    garment_ids: ImageIds = Field(description="Garments: ids from POST /v1/images.")
    priority: int = Field(-10, ge=-100, le=100, description="Of its try-ons: by default after those made one by one.")
    deadline_s: float | None = Field(None, gt=0, le=86400, description="Seconds after which what has not ended fails.")
    webhook_url: str | None = Field(None, max_length=2000, description="Told at the end of each of its try-ons.")
    completed_webhook_url: str | None = Field(None, max_length=2000, description=ABOUT_WHOLE)
    reference: str | None = Field(None, pattern=REFERENCE, description=ABOUT_REFERENCE)
    retention_s: Retention = Field(None, description=ABOUT_RETENTION)
    forget: Forget | None = Field(None, description=ABOUT_FORGET)
    category: Category = Field(None, description=ABOUT_CATEGORY)
    options: EngineOptions | None = Field(None, description=ABOUT_OPTIONS, examples=[{"tryon": {"hem": "tucked"}}])
    engines: EngineChoice | None = Field(None, description=ABOUT_ENGINES, examples=[{"tryon": "hr_viton"}])
    commercial: bool | None = Field(None, description=ABOUT_COMMERCIAL)


@router.post(
    "",
    status_code=202,
    summary="Dress several persons in several garments",
    responses=refusals(404, 409, 413, 422, 429, 503, 507),
)
async def create_batch(
    gateway: Here,
    caller: Writer,
    request: Request,
    response: Response,
    wanted: BatchRequest,
    idempotency_key: IdempotencyKey = None,
) -> BatchDocument:
    """Makes a try-on of each pair. What a person's stages make is made once and used for all garments."""
    check_retention(wanted.retention_s, gateway.settings.retention_s())
    categories = () if wanted.category is None else (wanted.category,)
    order = Order(
        owner=caller.owner,
        key_id=caller.key.id if gateway.keys.on else None,
        id=job_id_for(caller.owner, idempotency_key) if idempotency_key else None,
        trace_id=trace_id(request.headers.get("traceparent")),
        priority=wanted.priority,
        deadline_s=wanted.deadline_s,
        webhook=wanted.webhook_url or None,
        whole_webhook=wanted.completed_webhook_url or None,
        webhook_events=wanted.events,
        reference=wanted.reference,
        retention_s=wanted.retention_s,
        forget=wanted.forget,
        wishes=Wishes(wanted.options or {}, wanted.engines or {}, bool(wanted.commercial), categories),
        quota=caller.max_jobs,
    )
    artifacts = await given(gateway, None, wanted.category)
    batch = await gateway.batches.create(wanted.photo_ids, wanted.garment_ids, order, artifacts)
    response.headers["Location"] = address(f"/v1/batches/{batch.id}")
    return await gateway.batch_document(batch)


@router.get("/{batch_id}", summary="A batch as it stands", responses=refusals(404))
async def get_batch(gateway: Here, caller: Reader, batch_id: BatchId) -> BatchDocument:
    return await gateway.batch_document(await gateway.batches.get(batch_id, caller.sees))


@router.post("/{batch_id}/cancel", summary="Stop what has not ended of a batch", responses=refusals(404))
async def cancel_batch(gateway: Here, caller: Writer, batch_id: BatchId) -> BatchDocument:
    await gateway.batches.cancel(batch_id, caller.sees)
    return await gateway.batch_document(await gateway.batches.get(batch_id, caller.sees))


@router.delete(
    "/{batch_id}", status_code=204, summary="Forget a batch and its try-ons", responses=refusals(404, 409, 503)
)
async def delete_batch(gateway: Here, caller: Writer, batch_id: BatchId) -> None:
    """With their pictures. Images of POST /v1/images stay."""
    await gateway.batches.delete(batch_id, caller.sees)
