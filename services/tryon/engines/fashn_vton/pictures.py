"""Pictures as the network takes them, 576 x 864, and its own back on the canvas that they came from."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from PIL import Image

HEIGHT, WIDTH = SIZE = (864, 576)


class Borders(NamedTuple):
    """Rows and columns of black around a picture."""

    left: int
    top: int
    right: int
    bottom: int


def first_resize(picture: np.ndarray) -> np.ndarray:
    """uint8 RGB, brought down to 864 pixels on its longer side; a smaller one is left as it is."""
    height, width = picture.shape[:2]
    factor = min(HEIGHT / width, HEIGHT / height)
    if factor >= 1:
        return picture
    size = (int(factor * width), int(factor * height))
    return np.asarray(Image.fromarray(picture).resize(size, Image.Resampling.LANCZOS))


def fit(picture: np.ndarray, drawing: bool = False) -> tuple[np.ndarray, Borders]:
    """Fitted into 576 x 864 between black borders, enlarged where it is smaller. drawing: a pose, whose greys do not mix."""
    height, width = picture.shape[:2]
    factor = min(WIDTH / width, HEIGHT / height)
    if factor != 1:
        how = cv2.INTER_NEAREST_EXACT if drawing else cv2.INTER_AREA if factor < 1 else cv2.INTER_LANCZOS4
        picture = cv2.resize(picture, (int(factor * width), int(factor * height)), interpolation=how)
    height, width = picture.shape[:2]
    left, top = (WIDTH - width) // 2, (HEIGHT - height) // 2
    borders = Borders(left, top, WIDTH - width - left, HEIGHT - height - top)
    padded = cv2.copyMakeBorder(
        picture, borders.top, borders.bottom, borders.left, borders.right, cv2.BORDER_CONSTANT, value=(0, 0, 0)
    )
    return padded, borders


def without(picture: np.ndarray, borders: Borders) -> np.ndarray:
    """The picture between its borders."""
    height, width = picture.shape[:2]
    return picture[borders.top : height - borders.bottom, borders.left : width - borders.right]


def scaled(picture: np.ndarray) -> np.ndarray:
    """uint8 (H, W, C) or (H, W) to float32 (C, H, W) in -1..1."""
    planes = picture[None] if picture.ndim == 2 else picture.transpose(2, 0, 1)
    return np.ascontiguousarray(planes, np.float32) / np.float32(127.5) - 1
