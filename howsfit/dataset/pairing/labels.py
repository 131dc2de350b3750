"""A source's own labels, brought to the frame of its photo."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np

from howsfit.dataset.pairing.description import ClothMask, Parse, Pose, Size
from stagekit.errors import StageError
from stagekit.formats import BODY_25, HEIGHT, WIDTH
from stagekit.pictures import Picture

MOST_PIXELS = 100_000_000
"""Of a picture that is opened."""

Box = tuple[int, int, int, int]
"""x0, y0, x1, y1 in pixels of the upright photo, measured from its corner."""

_SHIFT = 6  # bits of a pixel that OpenCV draws polygons to
_MIDDLE = 0.5  # OpenCV counts from the middle of a pixel; what it fills is half a pixel wider all around
_SAME_SHAPE = 0.01
_MASKED = 255
_WHITE = 128  # from which on the data set's loaders take a mask's pixel for garment


class BadLabel(ValueError):
    """A label that is not what the description says."""


class View(NamedTuple):
    """Part of a photo, as a picture: both sizes are width and height."""

    box: Box
    size: Size


def whole(size: Size) -> View:
    return View((0, 0, *size), size)


def framed(box: Box) -> View:
    return View(box, (WIDTH, HEIGHT))


class Regions:
    """The labels of one picture: drawn for any view of it. Raises BadLabel, also where they are for another picture."""

    def __init__(self, path: Path, rule: Parse | ClothMask, photo: Size) -> None:
        """photo: width and height of the upright photo."""
        self._photo = photo
        self._polygons = list(_polygons(path, rule)) if rule.kind == "polygons" else []
        self._map = _ids(path, rule.kind) if rule.kind != "polygons" else None
        self._size = (rule.size or photo) if self._map is None else (self._map.shape[1], self._map.shape[0])
        if not same_shape(self._size, photo):
            raise BadLabel(
                f"{path} is for {self._size[0]} x {self._size[1]} pixels, the photo has {photo[0]} x {photo[1]}"
            )

    def draw(self, view: View, values: Mapping[int, int], others: bool = True) -> np.ndarray:
        """uint8 (height, width) of the view: the value of each id, and 0 where there are none. others: ids without a value
        are drawn, too, as 0 over what lies below them."""
        scale, offset = self._to(view)
        picture = np.zeros(view.size[::-1], np.uint8)
        if self._map is not None:
            table = np.zeros(256, np.uint8)
            for number, value in values.items():
                table[number] = value
            # From a pixel of the view to one of the map, by their middles.
            back = np.array([[1 / scale[0], 0, 0], [0, 1 / scale[1], 0]])
            back[:, 2] = (0.5 - offset) / scale - 0.5
            flags = cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP
            return np.asarray(cv2.warpAffine(table[self._map], back, view.size, flags=flags))
        for number, corners in self._polygons:
            if not others and number not in values:
                continue
            points = np.rint((corners * scale + offset - _MIDDLE) * (1 << _SHIFT)).astype(np.int32)
            cv2.fillPoly(picture, [points], values.get(number, 0), shift=_SHIFT)
        return picture

    def _to(self, view: View) -> tuple[np.ndarray, np.ndarray]:
        """place * scale + offset is a place in the view, of one in the labels, both from their corners."""
        x0, y0, x1, y1 = view.box
        zoom = np.array(view.size, float) / (x1 - x0, y1 - y0)
        return zoom * self._photo / self._size, -zoom * (x0, y0)


def draw_mask(regions: Regions, view: View, rule: ClothMask) -> np.ndarray:
    """The garment, uint8 (height, width) of the view, 0 or 255."""
    inside = [_MASKED] if rule.kind == "mask" else rule.inside
    mask = regions.draw(view, dict.fromkeys(inside, 255), others=False)
    if rule.without:
        mask[regions.draw(view, dict.fromkeys(rule.without, 255), others=False) > 0] = 0
    return mask


def move_joints(path: Path, rule: Pose, photo: Size, box: Box) -> np.ndarray:
    """(n, 3) float64: x, y in pixels of the framed photo, and the source's own third number, or 1; 0, 0, 0 for what is not
    there. Raises BadLabel."""
    numbers = _at(_document(path), rule.key, path)
    try:
        joints = np.array(numbers, float).reshape(-1, rule.numbers)
    except (TypeError, ValueError):
        raise BadLabel(f"{path}: '{rule.key}' is no list of {rule.numbers} numbers for each joint") from None
    size = rule.size or photo
    if not same_shape(size, photo) or not np.isfinite(joints).all():
        raise BadLabel(f"{path}: joints are for another picture")
    x0, y0, x1, y1 = box
    places = joints[:, :2] * photo / size - (x0, y0)
    sure = joints[:, 2] if rule.numbers > 2 else np.ones(len(joints))
    there = (joints[:, :2] > 0).any(axis=1) & (joints[:, :2] >= 0).all(axis=1) & (sure > 0)
    moved = np.column_stack([places * (WIDTH, HEIGHT) / (x1 - x0, y1 - y0), sure])
    return np.where(there[:, None], moved, 0.0)


def as_body_25(joints: np.ndarray, names: Sequence[str]) -> np.ndarray:
    """(25, 3) of joints in a source's order. The middle of the hips is found between them. Raises BadLabel."""
    if len(joints) != len(names):
        raise BadLabel(f"it has {len(joints)} joints, not {len(names)}")
    body = np.zeros((len(BODY_25), 3))
    for joint, name in zip(joints, names, strict=True):
        if name:
            body[BODY_25[name]] = joint
    hips = body[[BODY_25["right_hip"], BODY_25["left_hip"]]]
    if "mid_hip" not in names and hips[:, 2].all():
        body[BODY_25["mid_hip"]] = hips.mean(axis=0)
    body[:, 2] = np.clip(body[:, 2], 0, 1)
    return body


