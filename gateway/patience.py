"""Trying again what may work a moment later."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

from gateway.blobs import StorageUnavailable
from gateway.errors import StageRefused, StageUnreachable

log = logging.getLogger("howsfit.gateway")
T = TypeVar("T")

PASSING = ("overloaded", "not-ready")
"""Refusals of a stage that may be gone a moment later; any other is final."""

FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.25, 5.0


async def patiently(work: Callable[[], Awaitable[T]], for_s: float) -> T:
    """work(), again while a stage is overloaded, or a stage or the storage is out of reach, for at most `for_s` seconds.

    Raises what the last attempt raised; any other error at once.
    """
    give_up = time.monotonic() + for_s
    pause_s = FIRST_PAUSE_S
    while True:
        try:
            return await work()
        except (StageRefused, StageUnreachable, StorageUnavailable) as error:
            final = isinstance(error, StageRefused) and error.problem.get("code") not in PASSING
            if final or time.monotonic() + pause_s > give_up:
                raise
            log.info("trying again in %.1f s: %s", pause_s, error)
        await asyncio.sleep(pause_s)
        pause_s = min(pause_s * 2, LONGEST_PAUSE_S)
