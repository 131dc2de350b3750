"""Try-ons: durable jobs that run the stage graph, reusing what a stage made of the same inputs before.

A job's record holds digests; the images are blobs, held by the job until it is deleted or its retention is over.
"""

import asyncio
import contextlib
import contextvars
import functools
import json
import time
import uuid
import weakref
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, TypeVar, get_args

from gateway.blobs import digest_of
from gateway.cache import StageCache
from gateway.cluster import Cluster, not_ready
from gateway.database import Database
from gateway.durable import Durable, Steps
from gateway.errors import (
    GatewayError,
    IdempotencyConflict,
    NotFound,
    QuotaReached,
    StageRefused,
    TooManyTryons,
)
from gateway.events import Event
from gateway.graph import UPLOADS
from gateway.holdings import Holdings
from gateway.jobs import ENDED, Job, JobFailed, PayloadConflict, State, UnknownJob, WrongState
from gateway.metrics import Metrics
from gateway.patience import patiently
from gateway.settings import Settings
from gateway.stages import Run, StageClient
from gateway.webhooks import Webhooks
from stagekit.wire import Part

T = TypeVar("T")

Kind = Literal["tryon", "person", "cloth"]
"""What a job makes: a try-on, or only what there is to know of the person or of the cloth."""

HOLDER = "job:"

KEYS = uuid.UUID("6d0f6f0e-3f9b-5d57-9f0e-0c6f6b6f7769")
"""Namespace that turns an Idempotency-Key into the id of its job."""

LINK_S = 900
KNOWN = "known results"
"""Name of the step that looks them up."""


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
    batch: str | None = None
    quota: int | None = None
    """Jobs that the owner may have under way."""

    def payload(self) -> dict[str, Any]:
        """What the job's record says of it; part of what makes two requests the same."""
        options = {
            "owner": self.owner or None,
            "priority": self.priority or None,
            "deadline_s": self.deadline_s,
            "webhook": self.webhook,
            "batch": self.batch,
        }
        return {"no_store": self.no_store} | {name: value for name, value in options.items() if value is not None}


