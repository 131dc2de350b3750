"""Try-ons: what one is, and how it runs through the stage graph.

This first version keeps its list in memory: a restart forgets it.
"""

import asyncio
import logging
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

from gateway.errors import GatewayError, NotFound, StageRefused, TooManyTryons
from gateway.metrics import Metrics
from gateway.settings import Settings
from gateway.stages import Cluster
from gateway.store import ArtifactStore
from stagekit.wire import Part

log = logging.getLogger("howsfit.gateway")

Status = Literal["queued", "processing", "succeeded", "failed"]
FINAL = ("succeeded", "failed")


@dataclass
class StageRecord:
    """How one stage of a try-on went, and what made it."""

    stage: str
    status: Literal["waiting", "processing", "succeeded", "failed", "skipped"] = "waiting"
    seconds: float | None = None
    timings: dict[str, float] = field(default_factory=dict)
    engine: str | None = None
    fingerprint: str | None = None
    made_by: dict[str, Any] = field(default_factory=dict)
    """version, stand_in, licence, runtime and weights of the engine."""


@dataclass
class Tryon:
    """One try-on. `status` goes from queued over processing to succeeded or failed, never back."""

    id: str
    trace_id: str
    stages: dict[str, StageRecord]
    status: Status = "queued"
    artifacts: list[str] = field(default_factory=list)
    warnings: list[dict[str, str]] = field(default_factory=list)
    error: dict[str, Any] | None = None
    created_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    started_at: datetime | None = None
    completed_at: datetime | None = None
    finished: asyncio.Event = field(default_factory=asyncio.Event)


class Tryons:
    """All try-ons of this gateway, and the tasks that run them."""

    def __init__(self, settings: Settings, cluster: Cluster, store: ArtifactStore, metrics: Metrics) -> None:
        self._settings = settings
        self._cluster = cluster
        self._store = store
        self._metrics = metrics
        self._tryons: dict[str, Tryon] = {}
        self._turn = asyncio.Semaphore(settings.max_running)
        self._tasks: set[asyncio.Task[None]] = set()

    def get(self, tryon_id: str) -> Tryon:
        """Raises NotFound."""
        try:
            return self._tryons[tryon_id]
        except KeyError:
            raise NotFound(f"There is no try-on '{tryon_id}'. It may have been removed after others came.") from None

    def recent(self, count: int) -> list[Tryon]:
        """The newest try-ons, newest first."""
        return list(self._tryons.values())[: -count - 1 : -1]

    def artifact(self, tryon: Tryon, name: str) -> Part:
        """Raises NotFound."""
        part = self._store.get(tryon.id, name) if name in tryon.artifacts else None
        if part is None:
            have = ", ".join(tryon.artifacts)
            raise NotFound(f"This try-on has no artifact '{name}' (status {tryon.status}). It has: {have}.")
        return part

    def start(self, photo: Part, garment: Part, trace_id: str) -> Tryon:
        """Begin a try-on. Raises TooManyTryons when too many wait already."""
        waiting = sum(tryon.status == "queued" for tryon in self._tryons.values())
        if waiting >= self._settings.max_waiting + self._settings.max_running:
            raise TooManyTryons(f"{waiting} try-ons wait already. Try again in a minute.", retry_after_s=60)
        graph = self._cluster.graph
        assert graph is not None, "the gateway serves only after connect()"
        tryon = Tryon(str(uuid.uuid4()), trace_id, {name: StageRecord(name) for name in graph.order})
        self._tryons[tryon.id] = tryon
        self._forget_old()
        task = asyncio.create_task(self._run(tryon, {"photo": photo, "garment": garment}))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return tryon

    async def stop(self) -> None:
        """Cancel what still runs."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _forget_old(self) -> None:
        finished = [tryon for tryon in self._tryons.values() if tryon.status in FINAL]
        for tryon in finished[: max(0, len(finished) - self._settings.keep_tryons)]:
            del self._tryons[tryon.id]
            self._store.remove(tryon.id)

    async def _run(self, tryon: Tryon, artifacts: dict[str, Part]) -> None:
        async with self._turn:
            tryon.started_at = datetime.now(UTC)
            tryon.status = "processing"
            began = time.perf_counter()
            try:
                await self._keep(tryon, artifacts)
                await self._run_stages(tryon, artifacts)
                tryon.warnings += _stand_in_warning(tryon)
                tryon.status = "succeeded"
            except* (StageRefused, GatewayError) as group:
                self._fail(tryon, _problem(group.exceptions[0]))
            except* Exception as group:
                log.exception("tryon=%s trace=%s failed", tryon.id, tryon.trace_id, exc_info=group)
                detail = "An internal error. Please report it with the trace id."
                self._fail(tryon, GatewayError(detail).problem() | {"trace_id": tryon.trace_id})
            finally:
                tryon.completed_at = datetime.now(UTC)
                self._metrics.observe_tryon(tryon.status, time.perf_counter() - began)
                tryon.finished.set()

    def _fail(self, tryon: Tryon, problem: dict[str, Any]) -> None:
        tryon.status = "failed"
        tryon.error = problem | {"trace_id": tryon.trace_id}
        for record in tryon.stages.values():
            if record.status in ("waiting", "processing"):
                record.status = "skipped"

    async def _run_stages(self, tryon: Tryon, artifacts: dict[str, Part]) -> None:
        """Each stage as soon as those before it are done. The first failure cancels the others."""
        graph = self._cluster.graph
        assert graph is not None
        sorter = graph.sorter()
        async with asyncio.TaskGroup() as group:

            async def run_and_go_on(stage: str) -> None:
                await self._run_stage(tryon, stage, artifacts)
                sorter.done(stage)
                start_ready()

            def start_ready() -> None:
                for stage in sorter.get_ready():
                    group.create_task(run_and_go_on(stage))

            start_ready()

    async def _run_stage(self, tryon: Tryon, stage: str, artifacts: dict[str, Part]) -> None:
        client = self._cluster.clients[stage]
        record = tryon.stages[stage]
        record.status = "processing"
        began = time.perf_counter()
        try:
            run = await client.run({name: artifacts[name] for name in client.info["inputs"]}, tryon.trace_id)
        except (StageRefused, GatewayError):
            record.status, record.seconds = "failed", time.perf_counter() - began
            raise
        artifacts.update(run.outputs)
        tryon.warnings += run.warnings
        record.engine, record.fingerprint, record.timings = run.engine, run.fingerprint, run.timings_s
        record.made_by = {key: client.info[key] for key in ("version", "stand_in", "licence", "runtime", "weights")}
        await self._keep(tryon, run.outputs)
        record.status, record.seconds = "succeeded", time.perf_counter() - began

    async def _keep(self, tryon: Tryon, parts: Mapping[str, Part]) -> None:
        def write() -> None:
            for name, part in parts.items():
                self._store.put(tryon.id, name, part)

        await asyncio.to_thread(write)
        tryon.artifacts += parts


def _stand_in_warning(tryon: Tryon) -> list[dict[str, str]]:
    stood_in = [f"{r.stage} ({r.engine})" for r in tryon.stages.values() if r.made_by.get("stand_in")]
    if not stood_in:
        return []
    detail = f"Default engines stood in for research models: {', '.join(stood_in)}."
    return [{"code": "stand-in", "stage": "gateway", "detail": detail}]


def _problem(error: Exception) -> dict[str, Any]:
    if isinstance(error, StageRefused):
        return error.problem
    assert isinstance(error, GatewayError)
    return error.problem()
