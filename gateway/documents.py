"""The JSON documents of the public API."""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from gateway.cluster.graph import GOAL, RESULTS, StageGraph
from gateway.jobs.events import Event, Note
from gateway.jobs.job import ENDED, Job, State
from gateway.paths import address
from gateway.pictures.images import Image
from gateway.tryons.batches import Batch
from gateway.tryons.comparisons import Comparison, Variant
from gateway.tryons.orders import (
    Kind,
    artifacts_of,
    begin_of,
    further_of,
    garment_of,
    kind_of,
    outputs_of,
    sample_of,
    uploads_of,
    wishes_of,
)
from gateway.tryons.retention import Forget, expires_at
from gateway.tryons.score import score
from stagekit.licences import commercial_use, strictest

GIVEN = "given"
"""In the place of an engine: the request brought what a stage would have made."""


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
    engine: str | None = Field(
        None, description="What did it; `given` where the request brought all that was needed of it."
    )
    given: list[str] = Field([], description="Those of its artifacts that the request brought along.")
    options: dict[str, Any] = Field({}, description="Those chosen for this run that are not the engine's defaults.")
    fingerprint: str | None = Field(None, description="Same fingerprint and same input bytes: same output.")
    made_by: dict[str, Any] = Field(
        {}, description="Of the engine: version, stand_in, licence, commercial, runtime, weights."
    )


class EngineDocument(BaseModel):
    """An engine of a stage that a request may choose."""

    engine: str
    own: bool = Field(description="The one that serves a request which chooses none.")
    version: str = ""
    licence: str = ""
    commercial: Literal["yes", "unclear", "no"] = Field(description="Whether engine and weights allow commercial use.")
    stand_in: bool = False
    weights: list[Any] = []
    option_schema: dict[str, Any] = {}
    categories: list[str] = Field([], description="Of garments that a generator dresses people in.")
    health: dict[str, Any]


class ServingDocument(BaseModel):
    """A stage, and what serves it: its /info, which may say more than is listed here, or less where it is not ours."""

    model_config = ConfigDict(extra="allow")

    stage: str
    engine: str = ""
    version: str = ""
    fingerprint: str = Field("", description="Same fingerprint and same input bytes: same output.")
    inputs: dict[str, str] = Field(description="Artifact to its kind.")
    optional: dict[str, str] = Field(
        {},
        description="Artifact to its kind, of what it uses where a request brings it, whether any stage makes it or not.",
    )
    outputs: dict[str, str] = Field(description="Artifact to its kind.")
    option_schema: dict[str, Any] = Field(
        {}, description="JSON Schema of the options that a request may choose for it."
    )
    stand_in: bool = Field(False, description="A default engine that stands in for a research model.")
    licence: str = ""
    runtime: dict[str, Any] = Field({}, description="Python, framework, device.")
    weights: list[Any] = Field([], description="Of each its file, digest and licence.")
    engines: list[EngineDocument] = Field(description="That a request may choose, its own first.")
    needs: list[str] = Field(description="The stages that it waits for.")
    health: dict[str, Any] = Field(description="`ready`, and the answer of its /readyz.")
    debug: str | None = Field(description="Address of its debug page, where it can be reached through the gateway.")


class ServingList(BaseModel):
    """The stage graph, in running order."""

    stages: list[ServingDocument]


class WebhookDocument(BaseModel):
    """A message that is sent when the try-on ends."""

    url: str
    state: Literal["waiting", "delivered", "retrying", "given-up"]
    attempts: int
    last_error: str | None


class ProgressDocument(BaseModel):
    """How far a stage is that is under way."""

    stage: str
    sample: int = Field(1, description="For which one of several.")
    garment: int | None = Field(None, description="For which one of several.")
    queue: int | None = Field(
        description="Its place in the line of those that wait for the engine or its device: 1 is next. Null once it runs."
    )
    done: int | None = Field(description="Steps that are done; null where the engine tells none.")
    of: int | None = Field(description="Steps that there are.")
    seconds_left: float | None = Field(description="By the steps so far, at the time `at`.")
    preview: str | None = Field(
        description="Address of a small picture of what there is so far, where `previews` were asked for. It is there until "
        "the stage ends, and always the latest."
    )
    at: datetime

    @classmethod
    def told(cls, job_id: str, note: Note) -> "ProgressDocument":
        """The document of what a stage of a job told."""
        shown = note.data["preview"]
        preview = address(f"/v1/tryons/{job_id}/preview?stage={note.about}&step={shown}")
        fields = {name: value for name, value in note.data.items() if name in cls.model_fields}
        return cls(**(fields | {"preview": None if shown is None else preview, "at": note.at}))


