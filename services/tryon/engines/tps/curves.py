"""Small geometry: polylines of (n, 2) points x, y."""

import cv2
import numpy as np

Box = tuple[slice, slice]
"""Rows and columns of a part of a picture."""


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


def box_around(mask: np.ndarray, margin: int = 0) -> Box:
    """The rows and columns of a bool mask, with a margin where the picture has one. Empty for an empty mask."""
    x, y, width, height = cv2.boundingRect(mask.astype(np.uint8))
    if not width:
        return slice(0, 0), slice(0, 0)
    bottom, right = min(y + height + margin, mask.shape[0]), min(x + width + margin, mask.shape[1])
    return slice(max(y - margin, 0), bottom), slice(max(x - margin, 0), right)


def grow(mask: np.ndarray, radius: int) -> np.ndarray:
    """Dilate a bool mask by `radius` pixels; erode it by a negative one."""
    box = box_around(mask, abs(radius))
    if not radius or not mask[box].size:
        return mask
    change = cv2.dilate if radius > 0 else cv2.erode
    grown = np.zeros_like(mask)
    grown[box] = change(mask[box].astype(np.uint8), disc(abs(radius))) > 0
    return grown


def opened(mask: np.ndarray, radius: int) -> np.ndarray:
    """Take off what a disc does not fit into. By distances, whose cost does not grow with the disc."""
    reach = radius + 0.25  # as far as a disc of whole pixels
    core = cv2.distanceTransform(mask.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE) > reach
    if not core.any():
        return core
    return cv2.distanceTransform((~core).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE) <= reach


def within(mask: np.ndarray, reach: float) -> np.ndarray:
    """What lies at most `reach` pixels from a bool mask. By distances, whose cost does not grow with the reach."""
    if not mask.any():
        return mask
    return np.asarray(cv2.distanceTransform((~mask).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_3) <= reach)


def soft(mask: np.ndarray) -> np.ndarray:
    """A bool mask as float32 0..1 with soft edges."""
    box = box_around(mask, 8)
    alpha = np.zeros(mask.shape, np.float32)
    if mask[box].size:
        alpha[box] = cv2.GaussianBlur(mask[box].astype(np.float32), (0, 0), 1.0)
    return alpha


def lay(canvas: np.ndarray, layer: np.ndarray, alpha: np.ndarray) -> None:
    """Lay a picture over another in place. canvas: uint8 (H, W, 3); layer: any type; alpha: float32 (H, W) 0..1."""
    mixed = canvas + (layer - canvas.astype(np.float32)) * alpha[..., None]
    canvas[...] = np.clip(mixed + 0.5, 0, 255).astype(np.uint8)


def largest_region(mask: np.ndarray) -> np.ndarray:
    """The largest connected region of a bool mask."""
    box = box_around(mask)
    if not mask[box].size:
        return mask
    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask[box].astype(np.uint8), connectivity=8)
    largest = np.zeros_like(mask)
    largest[box] = labels == 1 + stats[1:, cv2.CC_STAT_AREA].argmax()
    return largest


def labelled(parse: np.ndarray, labels: list[int]) -> np.ndarray:
    """bool mask of the pixels of a uint8 label map that have one of the labels."""
    table = np.zeros(256, np.uint8)
    table[labels] = 1
    return cv2.LUT(parse, table).reshape(parse.shape).view(bool)


def to_lab(rgb: np.ndarray) -> np.ndarray:
    """uint8 RGB (..., 3) -> float32 Lab (L 0..100)."""
    if not rgb.size:
        return np.zeros(rgb.shape, np.float32)
    flat = rgb.reshape(1, -1, 3).astype(np.float32) / 255
    return cv2.cvtColor(flat, cv2.COLOR_RGB2LAB).reshape(rgb.shape)
