"""Where each part of the garment goes on the body: pairs of points for the splines."""

from dataclasses import dataclass

import numpy as np

from services.tryon.engines.tps.body import SHOULDER_REACH, Arm, Body
from services.tryon.engines.tps.curves import resample
from services.tryon.engines.tps.garment import LEFT, RIGHT, Garment

_ARMHOLE = (0.3, 0.5)
"""Depth of the armpit below the shoulder joints, in shoulder distances: of a close-fitting garment and of a loose one."""

_CHEST = 0.44
"""Half of the chest's width, at least, in shoulder distances: arms that hang close to it hide the rest."""

_SAME_LENGTH = 0.2
"""A garment that ends this near to the hem of the worn one, in shoulder distances, hangs as that one does."""

_ROUND = 0.68
"""Width of a sleeve around an arm per its width laid flat (2 / pi around a stiff tube)."""

_WRIST = 1.97
"""Where long sleeves end: 0 shoulder, 1 elbow, 2 wrist."""

_EASE = 1.05
"""Width of a usual top per width of the trunk."""


@dataclass(frozen=True)
class Part:
    """One part of the garment: matching points in the cloth picture and on the person, and the outline it may fill."""

    source: np.ndarray
    target: np.ndarray
    outline: np.ndarray
    mask: np.ndarray


@dataclass(frozen=True)
class Fit:
    """The parts, and what the garment covers."""

    trunk: Part
    sleeves: tuple
    """Two of Part or None."""
    sleeve_ends: tuple
    """How far each sleeve reaches: 0 shoulder, 1 elbow, 2 wrist."""
    neckline: np.ndarray
    """(n, 2) the front edge of the opening on the person."""
    hem: np.ndarray
    """(n, 2) from left to right."""
    like_old: bool
    """Whether it ends where the worn top does: what shows below that goes on in front of it."""
    seams: tuple
    """Two of (2, 2): the shoulder seam's ends, at the collar and outside."""


def fit_garment(
    garment: Garment, body: Body, old_hem: np.ndarray, tucked: bool = False, lowest: float | None = None
) -> Fit:
    """Lay the garment onto the body. old_hem: (768,) row where the worn top ends per column, as in `Wearer`; tucked: it is to
    end a little below that, out of sight; lowest: of a dress, the row of the ankles: so far it falls as long and wide as it is.

    One scale for both directions keeps prints undistorted; the outline decides the rest.
    """
    armpit = np.array([_armpit(body, side, _ARMHOLE[0]) for side in (LEFT, RIGHT)])
    scale = _EASE * np.clip(np.ptp(armpit[:, 0]), 0.84 * body.unit, 1.06 * body.unit) / garment.chest
    deep = np.clip((garment.armpit - garment.shoulder)[:, 1].mean() * scale / body.unit - 0.08, *_ARMHOLE)
    armpit = np.array([_armpit(body, side, deep) for side in (LEFT, RIGHT)])
    centre = garment.armpit[:, 0].mean()
    half = SHOULDER_REACH * np.linalg.norm(body.shoulder[RIGHT] - body.shoulder[LEFT])

    def on_shoulder(point: np.ndarray) -> np.ndarray:
        share = np.clip((point[0] - centre) * scale / half, -1.12, 1.12)
        return body.shoulder_point(share if abs(share) > 0.22 else 0.22 * np.sign(share or 1))

    tips = np.array([on_shoulder(garment.shoulder[side]) if garment.sleeves[side] is None else body.shoulder_point(end)
                     for side, end in ((LEFT, -0.97), (RIGHT, 0.97))])  # fmt: skip
    collar = np.array([on_shoulder(point) for point in garment.collar])
    neckline = _neckline(garment, collar, scale, body)
    old_row = float(old_hem[int(np.clip(body.hip[0], 0, len(old_hem) - 1))])
    hem_row = _hem_row(garment, body, collar, scale, old_row) if lowest is None else min(
        lowest, collar[:, 1].mean() + (garment.hem[:, 1].mean() - garment.collar[:, 1].mean()) * scale)  # fmt: skip
    alike = lowest is None and abs(hem_row - old_row) < _SAME_LENGTH * body.unit
    hem_row = old_row if alike else hem_row
    if tucked and hem_row >= old_row > 0:
        alike, hem_row = False, min(hem_row, old_row) + 0.12 * body.unit
    source, target = [*garment.shoulder, *garment.armpit], [*tips, *armpit]
    edge, worn_edge = garment.neckline[1:-1:4], neckline[1:-1:4]
    if garment.collar_top is not None:
        edge, worn_edge = garment.neckline[::8], neckline[1:-1:8]
    source += [*garment.collar, *edge]
    target += [*collar, *worn_edge]
    for side in (LEFT, RIGHT):
        source.append((garment.collar[side] + garment.shoulder[side]) / 2)
        middle = (source[-1][0] - garment.collar[side][0]) / (garment.shoulder[side][0] - garment.collar[side][0] or 1)
        target.append(collar[side] + middle * (tips[side] - collar[side]))
        source += list(_seam(garment.shoulder[side], garment.armpit[side]))
        target += list(_seam(tips[side], armpit[side]))
    hem_source, hem_target, lines = _below_armpit(garment, body, armpit, hem_row, 0.0 if lowest is None else scale)
    if alike:
        hem_target = _like_old_hem(hem_target, old_hem)
    for side in (LEFT, RIGHT):
        source += list(garment.sides[side][3::4])
        target += list(lines[side][3::4])
    source += list(hem_source)
    target += list(hem_target)
    top = [tips[LEFT], collar[LEFT], *neckline, collar[RIGHT], tips[RIGHT]]
    outline = np.array([*top, *lines[RIGHT], *hem_target[::-1], *lines[LEFT][::-1]])
    trunk = Part(np.array(source), np.array(target), outline, garment.body)
    sleeves, ends = [], []
    for side in (LEFT, RIGHT):
        part, end = _sleeve(garment, body, tips[side], armpit[side], scale, side)
        sleeves.append(part)
        ends.append(end)
    seams = tuple(np.array([collar[side], tips[side]]) for side in (LEFT, RIGHT))
    return Fit(trunk, tuple(sleeves), tuple(ends), neckline, np.array(hem_target), alike, seams)


