"""From the alpha of whatever stands in the foreground to the garment: one clean region, with the holes that are holes.

The alpha alone decides what is garment; colours are compared only between a hole and the backdrop, and for a hanger. So a grey
garment is as good as any (to compare with the grey that CarveKit paints behind its cut-outs loses it).
"""

from __future__ import annotations

import cv2
import numpy as np

from services.cloth_mask.hanger import garment_top

WORK_SIDE = 512  # pixels; what follows is measured at this size
_CERTAIN, _LIKELY, _EMPTY = 128, 40, 40
"""Alphas: of the garment; of a strap that is half lost; below which a hole shows the backdrop."""

_MIN_AREA = 0.01
"""Smallest garment, as a share of the picture."""
_MIN_HOLE = 0.0002
"""Smaller holes, as a share of the picture, are specks in the alpha."""
_NEAR = 0.08
"""Armholes lie within this share of the garment's width from its outline."""
_LARGE = 0.05
"""Holes above this share of the garment may lie anywhere: between a body and its folded sleeves."""
_ALIKE = 12.0
"""Lab distance up to which a hole shows what lies around the garment."""


def garment_region(alpha: np.ndarray, rgb: np.ndarray) -> np.ndarray:
    """alpha: uint8 (H, W); rgb: uint8 (H, W, 3), the picture. Gives bool (H, W), one region, or all False for no garment."""
    height, width = alpha.shape
    scale = min(1.0, WORK_SIDE / max(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = cv2.resize(alpha, size, interpolation=cv2.INTER_AREA)
    lab = cv2.cvtColor(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA).astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    body = _connected(small)
    if body.mean() < _MIN_AREA:
        return np.zeros(alpha.shape, bool)
    body = _with_real_holes(body, small, lab)
    body[: garment_top(body, lab)] = False
    body = _largest(body)
    # At full size the alpha draws the outline; the region says where it counts, with a little room to both sides.
    reach = _disc(3)
    grown = _enlarged(cv2.dilate(body.astype(np.uint8), reach), alpha.shape)
    core = _enlarged(cv2.erode(body.astype(np.uint8), reach), alpha.shape)
    certain = alpha >= _CERTAIN
    near_certain = cv2.dilate(certain.astype(np.uint8), _disc(max(2, round(3 / scale)))) > 0
    lost = _enlarged((body & _thin(body)).astype(np.uint8), alpha.shape) & ~near_certain & (alpha >= _LIKELY)
    return _largest((certain & grown) | core | lost)


def _connected(alpha: np.ndarray) -> np.ndarray:
    """The largest part, with the parts that hang on it by a strap of weak alpha, and that strap."""
    weak = _largest(alpha >= _LIKELY, by=alpha >= _CERTAIN)
    joined = _largest(weak & ((alpha >= _CERTAIN) | _thin(weak)))
    return np.asarray(cv2.morphologyEx(np.pad(joined, 4).astype(np.uint8), cv2.MORPH_CLOSE, _disc(1))[4:-4, 4:-4] > 0)


def _with_real_holes(body: np.ndarray, alpha: np.ndarray, lab: np.ndarray) -> np.ndarray:
    """Fill what the network lost inside the garment (a print, a speck); keep armholes, and what shows between straps."""
    outside = _outside(body)
    inside = ~body & ~outside
    count, labels, stats, _ = cv2.connectedComponentsWithStats(inside.astype(np.uint8), connectivity=4)
    around = cv2.dilate((~outside).astype(np.uint8), _disc(12)).astype(bool) & outside & (alpha < _EMPTY)
    backdrop = np.median(lab[around], axis=0) if around.any() else None
    columns = np.flatnonzero(body.any(axis=0))
    near = _NEAR * (np.ptp(columns) + 1)
    to_outside = cv2.distanceTransform(np.pad(~outside, 1).astype(np.uint8), cv2.DIST_L2, 3)[1:-1, 1:-1]
    filled = body.copy()
    for label in range(1, count):
        hole = labels == label
        area = stats[label, cv2.CC_STAT_AREA]
        seen_through = (
            area >= _MIN_HOLE * body.size
            and np.median(alpha[hole]) < _EMPTY
            and backdrop is not None
            and np.linalg.norm(np.median(lab[hole], axis=0) - backdrop) < _ALIKE
            and (to_outside[hole].min() < near or area > _LARGE * body.sum())
        )
        filled |= hole & (not seen_through)
    return filled


def _outside(body: np.ndarray) -> np.ndarray:
    """What can be reached from the border of the picture without crossing the garment."""
    padded = np.pad(body.astype(np.uint8), 1)
    cv2.floodFill(padded, None, (0, 0), 2)
    return np.asarray(padded[1:-1, 1:-1] == 2)


def _largest(mask: np.ndarray, by: np.ndarray | None = None) -> np.ndarray:
    """The largest connected region; `by`: only these pixels count for its size."""
    count, labels = cv2.connectedComponents(mask.astype(np.uint8), connectivity=8)
    if count < 2:
        return mask
    sizes = np.bincount(labels[mask if by is None else mask & by], minlength=count)
    return np.asarray(labels == sizes.argmax()) if sizes.any() else np.zeros_like(mask)


def _thin(mask: np.ndarray) -> np.ndarray:
    """Straps and the like."""
    radius = max(2, mask.shape[1] // 40)
    return mask & ~np.asarray(cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_OPEN, _disc(radius)) > 0)


def _enlarged(mask: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    return np.asarray(cv2.resize(mask, (shape[1], shape[0]), interpolation=cv2.INTER_NEAREST) > 0)


def _disc(radius: int) -> np.ndarray:
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1)))