def same_shape(one: Size, other: Size) -> bool:
    return abs(one[0] * other[1] / (one[1] * other[0]) - 1) < _SAME_SHAPE


def _ids(path: Path, kind: str) -> np.ndarray:
    try:
        picture = Picture(path.read_bytes())
        picture.check_size(MOST_PIXELS)
        image = picture.decode()
    except (OSError, StageError):
        raise BadLabel(f"{path} is no picture") from None
    ids = np.array(image if image.mode in ("P", "L") else image.convert("L"))
    return np.where(ids >= _WHITE, np.uint8(_MASKED), np.uint8(0)) if kind == "mask" else ids


def _polygons(path: Path, rule: Parse | ClothMask) -> Iterator[tuple[int, np.ndarray]]:
    """Id and corners (n, 2) of each, from the lowest to the topmost."""
    document = _document(path)
    if not isinstance(document, dict):
        raise BadLabel(f"{path} holds no regions")
    keys = [key for key in document if fnmatchcase(key, rule.regions)]
    for key in sorted(keys, key=_number):
        regions = document[key] if isinstance(document[key], list) else [document[key]]
        for region in regions:
            if not isinstance(region, dict) or not {rule.category, rule.points} <= region.keys():
                raise BadLabel(f"{path}: '{key}' has no '{rule.category}' and '{rule.points}'")
            try:
                number = int(region[rule.category])
                yield from ((number, corners) for corners in _corners(region[rule.points]))
            except (TypeError, ValueError):
                raise BadLabel(f"{path}: '{key}' is no polygon with an id") from None


def _number(key: str) -> tuple[int, str]:
    found = re.search(r"\d+$", key)
    return (int(found[0]) if found else -1), key


def _corners(points: Any) -> Iterator[np.ndarray]:
    """One polygon, or a list of them, of numbers x, y, x, y or of couples."""
    if all(isinstance(each, int | float) for each in points):
        if points:
            yield np.array(points, float).reshape(-1, 2)
    elif all(len(each) == 2 and all(isinstance(number, int | float) for number in each) for each in points):
        yield np.array(points, float)
    else:
        for each in points:
            yield from _corners(each)


def _at(document: Any, key: str, path: Path) -> Any:
    if not isinstance(document, dict) or key not in document:
        raise BadLabel(f"{path} has no '{key}'")
    return document[key]


def _document(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError):
        raise BadLabel(f"{path} is no JSON") from None
