"""Try-ons: durable jobs that run the stage graph, reusing what a stage made of the same inputs before.

A job's record holds digests; the images are blobs, held by the job until it is deleted or its retention is over.
"""

import asyncio
import contextlib
import contextvars
import logging
import time
import uuid
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from gateway.blobs import BlobStore, digest_of
from gateway.cache import StageCache
from gateway.database import Database
from gateway.durable import Durable, Steps
from gateway.errors import GatewayError, IdempotencyConflict, NotFound, StageRefused, StageUnreachable, TooManyTryons
from gateway.events import Event
from gateway.holdings import Holdings
from gateway.jobs import ENDED, Job, JobFailed, PayloadConflict, State, UnknownJob, WrongState
from gateway.metrics import Metrics
from gateway.settings import Settings
from gateway.stages import Cluster, Run
from stagekit.wire import Part

log = logging.getLogger("howsfit.gateway")

KEYS = uuid.UUID("6d0f6f0e-3f9b-5d57-9f0e-0c6f6b6f7769")
"""Namespace that turns an Idempotency-Key into the id of its try-on."""

PASSING = ("overloaded", "not-ready")
"""Refusals of a stage that may be gone a moment later; any other is final."""

FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.25, 5.0
LINK_S = 900
SWEEP_EVERY_S = 600.0
GRACE_S = 3600.0
"""A blob that nobody holds stays so long: longer than any upload takes."""


