"""What the requests that start jobs have in common."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal, Self

from fastapi import Depends, Header, Query, Request, Response
from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator
from pydantic_core import PydanticCustomError
from starlette.datastructures import UploadFile

from gateway.cluster.graph import UPLOADS
from gateway.cluster.plan import Wishes
from gateway.documents import TryonDocument
from gateway.errors import BadRequest
from gateway.gateway import Gateway
from gateway.http.access import Caller, Writer
from gateway.http.bodies import ArtifactFile, PictureFile, artifact_from
from gateway.http.names import Fields, misspelt
from gateway.http.problems import refusals
from gateway.jobs.job import ENDED
from gateway.outgoing.fetching import PictureUrl
from gateway.paths import address
from gateway.pictures.previews import Format
from gateway.pictures.uploads import blob_of
from gateway.storage.blobs import Blob
from gateway.tryons.orders import MAX_SAMPLES, Kind, Order, job_id_for
from gateway.tryons.outfits import in_order
from gateway.tryons.retention import SHORTEST_S, Forget, check_retention
from gateway.tryons.subjects import REFERENCE
from gateway.webhooks.news import AT_THE_END, EVENTS, WebhookEvent
from stagekit.kinds import CATEGORIES
from stagekit.tracing import trace_id

IMAGE_ID = r"^sha256:[0-9a-f]{64}$"

Width = Annotated[
    int | None,
    Query(ge=16, le=1024, description="Of a picture: a JPEG of at most so many pixels across, as a preview."),
]

Rendering = Annotated[
    Format | None, Query(description="Of a picture: in this format, at its own size or at most `width` across.")
]
Quality = Annotated[int | None, Query(ge=1, le=100, description="Of JPEG and WebP; default 92, of previews 82.")]

WAITED: dict[int | str, dict[str, Any]] = {
    200: {
        "model": TryonDocument,
        "description": "Ended within the time of `Prefer: wait=N`, well or not: see `status`.",
    }
}
STARTING = WAITED | refusals(404, 409, 413, 422, 429, 503, 507)


ABOUT_OPTIONS = "Of engines, by stage: those that its option_schema in GET /v1/stages has. In a form: as JSON."


def json_of(value: Any) -> Any:
    """A field of a form is text."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return value


EngineOptions = Annotated[dict[str, dict[str, Any]], BeforeValidator(json_of)]
"""Stage -> option -> value."""


ABOUT_ENGINES = "Stage to engine, of those that GET /v1/stages lists in `engines`. In a form: as JSON."
ABOUT_COMMERCIAL = "Refuse engines and weights whose licence does not allow commercial use, or does not say."

EngineChoice = Annotated[dict[str, str], BeforeValidator(json_of)]
"""Stage -> engine."""


Category = Literal[CATEGORIES] | None  # type: ignore[valid-type]
ABOUT_CATEGORY = "What the garment is, where its picture is not to tell: short for `artifacts.category`."


ABOUT_SAMPLES = "How many results, each with the next seed of the generator, which must have an option `seed`."


ABOUT_PREVIEWS = (
    "Tell in `progress` where a small picture of what there is so far can be seen, of engines that work in steps."
)


ABOUT_GARMENTS = (
    "Instead of `garment`: an upper with a lower garment, or an upper over a dress. In a form: files or ids, as "
    "`garments.upper` and `garments.lower`."
)


ABOUT_REFERENCE = (
    "Your own id of the shopper or the order: jobs are listed by it, and forgotten by DELETE /v1/subjects/{reference}."
)


ABOUT_RETENTION = (
    "Seconds for which it is kept after its end, 60 at least and at most as long as the gateway keeps any; then it is "
    "forgotten as by DELETE."
)
ABOUT_FORGET = (
    "`fetched`: forget it as soon as its result was downloaded: of each sample of a try-on either size, of preprocessing "
    "`dataset.zip` or all of `output`. Copies with `width` do not count."
)
Retention = Annotated[
    float | None, WithJsonSchema({"anyOf": [{"type": "number", "minimum": SHORTEST_S}, {"type": "null"}]})
]


ABOUT_WHOLE = "Told once, when all of its try-ons have ended; `webhook_url` is told of each."


def listed(value: Any) -> Any:
    """A field of a form is text: names separated by commas."""
    return [name.strip() for name in value.split(",")] if isinstance(value, str) else value


