"""Runs one engine: loads it once, queues what it cannot do at once, checks and times every run, remembers recent ones."""

import asyncio
import collections
import contextlib
import logging
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Deque, Dict, Iterator, List, NamedTuple, Optional, Tuple

from stagekit.artifacts import encode
from stagekit.engine import Artifacts, Check, Engine
from stagekit.errors import (
    DeadlineExceeded,
    EngineFailed,
    MissingArtifact,
    NotReady,
    OutOfMemory,
    Overloaded,
    StageError,
    WeightsMissing,
)
from stagekit.images import Limits
from stagekit.known import KnownInputs
from stagekit.metrics import Metrics
from stagekit.options import PART, check_options, defaults, fingerprint_of_run, read_options
from stagekit.report import Report
from stagekit.settings import Settings
from stagekit.stage import Stage, engine_inputs, fingerprint, kinds_of
from stagekit.thumbnails import thumbnail
from stagekit.turns import Turns
from stagekit.wire import Part, shown

log = logging.getLogger("howsfit.stage")

LOOK_AGAIN_S = 30.0
"""Longest pause before missing weights are looked for again; the first ones are shorter."""

# One process may hold all stages. Their libraries are imported one after another: MediaPipe, whose modules import each
# other in circles, fails when two threads import it at once.
_one_loads = threading.Lock()


class Outcome(NamedTuple):
    """What a run gave."""

    parts: Dict[str, Part]
    warnings: List[Dict[str, str]]
    fingerprint: str
    timings_s: Dict[str, float]
    """Seconds by phase: queue, decode, run, encode; check, where the stage has one; device, where models were moved."""


class RecentRun(NamedTuple):
    """One line of the debug page."""

    at: float
    trace_id: str
    outcome: str
    detail: str
    timings_s: Dict[str, float]
    thumbnails: Dict[str, str]
    """Artifact -> data: URL of a small picture, or a line of text."""


