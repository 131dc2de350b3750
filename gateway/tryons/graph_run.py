"""One run of the stage graph for a job: what is known already is recalled, each other stage is a durable step."""

import asyncio
import contextlib
import contextvars
import functools
import time
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar

from gateway.cluster.graph import GOAL, PERSON, RESULTS, UPLOADS
from gateway.cluster.news import News
from gateway.cluster.plan import Plan
from gateway.cluster.stages import Run, StageClient
from gateway.cluster.watch import Cluster
from gateway.errors import GatewayError, StageRefused
from gateway.jobs.durable import Steps
from gateway.jobs.job import JobFailed
from gateway.pictures.provenance import TRAINED, Provenance, with_packet
from gateway.storage.blobs import Blob
from gateway.storage.cache import StageCache
from gateway.storage.holdings import Holdings
from gateway.tryons.orders import begin_of, further_of, holder_of, tenant_of, trace_of, wishes_of
from gateway.tryons.patience import patiently
from gateway.tryons.progress import Progress
from gateway.webhooks.delivery import Webhooks
from stagekit.errors import BadOption
from stagekit.wire import Part

T = TypeVar("T")

KNOWN = "known results"
"""Name of the step that looks them up."""

GoOn = Callable[[Mapping[str, Any]], None]
"""Called with a stage's record as soon as its outputs and its engine are known."""


@dataclass(frozen=True)
class Means:
    """What every run works with."""

    cluster: Cluster
    holdings: Holdings
    cache: StageCache
    webhooks: Webhooks
    retry_s: float
    """How long a stage or a store that is out of reach is waited for."""


