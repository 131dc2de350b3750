"""When an engine's models are on its device, which others may want as well.

An engine that runs has its models there. It leaves them there afterwards, and keeps its turn, until another engine waits in
line for the device, or nobody has run it for a while: then they rest in the processor's memory, and the next run brings them
back. So one device never has to hold the models of two engines.
"""

import contextlib
import logging
import threading
import time
from typing import Any, Dict, Iterator, Optional

from stagekit.engine import Engine
from stagekit.line import Line, Ticket
from stagekit.report import Report

LOOK_EVERY_S = 0.1
"""How often a turn is looked for, or whether somebody else waits for it."""

log = logging.getLogger("howsfit.stage")


class Turns:
    """Of one engine. Nothing happens for one that has no models to move, nor where no setting asks for it."""

    def __init__(self, engine: Engine, idle_s: float = 0.0, folder: str = "") -> None:
        """idle_s: models rest after so long without a run, in seconds; 0: never for that. folder: of the line before the
        device; empty: nobody else uses it. Raises ValueError for a folder that cannot be used.
        """
        self.on = type(engine).rest is not Engine.rest and (idle_s > 0 or bool(folder))
        self._engine = engine
        self._idle_s = idle_s
        self._line = Line(folder) if self.on and folder else None
        self._ticket: Optional[Ticket] = None
        self._place: Optional[int] = None
        self._awake = False
        self._running = 0
        self._last = time.monotonic()
        self._moves = threading.Lock()
        self._stopped = threading.Event()
        if self.on:
            threading.Thread(target=self._watch, name="turns of " + engine.name, daemon=True).start()

    @contextlib.contextmanager
    def loading(self) -> Iterator[None]:
        """For the time in which the engine brings its models there for the first time."""
        if not self.on:
            yield
            return
        with self._moves:
            self._wait_in_line(None)
            try:
                yield
            except BaseException:
                self._let_go()
                raise
            self._awake = True
            self._last = time.monotonic()

    @contextlib.contextmanager
    def taken(self, report: Report) -> Iterator[None]:
        """For the time of a run: its models are there. report: is told its place in line, and ends the waiting by Cancelled."""
        if not self.on:
            yield
            return
        with self._moves:
            if self._ticket is not None and not self._running and self._ticket.is_wanted():
                self._step_aside()  # whoever came first goes first
            self._wait_in_line(report)
            if not self._awake:
                self._engine.wake()
                self._awake = True
            self._running += 1
        try:
            yield
        finally:
            with self._moves:
                self._running -= 1
                self._last = time.monotonic()

    def document(self) -> Optional[Dict[str, Any]]:
        """What /readyz says: whether the models are on the device, the engine's place in line (0: it has its turn; null: it
        does not want it) and how many are in line; null where nothing is moved."""
        if not self.on:
            return None
        line = len(self._line.tickets()) if self._line is not None else None
        return {"awake": self._awake, "place": self._place, "line": line}

    def stop(self) -> None:
        """Let go, for good."""
        self._stopped.set()
        with self._moves:
            self._let_go()

    def _wait_in_line(self, report: Optional[Report]) -> None:
        """Raises Cancelled."""
        if self._line is None or self._ticket is not None:
            return
        self._ticket = self._line.join()
        try:
            while True:
                self._place = self._ticket.before()
                if report is not None:
                    report.wait_at(self._place or None)
                    report.check()
                if self._place == 0:
                    return
                time.sleep(LOOK_EVERY_S)
        except BaseException:
            self._let_go()
            raise

    def _watch(self) -> None:
        while not self._stopped.wait(LOOK_EVERY_S):
            with self._moves:
                if self._running or self._stopped.is_set():
                    continue
                idle = self._idle_s > 0 and time.monotonic() - self._last > self._idle_s
                wanted = self._ticket is not None and self._ticket.is_wanted()
                if wanted or (idle and (self._awake or self._ticket is not None)):
                    self._step_aside()

    def _step_aside(self) -> None:
        try:
            if self._awake:
                self._awake = False  # even if only some of them left
                self._engine.rest()
        except Exception:  # a bug, but no reason to keep the others waiting for ever
            log.exception("the models could not be moved off the device", extra={"engine": self._engine.name})
        self._let_go()

    def _let_go(self) -> None:
        if self._ticket is not None:
            self._ticket.leave()
            self._ticket = self._place = None
