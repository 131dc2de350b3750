"""Trousers and skirts: their cross-sections in the garment's picture, and where each goes on hips and legs."""

from collections.abc import Mapping
from dataclasses import dataclass

import cv2
import numpy as np

from garment_parser.parser import GarmentParser
from services.tryon.engines.tps.body import Arm, Body
from services.tryon.engines.tps.curves import largest_region, resample
from services.tryon.engines.tps.fit import Part
from services.tryon.engines.tps.garment import LEFT, RIGHT
from stagekit.formats import BODY_25

_SEAT, _LEG, _SKIRT = 6, 14, 18
"""Cross-sections from the waist to the crotch, from there to the cuffs, and of a skirt."""

_CROTCH = 0.28
"""Below the hip joints, in shoulder distances."""

_THIGH, _SHIN = 1.12, 1.05
"""Lengths for legs that the picture cuts off, in shoulder distances."""

_LEG_WIDTH = ((0.0, 0.56), (0.5, 0.46), (1.0, 0.33), (1.3, 0.33), (1.9, 0.2), (2.1, 0.2))
"""Width of a bare leg in shoulder distances; 0 is the hip, 1 the knee, 2 the ankle."""

_INSEAM = 1.6
"""Inside length of long trousers per their width at the hips: some 1.5 laid flat, 2 as worn."""

_FULL_LENGTH = 0.85
"""Share of the way from crotch to ankle from which trousers are long ones, and end there."""

_LOOSE = 1.35
"""How much wider than the hips a seat may hang."""


@dataclass(frozen=True)
class Strip:
    """A leg of trousers with its half of the seat, or a skirt: (n, 2) edges at matching cross-sections, left one first."""

    left: np.ndarray
    right: np.ndarray
    mask: np.ndarray
    """bool (H, W)."""


@dataclass(frozen=True)
class Lower:
    """A garment for the lower body."""

    strips: tuple
    """Two of Strip for trousers, the left one first; one for a skirt."""
    mask: np.ndarray
    likely: Mapping[str, float]
    """Category -> how likely this is one, by its picture."""


@dataclass(frozen=True)
class LowerFit:
    """Parts as `fit.Part`, and what the garment leaves bare."""

    parts: list[Part]
    ends: tuple
    """How far down each leg is covered: 0 hip, 1 knee, 2 ankle."""


def read_lower(parser: GarmentParser, cloth: np.ndarray, cloth_mask: np.ndarray) -> Lower:
    """Find the cross-sections. cloth: uint8 RGB (H, W, 3); cloth_mask: bool (H, W), not empty."""
    reading = parser.read(cloth, cloth_mask)
    mask = largest_region(reading.parts > 0)
    rows = np.flatnonzero(mask.any(axis=1))
    waist = float(
        np.clip(np.mean([reading.landmarks[f"{side}_waist"][1] for side in ("left", "right")]), rows[0], rows[-1])
    )
    if waist > rows[0] + 0.2 * np.ptp(rows):
        waist = float(rows[0])
    legs = [reading.part(f"{side}_leg") & mask for side in ("left", "right")]
    if legs[LEFT].sum() + legs[RIGHT].sum() < 0.5 * mask.sum():
        levels = np.linspace(waist + 2, rows[-1] - 3, _SKIRT)
        return Lower((Strip(*_edges(mask, levels), mask),), mask, reading.category)
    crotch = reading.landmarks["crotch"]
    middle = _middle(mask, waist, crotch)
    everywhere = np.arange(mask.shape[0])
    line = np.interp(everywhere, (waist, crotch[1]), (middle, crotch[0]))
    is_left = np.arange(mask.shape[1]) < line[:, None]
    below = (everywhere > crotch[1])[:, None]
    halves = [
        mask & np.where(below & (legs[LEFT] | legs[RIGHT]), legs[side], is_left == (side == LEFT))
        for side in (LEFT, RIGHT)
    ]
    strips = []
    for side, name in ((LEFT, "left"), (RIGHT, "right")):
        half = largest_region(halves[side])
        last = np.flatnonzero(half.any(axis=1))[-1] - 3
        end = min(float(np.mean([reading.landmarks[f"{name}_leg_{edge}"][1] for edge in ("outer", "inner")])), last)
        end = end if end > crotch[1] + 10 else last
        seat, leg = np.linspace(waist + 2, crotch[1], _SEAT), np.linspace(crotch[1] + 4, max(end, crotch[1] + 8), _LEG)
        left, right = _edges(half, np.concatenate([seat, leg]))
        inner = right if side == LEFT else left
        inner[:_SEAT, 0] = line[np.clip(seat.astype(int), 0, len(line) - 1)]
        strips.append(Strip(left, right, half))
    return Lower(tuple(strips), mask, reading.category)


