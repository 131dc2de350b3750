"""What the requests that start jobs have in common."""

import re
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, File, Form, Header, Request, Response, UploadFile

from gateway.access import Caller, Writer
from gateway.documents import TryonDocument
from gateway.errors import BadRequest
from gateway.gateway import Gateway
from gateway.jobs import ENDED
from gateway.problems import refusals
from gateway.tryons import Order, job_id_for
from gateway.uploads import part_of, read_picture
from stagekit.tracing import trace_id
from stagekit.wire import Part

IMAGE_ID = r"^sha256:[0-9a-f]{64}$"

WAITED: dict[int | str, dict[str, Any]] = {
    200: {"model": TryonDocument, "description": "Ended within the time of `Prefer: wait=N`."}
}
STARTING = WAITED | refusals(404, 409, 413, 422, 429, 503, 507)

Picture = Annotated[UploadFile | None, File()]
PictureId = Annotated[str | None, Form(pattern=IMAGE_ID, description="Instead of the file: of an uploaded image.")]
Priority = Annotated[int, Form(ge=-100, le=100, description="Higher ones start sooner, equal ones in turn.")]
Deadline = Annotated[
    float | None, Form(gt=0, le=86400, description="Seconds after which it fails if it has not ended.")
]
WebhookUrl = Annotated[
    str | None,
    Form(max_length=2000, description="Told at its end, by a signed message (Standard Webhooks)."),
]
IdempotencyKey = Annotated[
    str | None,
    Header(max_length=255, description="The same key and request again: the same job. Another request: 409."),
]


@dataclass(frozen=True)
class JobRequest:
    """How a job is to be run and answered."""

    order: Order
    wait_s: float | None


def _request(
    request: Request,
    caller: Writer,
    priority: Priority = 0,
    deadline_s: Deadline = None,
    webhook_url: WebhookUrl = None,
    prefer: Annotated[str | None, Header(description="wait=N: answer at its end, after N s at most.")] = None,
    idempotency_key: IdempotencyKey = None,
    cache_control: Annotated[
        str | None, Header(description="no-store: run every stage anew, keep nothing for others.")
    ] = None,
) -> JobRequest:
    longest = request.app.state.gateway.settings.max_wait_s
    order = Order(
        owner=caller.owner,
        id=job_id_for(caller.owner, idempotency_key) if idempotency_key else None,
        trace_id=trace_id(request.headers.get("traceparent")),
        no_store="no-store" in (cache_control or ""),
        priority=priority,
        deadline_s=deadline_s,
        webhook=webhook_url or None,
        quota=caller.max_jobs,
    )
    return JobRequest(order, _wait_s(prefer, longest))


Options = Annotated[JobRequest, Depends(_request)]


async def picture(
    gateway: Gateway, caller: Caller, name: str, upload: UploadFile | None, image_id: str | None
) -> Part | str:
    """The picture of a request, sent along or uploaded before. Raises BadRequest, NotFound and those of read_picture."""
    if (upload is None) == (image_id is None):
        raise BadRequest(f"Send either a file '{name}' or '{name}_id', the id of an image from POST /v1/images.")
    if image_id is not None:
        return await gateway.images.use(image_id, caller.owner)
    assert upload is not None
    settings = gateway.settings
    return part_of(await read_picture(upload, name, settings.max_upload_mb, settings.max_megapixels))


async def start(
    gateway: Gateway, pictures: dict[str, Part | str], options: JobRequest, response: Response
) -> TryonDocument:
    """Start a job, and answer as the request prefers."""
    job = await gateway.tryons.create(pictures, options.order)
    response.headers["Location"] = f"/v1/tryons/{job.id}"
    if options.wait_s is not None:
        response.headers["Preference-Applied"] = f"wait={options.wait_s:g}"
        await gateway.tryons.wait(job.id, options.wait_s)
    document = await gateway.document(job.id)
    if document.status in ENDED:
        response.status_code = 200
    return document


def _wait_s(prefer: str | None, longest: float) -> float | None:
    """The seconds of `Prefer: wait=N` (RFC 7240); other preferences are ignored, as it says."""
    match = re.search(r"(?:^|[,;\s])wait\s*=\s*\"?(\d{1,6})\b", prefer or "")
    return min(float(match.group(1)), longest) if match else None