class SampleDocument(BaseModel):
    """One of several results of a try-on, which differ by the generator's seed."""

    sample: int = Field(description="From 1. The first one is the try-on's own result.")
    seed: int | None = Field(description="Of the generator; null until that has begun with it.")
    seconds: float | None = Field(description="That the generator took, as seen from the gateway.")
    output: dict[str, str] = Field(description="Addresses of its pictures, of those that there are so far.")
    warnings: list[WarningDocument] = Field(description="What to doubt of this one besides the try-on's `warnings`.")

    @classmethod
    def of(cls, sample: int, job: Job, events: list[Event]) -> "SampleDocument":
        """The document of a sample as it stands. events: of the whole job."""
        own = [event.data for event in events if sample_of(event) == sample]
        made: dict[str, Any] = next((data for data in reversed(own) if "seed" in data), {})
        there = artifacts_of(job, events, sample)
        return cls(
            sample=sample,
            seed=made.get("seed"),
            seconds=made.get("seconds"),
            output={name: artifact_address(job.id, name, sample) for name in RESULTS if name in there},
            warnings=[] if sample == 1 else _warnings(own),
        )


class GarmentDocument(BaseModel):
    """One of several garments of a try-on: how it was put on."""

    garment: int = Field(description="Its number: 1 is put on first.")
    category: str
    image: str = Field(description="Id of its picture.")
    stages: list[StageDocument] = Field(description="What ran for it.")
    artifacts: dict[str, str] = Field(
        description="Address of every artifact there is so far that was made for it. `tryon` shows who puts the next one on."
    )
    warnings: list[WarningDocument] = Field(
        description="Of the try-on's those that its stages gave; what is to be doubted of the person stands with the first."
    )

    @classmethod
    def of(cls, number: int, job: Job, events: list[Event], graph: StageGraph) -> "GarmentDocument":
        """The document of a garment as it stands. events: of the whole job."""
        begin = [begin_of(job.payload), *further_of(job.payload)][number - 1]
        told = [event.data for event in events if sample_of(event) == 1 and garment_of(event) == number]
        names = graph.running(begin) if number == 1 else graph.running({*begin, *graph.lasting()})
        after = graph.after([graph.producer[GOAL]]) if GOAL in graph.producer else ()
        return cls(
            garment=number,
            category=wishes_of(job.payload).categories[number - 1],
            image=begin["garment"],
            stages=_stages(job, told, [name for name in names if name not in after], begin, graph),
            artifacts={
                name: artifact_address(job.id, name, garment=number)
                for name in artifacts_of(job, events, garment=number)
            },
            warnings=_warnings(told),
        )


