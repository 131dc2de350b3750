"""Try-ons: durable jobs that run the stage graph. Here is their life, from the order to the end of their retention.

A job's record holds digests; the images are blobs, held by the job until it is deleted or its retention is over.
"""

import asyncio
import contextlib
import logging
import time
import uuid
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, get_args

from gateway.cluster.watch import Cluster
from gateway.errors import GatewayError, IdempotencyConflict, NotFound
from gateway.jobs.durable import Durable, Steps
from gateway.jobs.events import Event, Note
from gateway.jobs.job import ENDED, Job, PayloadConflict, State, UnknownJob, WrongState, cursor_key
from gateway.metrics import Metrics
from gateway.settings import Settings
from gateway.storage.blobs import Blob, StorageUnavailable
from gateway.storage.cache import StageCache
from gateway.storage.database import Database
from gateway.storage.holdings import Holdings
from gateway.tryons.admission import Admission
from gateway.tryons.deletions import Deletions
from gateway.tryons.graph_run import GraphRun, Means
from gateway.tryons.orders import (
    HOLDER,
    Kind,
    Order,
    artifacts_of,
    digests_in,
    digests_of,
    further_of,
    holder_of,
    kind_of,
    payload_of,
    tenant_of,
    trace_of,
)
from gateway.tryons.retention import Due, Retentions, expires_at, forgets, picture_of, results_of
from gateway.tryons.subjects import Subjects
from gateway.tryons.usage import Usage
from gateway.webhooks.delivery import Webhooks
from stagekit.wire import Part

log = logging.getLogger("howsfit.gateway")

LINK_S = 900

SWEPT_AT_ONCE = 100