WebhookEvents = Annotated[
    list[WebhookEvent],
    BeforeValidator(listed),
    Field(min_length=1, max_length=len(EVENTS)),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "array", "items": {"enum": [*EVENTS]}, "minItems": 1, "maxItems": len(EVENTS)},
                {"type": "string", "pattern": "^({0})(,({0})){{0,2}}$".format("|".join(EVENTS))},
            ]
        }
    ),
]


class HookedFields(Fields):
    """Who is told of it, and of what."""

    webhook_url: str | None = Field(
        None, max_length=2000, description="Told at its end, by a signed message (Standard Webhooks)."
    )
    webhook_events: WebhookEvents | None = Field(
        None,
        description="What webhooks are told of: that it `started`, that a stage is tried again (`stage_retried`), that it "
        "`ended`. Default: `ended` alone. A list; in a form with commas between.",
        examples=[["started", "ended"]],
    )

    @model_validator(mode="after")
    def _somebody_is_told(self) -> Self:
        if self.webhook_events and not (self.webhook_url or getattr(self, "completed_webhook_url", None)):
            said = "'webhook_events' says what a webhook is told of, and there is none: send 'webhook_url' with it."
            raise PydanticCustomError("nobody_told", "{said}", {"said": said})
        return self

    @property
    def events(self) -> tuple[WebhookEvent, ...]:
        """What webhooks are told of."""
        return tuple(event for event in EVENTS if event in self.webhook_events) if self.webhook_events else AT_THE_END


class JobFields(HookedFields):
    """How a job is to be run."""

    priority: int = Field(0, ge=-100, le=100, description="Higher ones start sooner, equal ones in turn.")
    deadline_s: float | None = Field(
        None, gt=0, le=86400, description="Seconds after which it fails if it has not ended."
    )
    reference: str | None = Field(None, pattern=REFERENCE, description=ABOUT_REFERENCE)
    retention_s: Retention = Field(None, description=ABOUT_RETENTION)
    forget: Forget | None = Field(None, description=ABOUT_FORGET)
    options: EngineOptions | None = Field(None, description=ABOUT_OPTIONS, examples=[{"tryon": {"hem": "tucked"}}])
    engines: EngineChoice | None = Field(None, description=ABOUT_ENGINES, examples=[{"tryon": "hr_viton"}])
    commercial: bool | None = Field(None, description=ABOUT_COMMERCIAL)
    category: Category = Field(None, description=ABOUT_CATEGORY)
    artifacts: dict[str, ArtifactFile] | None = Field(
        None,
        description="In the place of those that stages would make, by name: files of the kinds that GET /v1/stages tells, in "
        "base64, as data: URLs or by their https addresses, or JSON objects. In a form: files, as `artifacts.parse`.",
    )


PictureId = Annotated[str | None, Field(pattern=IMAGE_ID, description="Instead of the file: of an uploaded image.")]


class PersonFields(JobFields):
    """A person, and how the job is to be run."""

    photo: PictureFile = None
    photo_id: PictureId = None
    category: Category = Field(None, description="What the person is to be made ready for; default: a top.")


class ClothFields(JobFields):
    """A garment, and how the job is to be run."""

    garment: PictureFile = None
    garment_id: PictureId = None


def _sorted(value: Any) -> Any:
    """The same wishes are the same request, in whichever order."""
    return sorted(set(value)) if isinstance(value, list) and all(isinstance(name, str) for name in value) else value


Only = Annotated[
    list[str],
    BeforeValidator(lambda value: _sorted(listed(json_of(value)))),
    Field(min_length=1, max_length=16),
    WithJsonSchema({"anyOf": [{"type": "array", "items": {"type": "string"}, "minItems": 1}, {"type": "string"}]}),
]


class PreprocessingFields(JobFields):
    """What is wanted of it."""

    only: Only | None = Field(
        None,
        description="The artifacts that are wanted; stages that none of them needs do not run. A list; in a form with commas "
        "between. Default: all.",
        examples=[["parse", "pose"]],
    )


class TryonFields(ClothFields, PersonFields):
    """A person, a garment, and how the job is to be run."""

    category: Category = Field(None, description=ABOUT_CATEGORY)


