"""What is asked for, and what a job's record says of it: digests and wishes, never images."""

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from gateway.cluster.graph import RESULTS, UPLOADS
from gateway.cluster.plan import Wishes
from gateway.jobs.events import Event
from gateway.jobs.job import Job
from gateway.storage.blobs import Blob
from gateway.webhooks.news import AT_THE_END, WebhookEvent

Kind = Literal["tryon", "person", "cloth"]
"""What a job makes: a try-on, or only what there is to know of the person or of the cloth."""

MAX_SAMPLES = 8
"""Of one try-on."""

HOLDER = "job:"
"""A job holds its images under this and its id."""

KEYS = uuid.UUID("6d0f6f0e-3f9b-5d57-9f0e-0c6f6b6f7769")
"""Namespace that turns an Idempotency-Key into the id of its job."""


@dataclass(frozen=True)
class Order:
    """What is asked for, besides the pictures."""

    owner: str = ""
    id: str | None = None
    """Of the job, where the caller chose it by an Idempotency-Key: the same id and request again is the same job."""
    trace_id: str = ""
    no_store: bool = False
    """Run every stage anew, and keep nothing for others."""
    priority: int = 0
    deadline_s: float | None = None
    webhook: str | None = None
    whole_webhook: str | None = None
    """Told when all that was ordered together has ended."""
    webhook_events: tuple[WebhookEvent, ...] = AT_THE_END
    """What both are told of."""
    further: tuple[Mapping[str, Blob | str], ...] = ()
    """What is put on the person after the first garment: of each its `garment` and its `category`."""
    key_id: str | None = None
    """By which key it is ordered, where keys are asked for; not in the job's record: another key of the owner's may repeat a
    request."""
    reference: str | None = None
    """Whom it is for, as the caller names them."""
    retention_s: float | None = None
    """How long it is kept after its end; by default as long as the gateway keeps any."""
    forget: str | None = None
    """When it is forgotten before: as soon as its result was `fetched`."""
    previews: bool = False
    """Whether somebody wants to see what there is before the end."""
    batch: str | None = None
    comparison: str | None = None
    wishes: Wishes = field(default_factory=Wishes)
    quota: int | None = None
    """Jobs that the owner may have under way."""

    @property
    def together(self) -> bool:
        """Whether it was ordered together with others."""
        return self.batch is not None or self.comparison is not None

    def payload(self) -> dict[str, Any]:
        """What the job's record says of it; part of what makes two requests the same."""
        options = {
            "owner": self.owner or None,
            "priority": self.priority or None,
            "deadline_s": self.deadline_s,
            "webhook": self.webhook,
            "webhook_events": list(self.webhook_events) if self.webhook_events != AT_THE_END else None,
            "reference": self.reference,
            "retention_s": self.retention_s,
            "forget": self.forget,
            "previews": self.previews or None,
            "batch": self.batch,
            "comparison": self.comparison,
            "options": {stage: dict(given) for stage, given in self.wishes.options.items() if given} or None,
            "engines": dict(self.wishes.engines) or None,
            "commercial": self.wishes.commercial or None,
            "only": list(self.wishes.only) or None,
            "samples": self.wishes.samples if self.wishes.samples > 1 else None,
            "outfit": list(self.wishes.categories) if self.further else None,
            "further": [digests_of(each) for each in self.further] or None,
        }
        return {"no_store": self.no_store} | {name: value for name, value in options.items() if value is not None}


def job_id_for(owner: str, key: str) -> str:
    """The id of the job that an Idempotency-Key stands for."""
    return str(uuid.uuid5(KEYS, json.dumps([owner, key])))


def holder_of(tryon_id: str) -> str:
    """The name under which a job holds its images."""
    return HOLDER + tryon_id


def digests_of(begin: Mapping[str, Blob | str]) -> dict[str, str]:
    """Artifact name -> digest."""
    return {name: given if isinstance(given, str) else given.digest for name, given in begin.items()}


