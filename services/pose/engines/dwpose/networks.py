"""The two published networks on ONNX Runtime: YOLOX-L finds people, dw-ll_ucoco_384 the points of one. Both take BGR."""

import os
from typing import Any

import cv2
import numpy as np
import onnxruntime

from stagekit.weights import not_right

SIDE = 640
"""Of the square that the detector sees."""

_STRIDES = (8, 16, 32)
_GROUND = 114
_LEAST_SCORE, _SURE = 0.1, 0.3
_SAME = 0.45
"""Overlap from which two boxes are of one person, as intersection over union."""

CROP = (288, 384)
"""Width and height in pixels of what the network of points sees."""

_ROOM = 1.25
"""Of a box, around it."""

_MEAN, _DEVIATION = np.array([[123.675, 116.28, 103.53], [58.395, 57.12, 57.375]], np.float32)


class Network:
    """A model of one picture."""

    def __init__(self, folder: str, name: str, outputs: int) -> None:
        """Raises WeightsMissing for a file that is no such model."""
        settings = onnxruntime.SessionOptions()
        settings.intra_op_num_threads = len(os.sched_getaffinity(0))
        # Waiting threads sleep: in a container that may use less than the whole machine, spinning takes time from others.
        settings.add_session_config_entry("session.intra_op.allow_spinning", "0")
        try:
            path = os.path.join(folder, name)
            self._session = onnxruntime.InferenceSession(path, settings, providers=["CPUExecutionProvider"])
        except Exception as error:  # ONNX Runtime's own errors have no common base but this
            raise not_right("dwpose", f"ONNX Runtime cannot read {name}: {error}") from None
        given = len(self._session.get_outputs())
        if given != outputs:
            raise not_right("dwpose", f"{name} gives {given} arrays, not {outputs}")
        self._input = self._session.get_inputs()[0].name

    def __call__(self, planes: np.ndarray) -> Any:
        """planes: float32 (3, height, width); the outputs of that one picture."""
        return [output[0] for output in self._session.run(None, {self._input: planes[None]})]


def find_people(detector: Network, image: np.ndarray) -> np.ndarray:
    """Boxes left, top, right, bottom in pixels, surest first: float64 (n, 4); the whole picture where nobody is seen.

    image: BGR uint8.
    """
    height, width = image.shape[:2]
    ratio = min(SIDE / height, SIDE / width)
    size = (int(width * ratio), int(height * ratio))
    canvas = np.full((SIDE, SIDE, 3), _GROUND, np.uint8)
    canvas[: size[1], : size[0]] = cv2.resize(image, size, interpolation=cv2.INTER_LINEAR)
    (rows,) = detector(canvas.transpose(2, 0, 1).astype(np.float32))
    boxes, scores = boxes_of(rows)
    found = [number for number in _apart(boxes, scores) if scores[number] > _SURE]
    return boxes[found] / ratio if found else np.array([[0.0, 0, width, height]])


def boxes_of(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The detector's rows as boxes, in pixels of its square, and how sure it is that each is a person.

    rows: (8400, 85), cells of the strides row by row: centre and size in strides, objectness, 80 classes.
    """
    cells, strides = [], []
    for stride in _STRIDES:
        row, column = np.mgrid[: SIDE // stride, : SIDE // stride]
        cells.append(np.stack([column.ravel(), row.ravel()], axis=1))
        strides.append(np.full((row.size, 1), stride))
    stride_of = np.concatenate(strides)
    told = rows.astype(np.float64)
    centre = (told[:, :2] + np.concatenate(cells)) * stride_of
    half = np.exp(told[:, 2:4]) * stride_of / 2
    return np.concatenate([centre - half, centre + half], axis=1), told[:, 4] * told[:, 5]


def _apart(boxes: np.ndarray, scores: np.ndarray) -> list[int]:
    """Those of different people, surest first."""
    left = [number for number in np.argsort(-scores, kind="stable") if scores[number] > _LEAST_SCORE]
    kept: list[int] = []
    while left:
        first, rest = left[0], np.array(left[1:], int)
        kept.append(first)
        left = list(rest[_overlap(boxes[first], boxes[rest]) <= _SAME])
    return kept


def _overlap(box: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Intersection over union. A box includes the pixels at its end."""
    inner = np.minimum(box[2:], others[:, 2:]) - np.maximum(box[:2], others[:, :2]) + 1
    shared = np.clip(inner, 0, None).prod(axis=1)
    area, areas = (box[2:] - box[:2] + 1).prod(), (others[:, 2:] - others[:, :2] + 1).prod(axis=1)
    overlap: np.ndarray = shared / (area + areas - shared)
    return overlap


def find_points(network: Network, image: np.ndarray, box: np.ndarray) -> np.ndarray:
    """The 133 points of the person in a box: (133, 3) x, y in pixels and how sure. image: BGR uint8."""
    centre, size = (box[:2] + box[2:]) / 2, (box[2:] - box[:2]) * _ROOM
    width = max(size[0], size[1] * CROP[0] / CROP[1])
    scale = CROP[0] / width
    middle = np.array(CROP) / 2
    warp = np.hstack([np.eye(2) * scale, (middle - scale * centre)[:, None]])
    crop = cv2.warpAffine(image, warp, CROP, flags=cv2.INTER_LINEAR)
    # As published: the means of red, green and blue on blue, green and red.
    bins = network(((crop - _MEAN) / _DEVIATION).transpose(2, 0, 1).astype(np.float32))
    places = np.stack([each.argmax(axis=1) / 2 for each in bins], axis=1)
    sure = np.minimum(*(each.max(axis=1) for each in bins))
    return np.column_stack([(places - middle) / scale + centre, sure])
