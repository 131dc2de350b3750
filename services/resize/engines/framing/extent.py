"""How far a person reaches in a photo."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from stagekit.people import BlazePerson

Box = tuple[float, float, float, float]
"""x0, y0, x1, y1 in pixels."""

_VISIBLE = 0.5
_HEAD_POINTS = tuple(range(11))
_HAND_POINTS = (15, 16, 17, 18, 19, 20, 21, 22)


@dataclass(frozen=True)
class Extent:
    """Where a person is, clipped to the photo.

    whole: everything of her, loose clothing and hair included.
    vital: head, hands and other visible joints, which must not be cut.
    """

    whole: Box
    vital: Box

    def scaled(self, factor: float) -> "Extent":
        """The same extent in a picture that is `factor` times as large."""
        return Extent(_scaled(self.whole, factor), _scaled(self.vital, factor))


def silhouette(person: "BlazePerson") -> np.ndarray:
    """The person's own pixels, (H, W) bool: the pieces of her mask that matter, without specks."""
    assert person.mask is not None
    mask = (person.mask > 0.5).astype(np.uint8)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    areas = stats[:, cv2.CC_STAT_AREA].copy()
    areas[0] = 0
    return np.isin(labels, np.flatnonzero(areas > 0.05 * max(1, areas.max())))


def extent(person: "BlazePerson", inside: np.ndarray) -> Extent:
    """person: with landmarks and mask in one picture's pixels; inside: her silhouette there."""
    height, width = inside.shape
    vital = _clip(_around_landmarks(person), width, height)
    x0, y0, x1, y1 = vital
    rows, columns = np.flatnonzero(inside.any(axis=1)), np.flatnonzero(inside.any(axis=0))
    if len(rows):
        top = _top_of_head(inside, person, default=y0)
        vital = (x0, min(y0, top), x1, y1)
        x0, x1 = min(x0, columns[0]), max(x1, columns[-1] + 1)
        y0, y1 = min(y0, top, rows[0]), max(y1, rows[-1] + 1)
    return Extent((float(x0), float(y0), float(x1), float(y1)), vital)


def _around_landmarks(person: "BlazePerson") -> Box:
    """A box around the visible landmarks, with room for the flesh around them."""
    torso = person.torso_size()
    visible = person.landmarks[:, 3] >= _VISIBLE
    room = np.full(33, 0.06)  # in torso sizes
    room[list(_HAND_POINTS)] = 0.12
    room[list(_HEAD_POINTS)] = 0.25
    points, room = person.landmarks[visible, :2], room[visible, None] * torso
    if not len(points):
        points, room = person.landmarks[:, :2], np.zeros((33, 1))
    (x0, y0), (x1, y1) = (points - room).min(axis=0), (points + room).max(axis=0)
    return float(x0), float(y0), float(x1), float(y1)


def _top_of_head(inside: np.ndarray, person: "BlazePerson", default: float) -> float:
    """The highest row of the silhouette near the head's columns: the hair, not a raised arm."""
    head = person.landmarks[list(_HEAD_POINTS), 0]
    x0, x1 = int(max(0, head.min())), int(max(0, head.max())) + 1
    rows = np.flatnonzero(inside[:, x0:x1].any(axis=1))
    return float(rows[0]) if len(rows) else default


def _scaled(box: Box, factor: float) -> Box:
    return box[0] * factor, box[1] * factor, box[2] * factor, box[3] * factor


def _clip(box: Box, width: int, height: int) -> Box:
    x0, y0, x1, y1 = box
    return max(0.0, x0), max(0.0, y0), min(float(width), x1), min(float(height), y1)
