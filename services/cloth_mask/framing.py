"""Bring a garment picture to the size and layout of VITON-HD's cloth images."""

import cv2
import numpy as np

from services.cloth_mask.transparency import BACKDROP
from stagekit.formats import HEIGHT, WIDTH

_FILL = (0.81, 0.885)
"""Share of the width and of the height that a garment fills at most: measured on VITON-HD's cloths."""


def frame(rgb: np.ndarray, mask: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Centre the garment on a near-white 768 x 1024 picture.

    rgb: uint8 (H, W, 3); mask: bool (H, W), not empty. Gives uint8 (1024, 768, 3) and bool (1024, 768).
    """
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    top, bottom, left, right = rows[0], rows[-1] + 1, columns[0], columns[-1] + 1
    scale = min(_FILL[0] * WIDTH / (right - left), _FILL[1] * HEIGHT / (bottom - top))
    if scale < 1:  # shrink by area first: warpAffine alone would alias
        rgb = cv2.resize(rgb, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        alpha = cv2.resize(mask.astype(np.float32), (rgb.shape[1], rgb.shape[0]), interpolation=cv2.INTER_AREA)
        centre, step = ((left + right) * scale / 2, (top + bottom) * scale / 2), 1.0
    else:
        alpha, centre, step = mask.astype(np.float32), ((left + right) / 2, (top + bottom) / 2), scale
    matrix = np.array([[step, 0, WIDTH / 2 - step * centre[0]], [0, step, HEIGHT / 2 - step * centre[1]]])
    size = (WIDTH, HEIGHT)
    picture = cv2.warpAffine(rgb, matrix, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    alpha = np.clip(cv2.warpAffine(alpha, matrix, size, flags=cv2.INTER_LINEAR), 0, 1)
    alpha = cv2.GaussianBlur(alpha, (0, 0), max(0.8, 0.5 * step))
    cloth = picture * alpha[:, :, None] + BACKDROP * (1 - alpha[:, :, None])
    return np.clip(cloth + 0.5, 0, 255).astype(np.uint8), alpha > 0.5