class Tryons:
    """All try-ons of the gateways on one database, some of which run here."""

    def __init__(
        self,
        settings: Settings,
        cluster: Cluster,
        database: Database,
        holdings: Holdings,
        metrics: Metrics,
        webhooks: Webhooks,
    ) -> None:
        self._settings = settings
        self._cluster = cluster
        self._store = holdings.store
        self._metrics = metrics
        self._webhooks = webhooks
        self._holdings = holdings
        self.cache = StageCache(database, holdings, max_bytes=int(settings.cache_gb * 1e9))
        self._durable = Durable(
            database,
            executor=settings.executor_name(),
            concurrency=settings.max_running,
            run=self._run,
            kinds=get_args(Kind),
            about=lambda job_id, payload: {"trace": _trace(job_id, payload)},
        )
        self._started = False
        self._jobless: set[str] = set()
        self._admitting: weakref.WeakValueDictionary[str, asyncio.Lock] = weakref.WeakValueDictionary()

    async def start(self) -> None:
        """Take up the jobs that were left, and wait for new ones. Raises StorageUnavailable."""
        await self._store.check()
        await self._durable.start()
        self._started = True

    async def stop(self) -> None:
        """Let go: what runs goes on when this gateway is back, or at another one."""
        if self._started:
            await self._durable.stop()

    async def create(self, pictures: Mapping[str, Part | str], order: Order) -> Job:
        """Accept a job; when this returns, it will end. It runs every stage that its pictures suffice for.

        pictures: `photo` and `garment`, or one of them; a digest stands for a blob that somebody holds already.
        Raises TooManyTryons, QuotaReached, IdempotencyConflict, StageNotReady, WebhookRefused, NotFound, StorageFull,
        StorageUnavailable.
        """
        payload = {name: given if isinstance(given, str) else digest_of(given.data) for name, given in pictures.items()}
        payload |= order.payload()
        if order.id is not None and order.id in (there := await self._durable.find([order.id])):
            return _same(there[order.id], payload)
        job_id = order.id or str(uuid.uuid4())
        if not order.batch:  # which was looked at, and is admitted, as a whole
            await self.check_stages(uploads_of(payload), order)
        async with contextlib.nullcontext() if order.batch else self.admission(order):
            if order.webhook is not None:
                await self._webhooks.expect(job_id, order.webhook, order.owner)
            await self._hold(pictures, _holder(job_id))
            try:
                return await self._durable.enqueue(
                    job_id,
                    # Without the trace id: a repeated request has another, and is the same job.
                    payload if order.id else payload | {"trace_id": order.trace_id},
                    kind=kind_of(payload),
                    owner=order.owner,
                    priority=order.priority,
                    deadline_s=order.deadline_s,
                )
            except PayloadConflict:
                raise _conflict() from None

    async def check_stages(self, uploads: Mapping[str, str], order: Order) -> None:
        """Whether a job with these uploads can be done now: each of its stages could start, or did its part before.

        uploads: artifact name -> digest. Raises StageNotReady. A stage that is merely away may be back when its turn comes.
        """
        graph = self._cluster.whole_graph()
        failed = self._cluster.failed(graph.reach(uploads))
        if not failed:
            return
        known = {} if order.no_store else await self.cache.follow(self._keys(uploads), uploads, tenant=order.owner)
        for client in failed:
            if client.name not in known:
                raise not_ready(client)

    @contextlib.asynccontextmanager
    async def admission(self, order: Order, jobs: int = 1) -> AsyncIterator[None]:
        """Room for so many more jobs, to be accepted within. Raises TooManyTryons, QuotaReached.

        An owner with a quota is let in one request at a time, or several at once would all find the same room. Another
        gateway does not know of it: with N gateways, N requests at the same moment may exceed the quota by N - 1 of them.
        """
        turn = self._admitting.setdefault(order.owner, asyncio.Lock())
        async with contextlib.nullcontext() if order.quota is None else turn:
            await self._check_room(order, jobs)
            yield

    async def _check_room(self, order: Order, jobs: int) -> None:
        room = self._settings.max_waiting + 1 - await self._durable.count(("queued",), self._settings.max_waiting + 1)
        if jobs > room:
            raise TooManyTryons("Too many try-ons wait already. Try again in a minute.", retry_after_s=60)
        if order.quota is not None:
            under_way = await self._durable.count(("queued", "processing"), order.quota, order.owner)
            if under_way + jobs > order.quota:
                raise QuotaReached(
                    f"At most {order.quota} try-ons may be under way for you at the same time; {under_way} are. "
                    "Wait until one ends, or cancel one.",
                    retry_after_s=10,
                )

    async def get(self, tryon_id: str, owner: str | None = None) -> tuple[Job, list[Event]]:
        """The job and what happened to it so far. owner: it must be theirs. Raises NotFound."""
        job = await self._job(tryon_id, owner)
        return job, await self._durable.read_events(tryon_id)

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
    ) -> list[tuple[Job, list[Event]]]:
        """The same of several, the newest first. Raises ValueError for a malformed cursor."""
        jobs = await self._durable.list(limit, before, state=state, kind=kind, owner=owner)
        return [(job, await self._durable.read_events(job.id)) for job in jobs]

    async def wait(self, tryon_id: str, seconds: float) -> None:
        """Until it has ended, or the seconds are over."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                async for _ in self.events(tryon_id, 0):
                    pass

    async def events(self, tryon_id: str, after: int) -> AsyncIterator[Event]:
        """The events with numbers above `after`, as they come; ends with the try-on, or when it is deleted."""
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
        async with self.admission(Order(owner=job.owner, quota=quota)):
            if job.state in ("failed", "canceled"):
                await self._webhooks.expect_again(tryon_id)
            try:
                await self._durable.retry(tryon_id, job.payload.get("deadline_s"))
            except WrongState as error:
                raise IdempotencyConflict(str(error)) from None

    async def delete(self, tryon_id: str, owner: str | None = None) -> None:
        """Forget it, its images, and what the cache keeps that was made from its uploads.

        Raises NotFound, or IdempotencyConflict for one that is under way and does not stop.
        """
        job = await self._job(tryon_id, owner)
        if job.state not in ENDED:
            await self._durable.cancel(tryon_id)
            await self.wait(tryon_id, 30)
        await self.cache.forget(uploads_of(job.payload).values())
        try:
            await self._forget(tryon_id)
        except WrongState:
            raise IdempotencyConflict("The try-on runs again, or is still stopping. Try again in a moment.") from None

    async def artifact(self, tryon_id: str, name: str, owner: str | None = None) -> Part:
        """Raises NotFound, StorageUnavailable."""
        return await self._store.get(await self._digest(tryon_id, name, owner))

    async def artifacts(self, tryon_id: str, owner: str | None = None) -> dict[str, Part]:
        """All that there are so far. Raises NotFound, StorageUnavailable."""
        digests = artifacts_of(*await self.get(tryon_id, owner))
        return {name: await self._store.get(digest) for name, digest in digests.items()}

    async def link(self, tryon_id: str, name: str, owner: str | None = None) -> str | None:
        """A link to download it from the storage itself, where that gives any. Raises NotFound."""
        return await self._store.url_for(await self._digest(tryon_id, name, owner), LINK_S)

    async def sweep(self) -> None:
        """Delete what is older than its retention, and let go of what jobs hold that never came to be."""
        oldest = datetime.now(UTC) - timedelta(seconds=self._settings.retention_s())
        cursor = f"{round(oldest.timestamp() * 1000)}.~"
        while jobs := [job for job in await self._durable.list(100, cursor) if job.state in ENDED]:
            for job in jobs:
                await self._forget(job.id)
        holding = {holder.removeprefix(HOLDER) for holder in await self._holdings.holders(HOLDER)}
        jobless = holding - (await self._durable.find(sorted(holding))).keys()
        # Of a request that is being answered the images come before the job: only what stays so has no job.
        for job_id in jobless & self._jobless:
            await self._holdings.release(_holder(job_id))
        self._jobless = jobless

    async def _digest(self, tryon_id: str, name: str, owner: str | None) -> str:
        job, events = await self.get(tryon_id, owner)
        have = artifacts_of(job, events)
        if name not in have:
            raise NotFound(f"This try-on has no artifact '{name}' (status {job.state}). It has: {', '.join(have)}.")
        return have[name]

    async def _hold(self, pictures: Mapping[str, Part | str], holder: str) -> None:
        known = [given for given in pictures.values() if isinstance(given, str)]
        if known and not await self._holdings.hold(known, holder):
            raise NotFound("An image was deleted just now. Upload it again.")
        for given in pictures.values():
            if isinstance(given, Part):
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
        """The job itself. Each stage as soon as those before it are done; the first failure cancels the others."""
        graph = await self._cluster.wait_until_whole(self._settings.stage_retry_s)
        began = time.perf_counter()
        work = _Work(payload)
        known = {} if payload["no_store"] else await self._recall(tryon_id, work, steps)
        sorter = graph.sorter(uploads_of(payload), done=known)

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
                left = [graph.stages[stage] for stage in graph.reach(uploads_of(payload)) if stage not in known]
                group.create_task(self._fetch(work, {name for stage in left for name in stage.inputs}))
            outcome = "succeeded"
        finally:
            self._metrics.observe_tryon(outcome, time.perf_counter() - began)
            self._webhooks.wake(tryon_id)
        return {"artifacts": work.digests}

    async def _recall(self, tryon_id: str, work: "_Work", steps: Steps) -> dict[str, Any]:
        """All that stages made of these uploads before, at once. Stage -> record, as _run_stage gives it."""
        try:
            known = await steps.step(KNOWN, self._known, tryon_id, work.payload)
        except GatewayError as error:
            raise JobFailed(error.problem() | {"stage": "gateway"}) from None
        for record in known.values():
            work.digests.update(record["outputs"])
        if known:
            await steps.emit(*({"stage": stage, "status": "succeeded"} | record for stage, record in known.items()))
        return known

    async def _known(self, tryon_id: str, payload: dict[str, Any]) -> dict[str, Any]:
        began = time.perf_counter()
        uploads = uploads_of(payload)
        follow = functools.partial(
            self.cache.follow, self._keys(uploads), uploads, holder=_holder(tryon_id), tenant=_tenant(payload)
        )
        found = await self._patiently(tryon_id, follow)
        seconds = time.perf_counter() - began
        return {
            stage: _warned(self._cluster.clients[stage], document) | {"reused": True, "seconds": seconds}
            for stage, document in found.items()
        }

    def _keys(self, uploads: Mapping[str, str]) -> list[tuple[str, str, Iterable[str]]]:
        """Name, fingerprint and inputs of the stages that these uploads suffice for, in running order."""
        graph, clients = self._cluster.graph, self._cluster.clients
        return [(s, str(clients[s].info["fingerprint"]), graph.stages[s].inputs) for s in graph.reach(uploads)]

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
        origins = [work.digests[upload] for upload in self._cluster.graph.uploads(stage)]
        began = time.perf_counter()
        expected = client.info["fingerprint"]
        holder = _holder(tryon_id)
        async with contextlib.AsyncExitStack() as stack:
            claiming = functools.partial(
                self.cache.claim,
                expected,
                inputs,
                holder=holder,
                tenant=_tenant(work.payload),
                origins=origins,
                no_store=work.payload["no_store"],
            )
            claim = await self._patiently(tryon_id, lambda: stack.enter_async_context(claiming()))
            reused = claim.hit is not None
            if claim.hit is not None:
                document = claim.hit
                go_on(document["outputs"])
            else:
                parts = {name: await self._part(tryon_id, work, digest) for name, digest in inputs.items()}
                run = await self._call(tryon_id, client, parts, _trace(tryon_id, work.payload))
                outputs = await asyncio.to_thread(_digests, run.outputs)
                work.parts.update({outputs[name]: part for name, part in run.outputs.items()})
                go_on(outputs)
                await asyncio.gather(*(self._keep(tryon_id, part) for part in run.outputs.values()))
                document = {
                    "outputs": outputs,
                    "engine": run.engine,
                    "fingerprint": run.fingerprint,
                    "warnings": run.warnings,
                    "timings": run.timings_s,
                    "made_by": {k: client.info[k] for k in ("version", "stand_in", "licence", "runtime", "weights")},
                }
                if run.fingerprint == expected:  # else the stage was restarted as another engine in between
                    await self._patiently(tryon_id, lambda: claim.store(document))
        return _warned(client, document) | {"reused": reused, "seconds": time.perf_counter() - began}

    async def _fetch(self, work: "_Work", names: set[str]) -> None:
        """Read what is there of these artifacts already, while the stages that come first are still running."""
        for digest in [digest for name, digest in work.digests.items() if name in names]:
            with contextlib.suppress(GatewayError):  # whoever needs it will try again, and tell
                work.parts.setdefault(digest, await self._store.get(digest))

    async def _part(self, tryon_id: str, work: "_Work", digest: str) -> Part:
        part = work.parts.get(digest)
        return part if part is not None else await self._patiently(tryon_id, lambda: self._store.get(digest))

    async def _keep(self, tryon_id: str, part: Part) -> str:
        return await self._patiently(tryon_id, lambda: self._holdings.keep(part, _holder(tryon_id)))

    async def _call(self, tryon_id: str, client: StageClient, parts: dict[str, Part], trace_id: str) -> Run:
        about = {"job": tryon_id, "stage": client.name, "trace": trace_id}
        for_s = self._settings.stage_retry_s
        return await patiently(lambda: client.run(parts, trace_id), for_s, client.start_s, about)

    async def _patiently(self, tryon_id: str, work: Callable[[], Awaitable[T]]) -> T:
        """For a job need not fail because a store is started anew."""
        return await patiently(work, self._settings.stage_retry_s, about={"job": tryon_id})

    async def _forget(self, tryon_id: str) -> None:
        with contextlib.suppress(UnknownJob):  # somebody else was quicker
            await self._durable.delete(tryon_id)
        await self._webhooks.forget(tryon_id)
        await self._holdings.release(_holder(tryon_id))


class _Work:
    """What a running job knows: all digests so far, and the images that it made itself."""

    def __init__(self, payload: dict[str, Any]) -> None:
        self.payload = payload
        self.digests = uploads_of(payload)
        self.parts: dict[str, Part] = {}


def _warned(client: StageClient, document: dict[str, Any]) -> dict[str, Any]:
    """With a warning where a fallback did the stage. What is kept for reuse has none: the same engine may be chosen there."""
    if client.instead_of is None:
        return document
    detail = f"{client.info['engine']} did this in place of the engine that was chosen: {client.instead_of}"
    return document | {
        "warnings": [*document["warnings"], {"code": "fallback", "stage": client.name, "detail": detail}]
    }


def _digests(parts: dict[str, Part]) -> dict[str, str]:
    return {name: digest_of(part.data) for name, part in parts.items()}


def artifacts_of(job: Job, events: list[Event]) -> dict[str, str]:
    """Artifact name -> digest, as far as the job has come; uploads first."""
    found = uploads_of(job.payload)
    for event in events:
        found |= event.data.get("outputs", {})
    return found


def uploads_of(payload: Mapping[str, Any]) -> dict[str, str]:
    """Upload -> digest, of a job's payload."""
    return {name: payload[name] for name in UPLOADS if name in payload}


def _tenant(payload: Mapping[str, Any]) -> str:
    """Whose job it is; the empty name where nobody needs a key."""
    return str(payload.get("owner", ""))


def _trace(tryon_id: str, payload: Mapping[str, Any]) -> str:
    """Of the request that made it; one made by an Idempotency-Key keeps none."""
    return str(payload.get("trace_id") or uuid.UUID(tryon_id).hex)


def kind_of(payload: Mapping[str, Any]) -> Kind:
    """What a job makes of its uploads."""
    uploads = uploads_of(payload)
    return "tryon" if len(uploads) == len(UPLOADS) else "person" if "photo" in uploads else "cloth"


def job_id_for(owner: str, key: str) -> str:
    """The id of the job that an Idempotency-Key stands for."""
    return str(uuid.uuid5(KEYS, json.dumps([owner, key])))


def _same(job: Job, payload: Mapping[str, Any]) -> Job:
    if job.payload != payload:
        raise _conflict()
    return job


def _conflict() -> IdempotencyConflict:
    return IdempotencyConflict("The Idempotency-Key was used for another request. Use a new key for a new one.")


def _holder(tryon_id: str) -> str:
    return HOLDER + tryon_id
