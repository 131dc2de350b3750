"""What an engine tells of a run while it goes on, and how it hears that nobody waits for the result any more."""

import io
import threading
import time
from typing import Any, Callable, Dict, List, Optional

import numpy as np
from PIL import Image

from stagekit.errors import Cancelled

PREVIEWS = 8
"""Of one run, at most."""

PREVIEW_SIZE = (288, 384)
"""Pixels that a preview has at most."""


class Report:
    """Of one run. Engines call it to warn, and call `step` between their steps; whoever runs them asks it. Safe for several
    threads."""

    def __init__(self, stage: str, run_id: Optional[str] = None, previews: bool = False) -> None:
        """run_id: by which others may ask for it. previews: whether somebody wants to see what there is so far."""
        self.id = run_id
        self.warnings: List[Dict[str, str]] = []
        self.preview: Optional[bytes] = None
        """The latest one, a JPEG."""
        self.ended = False
        self._stage = stage
        self._previews = previews
        self._number = 0
        self._place: Optional[int] = None
        self._done: Optional[int] = None
        self._of: Optional[int] = None
        self._shows: Optional[int] = None
        self._first = self._last = (0, 0.0)
        self._cancelled = threading.Event()
        self._lock = threading.Lock()
        self._listeners: List[Callable[[], None]] = []

    def __call__(self, code: str, detail: str) -> None:
        """Tell the caller something about this run that is not an error."""
        self.warnings.append({"code": code, "detail": detail, "stage": self._stage})

    def step(self, done: int, of: int, preview: Optional[Callable[[], np.ndarray]] = None) -> None:
        """So many of the run's steps are done; to be called before the first one (0), too. Raises Cancelled.

        preview: makes a picture of what there is so far, uint8 RGB (H, W, 3), of any size; called now and then, and only where
        somebody wants to see it.
        """
        self.check()
        if self._wants_preview(done, of) and preview is not None:
            self.preview = _jpeg(preview())
            self._shows = done
        now = time.monotonic()
        if self._done is None:
            self._first = (done, now)
        self._last = (done, now)
        self._done, self._of = done, of
        self._tell()

    def wait_at(self, place: Optional[int]) -> None:
        """The run waits in a line: 1 is the place of the next one to begin. None: not any more."""
        if place != self._place:
            self._place = place
            self._tell()

    def check(self) -> None:
        """Raises Cancelled when nobody waits for the result."""
        if self._cancelled.is_set():
            raise Cancelled(
                "The run was stopped: whoever asked for it canceled it, or has gone. Ask again if it is wanted."
            )

    def cancel(self) -> None:
        """Let the engine stop at its next step."""
        self._cancelled.set()
        self._tell()

    def end(self) -> None:
        """There is nothing more to tell."""
        self.ended = True
        self._tell()

    @property
    def is_cancelled(self) -> bool:
        """Whether it was."""
        return self._cancelled.is_set()

    @property
    def number(self) -> int:
        """Of the latest news; the first one is 1."""
        return self._number

    def document(self) -> Dict[str, Any]:
        """How it goes: GET /runs/{id}."""
        return {
            "number": self._number,
            "queue": self._place,
            "done": self._done,
            "of": self._of,
            "seconds_left": self._seconds_left(),
            "preview": self._shows,
        }

    def listen(self, listener: Callable[[], None]) -> None:
        """Have it called at all news, in whichever thread they come."""
        with self._lock:
            self._listeners.append(listener)

    def hush(self, listener: Callable[[], None]) -> None:
        """Call it no more."""
        with self._lock:
            self._listeners.remove(listener)

    def _tell(self) -> None:
        with self._lock:
            self._number += 1
            listeners = list(self._listeners)
        for listener in listeners:
            listener()

    def _wants_preview(self, done: int, of: int) -> bool:
        return self._previews and 0 < done < of and done % -(-of // PREVIEWS) == 0

    def _seconds_left(self) -> Optional[float]:
        (first, began), (last, now) = self._first, self._last
        if self._of is None or last == first:
            return None
        left_s = (now - began) / (last - first) * (self._of - last) - (time.monotonic() - now)
        return round(max(left_s, 0.0), 1)


def _jpeg(pixels: np.ndarray) -> bytes:
    image = Image.fromarray(np.ascontiguousarray(pixels))
    image.thumbnail(PREVIEW_SIZE)
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=80)
    return buffer.getvalue()