class Runner:
    """One engine behind a bounded queue.

    State is one of starting, ready, setup_failed; `problem` tells why it is not ready.
    """

    def __init__(self, stage: Stage, engine: Engine, settings: Settings) -> None:
        self.stage = stage
        self.engine = engine
        self.settings = settings
        self.turns = Turns(engine, settings.idle_offload_s, settings.device_lock)
        self.limits = Limits(int(settings.max_image_mb * 1e6), int(settings.max_megapixels * 1e6))
        self._known = KnownInputs(self.limits)
        self._kinds = kinds_of(stage, engine)
        self.about = {"stage": stage.name, "engine": engine.name}
        """For the log: fields of every line."""
        self.metrics = Metrics(stage.name, engine.name, engine.version)
        self.state = "starting"
        self.problem: StageError = NotReady("The engine is still loading. Try again in a few seconds.", retry_after_s=2)
        self.setup_s: Optional[float] = None
        self.recent: Deque[RecentRun] = collections.deque(maxlen=settings.debug_runs)
        self._workers = ThreadPoolExecutor(engine.concurrency, thread_name_prefix=stage.name)
        self._admitted = 0
        self._line: List[Report] = []
        self._line_moves = threading.Lock()
        self.reports: Dict[str, Report] = {}
        """Of the runs that their callers gave a name."""
        self._loading: Optional[threading.Thread] = None
        self._stopped = threading.Event()
        self.look_again_s = 5.0

    def start(self) -> None:
        """Begin to load the engine in a thread of its own, so that health can be asked meanwhile. Only once."""
        if self._loading is None:
            self._loading = threading.Thread(target=self._keep_loading, name="load " + self.stage.name, daemon=True)
            self._loading.start()

    def _keep_loading(self) -> None:
        """Without its weights, again and again: once they are brought, nobody need restart the service."""
        pause_s = self.look_again_s
        self.load()
        while isinstance(self.problem, WeightsMissing) and self.state != "ready" and not self._stopped.wait(pause_s):
            self.load()
            pause_s = min(2 * pause_s, LOOK_AGAIN_S)

    def stop(self) -> None:
        """Take no further runs; those under way end first."""
        self._stopped.set()
        self._workers.shutdown(wait=True)
        self.turns.stop()

    @property
    def start_s(self) -> float:
        """How long a start may take here, in seconds: what the engine allows, or some times what the last one took."""
        return max(self.engine.start_s, 4 * (self.setup_s or 0.0))

    @property
    def queued(self) -> int:
        """Runs that wait for the engine."""
        return max(0, self._admitted - self.engine.concurrency)

    async def run(
        self,
        parts: Dict[str, Part],
        timeout_s: Optional[float],
        trace_id: str,
        extras: Tuple[str, ...] = (),
        report: Optional[Report] = None,
    ) -> Outcome:
        """Run the engine on encoded artifacts. extras: those of the engine's that are wanted. report: what is told of the run
        meanwhile, and by which it can be canceled. Raises StageError.
        """
        began = time.perf_counter()
        report = report or Report(self.stage.name)
        if report.id is not None:
            self.reports[report.id] = report
        try:
            outcome = await self._run_admitted(parts, timeout_s, trace_id, extras, report)
        except StageError as error:
            self.metrics.refused.labels(self.stage.name, error.code).inc()
            self._observe("refused", began)
            raise
        finally:
            report.end()
            if report.id is not None and self.reports.get(report.id) is report:
                del self.reports[report.id]
        self._observe("succeeded", began)
        for phase, seconds in outcome.timings_s.items():
            self.metrics.phase.labels(self.stage.name, phase).observe(seconds)
        return outcome

    async def _run_admitted(
        self,
        parts: Dict[str, Part],
        timeout_s: Optional[float],
        trace_id: str,
        extras: Tuple[str, ...],
        report: Report,
    ) -> Outcome:
        if self.state != "ready":
            raise self.problem
        parts = dict(parts)
        options = read_options(parts.pop(PART).data) if PART in parts else {}
        options = check_options(self.engine.option_schema(), options, self.engine.name)
        self._check_names(parts)
        if self.queued >= self.settings.queue_size:
            raise Overloaded(
                "%d runs wait already. Try again after the time in Retry-After." % self.queued,
                retry_after_s=1 + self.queued,
            )
        self._admitted += 1
        self._show_queue()
        loop = asyncio.get_event_loop()
        self._line.append(report)
        future = self._workers.submit(self._work, parts, options, time.perf_counter(), trace_id, extras, report)
        # Counted down when the work ends, not when the caller gives up: a run past its deadline holds the engine until its
        # next step.
        future.add_done_callback(lambda done: loop.call_soon_threadsafe(self._release, report))
        self._move_up()
        return await _within(future, timeout_s, report)

    def _release(self, report: Report) -> None:
        self._admitted -= 1
        self._show_queue()
        self._leave_line(report)

    def _leave_line(self, report: Report) -> None:
        """Its turn has come, or it was canceled before."""
        with self._line_moves:
            if report not in self._line:
                return
            self._line.remove(report)
        self._move_up()

    def _move_up(self) -> None:
        with self._line_moves:
            for place, report in enumerate(self._line, 1):
                report.wait_at(place)

    def _show_queue(self) -> None:
        self.metrics.queue_depth.labels(self.stage.name).set(self.queued)

    def _observe(self, outcome: str, began: float) -> None:
        self.metrics.duration.labels(self.stage.name, outcome).observe(time.perf_counter() - began)

    def load(self) -> None:
        """Load the engine here and now; the outcome is in `state`."""
        began = time.perf_counter()
        try:
            with self.turns.loading(), _one_loads:
                self.engine.load()
        except StageError as error:
            self._set_up_failed(error)
        except Exception as error:
            log.exception("the engine could not load", extra=self.about)
            self._set_up_failed(NotReady("The engine did not load (%s). Its log says more." % error))
        else:
            self.setup_s = time.perf_counter() - began
            self.state = "ready"
            self.metrics.ready.labels(self.stage.name).set(1)
            log.info("ready", extra=dict(self.about, seconds=self.setup_s))

    def _set_up_failed(self, error: StageError) -> None:
        told, self.problem = self.problem.detail, error
        self.state = "setup_failed"
        if error.detail != told:
            log.error("setup failed: %s", error.detail, extra=dict(self.about, code=error.code))

    def _check_names(self, parts: Dict[str, Part]) -> None:
        needed = engine_inputs(self.stage, self.engine)
        for name in needed:
            if name not in parts:
                raise MissingArtifact(
                    "'%s' is missing. Engine %s takes: %s." % (name, self.engine.name, ", ".join(needed))
                )
        for name in parts:
            if name not in self.stage.inputs and name not in self.stage.optional:
                raise MissingArtifact(
                    "'%s' is not an input here. Engine %s takes: %s."
                    % (shown(name), self.engine.name, ", ".join(needed))
                )

    def _work(
        self,
        parts: Dict[str, Part],
        options: Dict[str, Any],
        admitted: float,
        trace_id: str,
        extras: Tuple[str, ...],
        report: Report,
    ) -> Outcome:
        """Decode, run, encode: in a worker thread. options: those that are not the defaults."""
        timings = {"queue": time.perf_counter() - admitted}
        values: Dict[str, Any] = {}
        try:
            self._leave_line(report)
            report.wait_at(None)
            outcome = self._transform(parts, options, values, timings, trace_id, extras, report)
        except StageError as error:
            self._remember(trace_id, error.code, error.detail, timings, values)
            raise
        detail = " ".join(warning["detail"] for warning in outcome.warnings)
        self._remember(trace_id, "succeeded", detail, timings, values)
        return outcome

    def _transform(
        self,
        parts: Dict[str, Part],
        options: Dict[str, Any],
        values: Dict[str, Any],
        timings: Dict[str, float],
        trace_id: str,
        extras: Tuple[str, ...],
        report: Report,
    ) -> Outcome:
        try:
            with _timed(timings, "decode"):
                taken = [*engine_inputs(self.stage, self.engine), *(n for n in self.stage.optional if n in parts)]
                inputs = {name: self._decoded(name, parts[name]) for name in taken}
                values.update(inputs)
            with self._turn(report, timings), _timed(timings, "run"):
                made = self.engine.run_with(dict(defaults(self.engine.option_schema()), **options), inputs, report)
                outputs = {name: made[name] for name in self.stage.outputs}
                outputs.update({name: made[name]() for name in extras})
            with _timed(timings, "encode"):
                encoded = {name: encode(name, self._kinds[name], value) for name, value in outputs.items()}
                values.update(outputs)
            if self.stage.check:
                with _timed(timings, "check"):
                    self._check(self.stage.check, inputs, outputs, report)
        except StageError:
            raise
        except Exception as error:
            if isinstance(error, MemoryError) or "out of memory" in str(error).lower():
                raise OutOfMemory(
                    "The engine ran out of memory. Send a smaller image, or give it more memory."
                ) from error
            log.exception("the engine failed", extra=dict(self.about, trace=trace_id))
            name = type(error).__name__
            raise EngineFailed(
                "The engine failed on this input (%s). Please report it with the trace id." % name
            ) from error
        made_by = fingerprint_of_run(fingerprint(self.stage, self.engine), options)
        return Outcome(encoded, report.warnings, made_by, timings)

    @contextlib.contextmanager
    def _turn(self, report: Report, timings: Dict[str, float]) -> Iterator[None]:
        """While the engine's models are on its device; how long that took is the phase `device`."""
        began = time.perf_counter()
        with self.turns.taken(report):
            if self.turns.on:
                timings["device"] = time.perf_counter() - began
            yield

    def _decoded(self, name: str, part: Part) -> Any:
        return self._known.decode(name, self._kinds[name], part.data, name in self.stage.cut_out)

    def _check(self, check: Check, inputs: Artifacts, outputs: Artifacts, report: Report) -> None:
        try:
            check(inputs, outputs, report)
        except Exception:  # a bug, but no reason to withhold a finished result
            log.exception("the check of the result failed", extra=self.about)
            report("not-checked", "This result could not be checked for doubts. Please report it with the trace id.")

    def _remember(
        self, trace_id: str, outcome: str, detail: str, timings: Dict[str, float], values: Dict[str, Any]
    ) -> None:
        if self.settings.debug_runs:
            pictures = {name: thumbnail(self._kinds[name], value) for name, value in values.items()}
            self.recent.appendleft(RecentRun(time.time(), trace_id, outcome, detail, dict(timings), pictures))


