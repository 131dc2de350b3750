"""Which pixels of a garment picture are garment: what has not the colour of its ground."""

from typing import NamedTuple

import cv2
import numpy as np

from services.cloth_mask.engines.cutout.background import Background, fit_background, length, to_lab
from services.cloth_mask.engines.cutout.outline import better_outline, find_edges
from services.cloth_mask.hanger import garment_top

WORK_SIDE = 512
"""Longest side in pixels at which the garment is found; its outline is refined at full size."""

_CUT_SIDE = 256
_MIN_AREA = 0.01
"""Smallest garment, as a share of the picture."""

_BRIGHT = 70.0  # lightness (0..100) of a backdrop on which white cloth may be lost
_EDGE_REACH = 7  # pixels that a shadow is wide at most
_EDGE_GAIN = 6  # grey levels per Lab unit: the watershed counts whole levels


class View(NamedTuple):
    """A picture as it is looked at."""

    small: np.ndarray
    """uint8 RGB (h, w, 3), WORK_SIDE pixels high or wide, or less."""
    lab: np.ndarray
    """float32 (h, w, 3)."""
    background: Background


def view(rgb: np.ndarray) -> View:
    """rgb: uint8 (H, W, 3)."""
    scale = min(1.0, WORK_SIDE / max(rgb.shape[:2]))
    small = cv2.resize(rgb, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) if scale < 1 else rgb
    lab = to_lab(small)
    return View(small, lab, fit_background(lab))


def garment_mask(rgb: np.ndarray, seen: View) -> np.ndarray:
    """Find the garment. rgb: uint8 (H, W, 3), and its view; gives bool (H, W), all False where nothing stands out."""
    small, lab, background = seen
    distance = background.distance(lab)
    mask = _by_colour(rgb, small, lab, background, distance)
    if np.median(background.colour[:, :, 0]) < _BRIGHT:
        return mask
    found = cv2.resize(mask.astype(np.uint8), lab.shape[1::-1], interpolation=cv2.INTER_AREA) > 0
    inside = better_outline(found, find_edges(lab))
    if inside is None or inside.mean() < _MIN_AREA:
        return mask
    inside[: garment_top(inside, lab)] = False
    return largest(_enlarged(inside, rgb.shape[0], rgb.shape[1]))


def _by_colour(
    rgb: np.ndarray, small: np.ndarray, lab: np.ndarray, background: Background, distance: np.ndarray
) -> np.ndarray:
    """What differs from the backdrop in colour. Bool (H, W) of `rgb`; the others are `small`'s."""
    weak = _weak(background)
    body = _enclosed(_evidence(lab, distance, weak))
    body = largest(_without_real_holes(body, distance, weak))
    if body.mean() < _MIN_AREA:
        return np.zeros(rgb.shape[:2], bool)
    faint = np.median(distance[body]) < 6 * weak
    body = _to_edge(lab, body) if faint else _cut_shadow(small, body, distance, weak)
    body = _trim(body, distance, _shade(lab, background, body))
    body[: garment_top(body, lab)] = False
    return _refine(rgb, body, background, distance)


def _weak(background: Background) -> float:
    """Distance in Lab from which a pixel may be no backdrop."""
    return max(1.2, 4 * background.noise)


def _enlarged(inside: np.ndarray, height: int, width: int) -> np.ndarray:
    """The region of an outline, whose line is half its own width too far outside, at full size."""
    soft = cv2.resize(inside.astype(np.float32), (width, height), interpolation=cv2.INTER_LINEAR)
    return cv2.GaussianBlur(soft, (0, 0), max(0.8, 0.8 * height / inside.shape[0])) > 0.6


def _evidence(lab: np.ndarray, distance: np.ndarray, weak: float) -> np.ndarray:
    """Pixels that differ from the backdrop, and edges; weak signs count where they hang on strong ones."""
    lightness = cv2.GaussianBlur(lab[:, :, 0], (0, 0), 1.0)
    gradient = np.hypot(cv2.Sobel(lightness, cv2.CV_32F, 1, 0), cv2.Sobel(lightness, cv2.CV_32F, 0, 1)) / 4
    sign = np.maximum(distance / weak, gradient / max(0.8, 0.8 * weak))
    count, labels = cv2.connectedComponents((sign > 1).astype(np.uint8), connectivity=8)
    strong = np.zeros(count, bool)
    strong[np.unique(labels[sign > 2.5])] = True
    strong[0] = False
    return cv2.morphologyEx(strong[labels].astype(np.uint8), cv2.MORPH_CLOSE, disc(2)) > 0