def _middle(mask: np.ndarray, waist: float, crotch: np.ndarray) -> float:
    columns = np.flatnonzero(mask[int(np.clip(waist + 6, 0, len(mask) - 1))])
    return float((columns[0] + columns[-1]) / 2) if len(columns) else float(crotch[0])


def _edges(mask: np.ndarray, levels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(n, 2) first and last pixel of a mask at each level; where there is none, as at the level before."""
    rows = np.clip(levels.round().astype(int), 0, len(mask) - 1)
    inked = mask[rows]
    first, last = inked.argmax(axis=1), inked.shape[1] - 1 - inked[:, ::-1].argmax(axis=1)
    known = np.flatnonzero(inked.any(axis=1))
    first, last = (np.interp(np.arange(len(rows)), known, values[known]) for values in (first, last))
    return np.stack([first, levels], axis=1), np.stack([last, levels], axis=1)


def read_leg(points: np.ndarray, body: Body, side: int) -> Arm:
    """One leg as an `Arm`: 0 hip, 1 knee, 2 ankle; joints that the picture lacks are guessed. side: as seen in the picture."""
    pairs = {name: sorted((points[BODY_25[f"{own}_{name}"]] for own in ("left", "right")), key=lambda joint: joint[0])
             for name in ("hip", "knee", "ankle")}  # fmt: skip
    out = -1 if side == LEFT else 1
    hip, knee, ankle = (pairs[name][side] for name in ("hip", "knee", "ankle"))
    start = hip[:2] if hip[2] > 0 else body.hip + np.array([out * 0.28 * body.unit, 0])
    bend = (
        knee[:2] if min(joint[2] for joint in pairs["knee"]) > 0 else start + np.array([out * 0.04, _THIGH]) * body.unit
    )
    down = (bend - start) / max(float(np.linalg.norm(bend - start)), 1.0)
    end = ankle[:2] if min(joint[2] for joint in pairs["ankle"]) > 0 else bend + down * _SHIN * body.unit
    line = np.vstack([resample(np.array([start, bend]), 21), resample(np.array([bend, end]), 21)[1:]])
    line = np.vstack([line, line[-1] + np.arange(1, 4)[:, None] * (line[-1] - line[-2])])
    for _ in range(6):  # round the knee
        line[1:-1] = (line[:-2] + 2 * line[1:-1] + line[2:]) / 4
    tangent = np.gradient(line, axis=0)
    tangent /= np.maximum(np.linalg.norm(tangent, axis=1, keepdims=True), 1e-6)
    normal = np.stack([-tangent[:, 1], tangent[:, 0]], axis=1) * (1 if side == LEFT else -1)
    half = np.interp(np.arange(len(line)) / 20, *np.array(_LEG_WIDTH).T) * body.unit / 2
    return Arm(line, normal, half, np.stack([half, half], axis=1), 2.0)


def fit_lower(garment: Lower, body: Body, legs: tuple, waist: float) -> LowerFit:
    """Lay the garment onto hips and legs. legs: two of `read_leg`; waist: the row at which it begins."""
    hips = _half_width(body, body.hip[1])
    crotch = body.hip[1] + _CROTCH * body.unit
    if len(garment.strips) == 1:
        return _fit_skirt(garment.strips[0], body, legs, waist, hips)
    outer = [garment.strips[LEFT].left[_SEAT - 1], garment.strips[RIGHT].right[_SEAT - 1]]
    width = max(float(outer[RIGHT][0] - outer[LEFT][0]), 1.0)
    parts, ends = [], []
    for side, (strip, leg) in enumerate(zip(garment.strips, legs, strict=True)):
        part, end = _fit_leg(strip, body, leg, (waist, crotch), (2 * hips, width), side)
        parts.append(part)
        ends.append(end)
    return LowerFit(parts, tuple(ends))


def _fit_leg(
    strip: Strip, body: Body, leg: Arm, rows: tuple[float, float], hips: tuple[float, float], side: int
) -> tuple[Part, float]:
    """rows: of waist and crotch; hips: width of the body's and of the garment's."""
    scale = hips[0] / hips[1]
    out = -1 if side == LEFT else 1
    own = (strip.right - strip.left)[:, 0] * scale
    # the seat: from the mid-line outwards
    levels = np.linspace(*rows, _SEAT)
    half = np.array([_half_width(body, row) for row in levels])
    wide = np.clip(own[:_SEAT], half, _LOOSE * half)
    middle = body.axis(levels)
    seat_outer, seat_inner = np.stack([middle + out * wide, levels], axis=1), np.stack([middle, levels], axis=1)
    # the leg: along its bones
    along = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(leg.line, axis=0), axis=1))])
    start = float(np.interp(rows[1], leg.line[:, 1], along))
    ankle = along[40]
    share = float(strip.left[-1, 1] - strip.left[_SEAT, 1]) / hips[1] / _INSEAM
    length = (ankle - start) * (1 if share > _FULL_LENGTH else share)
    reach = np.linspace(start + 0.02 * length, start + length, _LEG)
    centre, normal = (
        np.stack([np.interp(reach, along, each[:, axis]) for axis in (0, 1)], axis=1) for each in (leg.line, leg.normal)
    )
    half = np.clip(own[_SEAT:] / 2, 1.03 * np.interp(reach, along, leg.half), None)
    leg_outer, leg_inner = centre + half[:, None] * normal, centre - half[:, None] * normal
    # the thigh begins as wide as the seat ends
    blend = np.clip(1 - np.linspace(0, 1, _LEG) / 0.35, 0, 1)[:, None]
    shift = np.stack([np.zeros(_LEG), reach - reach[0]], axis=1)
    leg_outer += blend * (seat_outer[-1] + shift - leg_outer)
    leg_inner += blend * (seat_inner[-1] + shift - leg_inner)
    to_outer, to_inner = np.vstack([seat_outer, leg_outer]), np.vstack([seat_inner, leg_inner])
    outer, inner = (strip.left, strip.right) if side == LEFT else (strip.right, strip.left)
    end = float(np.interp(start + length, along, np.arange(len(along)) / 20))
    return _part(outer, inner, to_outer, to_inner, strip.mask), end


def _fit_skirt(strip: Strip, body: Body, legs: tuple, waist: float, hips: float) -> LowerFit:
    own = (strip.right - strip.left)[:, 0] / 2
    scale = _half_width(body, waist) / max(float(own[0]), 1.0)
    # A skirt that is narrow at its waist only because it is gathered there would come out too large.
    scale = min(scale, _LOOSE * hips / max(float(np.interp(0.25, np.linspace(0, 1, len(own)), own)), 1.0))
    ankle = max(float(leg.line[40, 1]) for leg in legs)
    last = min(waist + float(strip.left[-1, 1] - strip.left[0, 1]) * scale, ankle)
    levels = np.linspace(waist, last, len(own))
    hang = np.array([_half_width(body, min(row, body.hip[1] + _CROTCH * body.unit)) for row in levels])
    below = np.clip((levels - body.hip[1] - _CROTCH * body.unit) / body.unit, 0, 1)
    half = np.maximum(own * scale, hang * (1.02 - 0.35 * below))
    middle = body.axis(levels)
    left, right = np.stack([middle - half, levels], axis=1), np.stack([middle + half, levels], axis=1)
    ends = tuple(float(np.interp(last, leg.line[:, 1], np.arange(len(leg.line)) / 20)) for leg in legs)
    return LowerFit([_part(strip.left, strip.right, left, right, strip.mask)], ends)


def _part(one: np.ndarray, other: np.ndarray, to_one: np.ndarray, to_other: np.ndarray, mask: np.ndarray) -> Part:
    source = np.vstack([one, other, (one + other)[::2] / 2])
    target = np.vstack([to_one, to_other, (to_one + to_other)[::2] / 2])
    return Part(source, target, np.vstack([to_one, to_other[::-1]]), mask)


def _half_width(body: Body, row: float) -> float:
    return (body.side(row, RIGHT) - body.side(row, LEFT)) / 2


def covered_legs(legs: tuple, ends: tuple, shape: tuple) -> np.ndarray:
    """bool: the bare legs below the garment, from a little above its end to the feet."""
    area = np.zeros(shape[:2], np.uint8)
    for leg, end in zip(legs, ends, strict=True):
        if end < 1.9:
            cv2.fillPoly(area, [leg.outline(max(end - 0.2, 0.1), 2.1).round().astype(np.int32)], 1)
    return area > 0
