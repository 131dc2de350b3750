"""Trying again what may work a moment later."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import TypeVar

from gateway.errors import StageRefused, StageUnreachable
from gateway.storage.blobs import StorageUnavailable

log = logging.getLogger("howsfit.gateway")
T = TypeVar("T")

FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.25, 5.0

MOST_HANG_UPS = 4
"""A stage that dies at work so often in a row does so because of this work: further attempts would take others' along."""


async def patiently(
    work: Callable[[], Awaitable[T]],
    for_s: float,
    start_s: float = 0.0,
    about: Mapping[str, str] | None = None,
    again: Callable[[StageRefused | StageUnreachable], Awaitable[None]] | None = None,
) -> T:
    """work(), again while a stage is overloaded, or a stage or the storage is out of reach, for at most `for_s` seconds;
    once where that is 0.

    start_s: how long a start of the stage may take; if that is longer, so long it is waited for when it is away or starting,
    counted from when that was found out. The last attempt is made at the very end of the time.
    about: for the log, fields of the lines that tell of further attempts.
    again: told what was wrong with a stage before it is tried again.
    Raises what the last attempt raised; any other error at once.
    """
    began = time.monotonic()
    away_since: float | None = None
    hang_ups = 0
    pause_s = FIRST_PAUSE_S
    while True:
        try:
            return await work()
        except (StageRefused, StageUnreachable, StorageUnavailable) as error:
            now = time.monotonic()
            if _is_away(error):
                away_since = now if away_since is None else away_since
            elif isinstance(error, StageRefused) and error.problem.get("code") != "overloaded":
                raise
            hang_ups += isinstance(error, StageUnreachable) and error.how == "hung-up"
            if for_s <= 0:
                raise
            left_s = began + for_s - now if away_since is None else away_since + max(for_s, start_s) - now
            if left_s <= 0 or hang_ups >= MOST_HANG_UPS:
                raise
            pause_s = min(pause_s, left_s)
            log.info("trying again in %.1f s: %s", pause_s, error, extra=about)
            if again is not None and not isinstance(error, StorageUnavailable):
                await again(error)
        await asyncio.sleep(pause_s)
        pause_s = min(pause_s * 2, LONGEST_PAUSE_S)


def _is_away(error: Exception) -> bool:
    """Whether the stage may be one that is being started."""
    if isinstance(error, StageUnreachable):
        return error.how != "late"
    # One that could not start says so, and would say the same later: weights do not come by waiting.
    return (
        isinstance(error, StageRefused)
        and error.problem.get("code") == "not-ready"
        and error.problem.get("state", "starting") == "starting"
    )
