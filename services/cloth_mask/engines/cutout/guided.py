"""A coarse map drawn at a picture's size, turning where the picture's colours turn."""

import cv2
import numpy as np

_REACH = 8 / 1024  # of the longest side
_SMOOTH = 1e-4  # contrast, squared, up to which colours count as one; colours go from 0 to 1


def sharpened(scores: np.ndarray, rgb: np.ndarray) -> np.ndarray:
    """scores: float32 of any size; rgb: uint8 (H, W, 3), the same picture. Gives float32 (H, W).

    The guided filter of He et al. ("Guided Image Filtering", TPAMI 2013): near each place, the map is a linear function of the
    colour. The functions are fitted at half the size (He and Sun, "Fast Guided Filter", 2015).
    """
    height, width = rgb.shape[:2]
    colours = rgb.astype(np.float32) / 255
    half = max(1, width // 2), max(1, height // 2)
    small = cv2.resize(colours, half, interpolation=cv2.INTER_AREA)
    wanted = cv2.resize(scores, half, interpolation=cv2.INTER_LINEAR)
    side = 2 * max(1, round(_REACH * max(half))) + 1

    def mean(plane: np.ndarray) -> np.ndarray:
        return np.asarray(cv2.blur(plane, (side, side)))

    colour, level = mean(small), mean(wanted)
    squares = (small[..., :, None] * small[..., None, :]).reshape(*small.shape[:2], 9)
    variance = mean(squares).reshape(*small.shape, 3) - colour[..., :, None] * colour[..., None, :]
    covariance = mean(small * wanted[..., None]) - colour * level[..., None]
    slope = np.linalg.solve(variance + _SMOOTH * np.eye(3, dtype=np.float32), covariance[..., None])[..., 0]
    offset = level - (slope * colour).sum(axis=2)
    slope, offset = (cv2.resize(mean(each), (width, height)) for each in (slope, offset))
    return np.asarray(np.einsum("hwc,hwc->hw", slope, colours) + offset)