def _seam(shoulder: np.ndarray, armpit: np.ndarray) -> np.ndarray:
    """(2, 2) points of the armhole's seam, which trunk and sleeve share."""
    return np.asarray(shoulder + np.array([[1 / 3], [2 / 3]]) * (armpit - shoulder))


def _armpit(body: Body, side: int, depth: float) -> np.ndarray:
    row = body.shoulder[side, 1] + depth * body.unit
    out, middle = (-1 if side == LEFT else 1), float(body.axis(np.array([row]))[0])
    return np.array([middle + out * max(out * (body.side(row, side) - middle), _CHEST * body.unit), row])


def _neckline(garment: Garment, collar: np.ndarray, scale: float, body: Body) -> np.ndarray:
    """The opening keeps its shape: a similarity from the collar's ends on the garment to those on the body."""
    line = garment.neckline if garment.collar_top is None else np.vstack(
        [garment.collar[:1], garment.neckline, garment.collar[1:]])  # fmt: skip
    base = np.interp(line[:, 0], garment.collar[:, 0], garment.collar[:, 1])
    share = (line[:, 0] - garment.collar[0, 0]) / (garment.collar[1, 0] - garment.collar[0, 0])
    on_line = collar[0] + share[:, None] * (collar[1] - collar[0])
    stretch = np.linalg.norm(collar[1] - collar[0]) / (garment.collar[1, 0] - garment.collar[0, 0])
    # a neckline's depth grows with its width, but a wide one may not slide down
    depth = (line[:, 1] - base) * min(scale * 1.1, stretch)
    return on_line - depth[:, None] * body.up


def _hem_row(garment: Garment, body: Body, collar: np.ndarray, scale: float, old_hem: float) -> float:
    natural = collar[:, 1].mean() + (garment.hem[:, 1].mean() - garment.collar[:, 1].mean()) * scale * 0.95
    lowest = body.hip[1] + 0.30 * body.unit
    row = min(natural, lowest)
    if row < old_hem:  # rather a little longer than a strip to invent
        row = min(old_hem + 4, collar[:, 1].mean() + 1.3 * (row - collar[:, 1].mean()))
    return float(row)


def _below_armpit(garment: Garment, body: Body, armpit: np.ndarray, hem_row: float, flare: float) -> tuple:
    """Points of the hem and of the mid-line in both pictures, and the target's side lines.

    flare: the scale by which a garment hangs as wide as it is where that is wider than the body; 0 for one that ends at the
    hips.
    """
    lines = []
    for side in (LEFT, RIGHT):
        out = -1 if side == LEFT else 1
        line = garment.sides[side]
        share = (line[:, 1] - line[0, 1]) / max(line[-1, 1] - line[0, 1], 1.0)
        rows = armpit[side, 1] + share * (hem_row - armpit[side, 1])
        ease = 0.025 * body.unit * np.clip(share * 2, 0, 1)
        x = np.array([body.side(row, side) for row in rows]) + out * ease
        if flare:
            own = body.axis(rows) + (line[:, 0] - garment.armpit[:, 0].mean()) * flare
            waist = body.middle[1] + 0.6 * (body.hip[1] - body.middle[1])
            wider = out * np.maximum(out * own, out * x)
            # below the hips it need not follow the body any more
            free = np.clip((rows - body.hip[1]) / (0.5 * body.unit), 0, 1)
            narrower = body.axis(rows) + out * np.maximum(out * (own - body.axis(rows)), 0.36 * body.unit)
            x = np.where(rows < waist, x, wider + free * (narrower - wider))
        lines.append(np.stack([x, rows], axis=1))
    left, right = garment.hem[0], garment.hem[-1]
    share = np.clip((garment.hem[:, 0] - left[0]) / max(right[0] - left[0], 1.0), 0, 1)
    bow = garment.hem[:, 1] - (left[1] + share * (right[1] - left[1]))
    ends = lines[LEFT][-1], lines[RIGHT][-1]
    x = ends[0][0] + share * (ends[1][0] - ends[0][0])
    ratio = (ends[1][0] - ends[0][0]) / max(right[0] - left[0], 1.0)
    sag = 0.05 * body.unit * np.sin(np.pi * share)
    hem_target = np.stack([x, hem_row + bow * ratio + sag], axis=1)
    pick = slice(0, None, 2)
    source, target = list(garment.hem[pick]), list(hem_target[pick])
    return source, target, lines