class TryonDocument(BaseModel):
    """A try-on, or the preprocessing of a person or a garment."""

    id: str
    kind: Kind
    status: State
    output: dict[str, str] | None = Field(
        description="Addresses of what it was for, once it succeeded; of a try-on the picture: `tryon` 768 x 1024, "
        "`tryon_photo` as large as the photo; of preprocessing all that was made."
    )
    images: dict[str, str] = Field(description="Ids of the pictures that it was made from: `photo`, `garment`.")
    artifacts: dict[str, str] = Field(description="Address of every artifact there is so far, uploads included.")
    stages: list[StageDocument]
    garments: list[GarmentDocument] = Field(
        description="Where several were asked for, in the order in which they are put on. `stages` and `artifacts` are those "
        "of the first, and of the result."
    )
    samples: list[SampleDocument] = Field(description="Where several were asked for: each result, the own one first.")
    progress: list[ProgressDocument] = Field(description="How far those stages are that are under way, and tell it.")
    warnings: list[WarningDocument]
    score: float | None = Field(
        description="How much the result is to be believed, by its warnings: 1 without any, lower with each kind. It orders "
        "results and is no probability. Null while there is none."
    )
    error: dict[str, Any] | None = Field(description="Why it failed: an RFC 9457 problem.")
    options: dict[str, dict[str, Any]] = Field(description="As they were asked for: stage, option, value.")
    engines: dict[str, str] = Field(description="As they were asked for: stage, engine.")
    commercial: bool = Field(description="Whether it was asked for that all licences allow commercial use.")
    priority: int
    reference: str | None = Field(description="Whom it is for, as the caller names them.")
    batch: str | None = Field(description="Id of the batch that it belongs to.")
    comparison: str | None = Field(description="Id of the comparison that it belongs to.")
    created_at: datetime
    started_at: datetime | None
    completed_at: datetime | None
    deadline_at: datetime | None = Field(description="If it has not ended by then, it fails with `deadline-exceeded`.")
    expires_at: datetime | None = Field(
        description="Forgotten then, with its pictures, or some minutes later; null while it has not ended."
    )
    forget: Forget | None = Field(description="`fetched`: forgotten before, as soon as its result was downloaded.")
    metrics: dict[str, float]
    trace_id: str
    webhook: WebhookDocument | None = Field(description="What became of the webhook that was asked for.")
    urls: dict[str, str]

    @classmethod
    def of(
        cls,
        job: Job,
        events: list[Event],
        graph: StageGraph,
        retention_s: float,
        webhook: Mapping[str, Any] | None = None,
        notes: Iterable[Note] = (),
    ) -> "TryonDocument":
        """The document of a try-on as it stands. retention_s: how long the gateway keeps any; webhook: what a
        WebhookDocument says; notes: how far its stages are."""
        here = address(f"/v1/tryons/{job.id}")
        addresses = {name: artifact_address(job.id, name) for name in artifacts_of(job, events)}
        trace_id = job.payload.get("trace_id", job.id.replace("-", ""))
        first = [event for event in events if sample_of(event) == 1]
        own = [event.data for event in first if garment_of(event) in (None, 1)]
        begin = begin_of(job.payload)
        kind, wishes = kind_of(job.payload), wishes_of(job.payload)
        stages = _stages(job, own, graph.running(begin, wishes.dress, wishes.only), begin, graph)
        samples = range(1, wishes.samples + 1) if wishes.samples > 1 else ()
        garments = range(1, len(further) + 2) if (further := further_of(job.payload)) else ()
        warnings = _warnings([event.data for event in first])
        if job.state == "succeeded":
            warnings += _stand_ins(stages)
        return cls(
            id=job.id,
            kind=kind,
            status=job.state,
            output=outputs_of(kind, addresses) if job.state == "succeeded" else None,
            images=uploads_of(job.payload),
            artifacts=addresses,
            stages=stages,
            garments=[GarmentDocument.of(garment, job, events, graph) for garment in garments],
            samples=[SampleDocument.of(sample, job, events) for sample in samples],
            progress=[ProgressDocument.told(job.id, note) for note in notes],
            warnings=warnings,
            score=score(warning.code for warning in warnings) if job.state == "succeeded" else None,
            error=None if job.error is None else job.error | {"trace_id": trace_id},
            options=wishes.options,
            engines=wishes.engines,
            commercial=wishes.commercial,
            priority=job.payload.get("priority", 0),
            reference=job.payload.get("reference"),
            batch=job.payload.get("batch"),
            comparison=job.payload.get("comparison"),
            created_at=job.created_at,
            started_at=job.started_at,
            completed_at=job.completed_at,
            deadline_at=job.deadline_at,
            expires_at=expires_at(job, retention_s),
            forget=job.payload.get("forget"),
            metrics=_metrics(job),
            trace_id=trace_id,
            webhook=None if webhook is None else WebhookDocument(**webhook),
            urls={
                "get": here,
                "events": f"{here}/events",
                "cancel": f"{here}/cancel",
                "dataset": f"{here}/dataset.zip",
            },
        )


class ImageDocument(BaseModel):
    """An uploaded image."""

    id: str = Field(description="sha256: and the digest of its bytes; `photo_id` or `garment_id` of a try-on.")
    media_type: str
    bytes: int
    width: int = Field(description="In pixels, as stored: a rotation in the metadata is not applied.")
    height: int
    created_at: datetime
    expires_at: datetime = Field(description="Deleted then, unless a try-on uses it before.")
    urls: dict[str, str]

    @classmethod
    def of(cls, image: Image, retention_s: float) -> "ImageDocument":
        """The document of an image as it stands."""
        here = address(f"/v1/images/{image.id}")
        return cls(
            id=image.id,
            media_type=image.media_type,
            bytes=image.bytes,
            width=image.width,
            height=image.height,
            created_at=image.created_at,
            expires_at=image.used_at + timedelta(seconds=retention_s),
            urls={"get": here, "content": f"{here}/content"},
        )