def _enclosed(evidence: np.ndarray) -> np.ndarray:
    """Everything that the backdrop does not reach from the border of the picture."""
    padded = np.pad(evidence.astype(np.uint8), 1)
    cv2.floodFill(padded, None, (0, 0), 2)
    return padded[1:-1, 1:-1] != 2


def _without_real_holes(body: np.ndarray, distance: np.ndarray, weak: float) -> np.ndarray:
    """Open armholes and straps: flat patches of backdrop near the outline. A white print in mid-garment is none."""
    flat = (cv2.blur(distance, (5, 5)) < 0.7 * weak) & body
    flat = cv2.morphologyEx(flat.astype(np.uint8), cv2.MORPH_OPEN, disc(2))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(flat, connectivity=4)
    to_outside = cv2.distanceTransform(np.pad(body, 1).astype(np.uint8), cv2.DIST_L2, 3)[1:-1, 1:-1]
    columns = np.flatnonzero(body.any(axis=0))
    near = 0.08 * (np.ptp(columns) if columns.size else 0)
    body = body.copy()
    for label in range(1, count):
        area = stats[label, cv2.CC_STAT_AREA]
        hole = labels == label
        if 0.0003 * body.size < area < 0.12 * body.sum() and to_outside[hole].min() < near:
            opened = cv2.dilate(hole.astype(np.uint8), disc(2))
            # The cloth around a hole stands out; where white cloth turns to the white of the backdrop nothing does.
            around = cv2.dilate(opened, disc(3)).astype(bool) & (opened == 0)
            if np.median(distance[around]) > 2 * weak:
                body &= opened == 0
    return body