class GraphRun:
    """A job while it runs: the digests of all artifacts so far, and the images that it read or made itself."""

    def __init__(self, means: Means, tryon_id: str, payload: dict[str, Any], steps: Steps) -> None:
        self._means = means
        self._id = tryon_id
        self._payload = payload
        self._steps = steps
        self._progress = Progress(means.webhooks, means.retry_s, tryon_id, payload, steps.attempt)
        self._begin = begin_of(payload)
        self._further = further_of(payload)
        self._no_store: bool = payload["no_store"]
        self._digests = dict(self._begin)
        self._blobs: dict[str, Blob] = {}
        self.written: list[Blob] = []
        """What stages made in this run."""
        self._engines: dict[str, str] = {}
        """Stage -> name and version of what did it."""
        self._telling: dict[str, asyncio.Task[None]] = {}
        self._noted: set[str] = set()
        """Stages under way that have told how far they are."""
        self._sample = 1
        self._seed: int | None = None
        """Of the sample that is being made, where several were asked for."""
        self._garment: int | None = None
        """Which of several is being put on."""
        self._worn: dict[int, dict[str, str]] = {}
        """Garment -> the digests of all artifacts when the first sample had it on."""
        self._roots: Mapping[str, Collection[str]] = {}
        """Artifact of the person who has a garment on already -> digests of the uploads that she was made from."""

    async def run(self) -> dict[str, str]:
        """Make the first sample, of which old requests want no other, then the further ones, each from the generator on.

        Returns artifact name -> digest, of the first. Raises JobFailed, StorageUnavailable, or a group of exceptions with one.
        """
        await self._progress.started()
        try:
            wishes = wishes_of(self._payload)
            plan = await self._means.cluster.wait_for_plan(self._means.retry_s, self._begin, wishes)
            seeds = plan.seeds(wishes.samples) if wishes.samples > 1 else [None]
        except (BadOption, GatewayError) as error:  # the engines are others than when the job was taken
            raise JobFailed({"stage": "gateway"} | error.problem()) from None
        for self._sample, self._seed in enumerate(seeds, 1):
            again = None if self._sample == 1 else self._seed
            if self._further:
                await self._put_on(plan, again)
            else:
                await self._run_plan(plan if again is None else plan.for_seed(again), KNOWN)
            if self._sample == 1:
                first = dict(self._digests)
        return first

    async def _put_on(self, plan: Plan, seed: int | None) -> None:
        """One garment after the other, each on the person as the one before has left her; what is made of the result is made
        of the last. plan: as for the first garment alone; seed: of a further sample."""
        own = plan if seed is None else plan.for_seed(seed)
        self._garment, self._roots = 1, {}
        self._begin = begin_of(self._payload)
        self._digests = {**self._worn.get(1, {}), **self._begin}
        await self._run_plan(own.until_result(), KNOWN)
        undressed = dict(self._digests)
        uploads = set(self._begin.values())
        for number, sent in enumerate(self._further, 2):
            self._garment = number
            following = plan.next_garment(seed)
            lasting = {name: undressed[name] for name in following.begin if name in undressed}
            self._begin = {**lasting, **sent, PERSON: self._digests[GOAL]}
            self._roots = dict.fromkeys(lasting, frozenset(uploads))
            self._digests = {**self._worn.get(number, {}), **self._begin}
            await self._run_plan(following, f"{KNOWN}, garment {number}")
            self._worn.setdefault(number, dict(self._digests))
            uploads |= set(sent.values())
        self._worn.setdefault(1, undressed)
        self._begin = {**undressed, GOAL: self._digests[GOAL]}
        self._roots = {name: frozenset(uploads) for name in self._begin if name not in UPLOADS}
        self._digests, self._garment = dict(self._begin), None
        await self._run_plan(own.after_result())

    async def _run_plan(self, plan: Plan, recall: str | None = None) -> None:
        """Each stage as soon as those before it are done; the first failure cancels the others. recall: the name of the step
        that looks up what is known already."""
        self._plan = plan
        known: Collection[str] = ()
        if recall is not None and self._sample == 1 and not self._no_store:
            known = await self._recall(recall)
        self._sorter = self._plan.sorter(done=known)
        # Started from within a step of another stage, a step would count as a part of that one.
        self._context = contextvars.copy_context()
        async with asyncio.TaskGroup() as self._group:
            self._start_ready()
            left = [stage for stage in self._plan.stages if stage not in known]
            self._group.create_task(self._read_ahead(left))

    def _about(self, stage: str) -> dict[str, Any]:
        """What every event of a stage says: which one it is, and where there are several samples or garments, for which and
        with what seed."""
        garment = {"garment": self._garment} if self._garment is not None else {}
        sample = {"sample": self._sample} if self._sample > 1 else {}
        seed = {"seed": self._seed} if self._seed is not None and stage == self._plan.generator else {}
        return {"stage": stage} | garment | sample | seed

    # What is known already

    async def _recall(self, step: str) -> dict[str, Any]:
        """All that stages made of these uploads before, at once. Stage -> record, as _run_step gives it."""
        try:
            known = await self._steps.step(step, self._recall_step)
        except GatewayError as error:
            raise JobFailed(error.problem() | {"stage": "gateway"}) from None
        for stage, record in known.items():
            self._learn(stage, record)
        if known:
            told = (self._about(stage) | {"status": "succeeded"} | record for stage, record in known.items())
            await self._steps.emit(*told)
        return known

    async def _recall_step(self) -> dict[str, Any]:
        began = time.perf_counter()
        follow = functools.partial(
            self._means.cache.follow,
            self._plan.chain(),
            self._begin,
            holder=holder_of(self._id),
            tenant=tenant_of(self._payload),
        )
        found = await self._patiently(follow)
        seconds = time.perf_counter() - began
        return {
            stage: _warned(self._plan.clients[stage], document) | {"reused": True, "seconds": seconds}
            for stage, document in found.items()
        }

    # The stages, one after the other and side by side

    def _start_ready(self) -> None:
        for stage in self._sorter.get_ready():
            telling = self._steps.emit(self._about(stage) | {"status": "processing"})
            self._telling[stage] = self._group.create_task(telling, context=self._context.copy())
            self._group.create_task(self._run_and_go_on(stage), context=self._context.copy())

    async def _run_and_go_on(self, stage: str) -> None:
        inputs = {name: self._digests[name] for name in self._plan.inputs_of(stage)}
        gone_on = False

        def go_on(record: Mapping[str, Any]) -> None:
            nonlocal gone_on
            if not gone_on:
                gone_on = True
                self._learn(stage, record)
                self._sorter.done(stage)
                self._start_ready()

        try:
            # The stages behind it start as soon as the outputs are known, while these are still being written.
            record = await self._steps.step(self._step_of(stage), self._run_step, stage, inputs, go_on)
        except (StageRefused, GatewayError) as error:
            problem = error.problem if isinstance(error, StageRefused) else error.problem() | {"stage": stage}
            await self._tell(self._about(stage) | {"status": "failed", "error": problem})
            raise JobFailed(problem | ({"garment": self._garment} if self._garment is not None else {})) from None
        go_on(record)  # in case that it was recorded before a crash, and did not run now
        await self._tell(self._about(stage) | {"status": "succeeded"} | record)

    def _step_of(self, stage: str) -> str:
        further = [f" {self._sample}"] if self._sample > 1 else []
        return "".join([stage, *further, *([f", garment {self._garment}"] if (self._garment or 1) > 1 else [])])

    def _origins(self, stage: str) -> set[str]:
        """Digests of the uploads that a stage's outputs are made from."""
        names = self._plan.graph.origins(stage, self._begin)
        return set().union(*(self._roots.get(name, {self._begin[name]}) for name in names))

    def _learn(self, stage: str, record: Mapping[str, Any]) -> None:
        """What a stage made goes to those that take it, but never in the place of what was given."""
        self._digests.update(record["outputs"])
        self._digests.update(self._begin)
        self._engines[stage] = _engine(record)

    async def _tell(self, event: dict[str, Any]) -> None:
        await self._telling[event["stage"]]
        await self._steps.emit(event)

    # One stage

    async def _run_step(self, stage: str, inputs: dict[str, str], go_on: GoOn) -> dict[str, Any]:
        """One durable step: what the stage made of these inputs, now or before. Returns digests, never images."""
        client = self._plan.clients[stage]
        began = time.perf_counter()
        expected = self._plan.fingerprint(stage)
        claiming = functools.partial(
            self._means.cache.claim,
            expected,
            inputs,
            holder=holder_of(self._id),
            tenant=tenant_of(self._payload),
            origins=self._origins(stage),
            no_store=self._no_store,
        )
        async with contextlib.AsyncExitStack() as stack:
            claim = await self._patiently(lambda: stack.enter_async_context(claiming()))
            reused = claim.hit is not None
            if claim.hit is not None:
                document = claim.hit
                go_on(document)
            else:
                document = await self._make(client, inputs, go_on)
                if document["fingerprint"] == expected:  # else the stage was restarted as another engine in between
                    await self._patiently(functools.partial(claim.store, document))
        return _warned(client, document) | {"reused": reused, "seconds": time.perf_counter() - began}

    async def _make(self, client: StageClient, inputs: dict[str, str], go_on: GoOn) -> dict[str, Any]:
        """Run the stage and keep its outputs. Returns what the cache is to know of them."""
        parts = {name: await self._read(digest) for name, digest in inputs.items()}
        options = self._plan.options_of(client.name)
        run = await self._call(client, parts, options)
        if client.name in self._noted:
            self._noted.discard(client.name)
            await self._steps.drop_note(client.name)
        document: dict[str, Any] = {
            "engine": run.engine,
            "fingerprint": run.fingerprint,
            "warnings": run.warnings,
            "timings": run.timings_s,
            "options": options,
            "made_by": {k: client.info[k] for k in ("version", "stand_in", "licence", "runtime", "weights")}
            | {"commercial": client.commercial},
        }
        made = {n: self._signed(part, document) if n in RESULTS else part for n, part in run.outputs.items()}
        blobs = {name: await asyncio.to_thread(Blob.of, part) for name, part in made.items()}
        document["outputs"] = {name: blob.digest for name, blob in blobs.items()}
        self._blobs.update({blob.digest: blob for blob in blobs.values()})
        go_on(document)
        self.written += blobs.values()
        await asyncio.gather(*(self._keep(blob) for blob in blobs.values()))
        return document

    def _signed(self, part: Part, document: Mapping[str, Any]) -> Part:
        """A result that says in itself how it came to be: by the generator, and by what pasted its picture into the photo."""
        generator = self._plan.graph.producer[GOAL]
        engines = dict.fromkeys([self._engines.get(generator, ""), _engine(document)])
        provenance = Provenance(
            digital_source=self._plan.clients[generator].info.get("digital_source", TRAINED),
            engine=", ".join(filter(None, engines)),
            made_on=datetime.now(UTC).date(),
            options=self._plan.options_of(generator),
        )
        return with_packet(part, provenance.packet())

    async def _call(self, client: StageClient, parts: Mapping[str, Part], options: Mapping[str, Any]) -> Run:
        trace_id = trace_of(self._id, self._payload)
        about = {"job": self._id, "stage": client.name, "trace": trace_id}
        again = functools.partial(self._progress.stage_retried, self._about(client.name))
        listener = functools.partial(self._note, client)
        previews = self._payload.get("previews", False)
        return await patiently(
            lambda: client.run(parts, trace_id, options, listener, previews),
            self._means.retry_s,
            client.start_s,
            about,
            again,
        )

    async def _note(self, client: StageClient, run_id: str, news: News) -> None:
        """How far a stage is. With its engine and the run's name there, by which the preview can be asked for."""
        self._noted.add(client.name)
        where = {"engine": client.engine, "run": run_id}
        told = news.model_dump(exclude={"number"})
        await self._steps.note(client.name, self._about(client.name) | told | where)

    # Images

    async def _read_ahead(self, stages: list[str]) -> None:
        """Read what is there already of these stages' inputs, while those that come first are still running."""
        taken = {name for stage in stages for name in self._plan.inputs_of(stage)}
        names = taken - {name for stage in stages for name in self._plan.graph.stages[stage].outputs}
        wanted = [digest for name, digest in self._digests.items() if name in names and digest not in self._blobs]
        for digest in wanted:
            with contextlib.suppress(GatewayError):  # whoever needs it will try again, and tell
                self._blobs.setdefault(digest, await self._means.holdings.store.get(digest))

    async def _read(self, digest: str) -> Blob:
        blob = self._blobs.get(digest)
        return blob if blob is not None else await self._patiently(lambda: self._means.holdings.store.get(digest))

    async def _keep(self, blob: Blob) -> str:
        return await self._patiently(lambda: self._means.holdings.keep(blob, holder_of(self._id)))

    async def _patiently(self, work: Callable[[], Awaitable[T]]) -> T:
        """For a job need not fail because a store is started anew."""
        return await patiently(work, self._means.retry_s, about={"job": self._id})


def _engine(document: Mapping[str, Any]) -> str:
    """Name and version of what did a stage."""
    return f"{document['engine']} {document['made_by']['version']}"


def _warned(client: StageClient, document: dict[str, Any]) -> dict[str, Any]:
    """With a warning where a fallback did the stage. What is kept for reuse has none: the same engine may be chosen there."""
    if client.instead_of is None:
        return document
    detail = f"{client.info['engine']} did this in place of the engine that was chosen: {client.instead_of}"
    return document | {
        "warnings": [*document["warnings"], {"code": "fallback", "stage": client.name, "detail": detail}]
    }
