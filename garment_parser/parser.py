"""What a garment's picture shows, by a small network: its parts and its landmarks.

It learned from drawings alone (scripts/garment_pictures.py, scripts/train_garment.py), so its weights are this project's own.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import onnxruntime

from garment_parser.parts import CATEGORIES, HEIGHT, LANDMARKS, MARGIN, PARTS, SLEEVES, WIDTH

FILE = Path(__file__).parent / "garment.onnx"

_AROUND = 2
"""Pixels of the network's picture around a landmark's likeliest place that its place is averaged over."""

_SMOOTH = 0.8
"""Pixels of the network's picture over which its scores of parts are smoothed."""


_NEAR = 8
"""Pixels of the cloth's picture between pieces of one garment that a cut-out may lose."""

_EVEN_WITHIN = 6
"""Pixels of the network's picture by which a garment may be uneven."""
_EVEN_WEIGHT = 0.5


@dataclass(frozen=True)
class Reading:
    """What the network read."""

    parts: np.ndarray
    """uint8 (H, W): index into PARTS; ground outside of the mask, of which small specks are left out and holes filled where the
    network sees garment in them."""
    landmarks: Mapping[str, np.ndarray]
    """Name -> (2,) x, y in pixels: of every one of LANDMARKS, there or not."""
    there: Mapping[str, float]
    """Name -> how likely the garment has that landmark, 0..1."""
    sleeves: Mapping[str, float]
    """One of SLEEVES -> how likely."""
    category: Mapping[str, float]
    """One of CATEGORIES -> how likely."""

    def part(self, name: str) -> np.ndarray:
        """bool (H, W)."""
        return np.asarray(self.parts == PARTS.index(name))


class GarmentParser:
    """The network; several threads may use it at a time."""

    def __init__(self, file: Path = FILE) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 2
        self._session = onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])

    def read(self, cloth: np.ndarray, mask: np.ndarray) -> Reading:
        """cloth: uint8 RGB (H, W, 3); mask: bool (H, W), not empty."""
        mask = _joined(mask)
        widest = _filled(mask)
        matrix = _framing(widest)
        picture = cv2.warpAffine(
            _ready_to_shrink(cloth, matrix), matrix, (WIDTH, HEIGHT), borderMode=cv2.BORDER_REPLICATE
        )
        shape = cv2.warpAffine(_ready_to_shrink(widest.astype(np.uint8) * 255, matrix), matrix, (WIDTH, HEIGHT)) > 127
        seen = (
            np.concatenate([picture.transpose(2, 0, 1).astype(np.float32), shape[None] * np.float32(255)]) / 127.5 - 1
        )
        parts, places, whole = self._scores(seen)
        places = _agreed(places)
        count, kinds = len(LANDMARKS), len(LANDMARKS) + len(CATEGORIES)
        back = cv2.invertAffineTransform(matrix)
        return Reading(
            _in_full(parts, matrix, mask, widest),
            {name: back[:, :2] @ _place(score) + back[:, 2] for name, score in zip(LANDMARKS, places, strict=True)},
            dict(zip(LANDMARKS, map(float, 1 / (1 + np.exp(-whole[:count]))), strict=True)),
            dict(zip(SLEEVES, _shares(whole[kinds:]), strict=True)),
            dict(zip(CATEGORIES, _shares(whole[count:kinds]), strict=True)),
        )

    def _scores(self, seen: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The means of what it says to the picture and to its mirror image."""
        told, other = (
            self._session.run(None, {"picture": np.ascontiguousarray(each[None])}) for each in (seen, seen[..., ::-1])
        )
        parts = (told[0][0] + other[0][0][_mirrored(PARTS), :, ::-1]) / 2
        places = (told[1][0] + other[1][0][_mirrored(LANDMARKS), :, ::-1]) / 2
        order = [*_mirrored(LANDMARKS), *range(len(LANDMARKS), told[2].shape[1])]
        return parts, places, (told[2][0] + other[2][0][order]) / 2


def _joined(mask: np.ndarray) -> np.ndarray:
    """The largest region with what lies near it: a cut-out may part a sleeve from its cuff."""
    _, labels, facts, _ = cv2.connectedComponentsWithStats(cv2.dilate(mask.astype(np.uint8), _disc(_NEAR)))
    return np.asarray(mask & (labels == 1 + facts[1:, cv2.CC_STAT_AREA].argmax()))


def _filled(mask: np.ndarray) -> np.ndarray:
    """Without holes: white stripes on white, but also what a sleeve laid against the trunk encloses."""
    closed = cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_CLOSE, _disc(1))
    contours, _ = cv2.findContours(closed, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    return np.asarray(cv2.drawContours(closed, contours, -1, 1, cv2.FILLED) > 0)


def _disc(radius: int) -> np.ndarray:
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1)))


def _mirrored(names: tuple[str, ...]) -> list[int]:
    """Where each of them is found in a mirror image."""
    swap = {"left": "right", "right": "left"}
    words = (name.split("_", 1) for name in names)
    return [names.index("_".join([swap.get(first, first), *rest])) for first, *rest in words]


def _agreed(scores: np.ndarray) -> np.ndarray:
    """The landmarks' scores, with some weight for places whose mirror image is likely for the other side: clothes are even."""
    flat = scores.reshape(len(scores), -1)
    likely = np.exp(flat - flat.max(axis=1, keepdims=True))
    likely = (likely / likely.sum(axis=1, keepdims=True)).reshape(scores.shape)
    others = np.stack([cv2.GaussianBlur(each, (0, 0), _EVEN_WITHIN) for each in likely[_mirrored(LANDMARKS), :, ::-1]])
    return np.asarray(np.log(likely + 1e-9) + _EVEN_WEIGHT * np.log(others + 1e-4))


def _framing(mask: np.ndarray) -> np.ndarray:
    """(2, 3): from the cloth's picture to the network's, the garment in its middle."""
    left, top, width, height = cv2.boundingRect(mask.astype(np.uint8))
    zoom = float((np.array([WIDTH, HEIGHT]) * (1 - 2 * MARGIN) / (width, height)).min())
    middle = np.array([left + width / 2, top + height / 2])
    shift = np.array([WIDTH, HEIGHT]) / 2 - zoom * middle
    return np.array([[zoom, 0, shift[0]], [0, zoom, shift[1]]])


def _ready_to_shrink(picture: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """Blurred so far that the smaller picture keeps what it can show."""
    zoom = float(matrix[0, 0])
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), 0.5 / zoom) if zoom < 1 else picture)