def _cut_shadow(rgb: np.ndarray, body: np.ndarray, distance: np.ndarray, weak: float) -> np.ndarray:
    """GrabCut in a band along the outline, where a soft shadow was taken for garment."""
    scale = min(1.0, _CUT_SIDE / max(body.shape))
    size = (max(1, round(body.shape[1] * scale)), max(1, round(body.shape[0] * scale)))
    small = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA)
    inside = cv2.resize(body.astype(np.uint8), size, interpolation=cv2.INTER_AREA)
    core, reach = cv2.erode(inside, disc(4)), cv2.dilate(inside, disc(2))
    marks = np.where(inside > 0, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
    marks[core > 0] = cv2.GC_FGD
    marks[reach == 0] = cv2.GC_BGD
    if not (marks == cv2.GC_FGD).any() or not (marks == cv2.GC_BGD).any():
        return body
    cv2.setRNGSeed(0)
    cv2.grabCut(small, marks, None, np.zeros((1, 65)), np.zeros((1, 65)), 2, cv2.GC_INIT_WITH_MASK)
    cut = np.isin(marks, (cv2.GC_FGD, cv2.GC_PR_FGD)).astype(np.float32)
    cut = cv2.resize(cut, body.shape[::-1], interpolation=cv2.INTER_LINEAR) > 0.5
    # only a faint difference may be shadow: what stands out strongly stays, be it a strap or a lace edge
    return largest(body & (cut | (distance > 8 * weak) | _thin(body)))


def _to_edge(lab: np.ndarray, body: np.ndarray) -> np.ndarray:
    """The outline at the sharpest edge nearby, by a watershed: the edge of cloth is sharp, that of its shadow is soft.

    For a garment that hardly differs from the backdrop (white on white): colour models cannot tell the two apart, and the
    shadow differs more than either.
    """
    smooth = cv2.GaussianBlur(lab, (0, 0), 0.8)
    levels = np.clip(128 + _EDGE_GAIN * (smooth - np.median(smooth, axis=(0, 1))), 0, 255).astype(np.uint8)
    inside = body.astype(np.uint8)
    marks = np.zeros(body.shape, np.int32)
    marks[cv2.dilate(inside, disc(2)) == 0] = 1
    marks[(cv2.erode(inside, disc(_EDGE_REACH)) > 0) | _thin(body)] = 2
    if set(np.unique(marks)) != {0, 1, 2}:
        return body
    cv2.watershed(levels, marks)
    found = cv2.dilate((marks == 2).astype(np.uint8), disc(1)) > 0  # the line between both is garment
    return largest(found & body)


def _thin(body: np.ndarray) -> np.ndarray:
    """Straps and the like; not the corners of the outline."""
    radius = max(2, body.shape[1] // 40)
    thin = body & (cv2.morphologyEx(body.astype(np.uint8), cv2.MORPH_OPEN, disc(radius)) == 0)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(thin.astype(np.uint8), connectivity=8)
    long = np.maximum(stats[:, cv2.CC_STAT_WIDTH], stats[:, cv2.CC_STAT_HEIGHT]) > 4 * radius
    long[0] = False
    return long[labels]


def _typical_distance(distance: np.ndarray, body: np.ndarray) -> np.ndarray:
    """How far the garment near each place lies from the backdrop at the least: local mean less its spread."""
    core = cv2.erode(body.astype(np.uint8), disc(3)).astype(np.float32)
    size = (2 * (body.shape[1] // 16) + 1,) * 2
    weight = cv2.blur(core, size) + 1e-3
    mean = cv2.blur(distance * core, size) / weight
    square = cv2.blur(distance**2 * core, size) / weight
    spread = np.sqrt(np.maximum(square - mean**2, 0))
    return np.maximum(mean - 1.5 * spread, 0.15 * mean)


def _shade(lab: np.ndarray, background: Background, body: np.ndarray) -> np.ndarray:
    """Where the backdrop may lie in a cast shadow: darker, of the same hue. Nowhere, if much of the garment is like that."""
    darker = background.colour[:, :, 0] - lab[:, :, 0]
    dimmed = background.colour[:, :, 1:] * (lab[:, :, :1] / np.maximum(background.colour[:, :, :1], 1))
    tint = length(lab[:, :, 1:] - dimmed)
    like = (darker > 0) & (tint < 3 + 2 * background.noise)
    return like & (darker < 0.6 * background.colour[:, :, 0]) & (like[body].mean() < 0.35)


def _trim(body: np.ndarray, distance: np.ndarray, shade: np.ndarray) -> np.ndarray:
    """Take off the rim that looks more like the backdrop than like the garment beside it (halo, shadow)."""
    faint = body & ((distance < 0.4 * _typical_distance(distance, body)) | shade)
    faint &= ~_thin(body)  # straps have no core to compare with
    depth = cv2.distanceTransform(np.pad(body, 1).astype(np.uint8), cv2.DIST_L2, 3)[1:-1, 1:-1]
    faint &= depth < body.shape[1] // 16
    reached = np.pad((~body | faint).astype(np.uint8), 1, constant_values=1)
    cv2.floodFill(reached, None, (0, 0), 2)
    kept = (reached[1:-1, 1:-1] != 2).astype(np.uint8)
    return largest(cv2.morphologyEx(kept, cv2.MORPH_CLOSE, disc(1)) > 0) & body


def _refine(rgb: np.ndarray, body: np.ndarray, background: Background, distance: np.ndarray) -> np.ndarray:
    """The outline at full size: along it, a pixel is garment if it is nearer to the garment than to the backdrop."""
    height, width = rgb.shape[:2]
    scale = height / body.shape[0]
    soft = cv2.resize(body.astype(np.float32), (width, height), interpolation=cv2.INTER_LINEAR)
    soft = cv2.GaussianBlur(soft, (0, 0), max(0.8, 0.7 * scale))
    band = (soft > 0.02) & (soft < 0.98)
    rows, columns = np.nonzero(band)
    if rows.size:
        nearest = (
            np.minimum(rows / scale, body.shape[0] - 1).astype(int),
            np.minimum(columns / scale, body.shape[1] - 1).astype(int),
        )
        lab = to_lab(rgb[rows, columns][None])[0]
        away = length(lab - background.colour[nearest])
        share = away / np.maximum(_typical_distance(distance, body)[nearest], 1)
        soft[rows, columns] = np.clip(0.5 * soft[rows, columns] + 0.5 * np.clip(share, 0, 1), 0, 1)
    return largest(_smooth(soft > 0.5, max(1.0, 0.8 * scale)))


def _smooth(mask: np.ndarray, sigma: float) -> np.ndarray:
    return cv2.GaussianBlur(mask.astype(np.float32), (0, 0), sigma) > 0.5


def largest(mask: np.ndarray) -> np.ndarray:
    """The largest connected region."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    if count < 2:
        return mask
    areas = stats[:, cv2.CC_STAT_AREA].copy()
    areas[0] = 0
    return labels == areas.argmax()


def disc(radius: int) -> np.ndarray:
    return cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