class _timed:
    """Adds the seconds spent inside to `timings`."""

    def __init__(self, timings: Dict[str, float], phase: str) -> None:
        self.timings, self.phase = timings, phase

    def __enter__(self) -> None:
        self.began = time.perf_counter()

    def __exit__(self, *exc: Any) -> None:
        self.timings[self.phase] = time.perf_counter() - self.began


async def _within(future: "Future[Outcome]", timeout_s: Optional[float], report: Report) -> Outcome:
    """The result. Raises DeadlineExceeded, Cancelled; then, or where it is canceled itself, the run is to end early."""
    waiting = asyncio.ensure_future(asyncio.wrap_future(future))
    stopped = asyncio.get_event_loop().create_future()
    loop = asyncio.get_event_loop()

    def look() -> None:
        if report.is_cancelled and not stopped.done():
            stopped.set_result(None)

    def listener() -> None:
        loop.call_soon_threadsafe(look)

    report.listen(listener)
    look()
    try:
        await asyncio.wait({waiting, stopped}, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
    finally:
        report.hush(listener)
        if not waiting.done():
            future.cancel()  # takes it out of the queue; a run that has begun goes on to its next step
            report.cancel()
            waiting.add_done_callback(lambda late: late.cancelled() or late.exception())
    if waiting.done():
        return waiting.result()
    if stopped.done():
        report.check()
    raise DeadlineExceeded("The deadline passed before the engine was done. Allow more time, or try again later.")