class WornGarment(Fields):
    """One of several garments."""

    garment: PictureFile = None
    garment_id: PictureId = None
    category: Literal[CATEGORIES]  # type: ignore[valid-type]


def garments_of(value: Any) -> Any:
    """Of a form: category -> the picture, or the id of one that was uploaded."""
    if not isinstance(value, dict):
        return value
    known = {True: "garment_id", False: "garment"}
    return [
        {"category": category, known[isinstance(sent, str) and bool(re.match("sha256:", sent.strip()))]: sent}
        for category, sent in value.items()
    ]


class OutfitFields(TryonFields):
    """A person, and a garment or several."""

    garments: Annotated[list[WornGarment], BeforeValidator(garments_of)] | None = Field(
        None, min_length=1, max_length=len(CATEGORIES), description=ABOUT_GARMENTS
    )


class WholeTryonFields(OutfitFields):
    """A try-on, of which there may be several samples, and which may be of several garments."""

    samples: int | None = Field(None, ge=1, le=MAX_SAMPLES, description=ABOUT_SAMPLES)
    previews: bool | None = Field(None, description=ABOUT_PREVIEWS)


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
    prefer: Annotated[str | None, Header(description="wait=N: answer at its end, after N s at most.")] = None,
    idempotency_key: IdempotencyKey = None,
    cache_control: Annotated[
        str | None, Header(description="no-store: run every stage anew, keep nothing for others.")
    ] = None,
) -> JobRequest:
    gateway: Gateway = request.app.state.gateway
    order = Order(
        owner=caller.owner,
        key_id=caller.key.id if gateway.keys.on else None,
        id=job_id_for(caller.owner, idempotency_key) if idempotency_key else None,
        trace_id=trace_id(request.headers.get("traceparent")),
        no_store="no-store" in (cache_control or ""),
        quota=caller.max_jobs,
    )
    return JobRequest(order, _wait_s(prefer, gateway.settings.max_wait_s))


Options = Annotated[JobRequest, Depends(_request)]


async def pictures_of(gateway: Gateway, caller: Caller, sent: JobFields) -> dict[str, Blob | str]:
    """The pictures of a request, sent along or uploaded before. Raises BadRequest, NotFound and those of Uploads.read."""
    found: dict[str, Blob | str] = {}
    for name in UPLOADS:
        if (blob := await _picture_of(gateway, caller, sent, name)) is not None:
            found[name] = blob
    return found


async def _picture_of(gateway: Gateway, caller: Caller, sent: Fields, name: str) -> Blob | str | None:
    upload, image_id = getattr(sent, name, None), getattr(sent, f"{name}_id", None)
    if image_id is not None and upload is not None:
        raise BadRequest(f"Send either '{name}' or '{name}_id', not both.")
    if image_id is not None:
        return await gateway.images.use(image_id, caller.owner)
    return None if upload is None else await blob_of(await gateway.uploads.read(upload, name))


async def _worn(gateway: Gateway, caller: Caller, sent: JobFields) -> list[tuple[str, dict[str, Blob | str]]]:
    """Category, and garment and category as artifacts, of each of several garments, in the order in which they are put on.

    Raises BadRequest, and those of pictures_of and given.
    """
    garments = sent.garments if isinstance(sent, OutfitFields) else None
    if not garments:
        return []
    instead = [name for name in ("garment", "garment_id", "category") if getattr(sent, name) is not None]
    if instead:
        raise BadRequest(f"Send either 'garments' or '{instead[0]}', not both.")
    worn = []
    for category, each in in_order([(each.category, each) for each in garments]):
        garment = await _picture_of(gateway, caller, each, "garment")
        if garment is None:
            raise BadRequest(f"The {category} garment has no picture: send 'garment' or 'garment_id' with it.")
        worn.append((category, {"garment": garment, **await given(gateway, None, category)}))
    return worn


async def given(
    gateway: Gateway, artifacts: Mapping[str, UploadFile | PictureUrl] | None, category: str | None
) -> dict[str, Blob]:
    """What a request brings in the place of what stages would make.

    Raises BadRequest for a name that no stage gives or may take, StageNotReady, and those of Uploads.read_artifact.
    """
    sent = dict(artifacts or {})
    if category is not None:
        if "category" in sent:
            raise BadRequest("Send either 'category' or 'artifacts.category', not both.")
        sent["category"] = artifact_from({"category": category})
    found = {}
    graph = gateway.cluster.whole_graph() if sent else gateway.cluster.graph
    for name, upload in sent.items():
        kind = graph.kind(name)
        if kind is None:
            raise BadRequest(misspelt("artifact", name, [*graph.producer, *graph.optional]))
        found[name] = await gateway.uploads.read_artifact(upload, name, kind)
    return found


