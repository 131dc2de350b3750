"""Durable jobs: one that was accepted ends, whatever becomes of the process that runs it.

All that the gateway knows of DBOS Transact is in this module, and in dbos_adapter what DBOS has no public name for. A job
is a DBOS workflow, its steps are DBOS steps, and the jobs of all gateways on a database wait in one DBOS queue. Ours are the
heartbeats (DBOS takes over the jobs of a dead process only when told to) and the events. What is stored is JSON, never a
pickle.
"""

import asyncio
import contextlib
import functools
import hashlib
import json
import logging
import time
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, ClassVar, ParamSpec, TypeVar

from dbos import DBOS, DBOSClient, DBOSConfig, DBOSPortableJSONSerializer, EnqueueOptions, WorkflowStatus, error

from gateway.errors import GatewayError
from gateway.jobs.dbos_adapter import give_sqlite_milliseconds, jobs_here, number_step, take_over
from gateway.jobs.events import Event, EventLog, Note
from gateway.jobs.heartbeat import Heartbeat
from gateway.jobs.job import ENDED, Job, JobFailed, Json, PayloadConflict, State, UnknownJob, WrongState, cursor_key
from gateway.storage.blobs import StorageUnavailable
from gateway.storage.database import Database
from gateway.storage.threads import to_its_end
from stagekit.errors import DeadlineExceeded

log = logging.getLogger("howsfit.gateway")

P = ParamSpec("P")
T = TypeVar("T")

APPLICATION, QUEUE = "howsfit", "howsfit-jobs"
# DBOS gives a job only to processes of the version that accepted it. Ours is therefore the version of what a job looks
# like in the database, not the gateway's: an upgrade must not leave waiting jobs behind.
JOB_FORMAT = "1"
MAX_ATTEMPTS = 20  # a job that takes its process down with it is not tried for ever
POLL_S, LONGEST_POLL_S = 0.1, 1.0
MIDDLE_PRIORITY = 2**30
NO_STEP = 2**31 - 1
STATES: dict[str, State] = {
    "ENQUEUED": "queued",
    "DELAYED": "queued",
    "PENDING": "processing",
    "SUCCESS": "succeeded",
    "ERROR": "failed",
    "MAX_RECOVERY_ATTEMPTS_EXCEEDED": "failed",
    "CANCELLED": "canceled",
}


class _Unrecorded(BaseException):
    """Carries an exception past DBOS, which would record it as the result of the step: a retry must run it again."""


@dataclass
class Steps:
    """What a running job works with: its durable steps, and its events."""

    job_id: str
    attempt: int
    _durable: "Durable"
    _names: dict[int, str] = field(default_factory=dict)
    _task: asyncio.Task[Json] | None = None
    _stopped_by: BaseException | None = None

    async def step(self, name: str, work: Callable[P, Awaitable[Json]], *args: P.args, **kwargs: P.kwargs) -> Json:
        """The result of work(*args), which runs now unless it was recorded before the job's process died.

        A step is known by its name, which must be the only one of that name in the job. Steps may run at the same
        time, in any order. An interrupted or failed step is not recorded: it runs again when the job starts again.
        The result must be JSON.
        """

        async def attempt() -> Json:
            try:
                return await work(*args, **kwargs)
            except Exception as problem:
                raise _Unrecorded from problem

        reservation = DBOS.reserve_step()
        # DBOS numbers steps in the order in which they start, and expects the same order when the job starts again. In
        # a graph of stages it depends on which stage was quicker, so the number is made from the name instead.
        number = 2**20 + zlib.crc32(name.encode()) % (2**30)
        if number in self._names:
            raise ValueError(f"The job has a step '{self._names[number]}' already. Choose another name than '{name}'.")
        self._names[number] = name
        number_step(reservation, number)
        try:
            return await reservation.run_async({"name": name, "preemptible": True}, attempt)
        except _Unrecorded as carrier:
            assert carrier.__cause__ is not None
            raise carrier.__cause__ from None
        except (error.DBOSWorkflowCancelledError, error.DBOSWorkflowConflictIDError) as reason:
            # Canceled, or taken over because this gateway looked dead. The job ends as a canceled asyncio task does.
            self._interrupt(reason)
            raise asyncio.CancelledError from None

    async def emit(self, *events: Json) -> None:
        """Tell the job's readers. An event equal to an earlier one is not told again, so that a job which starts again
        does not repeat itself."""
        while True:
            try:
                telling = self._durable._in_thread(self._durable._log.tell, self.job_id, self.attempt, *events)
                await to_its_end(telling)
                break
            except StorageUnavailable as problem:
                # For as long as it takes, as DBOS does: without its database a job could not even be recorded as failed.
                log.warning("waiting for the database: %s", problem, extra={"job": self.job_id})
        self._durable._wake(self.job_id)

    async def note(self, about: str, data: Json) -> None:
        """Tell the job's readers how far it is with what is under way, in the place of what was said about the same before. No
        job waits for that: what cannot be written is not.
        """
        await self._write_note(self._durable._log.note, self.job_id, about, data)

    async def drop_note(self, about: str) -> None:
        """That is not under way any more."""
        await self._write_note(self._durable._log.drop_notes, self.job_id, about)

    async def _write_note(self, write: Callable[P, None], *args: P.args, **kwargs: P.kwargs) -> None:
        with contextlib.suppress(StorageUnavailable):
            await to_its_end(self._durable._in_thread(write, *args, **kwargs))
        self._durable._wake(self.job_id)

    async def is_deleted(self) -> bool:
        """Whether the job was deleted while it ran here. Not asked for when this gateway stops."""
        return not self._durable._stopping and await self._durable._is_gone(self.job_id)

    def _interrupt(self, reason: BaseException) -> None:
        self._stopped_by = self._stopped_by or reason
        if self._task is not None:
            self._task.cancel()