class BatchItem(BaseModel):
    """One try-on of a batch."""

    photo_id: str
    garment_id: str
    tryon_id: str
    status: State | Literal["deleted"]
    url: str
    tryon: str | None = Field(description="Address of the picture, once there is one.")


class BatchDocument(BaseModel):
    """A batch: every person in every garment."""

    id: str
    status: Literal["processing", "completed"] = Field(description="completed: all of its try-ons have ended.")
    counts: dict[str, int] = Field(description="How many try-ons have each status.")
    tryons: list[BatchItem]
    created_at: datetime
    urls: dict[str, str]

    @classmethod
    def of(cls, batch: Batch, jobs: Mapping[str, Job]) -> "BatchDocument":
        """The document of a batch as it stands. jobs: those of its try-ons that there still are."""
        items = []
        for pair in batch.pairs:
            job, url = jobs.get(pair.tryon_id), address(f"/v1/tryons/{pair.tryon_id}")
            items.append(
                BatchItem(
                    **vars(pair),
                    status=job.state if job else "deleted",
                    url=url,
                    tryon=f"{url}/artifacts/tryon" if job and job.state == "succeeded" else None,
                )
            )
        here = address(f"/v1/batches/{batch.id}")
        return cls(
            id=batch.id,
            status=_progress(item.status for item in items),
            counts=dict(Counter(item.status for item in items)),
            tryons=items,
            created_at=batch.created_at,
            urls={"get": here, "cancel": f"{here}/cancel"},
        )


class VariantDocument(BaseModel):
    """One try-on of a comparison: what it has of its own, and what came of it."""

    label: str
    engines: dict[str, str] = Field(description="As they were asked for, of this variant alone: stage, engine.")
    options: dict[str, dict[str, Any]] = Field(description="As they were asked for, of this variant alone.")
    tryon_id: str
    status: State | Literal["deleted"]
    url: str
    tryon: str | None = Field(description="Address of the picture, once there is one.")
    engine: str = Field(description="The generator's.")
    seconds: float | None = Field(description="That the generator took when it ran, which may have been earlier.")
    total_seconds: float | None = Field(description="That all of its stages took when they ran, reused ones too.")
    licence: str | None = Field(description="Of the generator, and of its weights where that is another.")
    commercial: Literal["yes", "unclear", "no"] | None = Field(
        description="Whether the licences of all engines and weights that it went through allow commercial use."
    )
    warnings: list[WarningDocument]
    error: dict[str, Any] | None = Field(description="Why it failed: an RFC 9457 problem.")

    @classmethod
    def of(
        cls, variant: Variant, tryon_id: str, tryon: TryonDocument | None, generator: str, own: str
    ) -> "VariantDocument":
        """The document of a variant as it stands. tryon: where it still is. generator: that stage, and `own` its engine where
        nobody chooses."""
        stages = _stages_of_all(tryon) if tryon else []
        dressed = [stage for stage in stages if stage.stage == generator and stage.made_by]
        made = dressed[0] if dressed else None
        asked = (tryon.engines if tryon else variant.engines).get(generator)
        engine = (made and made.engine) or asked or own
        done = [stage for stage in stages if stage.made_by]
        ended = tryon is not None and tryon.status in ENDED
        return cls(
            label=variant.name(generator, asked or engine),
            engines=dict(variant.engines),
            options={stage: dict(chosen) for stage, chosen in variant.options.items()},
            tryon_id=tryon_id,
            status=tryon.status if tryon else "deleted",
            url=address(f"/v1/tryons/{tryon_id}"),
            tryon=(tryon.output or {}).get(GOAL) if tryon else None,
            engine=engine,
            seconds=_total(dressed) if dressed else None,
            total_seconds=_total(done) if ended else None,
            licence=_licence(made.made_by) if made else None,
            commercial=strictest(commercial_use(stage.made_by) for stage in done) if ended and done else None,
            warnings=tryon.warnings if tryon else [],
            error=tryon.error if tryon else None,
        )


class ComparedGarmentDocument(BaseModel):
    """One of several garments of a comparison."""

    category: str
    image: str = Field(description="Id of its picture.")