async def given_by_default(gateway: Gateway) -> dict[str, Blob]:
    """A person without a garment is made ready for a top, where a stage wants to know."""
    there = gateway.cluster.graph.kind("category") is not None
    return await given(gateway, None, "upper") if there else {}


def categories_of(artifacts: Mapping[str, Blob]) -> tuple[str, ...]:
    """What the caller says that the garment is, if at all. artifacts: as `given` gives them."""
    return (json.loads(artifacts["category"].data)["category"],) if "category" in artifacts else ()


@dataclass(frozen=True)
class Begun:
    """What a request begins with."""

    begin: dict[str, Blob | str]
    """Artifact name -> what was sent of it; of several garments the first that is put on."""
    further: tuple[Mapping[str, Blob | str], ...]
    """The same of those that are put on after it."""
    categories: tuple[str, ...]
    """Of each garment, where the caller said it."""


async def begun(gateway: Gateway, caller: Caller, sent: JobFields) -> Begun:
    """The pictures of a request, and what it brings in the place of what stages would make. Raises BadRequest, and those of
    pictures_of and given."""
    pictures = await pictures_of(gateway, caller, sent)
    artifacts = await given(gateway, sent.artifacts, sent.category)
    worn = await _worn(gateway, caller, sent)
    if worn and "category" in artifacts:
        raise BadRequest("Send either 'garments' or 'artifacts.category', not both.")
    first = worn[0][1] if worn else {}
    categories = tuple(category for category, _ in worn) or categories_of(artifacts)
    return Begun(pictures | artifacts | first, tuple(each for _, each in worn[1:]), categories)


def _check_only(gateway: Gateway, only: Iterable[str]) -> None:
    """Raises BadRequest for a name that no stage gives, StageNotReady."""
    if only:
        producer = gateway.cluster.whole_graph().producer
        for name in only:
            if name not in producer:
                raise BadRequest(misspelt("artifact", name, [*producer]))


async def start(
    gateway: Gateway, caller: Caller, kind: Kind, sent: JobFields, options: JobRequest, response: Response
) -> TryonDocument:
    """Start a job, and answer as the request prefers."""
    check_retention(sent.retention_s, gateway.settings.retention_s())
    asked = await begun(gateway, caller, sent)
    begin = asked.begin
    only = (sent.only if isinstance(sent, PreprocessingFields) else None) or ()
    _check_only(gateway, only)
    if kind == "person" and "category" not in begin:
        begin |= await given_by_default(gateway)
    order = replace(
        options.order,
        priority=sent.priority,
        deadline_s=sent.deadline_s,
        webhook=sent.webhook_url or None,
        webhook_events=sent.events,
        reference=sent.reference,
        retention_s=sent.retention_s,
        forget=sent.forget,
        previews=isinstance(sent, WholeTryonFields) and bool(sent.previews),
        wishes=Wishes(
            sent.options or {},
            sent.engines or {},
            bool(sent.commercial),
            asked.categories,
            (isinstance(sent, WholeTryonFields) and sent.samples) or 1,
            only=tuple(only),
        ),
        further=asked.further,
    )
    job = await gateway.tryons.create(begin, order, kind)
    response.headers["Location"] = address(f"/v1/tryons/{job.id}")
    if options.wait_s is not None:
        response.headers["Preference-Applied"] = f"wait={options.wait_s:g}"
        await gateway.tryons.wait(job.id, options.wait_s)
    document = await gateway.document(job.id)
    if document.status in ENDED:
        response.status_code = 200
    return document


def _wait_s(prefer: str | None, longest: float) -> float | None:
    """The seconds of `Prefer: wait=N` (RFC 7240); other preferences are ignored, as it says."""
    match = re.search(r"(?:^|[,;\s])wait\s*=\s*\"?([0-9]+)\b", prefer or "")
    return min(float(match.group(1)), longest) if match else None