def _like_old_hem(points: list[np.ndarray], old_hem: np.ndarray) -> list[np.ndarray]:
    """The hem moved onto the worn top's: tucked, draped or gathered as that one."""
    hem = np.array(points)
    columns = np.clip(hem[:, 0].round().astype(int), 0, len(old_hem) - 1)
    return list(np.stack([hem[:, 0], old_hem[columns] + 2], axis=1))


def _sleeve(garment: Garment, body: Body, tip: np.ndarray, armpit: np.ndarray, scale: float, side: int) -> tuple:
    sleeve, arm = garment.sleeves[side], body.arms[side]
    if sleeve is None or arm is None:
        return None, 0.0
    underarm = float(np.clip(_place_of(arm.line, armpit), 0.2, 0.8))
    end = max(
        _WRIST if garment.reaches_wrists else _sleeve_end(garment.sleeve_length * scale, body.unit), underarm + 0.12
    )
    if end > 1.8:  # rather as long as the worn sleeve than a strip of skin to invent
        end = float(np.clip(arm.old_sleeve + 0.04, end, 2.25))
    steps = 14
    outer, inner = resample(sleeve.outer, steps), resample(sleeve.inner, steps)
    own = _ROUND * np.linalg.norm(outer - inner, axis=1) / 2 * scale
    along, under = np.linspace(0, end, steps), np.linspace(underarm, end, steps)
    to_outer, to_inner = _edge(arm, along, own, 1), _edge(arm, under, own, -1)
    # the seam is shared with the trunk: tip and armpit; farther down the sleeve follows the arm alone
    to_outer += np.clip(1 - along / 0.2, 0, 1)[:, None] * (tip - to_outer[0])
    to_inner += np.clip(1 - (under - underarm) / 0.3, 0, 1)[:, None] * (armpit - to_inner[0])
    middle_source = (outer + inner) / 2
    middle_target = (to_outer + to_inner) / 2
    source = np.vstack([outer, inner, middle_source[1::2], _seam(outer[0], inner[0])])
    target = np.vstack([to_outer, to_inner, middle_target[1::2], _seam(to_outer[0], to_inner[0])])
    outline = np.vstack([to_outer, to_inner[::-1]])
    return Part(source, target, outline, sleeve.mask), end


def _place_of(line: np.ndarray, point: np.ndarray) -> float:
    """The place (0 shoulder .. 2 wrist) on the arm that is nearest to a point."""
    return float(np.linalg.norm(line - point, axis=1).argmin()) / 20


def _edge(arm: Arm, place: np.ndarray, own: np.ndarray, sign: int) -> np.ndarray:
    """One edge of a sleeve: as wide as the garment's own, not inside of what the photo shows, nor far outside of the arm."""
    half = _at(arm.half, place)
    shown = _at(arm.edges[:, 0 if sign > 0 else 1], place) + 1
    wide = np.clip(own, shown, np.maximum(shown, np.interp(place, (0, 0.3, 0.8), (1.05, 1.2, 1.45)) * half))
    return _at(arm.line, place) + sign * wide[:, None] * _at(arm.normal, place)


def _sleeve_end(length_px: float, unit: float) -> float:
    """Where a sleeve ends on the arm (0 shoulder, 1 elbow, 2 wrist), from its length along the arm."""
    reach = length_px / unit
    if reach > 1.45:
        return _WRIST
    return float(np.interp(reach, (0, 0.87, 1.6), (0, 1, 2)))


def _at(values: np.ndarray, place: np.ndarray) -> np.ndarray:
    grid = np.arange(len(values)) / 20
    if values.ndim == 1:
        return np.interp(place, grid, values)
    return np.stack([np.interp(place, grid, values[:, axis]) for axis in range(values.shape[1])], axis=1)