class Tryons:
    """All try-ons of the gateways on one database, some of which run here."""

    def __init__(
        self, settings: Settings, cluster: Cluster, database: Database, store: BlobStore, metrics: Metrics
    ) -> None:
        self._settings = settings
        self._cluster = cluster
        self._store = store
        self._metrics = metrics
        self._holdings = Holdings(database, store)
        self._cache = StageCache(database, self._holdings, max_bytes=int(settings.cache_gb * 1e9))
        self._durable = Durable(
            database, executor=settings.executor_name(), concurrency=settings.max_running, run=self._run
        )
        self._sweeper: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Take up the jobs that were left, and wait for new ones. Raises StorageUnavailable."""
        await self._store.check()
        await self._durable.start()
        self._sweeper = asyncio.create_task(self._sweep_now_and_then())

    async def stop(self) -> None:
        """Let go: what runs goes on when this gateway is back, or at another one."""
        if self._sweeper is not None:
            self._sweeper.cancel()
            await asyncio.gather(self._sweeper, return_exceptions=True)
            await self._durable.stop()

    async def create(
        self, photo: Part, garment: Part, trace_id: str, *, no_store: bool = False, key: str | None = None
    ) -> Job:
        """Accept a try-on; when this returns, it will end.

        key: the same key and pictures again are the same try-on. no_store: run every stage anew, and keep nothing for others.
        Raises TooManyTryons, IdempotencyConflict, StorageFull, StorageUnavailable.
        """
        tryon_id = str(uuid.uuid5(KEYS, key) if key else uuid.uuid4())
        if (
            len(await self._durable.list(limit=self._settings.max_waiting + 1, state="queued"))
            > self._settings.max_waiting
        ):
            raise TooManyTryons("Too many try-ons wait already. Try again in a minute.", retry_after_s=60)
        digests = [await self._holdings.keep(part, _holder(tryon_id)) for part in (photo, garment)]
        # Without the trace id: a repeated request has another, and is the same job.
        payload = {"photo": digests[0], "garment": digests[1], "no_store": no_store}
        try:
            return await self._durable.enqueue(tryon_id, payload if key else payload | {"trace_id": trace_id})
        except PayloadConflict:
            raise IdempotencyConflict(
                f"The Idempotency-Key '{key}' was used for other pictures. Use a new key for a new try-on."
            ) from None

    async def get(self, tryon_id: str) -> tuple[Job, list[Event]]:
        """The job and what happened to it so far. Raises NotFound."""
        job = await self._job(tryon_id)
        return job, await self._durable.read_events(tryon_id)

    async def page(self, limit: int, before: str | None, state: State | None) -> list[tuple[Job, list[Event]]]:
        """The same of several, the newest first. Raises ValueError for a malformed cursor."""
        jobs = await self._durable.list(limit, before, state)
        return [(job, await self._durable.read_events(job.id)) for job in jobs]

    async def wait(self, tryon_id: str, seconds: float) -> None:
        """Until it has ended, or the seconds are over."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                async for _ in self._durable.events(tryon_id):
                    pass

    def events(self, tryon_id: str, after: int) -> AsyncIterator[Event]:
        """The events with numbers above `after`, as they come; ends with the try-on."""
        return self._durable.events(tryon_id, after)

    async def cancel(self, tryon_id: str) -> None:
        """Stop it; nothing happens to one that has ended. Raises NotFound."""
        await self._job(tryon_id)
        await self._durable.cancel(tryon_id)

    async def retry(self, tryon_id: str) -> None:
        """Run a failed or canceled one again, from where it came. Raises NotFound, IdempotencyConflict."""
        await self._job(tryon_id)
        try:
            await self._durable.retry(tryon_id)
        except WrongState as error:
            raise IdempotencyConflict(str(error)) from None

    async def delete(self, tryon_id: str) -> None:
        """Forget it, its images, and what the cache keeps that was made from its uploads. Raises NotFound."""
        job = await self._job(tryon_id)
        if job.state not in ENDED:
            await self._durable.cancel(tryon_id)
            await self.wait(tryon_id, 30)
        await self._cache.forget([job.payload["photo"], job.payload["garment"]])
        await self._forget(tryon_id)

    async def artifact(self, tryon_id: str, name: str) -> Part:
        """Raises NotFound, StorageUnavailable."""
        return await self._store.get(await self._digest(tryon_id, name))

    async def artifacts(self, tryon_id: str) -> dict[str, Part]:
        """All that there are so far. Raises NotFound, StorageUnavailable."""
        return {name: await self._store.get(digest) for name, digest in artifacts_of(*await self.get(tryon_id)).items()}

    async def link(self, tryon_id: str, name: str) -> str | None:
        """A link to download it from the storage itself, where that gives any. Raises NotFound."""
        return await self._store.url_for(await self._digest(tryon_id, name), LINK_S)

    async def _digest(self, tryon_id: str, name: str) -> str:
        job, events = await self.get(tryon_id)
        have = artifacts_of(job, events)
        if name not in have:
            raise NotFound(f"This try-on has no artifact '{name}' (status {job.state}). It has: {', '.join(have)}.")
        return have[name]

    async def _job(self, tryon_id: str) -> Job:
        try:
            return await self._durable.status(tryon_id)
        except UnknownJob:
            raise NotFound(
                f"There is no try-on '{tryon_id}'. It may have been deleted, or its time was over."
            ) from None

    async def _run(self, tryon_id: str, payload: dict[str, Any], steps: Steps) -> dict[str, Any]:
        """The job itself. Each stage as soon as those before it are done; the first failure cancels the others."""
        graph = self._cluster.graph
        assert graph is not None, "jobs are taken after connect()"
        began = time.perf_counter()
        work = _Work(payload)
        sorter = graph.sorter()

        async def run_and_go_on(stage: str) -> None:
            inputs = {name: work.digests[name] for name in graph.stages[stage].inputs}
            gone_on = False

            def go_on(outputs: dict[str, str]) -> None:
                nonlocal gone_on
                if not gone_on:
                    gone_on = True
                    work.digests.update(outputs)
                    sorter.done(stage)
                    start_ready()

            try:
                # The stages behind it start as soon as the outputs are known, while these are still being written.
                record = await steps.step(stage, self._run_stage, tryon_id, stage, inputs, work, go_on)
            except (StageRefused, GatewayError) as error:
                problem = error.problem if isinstance(error, StageRefused) else error.problem() | {"stage": stage}
                await tell({"stage": stage, "status": "failed", "error": problem})
                raise JobFailed(problem) from None
            go_on(record["outputs"])  # in case that it was recorded before a crash, and did not run now
            await tell({"stage": stage, "status": "succeeded"} | record)

        async def tell(event: dict[str, Any]) -> None:
            await started_telling[event["stage"]]
            await steps.emit(event)

        def start_ready() -> None:
            for stage in sorter.get_ready():
                telling = steps.emit({"stage": stage, "status": "processing"})
                started_telling[stage] = group.create_task(telling, context=context.copy())
                group.create_task(run_and_go_on(stage), context=context.copy())

        # Started from within a step of another stage, a step would count as a part of that one.
        context = contextvars.copy_context()
        started_telling: dict[str, asyncio.Task[None]] = {}
        outcome = "failed"
        try:
            async with asyncio.TaskGroup() as group:
                start_ready()
            outcome = "succeeded"
        finally:
            self._metrics.observe_tryon(outcome, time.perf_counter() - began)
        return {"artifacts": work.digests}

    async def _run_stage(
        self,
        tryon_id: str,
        stage: str,
        inputs: dict[str, str],
        work: "_Work",
        go_on: Callable[[dict[str, str]], None],
    ) -> dict[str, Any]:
        """One durable step: what the stage made of these inputs, now or before. Returns digests, never images.

        go_on: called with the outputs' digests as soon as they are known; they are kept when this returns.
        """
        client = self._cluster.clients[stage]
        began = time.perf_counter()
        expected = client.info["fingerprint"]
        holder = _holder(tryon_id)
        async with self._cache.claim(expected, inputs, holder=holder, no_store=work.payload["no_store"]) as claim:
            reused = claim.hit is not None
            if claim.hit is not None:
                document = claim.hit
                go_on(document["outputs"])
            else:
                parts = {name: await self._part(work, digest) for name, digest in inputs.items()}
                run = await self._call(stage, parts, work.payload.get("trace_id", uuid.UUID(tryon_id).hex))
                outputs = await asyncio.to_thread(_digests, run.outputs)
                work.parts.update({outputs[name]: part for name, part in run.outputs.items()})
                go_on(outputs)
                await asyncio.gather(*(self._holdings.keep(part, holder) for part in run.outputs.values()))
                document = {
                    "outputs": outputs,
                    "engine": run.engine,
                    "fingerprint": run.fingerprint,
                    "warnings": run.warnings,
                    "timings": run.timings_s,
                    "made_by": {k: client.info[k] for k in ("version", "stand_in", "licence", "runtime", "weights")},
                }
                if run.fingerprint == expected:  # else the stage was restarted as another engine in between
                    await claim.store(document)
        return document | {"reused": reused, "seconds": time.perf_counter() - began}

    async def _part(self, work: "_Work", digest: str) -> Part:
        return work.parts.get(digest) or await self._store.get(digest)

    async def _call(self, stage: str, parts: dict[str, Part], trace_id: str) -> Run:
        """Run the stage; tried again while it is overloaded or out of reach, for at most `stage_retry_s`."""
        give_up = time.monotonic() + self._settings.stage_retry_s
        pause_s = FIRST_PAUSE_S
        while True:
            try:
                return await self._cluster.clients[stage].run(parts, trace_id)
            except (StageRefused, StageUnreachable) as error:
                passing = isinstance(error, StageUnreachable) or error.problem.get("code") in PASSING
                if not passing or time.monotonic() + pause_s > give_up:
                    raise
            await asyncio.sleep(pause_s)
            pause_s = min(pause_s * 2, LONGEST_PAUSE_S)

    async def _forget(self, tryon_id: str) -> None:
        with contextlib.suppress(UnknownJob):  # somebody else was quicker
            await self._durable.delete(tryon_id)
        await self._holdings.release(_holder(tryon_id))

    async def _sweep_now_and_then(self) -> None:
        while True:
            try:
                await self._sweep()
            except Exception:
                log.exception("sweeping failed; trying again in %.0f s", SWEEP_EVERY_S)
            await asyncio.sleep(SWEEP_EVERY_S)

    async def _sweep(self) -> None:
        """Delete what is older than its retention, and clear up behind processes that died."""
        oldest = datetime.now(UTC) - timedelta(hours=self._settings.retention_h)
        cursor = f"{round(oldest.timestamp() * 1000)}.~"
        while jobs := [job for job in await self._durable.list(100, cursor) if job.state in ENDED]:
            for job in jobs:
                await self._forget(job.id)
        await self._cache.sweep(GRACE_S)


class _Work:
    """What a running job knows: all digests so far, and the images that it made itself."""

    def __init__(self, payload: dict[str, Any]) -> None:
        self.payload = payload
        self.digests = {"photo": payload["photo"], "garment": payload["garment"]}
        self.parts: dict[str, Part] = {}


def _digests(parts: dict[str, Part]) -> dict[str, str]:
    return {name: digest_of(part.data) for name, part in parts.items()}


def artifacts_of(job: Job, events: list[Event]) -> dict[str, str]:
    """Artifact name -> digest, as far as the job has come; uploads first."""
    found = {"photo": job.payload["photo"], "garment": job.payload["garment"]}
    for event in events:
        found |= event.data.get("outputs", {})
    return found


def _holder(tryon_id: str) -> str:
    return "job:" + tryon_id
