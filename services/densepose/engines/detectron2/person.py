"""From what DensePose found to the pictures of this stage. NumPy only."""

from __future__ import annotations

from typing import Callable, NamedTuple

import numpy as np

from stagekit.formats import DENSEPOSE_PALETTE, HEIGHT, WIDTH

_PALETTE = np.array(DENSEPOSE_PALETTE, np.uint8)


class Found(NamedTuple):
    """One person, within the whole-numbered box that the person was found in: h x w pixels from (left, top)."""

    left: int
    top: int
    parts: np.ndarray
    """(h, w) ids of the body parts, 1..24; 0 is background."""
    u: Callable[[], np.ndarray]
    """Makes the (h, w) place on the part's surface, 0..1; what the network says may lie beyond."""
    v: Callable[[], np.ndarray]
    """As u, across."""


def choose(boxes: np.ndarray, scores: np.ndarray) -> int:
    """The number of the largest box; of equally large ones the best scored.

    boxes: (n, 4) x0, y0, x1, y1 with n > 0. scores: (n,).
    """
    areas = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    return int(np.lexsort((scores, areas))[-1])


def part_map(found: Found) -> np.ndarray:
    """(1024, 768) uint8 part ids 0..24."""
    return _on_canvas(found, found.parts.astype(np.uint8))


def surface_map(found: Found, place: np.ndarray) -> np.ndarray:
    """(1024, 768) uint8 of u or v: 0..1 as 0..255, cut off as in DensePose's own IUV images; 0 off the body."""
    return _on_canvas(found, (np.clip(place, 0, 1) * 255).astype(np.uint8))


def paint(parts: np.ndarray) -> np.ndarray:
    """(h, w) part ids to (h, w, 3) uint8 RGB: each part's colour, on black."""
    return _PALETTE[parts]


def _on_canvas(found: Found, values: np.ndarray) -> np.ndarray:
    canvas = np.zeros((HEIGHT, WIDTH), np.uint8)
    height, width = values.shape
    # A box of no width counts as one pixel wide, which may lie beyond the border.
    inside = canvas[found.top : found.top + height, found.left : found.left + width]
    inside[:] = values[: inside.shape[0], : inside.shape[1]]
    return canvas