def _in_full(scores: np.ndarray, matrix: np.ndarray, mask: np.ndarray, widest: np.ndarray) -> np.ndarray:
    """The likeliest part of each pixel."""
    left, top, width, height = cv2.boundingRect(widest.astype(np.uint8))
    box = slice(top, top + height), slice(left, left + width)
    local = matrix.copy()
    local[:, 2] += matrix[:, :2] @ (left, top)
    best, found = np.full((height, width), -np.inf, np.float32), np.zeros((height, width), np.uint8)
    for index in range(len(scores)):
        smooth = cv2.GaussianBlur(scores[index], (0, 0), _SMOOTH)
        score = cv2.warpAffine(
            smooth,
            local,
            (width, height),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REPLICATE,
        )
        if not index:
            score[mask[box]] = -np.inf  # the mask knows better
        better = score > best
        best[better], found[better] = score[better], index
    parts = np.zeros(mask.shape, np.uint8)
    parts[box] = found * widest[box]
    return parts


def _place(scores: np.ndarray) -> np.ndarray:
    """x, y of the likeliest place, between pixels."""
    y, x = np.unravel_index(int(scores.argmax()), scores.shape)
    rows = slice(max(y - _AROUND, 0), y + _AROUND + 1)
    columns = slice(max(x - _AROUND, 0), x + _AROUND + 1)
    weight = np.exp(scores[rows, columns] - scores[y, x])
    ys, xs = np.mgrid[rows.start : rows.start + weight.shape[0], columns.start : columns.start + weight.shape[1]]
    return np.asarray(np.array([(xs * weight).sum(), (ys * weight).sum()]) / weight.sum())


def _shares(scores: np.ndarray) -> list[float]:
    powers = np.exp(scores - scores.max())
    return [float(share) for share in powers / powers.sum()]