Run = Callable[[str, Json, Steps], Awaitable[Json]]


class Durable:
    """The jobs of a database, of which this process runs some. One per process at a time, as DBOS is a singleton."""

    _started: ClassVar["Durable | None"] = None

    def __init__(
        self,
        database: Database,
        *,
        executor: str,
        concurrency: int,
        run: Run,
        kinds: Sequence[str] = ("job",),
        about: Callable[[str, Json], Mapping[str, str]] = lambda job_id, payload: {},
        beat_s: float = 2,
        dead_after_s: float = 10,
    ) -> None:
        """executor: a name that stays the same when this gateway restarts, and that no other one has.
        concurrency: jobs that each gateway runs at a time; the last to start decides for all on the database. With 0
            this one takes none.
        run: called with a job's id, payload and steps; what it does outside of steps is done again after a crash.
        kinds: names of kinds of jobs, by which they can be listed. One that has jobs in the database must not be left out.
        about: for the log, fields of a job's lines, from its id and payload.
        dead_after_s: others take over a gateway's jobs when it has not beaten for so long, up to beat_s later.
        """
        self._database = database
        self._executor = executor
        self._concurrency = concurrency
        self._run = run
        self._about_payload = about
        self._kinds = {kind: f"howsfit.{kind}" for kind in kinds}
        self._log = EventLog(self._database)
        self._heartbeat = Heartbeat(
            self._database, executor, beat_s=beat_s, dead_after_s=dead_after_s, after_beat=self._look_after_jobs
        )
        self._running: dict[str, Steps] = {}
        self._tasks: set[asyncio.Task[Any]] = set()
        self._news: dict[str, set[asyncio.Event]] = {}
        self._not_here: set[str] = set()
        self._stopping = False

    async def start(self) -> None:
        """Begin to take jobs, first those that this executor held when it ended. Raises when there is no database."""
        if Durable._started is not None:
            raise RuntimeError("DBOS serves one Durable at a time. Stop the other one first.")
        _quieten()
        await self._database.create_tables()
        await asyncio.to_thread(self._prepare)
        config: DBOSConfig = {
            "name": APPLICATION,
            "system_database_url": self._database.url,
            "application_version": JOB_FORMAT,
            "executor_id": self._executor,
            "serializer": DBOSPortableJSONSerializer(),
            "log_level": "WARNING",
            "enable_otlp": False,
            "max_executor_threads": 64,
            "sys_db_pool_size": 10,
            "notification_listener_polling_interval_sec": 0.2,  # asks nothing, but stop() waits for it
        }
        self._dbos = DBOS(config=config)
        try:
            DBOS.listen_queues([QUEUE] if self._concurrency else [])
            for workflow in self._kinds.values():
                DBOS.workflow(name=workflow, max_recovery_attempts=MAX_ATTEMPTS)(self._workflow())
            # In this thread, so that DBOS runs the jobs on this event loop, where the gateway's connections are.
            DBOS.launch()
        except BaseException:
            DBOS.destroy(destroy_registry=True)
            raise
        Durable._started = self
        self._loop = asyncio.get_running_loop()
        self._heartbeat.start()

    async def stop(self) -> None:
        """Let go of the running jobs. They go on where another gateway takes them over, or when this one is back."""
        self._stopping = True
        for event in self._dbos.background_thread_stop_events:
            event.set()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._in_thread(self._heartbeat.stop)
        # DBOS made its own threads those of this loop, and ends them now.
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(thread_name_prefix="asyncio"))
        await self._in_thread(functools.partial(DBOS.destroy, destroy_registry=True))
        Durable._started = None

    async def enqueue(
        self,
        job_id: str,
        payload: Json,
        *,
        kind: str | None = None,
        owner: str = "",
        priority: int = 0,
        deadline_s: float | None = None,
    ) -> Job:
        """Accept a job; when this returns, it will end. The same id and payload again is the same job.

        kind: by default the first one. owner: whose it is, by whom it can be listed. priority: higher ones start sooner,
        equal ones in turn. deadline_s: seconds from now after which the job fails with deadline-exceeded.
        Raises PayloadConflict.
        """
        fingerprint = hashlib.sha256(json.dumps(payload, sort_keys=True).encode()).hexdigest()
        options: EnqueueOptions = {
            "workflow_name": self._kinds[kind] if kind else next(iter(self._kinds.values())),
            "queue_name": QUEUE,
            "workflow_id": job_id,
            "app_version": JOB_FORMAT,
            "priority": MIDDLE_PRIORITY - priority,
            "attributes": {"fingerprint": fingerprint, "attempt": 1, "deadline": _deadline(deadline_s)},
        }
        if owner:
            options["authenticated_user"] = owner
        await self._in_thread(DBOS.enqueue_workflow_with_options, options, payload)
        status = await self._status(job_id)
        # DBOS attaches to the job that has the id, whatever its payload.
        if _attributes(status)["fingerprint"] != fingerprint:
            raise PayloadConflict(f"The job '{job_id}' exists with another payload.")
        return _job(status)

    async def status(self, job_id: str) -> Job:
        """The job as it stands. Raises UnknownJob."""
        return _job(await self._status(job_id))

    async def read_events(self, job_id: str) -> list[Event]:
        """The events so far."""
        return (await self.read(job_id))[0]

    async def read(self, job_id: str) -> tuple[list[Event], list[Note]]:
        """The events so far, and the notes of what is under way."""
        return await self._in_thread(self._log.read, job_id, 0)

    async def list(
        self,
        limit: int = 50,
        before: str | None = None,
        *,
        state: State | None = None,
        kind: str | None = None,
        owner: str | None = None,
    ) -> list[Job]:
        """Jobs, the newest first. before: the `cursor` of the last one of the page before."""
        key = cursor_key(before) if before is not None else None
        wanted = [theirs for theirs, ours in STATES.items() if state in (None, ours)]
        names = [self._kinds[kind]] if kind else list(self._kinds.values())
        # DBOS orders by the millisecond only, so we order those within one ourselves, and ask for some more.
        until = None if key is None else datetime.fromtimestamp((key[0] + 1) / 1000, UTC).isoformat()
        find = functools.partial(
            DBOS.list_workflows, name=names, status=wanted, user=owner, end_time=until, sort_desc=True
        )
        jobs = [_job(status) for status in await self._in_thread(find, limit=limit + 100)]
        jobs.sort(key=lambda job: cursor_key(job.cursor), reverse=True)
        return [job for job in jobs if key is None or cursor_key(job.cursor) < key][:limit]

    async def find(self, job_ids: Sequence[str]) -> dict[str, Job]:
        """Those of the jobs that there are."""
        found: dict[str, Job] = {}
        for start in range(0, len(job_ids), 500):  # a statement takes so many values only
            find = functools.partial(DBOS.list_workflows, workflow_ids=list(job_ids[start : start + 500]))
            found |= {status.workflow_id: _job(status) for status in await self._in_thread(find)}
        return found

    async def count(self, states: Sequence[State], limit: int, owner: str | None = None) -> int:
        """How many jobs are in one of these states, counting no further than `limit`."""
        wanted = [theirs for theirs, ours in STATES.items() if ours in states]
        find = functools.partial(DBOS.list_workflows, name=list(self._kinds.values()), status=wanted, user=owner)
        return len(await self._in_thread(find, limit=limit, load_input=False, load_output=False))

    async def cancel(self, job_id: str) -> Job:
        """Stop a job, also in the middle of a step. Nothing happens to one that has ended. Raises UnknownJob."""
        status = await self._status(job_id)
        await self._in_thread(DBOS.cancel_workflow, job_id)
        if STATES[status.status] == "queued":  # else whoever runs it will tell
            log.info("job canceled before it began", extra=self._about(status))
        self._interrupt(job_id, "canceled")  # sooner than DBOS would notice, which looks once a second
        self._wake(job_id)
        return await self.status(job_id)

    async def retry(self, job_id: str, deadline_s: float | None = None) -> Job:
        """Queue a failed or canceled job again; the steps that it finished do not run again.

        deadline_s: seconds from now; without it the job has no deadline any more. Raises UnknownJob, WrongState.
        """
        status = await self._status(job_id)
        if STATES[status.status] not in ("failed", "canceled"):
            raise WrongState(f"The job '{job_id}' has not failed: it is {STATES[status.status]}.")
        changes = {"attempt": _attributes(status)["attempt"] + 1, "deadline": _deadline(deadline_s)}
        await self._in_thread(functools.partial(DBOS.update_workflow_attributes, job_id, changes, merge=True))
        try:
            await self._in_thread(functools.partial(DBOS.rewind_workflow, job_id, start_step=NO_STEP, queue_name=QUEUE))
        except error.DBOSException as reason:
            raise WrongState(f"The job '{job_id}' is being retried already.") from reason
        status = await self._status(job_id)
        log.info("job retried", extra=self._about(status))
        return _job(status)

    async def delete(self, job_id: str) -> None:
        """Forget a job that has ended, with its steps and events. Raises UnknownJob, WrongState."""
        try:
            job = await self.status(job_id)
        except UnknownJob:
            await self._in_thread(self._log.forget, job_id)  # of one whose deletion was cut off here
            raise
        if job.state not in ENDED:
            raise WrongState(f"The job '{job_id}' is {job.state}. Cancel it first.")
        await self._in_thread(DBOS.delete_workflow, job_id)
        await self._in_thread(self._log.forget, job_id)

    async def events(self, job_id: str, after: int = 0) -> AsyncIterator[Event | Note]:
        """The events with numbers above `after`, and the latest notes of what is under way, as they come; ends with the job.

        Raises UnknownJob.
        """
        seen: dict[str, datetime] = {}
        news = asyncio.Event()
        self._news.setdefault(job_id, set()).add(news)
        try:
            while True:
                news.clear()
                ended = (await self.status(job_id)).state in ENDED  # before reading: nothing may come in between
                events, notes = await self._in_thread(self._log.read, job_id, after)
                for event in events:
                    after = event.number
                    yield event
                if ended:
                    return
                for note in notes:
                    if seen.get(note.about) != note.at:
                        seen[note.about] = note.at
                        yield note
                # A job that runs here tells its news; of others, and of its very end, only the database knows.
                pause_s = LONGEST_POLL_S if job_id in self._running else POLL_S
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(news.wait(), pause_s)
        finally:
            self._news[job_id].discard(news)
            if not self._news[job_id]:
                del self._news[job_id]

    def _prepare(self) -> None:
        give_sqlite_milliseconds()
        self._heartbeat.beat()
        DBOS.migrate(self._database.url)
        if self._concurrency:
            # Before the launch: a queue that is new afterwards is noticed up to a second later.
            client = DBOSClient(system_database_url=self._database.url, application_name=APPLICATION)
            try:
                client.register_queue(QUEUE, worker_concurrency=self._concurrency, polling_interval_sec=POLL_S)
            finally:
                client.destroy()

    def _workflow(self) -> Callable[[Json], Awaitable[Json]]:
        async def job(payload: Json) -> Json:
            return await self._execute(payload)

        return job

    async def _execute(self, payload: Json) -> Json:
        """Run a job. What it raises decides how DBOS leaves the job: an Exception fails it, a CancelledError leaves it
        as it is, to be started again, and DBOS's own say that the job is no longer this process's."""
        job_id = DBOS.workflow_id
        task = asyncio.current_task()  # DBOS's own, in which it also records the end
        assert job_id is not None and task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        if self._stopping:
            raise asyncio.CancelledError
        status = await self._status(job_id)
        about = self._about(status)
        resumed = (status.recovery_attempts or 0) > 1  # DBOS counts the starts of an attempt
        log.info("job resumed" if resumed else "job begun", extra=about)
        if resumed or _attributes(status)["attempt"] > 1:
            await self._in_thread(self._log.drop_notes, job_id)  # what was under way is begun again
        began = time.monotonic()

        def tell(end: str, *words: object, **fields: object) -> None:
            log.info(end, *words, extra=about | {"seconds": time.monotonic() - began} | fields)

        try:
            result = await self._run_here(job_id, payload, _attributes(status))
        except JobFailed as failure:
            of = {name: failure.problem[name] for name in ("code", "stage") if name in failure.problem}
            tell("job failed: %s", failure, **of)
            raise
        except error.DBOSWorkflowCancelledError:
            tell("job canceled")
            raise
        except error.DBOSWorkflowConflictIDError:  # DBOS takes one that was deleted for somebody else's, too
            gone = await self._is_gone(job_id)
            tell("job canceled" if gone else "job let go: another gateway has taken it over")
            raise
        except asyncio.CancelledError:
            tell("job let go: this gateway stops")
            raise
        tell("job succeeded")
        return result

    async def _run_here(self, job_id: str, payload: Json, attributes: Json) -> Json:
        steps = Steps(job_id, attributes["attempt"], self)
        left_s = None if attributes["deadline"] is None else attributes["deadline"] - time.time()
        if left_s is not None and left_s <= 0:
            raise JobFailed(DeadlineExceeded("The job did not start before its deadline.").problem())
        task = steps._task = asyncio.create_task(self._call(job_id, payload, steps))
        self._running[job_id] = steps
        try:
            await asyncio.wait({task}, timeout=left_s)
            overdue = not task.done()
        finally:
            if self._running.get(job_id) is steps:  # else it was canceled and retried, and runs again already
                del self._running[job_id]
            if not task.done():
                task.cancel()
                await asyncio.wait({task})
            self._wake(job_id)
        if overdue and steps._stopped_by is None:
            raise JobFailed(DeadlineExceeded("The job did not end before its deadline.").problem())
        if task.cancelled():
            if steps._stopped_by is None:
                log.error("the job canceled itself", extra={"job": job_id})
            raise steps._stopped_by or JobFailed(_internal())
        return task.result()

    async def _call(self, job_id: str, payload: Json, steps: Steps) -> Json:
        try:
            return await self._run(job_id, payload, steps)
        except Exception as failure:
            if await steps.is_deleted():  # there is nothing any more that DBOS could record a step in
                raise error.DBOSWorkflowCancelledError(f"{job_id} was deleted.") from None
            for leaf in _leaves(failure):
                if isinstance(leaf, JobFailed):
                    raise leaf from None
                if isinstance(leaf, GatewayError):
                    raise JobFailed(leaf.problem()) from None
            log.error("a bug failed the job", exc_info=failure, extra={"job": job_id})
            raise JobFailed(_internal()) from None

    def _look_after_jobs(self, alive: set[str]) -> None:
        """After each beat, in its thread: save the jobs that nobody runs, stop those that were deleted, and end those that wait
        past their deadline."""
        names = list(self._kinds.values())
        held = DBOS.list_workflows(name=names, status="PENDING", load_input=False, load_output=False)
        dead = {status.executor_id for status in held if status.executor_id} - alive - {self._executor}
        if dead:
            log.warning("taking over the jobs of %s, which no longer beat", ", ".join(sorted(dead)))
            # Any number of gateways may do so at once: DBOS lets each job go from the dead executor once.
            take_over(self._dbos, dead)
        # DBOS may take a job and then fail to start it, for example when the database goes away in between.
        active = jobs_here(self._dbos)
        mine = {status.workflow_id for status in held if status.executor_id == self._executor}
        for job_id in (mine - active) & self._not_here:
            log.warning("the job was taken but does not run; queueing it again", extra={"job": job_id})
            DBOS.resume_workflow(job_id, queue_name=QUEUE)
        self._not_here = mine - active
        # DBOS looks whether its jobs were canceled, but not whether they are there.
        if lost := set(self._running) - {status.workflow_id for status in held}:
            find = functools.partial(DBOS.list_workflows, load_input=False, load_output=False)
            for job_id in lost - {status.workflow_id for status in find(workflow_ids=sorted(lost))}:
                self._loop.call_soon_threadsafe(self._interrupt, job_id, "deleted")
        for status in DBOS.list_workflows(name=names, status="ENQUEUED", load_input=False, load_output=False):
            deadline = _attributes(status)["deadline"]
            if deadline is not None and deadline < time.time() and status.queue_name == QUEUE:
                # DBOS's own queue has no limit, so the job starts now, and fails for its deadline.
                DBOS.resume_workflow(status.workflow_id)

    def _interrupt(self, job_id: str, why: str) -> None:
        """Stop a job, if it runs here."""
        if steps := self._running.get(job_id):
            steps._interrupt(error.DBOSWorkflowCancelledError(f"{job_id} was {why}."))

    def _about(self, status: WorkflowStatus) -> Json:
        payload = status.input["args"][0] if status.input else {}
        kind = status.name.rpartition(".")[2]
        about = {"job": status.workflow_id, "kind": kind, "attempt": _attributes(status)["attempt"]}
        return about | dict(self._about_payload(status.workflow_id, payload))

    async def _status(self, job_id: str) -> WorkflowStatus:
        status = await self._in_thread(DBOS.get_workflow_status, job_id)
        if status is None:
            raise UnknownJob(f"There is no job '{job_id}'.")
        return status

    async def _is_gone(self, job_id: str) -> bool:
        return not await self.find([job_id])

    async def _in_thread(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Not asyncio.to_thread, which hands the context on: DBOS would take the call for a step of the running job."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(None, functools.partial(work, *args, **kwargs))

    def _wake(self, job_id: str) -> None:
        for news in self._news.get(job_id, ()):
            news.set()


def _job(status: WorkflowStatus) -> Job:
    state = STATES[status.status]
    # Without a problem of its own: DBOS gave it up after MAX_ATTEMPTS starts, or found that it cannot be read.
    problem = (getattr(status.error, "data", None) or _internal()) if state == "failed" else None
    created_at = _time(status.created_at)
    assert created_at is not None
    return Job(
        id=status.workflow_id,
        state=state,
        payload=status.input["args"][0] if status.input else {},
        owner=status.authenticated_user or "",
        deadline_at=_time(deadline * 1000) if (deadline := _attributes(status)["deadline"]) else None,
        attempt=_attributes(status)["attempt"],
        result=status.output if state == "succeeded" else None,
        error=problem,
        created_at=created_at,
        started_at=_time(status.dequeued_at),
        completed_at=_time(status.completed_at),
        executor=status.executor_id,
    )


def _attributes(status: WorkflowStatus) -> Json:
    assert status.attributes is not None, "every job is enqueued with them"
    return status.attributes


def _time(epoch_ms: float | None) -> datetime | None:
    return None if epoch_ms is None else datetime.fromtimestamp(epoch_ms / 1000, UTC)


def _deadline(deadline_s: float | None) -> float | None:
    return None if deadline_s is None else time.time() + deadline_s


def _internal() -> Json:
    return GatewayError("An internal error. Please report it with the trace id.").problem()


def _leaves(failure: BaseException) -> Iterator[BaseException]:
    """The exceptions of a group, however deep; or the one itself."""
    if isinstance(failure, BaseExceptionGroup):
        for inner in failure.exceptions:
            yield from _leaves(inner)
    else:
        yield failure


class _Noise(logging.Filter):
    """What DBOS logs as an error or warning though it is in order: failed, canceled and handed-over jobs."""

    WORDS = ("Exception encountered in asynchronous workflow", "Asyncio task cancelled", "recorded outcome")

    def filter(self, record: logging.LogRecord) -> bool:
        return not any(word in record.getMessage() for word in self.WORDS)


_noise = _Noise()


def _quieten() -> None:
    """DBOS logs where the gateway logs, instead of by a handler of its own, and only what somebody should look at."""
    logger = logging.getLogger("dbos")
    if not logger.handlers:
        logger.addHandler(logging.NullHandler())
    logger.addFilter(_noise)
    logger.setLevel(logging.WARNING)
