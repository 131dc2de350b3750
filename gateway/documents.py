"""The JSON documents of the public API."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, Field

from gateway.events import Event
from gateway.jobs import Job, State
from gateway.tryons import artifacts_of

OUTPUTS = ("tryon", "tryon_photo")


class WarningDocument(BaseModel):
    """Something worth knowing that is not an error."""

    code: str
    stage: str
    detail: str


class StageDocument(BaseModel):
    """One stage of a try-on."""

    stage: str
    status: Literal["waiting", "processing", "succeeded", "failed", "skipped"] = "waiting"
    reused: bool = Field(
        False, description="Taken from the cache: made earlier, by the same engine from the same inputs."
    )
    seconds: float | None = Field(None, description="As seen from the gateway.")
    timings: dict[str, float] = Field({}, description="Seconds by phase, as the stage reported them when it ran.")
    engine: str | None = None
    fingerprint: str | None = Field(None, description="Same fingerprint and same input bytes: same output.")
    made_by: dict[str, Any] = Field({}, description="version, stand_in, licence, runtime and weights of the engine.")


class TryonDocument(BaseModel):
    """A try-on."""

    id: str
    status: State
    output: dict[str, str] | None = Field(
        description="Addresses of the picture: `tryon` 768 x 1024, `tryon_photo` as large as the photo."
    )
    artifacts: dict[str, str] = Field(description="Address of every artifact there is so far, uploads included.")
    stages: list[StageDocument]
    warnings: list[WarningDocument]
    error: dict[str, Any] | None = Field(description="Why it failed: an RFC 9457 problem.")
    created_at: datetime
    started_at: datetime | None
    completed_at: datetime | None
    metrics: dict[str, float]
    trace_id: str
    urls: dict[str, str]

    @classmethod
    def of(cls, job: Job, events: list[Event], order: Iterable[str]) -> "TryonDocument":
        """The document of a try-on as it stands. order: the stages in running order."""
        here = f"/v1/tryons/{job.id}"
        addresses = {name: f"{here}/artifacts/{name}" for name in artifacts_of(job, events)}
        trace_id = job.payload.get("trace_id", job.id.replace("-", ""))
        stages = _stages(job, events, order)
        return cls(
            id=job.id,
            status=job.state,
            output={name: addresses[name] for name in OUTPUTS} if job.state == "succeeded" else None,
            artifacts=addresses,
            stages=stages,
            warnings=[WarningDocument(**w) for event in events for w in event.data.get("warnings", [])]
            + (_stand_ins(stages) if job.state == "succeeded" else []),
            error=None if job.error is None else job.error | {"trace_id": trace_id},
            created_at=job.created_at,
            started_at=job.started_at,
            completed_at=job.completed_at,
            metrics=_metrics(job),
            trace_id=trace_id,
            urls={
                "get": here,
                "events": f"{here}/events",
                "cancel": f"{here}/cancel",
                "dataset": f"{here}/dataset.zip",
            },
        )


class TryonList(BaseModel):
    """One page of try-ons, the newest first."""

    tryons: list[TryonDocument]
    next: str | None = Field(description="Address of the next page; null on the last one.")


def _stages(job: Job, events: list[Event], order: Iterable[str]) -> list[StageDocument]:
    latest: dict[str, dict[str, Any]] = {}
    for event in events:
        latest[event.data["stage"]] = event.data
    stages = [StageDocument(**({"stage": name} | _fields(latest.get(name, {})))) for name in order]
    if job.state in ("failed", "canceled"):
        for stage in stages:
            if stage.status in ("waiting", "processing"):
                stage.status = "skipped"
    return stages


def _fields(data: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in data.items() if name in StageDocument.model_fields}


def _stand_ins(stages: list[StageDocument]) -> list[WarningDocument]:
    stood_in = [f"{stage.stage} ({stage.engine})" for stage in stages if stage.made_by.get("stand_in")]
    detail = f"Default engines stood in for research models: {', '.join(stood_in)}."
    return [WarningDocument(code="stand-in", stage="gateway", detail=detail)] if stood_in else []


def _metrics(job: Job) -> dict[str, float]:
    if not job.started_at or not job.completed_at:
        return {}
    return {
        "wait_seconds": (job.started_at - job.created_at).total_seconds(),
        "total_seconds": (job.completed_at - job.started_at).total_seconds(),
    }
