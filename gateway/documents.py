"""The JSON documents of the public API."""

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, Field

from gateway.tryons import StageRecord, Tryon

OUTPUTS = ("tryon", "tryon_photo")


class WarningDocument(BaseModel):
    """Something worth knowing that is not an error."""

    code: str
    stage: str
    detail: str


class StageDocument(BaseModel):
    """One stage of a try-on."""

    stage: str
    status: Literal["waiting", "processing", "succeeded", "failed", "skipped"]
    seconds: float | None = Field(description="As seen from the gateway.")
    timings: dict[str, float] = Field(description="Seconds by phase, as the stage reports them.")
    engine: str | None
    fingerprint: str | None = Field(description="Same fingerprint and same input bytes: same output.")
    made_by: dict[str, Any] = Field(description="version, stand_in, licence, runtime and weights of the engine.")

    @classmethod
    def of(cls, record: StageRecord) -> "StageDocument":
        """The document of a record."""
        return cls(**vars(record))


class TryonDocument(BaseModel):
    """A try-on."""

    id: str
    status: Literal["queued", "processing", "succeeded", "failed"]
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
    def of(cls, tryon: Tryon) -> "TryonDocument":
        """The document of a try-on as it stands."""
        here = f"/v1/tryons/{tryon.id}"
        addresses = {name: f"{here}/artifacts/{name}" for name in tryon.artifacts}
        metrics = {}
        if tryon.started_at and tryon.completed_at:
            metrics["total_seconds"] = (tryon.completed_at - tryon.started_at).total_seconds()
            metrics["wait_seconds"] = (tryon.started_at - tryon.created_at).total_seconds()
        return cls(
            id=tryon.id,
            status=tryon.status,
            output={name: addresses[name] for name in OUTPUTS} if tryon.status == "succeeded" else None,
            artifacts=addresses,
            stages=[StageDocument.of(record) for record in tryon.stages.values()],
            warnings=[WarningDocument(**warning) for warning in tryon.warnings],
            error=tryon.error,
            created_at=tryon.created_at,
            started_at=tryon.started_at,
            completed_at=tryon.completed_at,
            metrics=metrics,
            trace_id=tryon.trace_id,
            urls={"get": here, "dataset": f"{here}/dataset.zip"},
        )
