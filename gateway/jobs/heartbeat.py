"""Who is alive: every gateway on a database writes the time there every few seconds."""

import logging
import threading
import time
from collections.abc import Callable

from sqlalchemy import Column, Float, String, Table, delete, select

from gateway.errors import GatewayError
from gateway.storage.database import Database, metadata, now

executors = Table(
    "howsfit_executors",
    metadata,
    Column("executor", String(200), primary_key=True),
    Column("beat_at", Float, nullable=False),
)

log = logging.getLogger("howsfit.gateway")


class Heartbeat:
    """Beats for one executor, and tells after each beat which executors are alive.

    It has a thread of its own: an event loop that is busy for some seconds must not look dead. All times are the
    database's, so clocks that differ between hosts do not matter.
    """

    def __init__(
        self,
        database: Database,
        executor: str,
        *,
        beat_s: float,
        dead_after_s: float,
        after_beat: Callable[[set[str]], None],
    ) -> None:
        """after_beat: called in the thread, with the names of the executors that beat within dead_after_s."""
        self._database = database
        self._executor = executor
        self._beat_s = beat_s
        self._dead_after_s = dead_after_s
        self._after_beat = after_beat
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="howsfit-heartbeat", daemon=True)

    def beat(self) -> None:
        """Beat once. To be done before the first job is taken: whoever never beat counts as dead."""
        values = {"beat_at": now()}
        statement = self._database.insert(executors).values(executor=self._executor, **values)
        statement = statement.on_conflict_do_update(index_elements=[executors.c.executor], set_=values)
        self._database.transact_here(lambda c: c.execute(statement))

    def start(self) -> None:
        """Go on beating until stop()."""
        self._thread.start()

    def stop(self) -> None:
        """Stop beating, and leave: what this executor still held may be taken over at once."""
        self._stop.set()
        self._thread.join()
        mine = delete(executors).where(executors.c.executor == self._executor)
        try:
            self._database.transact_here(lambda c: c.execute(mine))
        except GatewayError as error:
            log.warning("executor %s could not sign off: %s", self._executor, error)

    def _alive(self) -> set[str]:
        query = select(executors.c.executor).where(executors.c.beat_at > now() - self._dead_after_s)
        return set(self._database.transact_here(lambda c: c.execute(query).scalars().all()))

    def _run(self) -> None:
        last = time.monotonic()
        judge_from = 0.0
        while not self._stop.wait(self._beat_s):
            try:
                self.beat()
                now = time.monotonic()
                if now - last > self._dead_after_s / 2:
                    # The database was away, or this host slept. The others' beats are as old as ours were: hear them
                    # before calling anybody dead.
                    judge_from = now + self._dead_after_s
                last = now
                if now >= judge_from:
                    self._after_beat(self._alive())
            except Exception as error:
                log.warning("heartbeat of executor %s failed, trying again: %s", self._executor, error)
