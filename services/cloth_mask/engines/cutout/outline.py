"""The closed outline of a garment that its ground hardly differs from: white on near-white, on beige.

No colour is asked: the cloth may be as bright as the ground. What is left is a line around it, of one or two grey levels,
where the cloth ends or bends away from the light. Filters that are longer than wide find it below noise and the blocks of a
JPEG, and leave out soft shadows. Gaps in it are closed by the flood from the border being a disc, which does not pass through
them (the "trapped ball" of Zhang et al., IEEE TVCG 2009).
"""

from typing import NamedTuple

import cv2
import numpy as np

_DIRECTIONS = 8
_SHARP, _SOFT, _ALONG = 1.3, 3.2, 5.0
"""Gaussian widths of the filters in pixels: across an edge, across what counts as soft, along the edge."""
_NOISE_FLOOR = (0.03, 0.05, 0.05)
"""Least noise of the filters in Lab: what whole grey levels and the coarse colours of a JPEG give by themselves."""

_STRENGTHS = (10.0, 5.5, 4.0, 3.0, 2.2)
"""From which an edge counts, in multiples of the noise."""
_GAPS = (2, 5, 8, 18)
"""Half the width in pixels of the gaps that are closed."""
_HYSTERESIS = 1.6  # some place of a line is so much stronger than the least
_SHORTEST = 12  # pixels of a line
_CLEAR = 6.0  # strength from which more is no better
_WORST_PART = 5  # percent of the outline, by whose strength an outline is judged
_ALMOST = 0.85  # of the best mark: then narrower gaps are better, as those between sleeve and body stay open

_LEAST_STRENGTH = 3.0  # of an outline that is trusted
_CONVEX = 0.94  # share of the convex hull; more is a board, a door, or a top whose neckline was closed
_LEAST_SYMMETRY = 0.62  # overlap with the mirror image
_FAINT = 60.0  # strength of the edges along a mask; the fainter half of them, below this, makes it one to be doubted,
_UNSEEN = 0.05  # where so much of its outline lies on no edge
_LARGER = 2.0  # times as large as what was found, as a garment is to its print
_PART_RADIUS = 4  # pixels; what is thinner is the line itself or a shadow
_PART_RIM = 40  # pixels of outline that a part has at least
_PART_STRENGTH, _PART_UNSEEN = 4.5, 10
"""The edges along that are so strong, but for so many percent [parts 4.7 and more; necklines and sleeves that were closed 0 to
4.1]."""


class Edges(NamedTuple):
    """Sharp edges, in multiples of the noise."""

    strength: np.ndarray
    """(H, W) float32."""

    thin: np.ndarray
    """(H, W) bool: the crests of the strength."""


class Outline(NamedTuple):
    """A closed outline."""

    inside: np.ndarray
    """(H, W) bool, one region."""

    strength: float
    """Of the weaker places of the outline; 0 where more than some of it lies on no edge."""


def find_edges(lab: np.ndarray) -> Edges:
    """lab: (H, W, 3) float32, 512 pixels high or wide."""
    filtered = np.empty((_DIRECTIONS, 3, *lab.shape[:2]), np.float32)
    planes = [np.ascontiguousarray(lab[..., channel]) for channel in range(3)]
    for direction in range(_DIRECTIONS):
        sharp, soft = _across(_SHARP, direction), _across(_SOFT, direction)
        for channel, plane in enumerate(planes):
            slope = cv2.filter2D(plane, cv2.CV_32F, sharp, borderType=cv2.BORDER_REPLICATE)
            wide = cv2.filter2D(plane, cv2.CV_32F, soft, borderType=cv2.BORDER_REPLICATE) * np.sign(slope)
            # Both are the slope of what is soft, and their difference is nothing there.
            filtered[direction, channel] = np.maximum(np.abs(slope) - np.maximum(wide, 0), 0)
    noise = np.maximum(1.5 * np.median(filtered[:, :, _ring(*lab.shape[:2])], axis=(0, 2)), _NOISE_FLOOR)
    strengths = np.sqrt(np.einsum("dchw,c->dhw", filtered**2, 1 / noise**2)).astype(np.float32)
    strength = strengths.max(axis=0)
    return Edges(strength, _crests(strength, strengths.argmax(axis=0)))