class Tryons:
    """All try-ons of the gateways on one database, some of which run here."""

    def __init__(
        self,
        settings: Settings,
        cluster: Cluster,
        database: Database,
        holdings: Holdings,
        cache: StageCache,
        metrics: Metrics,
        webhooks: Webhooks,
    ) -> None:
        self._retention_s = settings.retention_s()
        self._store = holdings.store
        self._metrics = metrics
        self._webhooks = webhooks
        self._holdings = holdings
        self._cache = cache
        self._subjects = Subjects(database)
        self._retentions = Retentions(database)
        self._deletions = Deletions(database, settings.executor_name())
        self.usage = Usage(database)
        self._durable = Durable(
            database,
            executor=settings.executor_name(),
            concurrency=settings.max_running,
            run=self._run,
            kinds=get_args(Kind),
            about=lambda job_id, payload: {"trace": trace_of(job_id, payload)},
        )
        self.admission = Admission(cluster, cache, self._durable, settings.max_waiting)
        self._means = Means(cluster, holdings, cache, webhooks, settings.stage_retry_s)
        self._started = False
        self._jobless: set[str] = set()

    async def start(self) -> None:
        """Take up the jobs that were left, and wait for new ones. Raises StorageUnavailable."""
        await self._store.check()
        await self._durable.start()
        self._started = True
        await self._deletions.take_up_own()

    async def stop(self) -> None:
        """Let go: what runs goes on when this gateway is back, or at another one."""
        if self._started:
            await self._durable.stop()

    async def create(self, begin: Mapping[str, Blob | str], order: Order, kind: Kind) -> Job:
        """Accept a job; when this returns, it will end. It runs every stage that what it begins with suffices for, and that
        has something left to do.

        begin: `photo` and `garment`, or one of them, and artifacts in the place of those that a stage would make; a digest
        stands for a blob that somebody holds already. Of several garments it is the first that is put on; order.further has
        the others.
        Raises TooManyTryons, QuotaReached, IdempotencyConflict, StageNotReady, WebhookRefused, NotFound, BadEngine, BadOption,
        NotCommercial, BadRequest, StorageFull, StorageUnavailable.
        """
        digests = digests_of(begin)
        payload = payload_of(digests, order, kind)
        if order.id is not None:
            if order.id in (there := await self._durable.find([order.id])):
                return _same(there[order.id], payload)
            await self._let_rest(order.id)
        job_id = order.id or str(uuid.uuid4())
        if not order.together:  # else all were looked at, and are admitted, as a whole
            await self.admission.check_stages(digests, order, kind)
        async with contextlib.nullcontext() if order.together else self.admission.room(order):
            if order.webhook is not None:
                await self._webhooks.expect(job_id, order.webhook, order.owner, order.webhook_events)
            if order.key_id is not None:
                await self.usage.note_key(job_id, order.key_id)
            if order.reference is not None:
                await self._subjects.note(job_id, order.owner, order.reference)
            if order.retention_s is not None or order.forget is not None:
                await self._retentions.note(job_id, order.retention_s or self._retention_s)
            for sent in (begin, *order.further):
                await self._hold(sent, holder_of(job_id))
            try:
                return await self._durable.enqueue(
                    job_id,
                    # Without the trace id: a repeated request has another, and is the same job.
                    payload if order.id else payload | {"trace_id": order.trace_id},
                    kind=kind,
                    owner=order.owner,
                    priority=order.priority,
                    deadline_s=order.deadline_s,
                )
            except PayloadConflict:
                raise _conflict() from None

    async def get(self, tryon_id: str, owner: str | None = None) -> tuple[Job, list[Event]]:
        """The job and what happened to it so far. owner: it must be theirs. Raises NotFound."""
        job = await self._job(tryon_id, owner)
        return job, await self._durable.read_events(tryon_id)

    async def notes(self, tryon_id: str) -> list[Note]:
        """How far the stages are that are under way."""
        return (await self._durable.read(tryon_id))[1]

    async def preview(self, tryon_id: str, stage: str, step: int, owner: str | None = None) -> Part:
        """The latest picture of what there is so far, after this step of the stage or a later one.

        Raises NotFound.
        """
        await self._job(tryon_id, owner)
        for note in await self.notes(tryon_id):
            shown, engine = note.data.get("preview"), note.data["engine"]
            if note.about == stage and shown is not None and shown >= step:
                for client in self._means.cluster.engines(stage):
                    if client.engine == engine:
                        with contextlib.suppress(GatewayError):
                            if (part := await client.preview(note.data["run"])) is not None:
                                return part
        raise NotFound(
            "There is no such preview, or no longer: its stage may have ended. Look at the try-on's `progress`."
        )

    async def find(self, tryon_ids: Sequence[str]) -> dict[str, Job]:
        """Those of the jobs that there are."""
        return await self._durable.find(tryon_ids)

    async def page(
        self,
        limit: int,
        before: str | None = None,
        *,
        state: State | None = None,
        kind: Kind | None = None,
        owner: str | None = None,
        reference: str | None = None,
    ) -> list[tuple[Job, list[Event]]]:
        """The same of several, the newest first. Raises ValueError for a malformed cursor."""
        if reference is None:
            jobs = await self._durable.list(limit, before, state=state, kind=kind, owner=owner)
        else:
            wanted = await self._subjects.jobs(reference, owner)
            jobs = _page((await self._durable.find(wanted)).values(), limit, before, state, kind)
        return [(job, await self._durable.read_events(job.id)) for job in jobs]

    async def wait(self, tryon_id: str, seconds: float) -> None:
        """Until it has ended, or the seconds are over."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                async for _ in self.events(tryon_id, 0):
                    pass

    async def events(self, tryon_id: str, after: int) -> AsyncIterator[Event | Note]:
        """The events with numbers above `after`, and notes of what is under way, as they come; ends with the try-on, or when
        it is deleted."""
        with contextlib.suppress(UnknownJob):
            async for event in self._durable.events(tryon_id, after):
                yield event

    async def cancel(self, tryon_id: str, owner: str | None = None) -> None:
        """Stop it; nothing happens to one that has ended. Raises NotFound."""
        await self._job(tryon_id, owner)
        await self._durable.cancel(tryon_id)
        self._webhooks.wake(tryon_id)

    async def retry(self, tryon_id: str, owner: str | None = None, quota: int | None = None) -> None:
        """Run a failed or canceled one again, from where it came.

        Raises NotFound, IdempotencyConflict, TooManyTryons, QuotaReached.
        """
        job = await self._job(tryon_id, owner)
        async with self.admission.room(Order(owner=job.owner, quota=quota)):
            if job.state in ("failed", "canceled"):
                await self._webhooks.expect_again(tryon_id)
            try:
                await self._durable.retry(tryon_id, job.payload.get("deadline_s"))
            except WrongState as error:
                raise IdempotencyConflict(str(error)) from None

    async def delete(self, tryon_id: str, owner: str | None = None) -> None:
        """Forget it, its images, and what the cache keeps that was made from what it began with.

        Raises NotFound, or IdempotencyConflict for one that is under way and does not stop.
        """
        job = await self._job(tryon_id, owner)
        await self._deletions.begin(tryon_id)
        if job.state not in ENDED:
            await self._durable.cancel(tryon_id)
            await self.wait(tryon_id, 30)
        try:
            await self._delete_ended(job)
        except WrongState:
            await self._deletions.give_up(tryon_id)
            raise IdempotencyConflict("The try-on runs again, or is still stopping. Try again in a moment.") from None

    async def delete_all(self, reference: str, owner: str | None = None) -> int:
        """Forget all with a reference; how many there were. owner: they must be theirs. Raises IdempotencyConflict for one that
        is under way and does not stop.
        """
        wanted = await self._subjects.jobs(reference, owner)
        there = await self._durable.find(wanted)
        for tryon_id in there:
            with contextlib.suppress(NotFound):  # somebody else was quicker
                await self.delete(tryon_id)
        for job_id in wanted:
            await self._subjects.forget(job_id)
        return len(there)

    async def artifact(
        self, tryon_id: str, name: str, owner: str | None = None, sample: int = 1, garment: int | None = None
    ) -> Part:
        """sample, garment: which one's, where there are several. Raises NotFound, StorageUnavailable."""
        return await self._store.get(_digest(*await self.get(tryon_id, owner), name, sample, garment))

    async def artifacts(self, tryon_id: str, owner: str | None = None) -> dict[str, Part]:
        """All that there are so far. Raises NotFound, StorageUnavailable."""
        digests = artifacts_of(*await self.get(tryon_id, owner))
        return {name: await self._store.get(digest) for name, digest in digests.items()}

    async def link(
        self, tryon_id: str, name: str, owner: str | None = None, sample: int = 1, garment: int | None = None
    ) -> str | None:
        """A link to download it from the storage itself, where that gives any, and we need not know when it was fetched.

        Raises NotFound.
        """
        job, events = await self.get(tryon_id, owner)
        if job.payload.get("forget") is not None:
            return None
        return await self._store.url_for(_digest(job, events, name, sample, garment), LINK_S)

    async def results_in(self, tryon_id: str, name: str | None, sample: int = 1) -> set[str]:
        """What of this picture fetched() is to be told once it was sent whole; nothing where the job is not to be forgotten
        for it. Without a name: of all that preprocessing made. Raises NotFound.
        """
        job = await self._job(tryon_id)
        if not forgets(job):
            return set()
        results = {each for result in results_of(job, await self._durable.read_events(tryon_id)) for each in result}
        if name is None:
            return results if kind_of(job.payload) != "tryon" else set()
        return results & {picture_of(name, sample)}

    async def fetched(self, tryon_id: str, what: set[str]) -> bool:
        """Write down what was sent; whether nothing is left to fetch. Then forget_fetched() forgets the job, or sweep_due().

        Raises StorageUnavailable.
        """
        try:
            results = results_of(*await self.get(tryon_id))
        except NotFound:  # it was forgotten meanwhile
            return False
        return await self._retentions.note_fetched(tryon_id, what, results)

    async def forget_fetched(self, tryon_id: str) -> None:
        """Forget one of which nothing is left to fetch."""
        try:
            await self.delete(tryon_id)
        except NotFound:
            pass  # somebody else was quicker
        except GatewayError as error:
            log.warning("it was fetched, and is forgotten later: %s", error, extra={"job": tryon_id})

    async def sweep_due(self) -> None:
        """End deletions that were cut off, and delete those whose own time is over, or whose results were fetched."""
        while cut_off := await self._deletions.take(SWEPT_AT_ONCE):
            for job_id in cut_off:
                await self._end_deletion(job_id)
        while due := await self._retentions.take(SWEPT_AT_ONCE):
            jobs = await self._durable.find([each.job_id for each in due])
            for each in due:
                await self._settle(each, jobs.get(each.job_id))

    async def sweep(self) -> None:
        """Delete what is older than its retention, and let go of what jobs hold that never came to be."""
        oldest = datetime.now(UTC) - timedelta(seconds=self._retention_s)
        cursor = f"{round(oldest.timestamp() * 1000)}.~"
        while jobs := [job for job in await self._durable.list(100, cursor) if job.state in ENDED]:
            for job in jobs:
                await self._forget(job.id)
        await self._subjects.sweep(self._retention_s)
        holding = {holder.removeprefix(HOLDER) for holder in await self._holdings.holders(HOLDER)}
        jobless = holding - (await self._durable.find(sorted(holding))).keys()
        # Of a request that is being answered the images come before the job: only what stays so has no job.
        for job_id in jobless & self._jobless:
            await self._holdings.release(holder_of(job_id))
        self._jobless = jobless

    async def _settle(self, due: Due, job: Job | None) -> None:
        if job is None:
            if due.is_left_over():
                await self._forget(due.job_id)
        elif due.is_over(job, self._retention_s):
            with contextlib.suppress(WrongState):  # it was retried just now
                await self._delete_ended(job)
        elif (end := expires_at(job, self._retention_s)) is not None:
            await self._retentions.put_off(due.job_id, end)

    async def _end_deletion(self, job_id: str) -> None:
        """Of one that was cut off."""
        try:
            await self.delete(job_id)
        except NotFound:
            await self._forget(job_id)
            await self._deletions.end(job_id)
        except IdempotencyConflict as error:
            log.warning("its deletion was cut off, and cannot be ended: %s", error, extra={"job": job_id})

    async def _let_rest(self, job_id: str) -> None:
        """Before another job has the id of one that was deleted just now: a run of that may still go on, and would take it for
        its own."""
        rest_s = await self._deletions.rest_s(job_id)
        if rest_s is None:
            await self._end_deletion(job_id)
            rest_s = await self._deletions.rest_s(job_id) or 0.0
        await asyncio.sleep(rest_s)

    async def _hold(self, begin: Mapping[str, Blob | str], holder: str) -> None:
        known = [given for given in begin.values() if isinstance(given, str)]
        if known and not await self._holdings.hold(known, holder):
            raise NotFound("An image was deleted just now. Upload it again.")
        for given in begin.values():
            if isinstance(given, Blob):
                await self._holdings.keep(given, holder)

    async def _job(self, tryon_id: str, owner: str | None = None) -> Job:
        try:
            job = await self._durable.status(tryon_id)
        except UnknownJob:
            job = None
        if job is None or owner not in (None, job.owner):
            raise NotFound(f"There is no try-on '{tryon_id}'. It may have been deleted, or its time was over.")
        return job

    async def _run(self, tryon_id: str, payload: dict[str, Any], steps: Steps) -> dict[str, Any]:
        """The job itself."""
        began = time.perf_counter()
        outcome = "failed"
        run = GraphRun(self._means, tryon_id, payload, steps)
        try:
            artifacts = await run.run()
            outcome = "succeeded"
            await self._count(tryon_id, payload, outcome, time.perf_counter() - began)
        except Exception:  # not of one that was stopped, or let go: it may go on
            await self._count(tryon_id, payload, outcome, time.perf_counter() - began)
            raise
        finally:
            self._metrics.observe_tryon(outcome, time.perf_counter() - began)
            self._webhooks.wake(tryon_id)
            if await steps.is_deleted():
                await self._forget_late(tryon_id, payload, run.written)
        return {"artifacts": artifacts}

    async def _forget_late(self, tryon_id: str, payload: Mapping[str, Any], written: Iterable[Blob]) -> None:
        """What a run has left that came to its end after its job was deleted, here or by another gateway."""
        log.info("the job was deleted while it ran: forgetting what came of that", extra={"job": tryon_id})
        began_with = digests_in(payload)
        try:
            with contextlib.suppress(UnknownJob, WrongState):
                await self._durable.delete(tryon_id)  # what it has told since
            # Not what it began with: the deletion let go of that, and the same request may be sent again at this moment.
            await self._holdings.release_late(holder_of(tryon_id), written, sorted(began_with))
            await self._cache.forget(began_with)
        except GatewayError as error:
            log.warning("it is forgotten by the next sweep: %s", error, extra={"job": tryon_id})

    async def _count(self, tryon_id: str, payload: dict[str, Any], outcome: str, seconds: float) -> None:
        """Into the owner's usage; that a job is not counted is no reason to fail it."""
        with contextlib.suppress(StorageUnavailable):
            events = await self._durable.read_events(tryon_id)
            end = f"{kind_of(payload)} {outcome}"
            await self.usage.note(tryon_id, tenant_of(payload), f"{datetime.now(UTC):%Y-%m}", end, seconds, events)

    async def _delete_ended(self, job: Job) -> None:
        """Raises WrongState."""
        began_with = digests_in(job.payload)
        await self._cache.forget(began_with)
        await self._forget(job.id)
        # Again: a run that had not stopped yet may have stored more. One that finds its job gone forgets it by itself.
        await self._cache.forget(began_with)
        await self._deletions.end(job.id)

    async def _forget(self, tryon_id: str) -> None:
        with contextlib.suppress(UnknownJob):  # somebody else was quicker
            await self._durable.delete(tryon_id)
        await self._webhooks.forget(tryon_id)
        await self._subjects.forget(tryon_id)
        await self._holdings.release(holder_of(tryon_id))
        await self._retentions.drop(tryon_id)  # last: what is cut off before is done again


