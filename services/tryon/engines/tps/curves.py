"""Small geometry: polylines of (n, 2) points x, y."""

import cv2
import numpy as np


def resample(line: np.ndarray, count: int) -> np.ndarray:
    """`count` points at equal steps along a polyline, ends included."""
    line = np.asarray(line, np.float64)
    steps = np.linalg.norm(np.diff(line, axis=0), axis=1)
    along = np.concatenate([[0], np.cumsum(steps)])
    wanted = np.linspace(0, along[-1], count)
    return np.stack([np.interp(wanted, along, line[:, axis]) for axis in (0, 1)], axis=1)


def length(line: np.ndarray) -> float:
    """Length of a polyline in pixels."""
    return float(np.linalg.norm(np.diff(line, axis=0), axis=1).sum())


def polygon_mask(points: np.ndarray, shape: tuple) -> np.ndarray:
    """bool mask of the inside of a polygon."""
    mask = np.zeros(shape[:2], np.uint8)
    cv2.fillPoly(mask, [np.round(points).astype(np.int32)], 1)
    return mask > 0


def disc(radius: int) -> np.ndarray:
    """Round structuring element."""
    return cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))


def grow(mask: np.ndarray, radius: int) -> np.ndarray:
    """Dilate a bool mask by `radius` pixels; erode it by a negative one."""
    change = cv2.dilate if radius > 0 else cv2.erode
    return change(mask.astype(np.uint8), disc(abs(radius))) > 0 if radius else mask


def largest_region(mask: np.ndarray) -> np.ndarray:
    """The largest connected region of a bool mask."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    if count < 2:
        return mask
    return labels == 1 + stats[1:, cv2.CC_STAT_AREA].argmax()