def better_outline(mask: np.ndarray, edges: Edges) -> np.ndarray | None:
    """The garment by its closed outline, where that is to be trusted more than `mask`, what was found by colour; else None.

    That is where the mask follows faint edges and lies partly on none, or is but a part: the print, or nothing. Elsewhere the
    mask stays, and parts of the garment that have the ground's colour, as a white sleeve has, are put to it.
    mask: (H, W) bool; gives the same.
    """
    outline = closed_outline(edges)
    if outline is None or outline.strength < _LEAST_STRENGTH:
        return None
    inside = outline.inside
    if _convexity(inside) > _CONVEX or _symmetry(inside) < _LEAST_SYMMETRY:
        return None
    along = _near_outline(mask, edges.strength)
    doubtful = along.size > 0 and np.median(along) < _FAINT and unseen_part(mask, edges) > _UNSEEN
    if doubtful or inside.sum() > _LARGER * mask.sum():
        return inside
    parts = _seen_parts(inside, mask, edges)
    return mask | parts if parts.any() else None


def _seen_parts(inside: np.ndarray, mask: np.ndarray, edges: Edges) -> np.ndarray:
    """What a closed outline has more than the mask, where that outline is seen and not what closed a gap. All bool (H, W)."""
    more = cv2.morphologyEx((inside & ~mask).astype(np.uint8), cv2.MORPH_OPEN, _disc(_PART_RADIUS))
    strength = np.where(_lines(edges, _STRENGTHS[-1]), edges.strength, 0)
    strength = cv2.dilate(strength.astype(np.float32), _disc(2))
    outline = _outline(inside) & (cv2.dilate(mask.astype(np.uint8), _disc(2)) == 0)
    count, labels = cv2.connectedComponents(more, connectivity=4)
    parts = np.zeros_like(mask)
    for label in range(1, count):
        near = cv2.dilate((labels == label).astype(np.uint8), _disc(_PART_RADIUS)) > 0
        along = strength[outline & near]
        if along.size >= _PART_RIM and np.percentile(along, _PART_UNSEEN) >= _PART_STRENGTH:
            parts |= near & inside
    return parts


def closed_outline(edges: Edges) -> Outline | None:
    """The largest outline that is seen all around, or nearly so; None where no edge closes."""
    found: list[tuple[int, float, float, Outline]] = []
    for least in _STRENGTHS:
        lines = _lines(edges, least)
        away = cv2.distanceTransform((~lines).astype(np.uint8), cv2.DIST_L2, 5)
        for gap in _GAPS:
            inside = _enclosed(away, gap)
            strength = outline_strength(inside, edges, lines)
            mark = min(strength, _CLEAR) * float(inside.mean()) ** 2
            if mark > 0:
                found.append((gap, -strength, mark, Outline(inside, strength)))
    if not found:
        return None
    best = max(mark for _, _, mark, _ in found)
    return min((one for one in found if one[2] >= _ALMOST * best), key=lambda one: one[:2])[3]


def outline_strength(inside: np.ndarray, edges: Edges, lines: np.ndarray, part: float = _WORST_PART) -> float:
    """Strength that all but `part` percent of the outline have. lines: (H, W) bool, what counts as an edge."""
    along = _near_outline(inside, np.where(lines, edges.strength, 0))
    return float(np.percentile(along, part)) if along.size else 0.0


def unseen_part(inside: np.ndarray, edges: Edges) -> float:
    """Share of the outline that lies on no edge, 0..1; 1 without an outline."""
    least = _STRENGTHS[-1]
    along = _near_outline(inside, np.where(_lines(edges, least), edges.strength, 0))
    return float(np.mean(along < _STRENGTHS[-2])) if along.size else 1.0


