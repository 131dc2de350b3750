"""One parse from several scales of a picture and its mirror image, as CIHP_PGN and Graphonomy are used.

Planes are float32 arrays (..., height, width). Resizing is a product with two small matrices: it costs little beside a
network, and is one place for the three conventions that the networks were trained with.
"""

import functools
from typing import Tuple

import numpy as np
from PIL import Image

from stagekit.formats import HEIGHT, WIDTH

SCALES = (0.5, 0.75, 1.0, 1.25, 1.5, 1.75)
"""The published scales."""

PARSE_HEIGHT, PARSE_WIDTH = 256, 192
"""Size at which HR-VITON's authors parsed (their Preprocessing.md)."""

_MIRRORED = (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 15, 14, 17, 16, 19, 18)
"""CIHP id -> id in the mirror: left and right arms, legs and shoes change places."""

_BILINEAR = 2
"""Pillow's number for it; the name is elsewhere in the Pillow of Python 3.6 than in today's."""

_BLUR_SIZE, _BLUR_SIGMA = 15, 3.0
"""The Gaussian with which HR-VITON's authors smoothed the enlarged parse; outside the picture are zeros."""


def scaled_size(height: int, width: int, scale: float) -> Tuple[int, int]:
    """The size of a picture at a scale: rounded down, as published."""
    return int(height * scale), int(width * scale)


def with_mirror(planes: np.ndarray) -> np.ndarray:
    """(c, h, w) -> (2, c, h, w): the picture and its mirror image, laid out plane by plane for what multiplies them."""
    return np.stack([np.ascontiguousarray(planes), planes[:, :, ::-1]])


def merge_mirror(pair: np.ndarray) -> np.ndarray:
    """(2, 20, h, w) logits of a picture and its mirror image -> (20, h, w): their mean, left and right put right."""
    return (pair[0] + pair[1][list(_MIRRORED), :, ::-1]) / 2


def resize_image(image: np.ndarray, height: int, width: int) -> np.ndarray:
    """(h, w, 3) uint8 -> (height, width, 3) uint8: Pillow's bilinear, which smooths where it shrinks."""
    return np.array(Image.fromarray(image).resize((width, height), _BILINEAR))


def resize(planes: np.ndarray, height: int, width: int, convention: str) -> np.ndarray:
    """Bilinear, without smoothing where it shrinks. For the conventions see `bilinear`."""
    down = bilinear(planes.shape[-2], height, convention)
    across = bilinear(planes.shape[-1], width, convention)
    return np.matmul(np.matmul(down, planes), across.T)


@functools.lru_cache(maxsize=None)
def bilinear(source: int, target: int, convention: str) -> np.ndarray:
    """The (target, source) matrix of bilinear interpolation along one axis.

    convention: where in the source the middle of target pixel i lies. "tf1": at i * source / target, as TensorFlow 1
    has it; "corners": first on first and last on last; "centres": at (i + 0.5) * source / target - 0.5.
    """
    positions = np.arange(target, dtype=np.float64)
    if convention == "tf1":
        positions *= source / target
    elif convention == "corners":
        positions *= (source - 1) / max(target - 1, 1)
    elif convention == "centres":
        positions = (positions + 0.5) * source / target - 0.5
    else:
        raise ValueError("unknown convention %r" % convention)
    positions = np.clip(positions, 0, source - 1)
    lower = np.floor(positions).astype(int)
    upper = np.minimum(lower + 1, source - 1)
    matrix = np.zeros((target, source))
    rows = np.arange(target)
    matrix[rows, lower] = 1 - (positions - lower)
    matrix[rows, upper] += positions - lower
    return matrix.astype(np.float32)


def enlarge(planes: np.ndarray) -> np.ndarray:
    """(..., h, w) -> (..., 1024, 768)."""
    return resize(planes, HEIGHT, WIDTH, "centres")


def finish(logits: np.ndarray) -> np.ndarray:
    """(20, h, w) logits -> (20, 1024, 768): enlarged and smoothed, ready for the argmax."""
    down = _smooth_enlarge(logits.shape[1], HEIGHT)
    across = _smooth_enlarge(logits.shape[2], WIDTH)
    return np.matmul(np.matmul(down, logits), across.T)


def confidence(logits: np.ndarray) -> np.ndarray:
    """(20, h, w) logits -> (h, w) uint8: the probability of the likeliest class, 255 for certain."""
    shifted = logits - logits.max(axis=0)
    return np.rint(255 / np.exp(shifted).sum(axis=0)).astype(np.uint8)


@functools.lru_cache(maxsize=None)
def _smooth_enlarge(source: int, target: int) -> np.ndarray:
    """Enlarging, then smoothing, along one axis: both are linear, so one matrix does both."""
    offsets = np.arange(_BLUR_SIZE) - _BLUR_SIZE // 2
    weights = np.exp(-(offsets**2) / (2 * _BLUR_SIGMA**2))
    weights /= weights.sum()
    blur = sum(weights[k] * np.eye(target, k=offset) for k, offset in enumerate(offsets))
    return (blur @ bilinear(source, target, "centres")).astype(np.float32)
