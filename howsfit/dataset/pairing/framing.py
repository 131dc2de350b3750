"""Which part of a photo becomes the 768 x 1024 of the data set.

The framing itself is that of the stage resize, to which is told how far a person or a garment reaches: as the source's labels
say, or, where it has none, as the stage itself finds.
"""

from functools import cache
from typing import TYPE_CHECKING, NamedTuple

import cv2
import numpy as np

from howsfit.dataset.pairing.labels import Box
from howsfit.dataset.pairing.reasons import Reason, Unfit
from services.resize.engines.framing.crop import choose_box, cut_out
from services.resize.engines.framing.extent import Extent, extent, silhouette
from stagekit.formats import CIHP

if TYPE_CHECKING:
    from stagekit.people import PeopleFinder

_THIGH = 0.62  # of a standing person's height, from above: halfway between crotch and knee
_HEAD = [CIHP[name] for name in ("hat", "hair", "sunglasses", "face")]
_FEET = [CIHP[name] for name in ("left_shoe", "right_shoe", "socks")]
_CUT_OFF = 0.02  # of the photo's height: who comes this close to its lower edge may go on below
_SEARCH_SIDE = 1280  # pixels of the longer side at which people are looked for
_HIPS, _KNEES = [23, 24], [25, 26]  # of BlazePose's landmarks


class Frame(NamedTuple):
    """box: exactly 3:4, perhaps beyond the photo; inside: bool (h, w), of any size: what of the photo is no background."""

    box: Box
    inside: np.ndarray

    def cut(self, photo: np.ndarray) -> np.ndarray:
        """uint8 (1024, 768, 3) of the photo, (H, W, 3)."""
        return cut_out(photo, self.box, self.inside)


class Body(NamedTuple):
    """A person in a photo: how far she reaches, and her mask of any size over the whole photo."""

    whole: tuple[float, float, float, float]
    vital: tuple[float, float, float, float]
    """What must not be cut off at a side: head, hands and joints."""
    thigh: float
    """y of the middle of her thighs, below the photo perhaps."""
    inside: np.ndarray


def frame_person(body: Body, width: int, height: int, at_thigh: bool) -> Frame:
    """width, height: of the photo. at_thigh: as the data set's people are, cut off there, instead of whole."""
    bottom = min(height, round(body.thigh)) if at_thigh else height
    # For the framing the photo ends at the thigh, so that the frame does, too.
    x0, y0, x1, y1 = choose_box(Extent(_above(body.whole, bottom), _above(body.vital, bottom)), width, bottom)
    down = max(0, min(-y0, height - y1))  # what the photo has below is better than a ground continued above
    return Frame((x0, y0 + down, x1, y1 + down), body.inside)


def frame_garment(mask: np.ndarray, width: int, height: int) -> Frame | None:
    """mask: uint8 or bool of any size over the whole picture, which is width x height. None where it is empty."""
    around = _around(mask > 0, width, height)
    if around is None:
        return None
    return Frame(choose_box(Extent(around, around), width, height), mask > 0)


def frame_whole(width: int, height: int) -> Frame:
    """All of a picture, with its ground continued to 3:4."""
    unit = max(-(-width // 3), -(-height // 4))
    x, y = (width - 3 * unit) // 2, (height - 4 * unit) // 2
    return Frame((x, y, x + 3 * unit, y + 4 * unit), np.zeros((4, 3), bool))


def body_of_labels(ids: np.ndarray, width: int, height: int) -> Body | None:
    """ids: CIHP's, uint8 of any size over the whole photo, which is width x height. None where they show nobody."""
    whole = _around(ids > 0, width, height)
    if whole is None:
        return None
    head = _around(np.isin(ids, _HEAD), width, height)
    top = head[1] if head else whole[1]
    # Of somebody whom the photo cuts off above her feet nobody can tell how tall she is: she is kept as far as she goes.
    stands = np.isin(ids, _FEET).any() or whole[3] < (1 - _CUT_OFF) * height
    thigh = top + _THIGH * (whole[3] - top) if stands else whole[3]
    return Body(whole, whole, thigh, ids > 0)


def body_in(photo: np.ndarray) -> Body:
    """The largest person of a photo, (H, W, 3) uint8, found by the network of the stage. Raises Unfit."""
    scale = min(1.0, _SEARCH_SIDE / max(photo.shape[:2]))
    small = cv2.resize(photo, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) if scale < 1 else photo
    people = _finder().find(small)
    if not people:
        raise Unfit(Reason.NOBODY)
    inside = silhouette(people[0])
    reach = extent(people[0], inside).scaled(1 / scale)
    thigh = float(people[0].landmarks[_HIPS + _KNEES, 1].mean()) / scale
    return Body(reach.whole, reach.vital, max(thigh, reach.vital[1] + 1), inside)


@cache
def _finder() -> "PeopleFinder":
    from stagekit.people import PeopleFinder  # MediaPipe takes seconds to import

    return PeopleFinder(with_masks=True)


def _above(box: tuple[float, float, float, float], bottom: float) -> tuple[float, float, float, float]:
    return box[0], min(box[1], bottom - 1), box[2], min(box[3], bottom)


def _around(mask: np.ndarray, width: int, height: int) -> tuple[float, float, float, float] | None:
    """The box around what is set, in pixels of a picture of this size."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not len(rows):
        return None
    x, y = width / mask.shape[1], height / mask.shape[0]
    return columns[0] * x, rows[0] * y, (columns[-1] + 1) * x, (rows[-1] + 1) * y
