"""MoveNet Thunder, a second opinion on where the hips are.

BlazePose puts hips where the bones are; where a skirt or a long top hides them, people who label pictures put them higher, and
so does this network, as OpenPose does. Source: Google's MoveNet.SinglePose.Thunder (2021, model card): a heat map of people's
centres, for each place the joints of the person around it, heat maps of the joints, and offsets to where in a cell they lie.
"""

import math
from typing import NamedTuple

import cv2
import numpy as np

from services.pose.layouts import COCO_17, put_between
from stagekit.errors import WeightsMissing
from stagekit.formats import BODY_25, BODY_25_JOINTS

SIDE = 256
"""Height and width of the input."""

CELLS = 64
"""Rows and columns of the maps."""

OUTPUTS = {"heat": 17, "places": 34, "centre": 1, "offsets": 34}
_NEAR = 1.8
"""Cells added to each distance that a score is divided by."""

_MARGIN = 0.25
"""Of the longer side of the box around the person, on each side of the square that the network sees."""


_SURE = 0.5  # a hip of less confidence is left as it was
_SAME_PERSON = 0.3  # shoulder widths by which both networks' shoulders may differ
_CUT_OFF = 0.3
"""Shoulder widths above the bottom edge: Thunder puts hips that the picture cuts off 0.05 to 0.35 above it (nine of the sample
people, each cut off at three heights above the hips); where the cut is at the waist, higher, but less than 0.5 sure."""


class Maps(NamedTuple):
    """What the network gives, rows and columns of cells last. Vectors are in cells, y before x for each joint."""

    heat: np.ndarray
    """(17, 64, 64) confidence 0..1 that the joint, anybody's, lies in the cell."""

    places: np.ndarray
    """(34, 64, 64) from a cell to the joints of the person around it, roughly."""

    centre: np.ndarray
    """(1, 64, 64) confidence 0..1 that a person's middle lies in the cell."""

    offsets: np.ndarray
    """(34, 64, 64) from a cell's corner to the joint in it."""


class Thunder:
    """Looks at one person of a picture. Not for several threads at a time."""

    def __init__(self, path: str) -> None:
        """Raises WeightsMissing for a file that is unreadable, or another network's."""
        try:
            self._net = cv2.dnn.readNetFromONNX(path)
            maps = self.look(np.zeros((SIDE, SIDE, 3), np.uint8))
        except cv2.error as error:
            raise _wrong(path, f"cannot be read ({str(error).strip()})") from None
        if [one.shape for one in maps] != [(channels, CELLS, CELLS) for channels in OUTPUTS.values()]:
            raise _wrong(path, "is another network's")

    def find(self, image: np.ndarray, box: tuple[float, float, float, float]) -> np.ndarray:
        """The joints of `COCO_17` of the person in a box: (17, 3) x, y in pixels, which may lie outside, confidence 0..1.

        image: uint8 RGB (H, W, 3); box: its left, top, right and bottom in pixels.
        """
        left, top, right, bottom = box
        side = math.ceil((1 + 2 * _MARGIN) * max(right - left, bottom - top, 1.0))
        corner = np.array([left + right - side, top + bottom - side]).astype(int) // 2
        square = np.zeros((side, side, 3), np.uint8)
        start, stop = np.maximum(corner, 0), np.minimum(corner + side, image.shape[1::-1])
        inside = tuple(slice(*ends) for ends in zip((start - corner)[::-1], (stop - corner)[::-1], strict=True))
        square[inside] = image[start[1] : stop[1], start[0] : stop[0]]
        joints = decode(self.look(cv2.resize(square, (SIDE, SIDE), interpolation=cv2.INTER_AREA)))
        joints[:, :2] = corner + joints[:, :2] * (side / CELLS) - 0.5
        return joints

    def look(self, picture: np.ndarray) -> Maps:
        """uint8 RGB (256, 256, 3) -> its maps."""
        self._net.setInput(picture.transpose(2, 0, 1)[None].astype(np.float32) / 127.5 - 1)
        heat, places, centre, offsets = (maps[0] for maps in self._net.forward(list(OUTPUTS)))
        return Maps(_sigmoid(heat), places, _sigmoid(centre), offsets)


def decode(maps: Maps) -> np.ndarray:
    """The joints of the person nearest to the middle: (17, 3) x, y in cells, confidence 0..1."""
    rows, columns = np.mgrid[:CELLS, :CELLS].astype(np.float32)
    nearness = 1 / (np.hypot(rows - CELLS / 2, columns - CELLS / 2) + _NEAR)
    row, column = np.unravel_index((maps.centre[0] * nearness).argmax(), nearness.shape)
    rough = maps.places[:, row, column].reshape(-1, 2) + (row, column)
    joints = np.zeros((len(COCO_17), 3))
    for joint, (y, x) in enumerate(rough):
        likely = maps.heat[joint] / (np.hypot(rows - y, columns - x) + _NEAR)
        row, column = np.unravel_index(likely.argmax(), likely.shape)
        down, right = maps.offsets[2 * joint : 2 * joint + 2, row, column]
        joints[joint] = column + right, row + down, maps.heat[joint, row, column]
    return joints


def with_hips(joints: np.ndarray, landmarks: np.ndarray, image: np.ndarray, thunder: Thunder) -> np.ndarray:
    """The joints with the hips where Thunder sees them, if it looked at the same person, the picture shows the hips, and they
    are higher than BlazePose's, which lie up to 75 pixels below OpenPose's in a person of 768 x 1024, and hardly above.

    joints: (25, 3) BODY_25 of one person, undetected ones 0,0,0; landmarks: (33, 4) of BlazePose, x and y first, in pixels of
    the image, uint8 RGB (H, W, 3).
    """
    height, width = image.shape[:2]
    hips, shoulders = ([BODY_25[f"{side}_{name}"] for side in ("left", "right")] for name in ("hip", "shoulder"))
    x, y = landmarks[:, 0], landmarks[:, 1]
    seen = landmarks[(x >= 0) & (x <= width - 1) & (y >= 0) & (y <= height - 1), :2]
    if (joints[hips + shoulders, 2] <= 0).any() or (joints[hips, 1] > height - 1).any() or not len(seen):
        return joints
    found = thunder.find(image, (*seen.min(axis=0), *seen.max(axis=0)))
    unit = float(np.linalg.norm(np.subtract(*joints[shoulders, :2])))
    theirs = {
        name: found[[COCO_17.index(f"{side}_{name}") for side in ("left", "right")]] for name in ("hip", "shoulder")
    }
    apart = np.linalg.norm(theirs["shoulder"][:, :2] - joints[shoulders, :2], axis=1).max()
    is_higher = theirs["hip"][:, 1].mean() < joints[hips, 1].mean()
    is_shown = (theirs["hip"][:, 1] < height - 1 - _CUT_OFF * unit).all()
    if apart > _SAME_PERSON * unit or not (is_higher and is_shown) or (theirs["hip"][:, 2] < _SURE).any():
        return joints
    joints = joints.copy()
    joints[hips, :2] = np.clip(theirs["hip"][:, :2], 0, (width - 1, height - 1))
    put_between(joints, BODY_25_JOINTS, ["mid_hip"])
    return joints


def _sigmoid(values: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-values.astype(np.float64)))


def _wrong(path: str, what: str) -> WeightsMissing:
    return WeightsMissing(
        f"{path} {what}. Remove it and run `make models`, or `howsfit export movenet`, which write it anew."
    )
