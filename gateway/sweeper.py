"""Clearing up, now and then: what is past its time, and what processes left that died."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence

log = logging.getLogger("howsfit.gateway")

EVERY_S = 600.0


class Sweeper:
    """Calls each of the sweeps at start and every few minutes; one that fails is tried again the next time."""

    def __init__(self, sweeps: Sequence[Callable[[], Awaitable[object]]], every_s: float = EVERY_S) -> None:
        self._sweeps = sweeps
        self._every_s = every_s
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin, in the running event loop."""
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """End, in the middle of a sweep if need be: the next one goes on."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            for sweep in self._sweeps:
                try:
                    await sweep()
                except Exception:
                    log.exception("sweeping failed; trying again in %.0f s", self._every_s)
            await asyncio.sleep(self._every_s)