class ComparisonDocument(BaseModel):
    """A comparison: one person in one garment or outfit through several engines or with several options."""

    id: str
    status: Literal["processing", "completed"] = Field(description="completed: all of its try-ons have ended.")
    counts: dict[str, int] = Field(description="How many try-ons have each status.")
    images: dict[str, str] = Field(description="Ids of the pictures that all are made from: `photo`, `garment`.")
    garments: list[ComparedGarmentDocument] = Field(
        [], description="Of several garments each, in the order in which they are put on."
    )
    variants: list[VariantDocument]
    created_at: datetime
    urls: dict[str, str]

    @classmethod
    def of(
        cls, comparison: Comparison, tryons: Mapping[str, TryonDocument], generator: str, own: str
    ) -> "ComparisonDocument":
        """The document of a comparison as it stands. tryons: those that there still are. generator: that stage, and `own` its
        engine where nobody chooses."""
        variants = [
            VariantDocument.of(variant, tryon_id, tryons.get(tryon_id), generator, own)
            for variant, tryon_id in zip(comparison.variants, comparison.tryon_ids(), strict=True)
        ]
        here = address(f"/v1/comparisons/{comparison.id}")
        return cls(
            id=comparison.id,
            status=_progress(variant.status for variant in variants),
            counts=dict(Counter(variant.status for variant in variants)),
            images=uploads_of(comparison.begin),
            garments=[
                ComparedGarmentDocument(category=category, image=begin["garment"])
                for begin, category in zip(comparison.garments, comparison.categories, strict=True)
            ]
            if comparison.further
            else [],
            variants=variants,
            created_at=comparison.created_at,
            urls={"get": here, "sheet": f"{here}/sheet", "cancel": f"{here}/cancel"},
        )


class TryonList(BaseModel):
    """One page of try-ons, the newest first."""

    tryons: list[TryonDocument]
    next: str | None = Field(description="Address of the next page; null on the last one.")


def _stages_of_all(tryon: TryonDocument) -> list[StageDocument]:
    """Of several garments those of all; a document's own are of the first one and of the result."""
    return [*tryon.stages, *(stage for garment in tryon.garments[1:] for stage in garment.stages)]


def _total(stages: Iterable[StageDocument]) -> float:
    """The seconds that they took when they ran."""
    return sum(stage.timings.get("total", 0.0) for stage in stages)


def artifact_address(tryon_id: str, name: str, sample: int = 1, garment: int | None = None) -> str:
    """Where a picture or document of a try-on is."""
    query = f"?sample={sample}" if sample > 1 else f"?garment={garment}" if garment is not None else ""
    return address(f"/v1/tryons/{tryon_id}/artifacts/{name}") + query


def _stages(
    job: Job, told: list[dict[str, Any]], running: Iterable[str], begin: Iterable[str], graph: StageGraph
) -> list[StageDocument]:
    """told: what the events say, in order. running: the stages that are to run; begin: what they begin with."""
    latest = {data["stage"]: data for data in told}
    # Of a job that ran before, the graph of today may lack a stage: one that has not answered since the gateway started.
    names = dict.fromkeys([*running, *latest])
    stages = [StageDocument(**({"stage": name} | _fields(latest.get(name, {})))) for name in names]
    if job.state in ("failed", "canceled"):
        for stage in stages:
            if stage.status in ("waiting", "processing"):
                stage.status = "skipped"
    for name in begin:
        if producer := graph.producer.get(name):
            if producer not in names:
                names[producer] = None
                stages.append(StageDocument(stage=producer, status="succeeded", engine=GIVEN))
            next(stage for stage in stages if stage.stage == producer).given.append(name)
    return stages


def _fields(data: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in data.items() if name in StageDocument.model_fields}


def _progress(states: Iterable[str]) -> Literal["processing", "completed"]:
    """Of try-ons that were ordered together."""
    return "completed" if all(state in (*ENDED, "deleted") for state in states) else "processing"


def _licence(made_by: Mapping[str, Any]) -> str:
    named = [made_by.get("licence"), *(weights.get("licence") for weights in made_by.get("weights", ()))]
    return ", ".join(dict.fromkeys(filter(None, named)))


def _warnings(told: list[dict[str, Any]]) -> list[WarningDocument]:
    return [WarningDocument(**warning) for data in told for warning in data.get("warnings", [])]


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