def _convexity(inside: np.ndarray) -> float:
    """Share of the convex hull, 0..1."""
    hull = cv2.convexHull(cv2.findNonZero(inside.astype(np.uint8)))
    filled = cv2.fillConvexPoly(np.zeros(inside.shape, np.uint8), hull, 1)
    return float(inside.sum() / filled.sum())


def _symmetry(inside: np.ndarray) -> float:
    """Overlap with the mirror image, 0..1."""
    columns = np.flatnonzero(inside.any(axis=0))
    cut = inside[:, columns[0] : columns[-1] + 1]
    return float((cut & cut[:, ::-1]).sum() / (cut | cut[:, ::-1]).sum())


def _near_outline(inside: np.ndarray, strength: np.ndarray) -> np.ndarray:
    """The largest strength within two pixels of each place of the outline."""
    return np.asarray(cv2.dilate(strength.astype(np.float32), _disc(2))[_outline(inside)])


def _outline(inside: np.ndarray) -> np.ndarray:
    """The pixels to both sides of it."""
    return cv2.morphologyEx(np.pad(inside.astype(np.uint8), 1), cv2.MORPH_GRADIENT, _disc(1))[1:-1, 1:-1] > 0


def _across(width: float, direction: int) -> np.ndarray:
    """A filter that gives the slope of a plane in one of the directions."""
    reach = round(2.5 * _ALONG)
    y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1].astype(np.float32)
    angle = np.pi * direction / _DIRECTIONS
    across, along = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
    weights = across * np.exp(-(across**2) / (2 * width**2) - along**2 / (2 * _ALONG**2))
    return np.asarray(weights / (weights * across).sum(), np.float32)


def _ring(height: int, width: int) -> np.ndarray:
    """A frame a little inside of the border, where the ground is."""
    outer, inner = max(2, round(0.02 * min(height, width))), max(6, round(0.06 * min(height, width)))
    ring = np.zeros((height, width), bool)
    ring[outer:-outer, outer:-outer] = True
    ring[inner:-inner, inner:-inner] = False
    return ring


def _crests(strength: np.ndarray, directions: np.ndarray) -> np.ndarray:
    height, width = strength.shape
    padded = np.pad(strength, 1)
    crests = np.zeros(strength.shape, bool)
    for direction in range(_DIRECTIONS):
        angle = np.pi * direction / _DIRECTIONS
        dx, dy = round(np.cos(angle)), round(np.sin(angle))
        ahead = padded[1 + dy : 1 + dy + height, 1 + dx : 1 + dx + width]
        behind = padded[1 - dy : 1 - dy + height, 1 - dx : 1 - dx + width]
        crests |= (directions == direction) & (strength >= ahead) & (strength >= behind)
    return crests


def _lines(edges: Edges, least: float) -> np.ndarray:
    """Crests above `least` that make up a line."""
    crests = ((edges.strength > least) & edges.thin).astype(np.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(crests, connectivity=8)
    strong = np.zeros(count, bool)
    strong[np.unique(labels[edges.strength > _HYSTERESIS * least])] = True
    strong &= np.maximum(stats[:, cv2.CC_STAT_WIDTH], stats[:, cv2.CC_STAT_HEIGHT]) >= _SHORTEST
    strong[0] = False
    return np.asarray(strong[labels])


def _enclosed(away: np.ndarray, gap: int) -> np.ndarray:
    """The largest region that a disc of radius `gap` does not cover on any way from the border.

    away: (H, W), how far each pixel is from an edge.
    """
    walls = np.pad((away <= gap).astype(np.uint8), 1)
    cv2.floodFill(walls, None, (0, 0), 2)
    reached = walls[1:-1, 1:-1] == 2
    covered = cv2.distanceTransform((~reached).astype(np.uint8), cv2.DIST_L2, 5) <= gap
    inside = cv2.morphologyEx((~covered).astype(np.uint8), cv2.MORPH_OPEN, _disc(2))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(inside, connectivity=8)
    if count < 2:
        return np.zeros(away.shape, bool)
    return np.asarray(labels == 1 + stats[1:, cv2.CC_STAT_AREA].argmax())


def _disc(radius: int) -> np.ndarray:
    return cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