def uploads_of(payload: Mapping[str, Any]) -> dict[str, str]:
    """Upload -> digest, of a job's payload."""
    return {name: payload[name] for name in UPLOADS if name in payload}


def begin_of(payload: Mapping[str, Any]) -> dict[str, str]:
    """Artifact name -> digest of all that a job begins with: its uploads, and what was given in the place of a stage's."""
    return {**uploads_of(payload), **payload.get("artifacts", {})}


def further_of(payload: Mapping[str, Any]) -> list[dict[str, str]]:
    """The same of what is put on after the first garment: `garment` and `category` of each."""
    return list(payload.get("further", ()))


def digests_in(payload: Mapping[str, Any]) -> set[str]:
    """Of all that a job was sent."""
    return {digest for begin in (begin_of(payload), *further_of(payload)) for digest in begin.values()}


def wishes_of(payload: Mapping[str, Any]) -> Wishes:
    """How the job wants its stages to work."""
    return Wishes(
        payload.get("options", {}),
        payload.get("engines", {}),
        payload.get("commercial", False),
        tuple(payload.get("outfit", ())),
        samples=payload.get("samples", 1),
        dress=kind_of(payload) == "tryon",
        only=tuple(payload.get("only", ())),
    )


def payload_of(begin: Mapping[str, str], order: Order, kind: Kind) -> dict[str, Any]:
    """What the record of such a job says. begin: artifact name -> digest."""
    artifacts = {name: digest for name, digest in begin.items() if name not in UPLOADS}
    payload = uploads_of(begin) | order.payload()
    # As before there were given artifacts, where the uploads tell: a request that was sent then is the same job now.
    if not artifacts and kind_of(payload) == kind:
        return payload
    return payload | {"artifacts": artifacts, "kind": kind}


def kind_of(payload: Mapping[str, Any]) -> Kind:
    """What a job makes of what it begins with."""
    if "kind" in payload:
        kind: Kind = payload["kind"]
        return kind
    uploads = uploads_of(payload)
    return "tryon" if len(uploads) == len(UPLOADS) else "person" if "photo" in uploads else "cloth"


def tenant_of(payload: Mapping[str, Any]) -> str:
    """Whose job it is; the empty name where nobody needs a key."""
    return str(payload.get("owner", ""))


def trace_of(tryon_id: str, payload: Mapping[str, Any]) -> str:
    """Of the request that made it; one made by an Idempotency-Key keeps none."""
    return str(payload.get("trace_id") or uuid.UUID(tryon_id).hex)


def sample_of(event: Event) -> int:
    """Which sample an event is about: what all have in common was made for the first."""
    return int(event.data.get("sample", 1))


def garment_of(event: Event) -> int | None:
    """Which garment of several an event is about; None for what is made of all of them, and where there is but one."""
    return event.data.get("garment")


def artifacts_of(job: Job, events: list[Event], sample: int = 1, garment: int | None = None) -> dict[str, str]:
    """Artifact name -> digest, as far as the job has come; what it began with comes first, and no stage's is put in its
    place.

    sample: a further one has only what was made for it. garment: of several, what was made for this one; by default those of
    the first, and the results of the last.
    """
    begins = [begin_of(job.payload), *further_of(job.payload)]
    begin = begins[(garment or 1) - 1] if sample == 1 else {}
    found = dict(begin)
    for event in events:
        if sample_of(event) != sample or garment not in (None, garment_of(event)):
            continue
        outputs = event.data.get("outputs", {})
        is_further = garment is None and (garment_of(event) or 1) > 1
        found |= {name: outputs[name] for name in RESULTS if name in outputs} if is_further else outputs
    return found | begin


def outputs_of(kind: Kind, artifacts: Mapping[str, str]) -> dict[str, str]:
    """Those of a job's artifacts that it is for: of a try-on its results, of preprocessing all but the uploads."""
    for_it = RESULTS if kind == "tryon" else [name for name in artifacts if name not in UPLOADS]
    return {name: artifacts[name] for name in for_it if name in artifacts}