def _digest(job: Job, events: list[Event], name: str, sample: int, garment: int | None) -> str:
    worn = 1 + len(further_of(job.payload))
    if garment is not None and not garment <= worn > 1:
        raise NotFound(f"This try-on has no garment {garment}: it is of {worn}. Leave `garment` out.")
    have = artifacts_of(job, events, sample, garment)
    if name not in have:
        what = "This try-on" if sample == 1 else f"Sample {sample} of this try-on"
        what += f" for garment {garment}" if garment else ""
        there = ", ".join(have) or "none"
        raise NotFound(f"{what} has no artifact '{name}' (status {job.state}). It has: {there}.")
    return have[name]


def _page(jobs: Iterable[Job], limit: int, before: str | None, state: State | None, kind: Kind | None) -> list[Job]:
    """Of these jobs the page that Durable.list would give. Raises ValueError for a malformed cursor."""
    end = None if before is None else cursor_key(before)
    chosen = [job for job in jobs if state in (None, job.state) and kind in (None, kind_of(job.payload))]
    chosen.sort(key=lambda job: cursor_key(job.cursor), reverse=True)
    return [job for job in chosen if end is None or cursor_key(job.cursor) < end][:limit]


def _same(job: Job, payload: Mapping[str, Any]) -> Job:
    if job.payload != payload:
        raise _conflict()
    return job


def _conflict() -> IdempotencyConflict:
    return IdempotencyConflict("The Idempotency-Key was used for another request. Use a new key for a new one.")
