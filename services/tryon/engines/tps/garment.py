"""Landmarks of a garment that lies flat or hangs, from the outline of its mask."""

from dataclasses import dataclass

import cv2
import numpy as np

from services.tryon.engines.tps.curves import grow, largest_region, length, polygon_mask, resample, to_lab

LEFT, RIGHT = 0, 1
"""Sides as seen in the picture."""

_MIN_OVERHANG = 0.13
"""A sleeve reaches at least this far out of the armpit, as a share of the chest's width."""

_FLANK = 0.3
"""Share of a neckline's length, at either end: there an edge of the front still shows, a print below it does not."""
_FLANK_REACHES = 5, 10
"""Pixels out of the line between which a step is looked for: a drawn line meets a real edge only nearly."""
_FLANK_STEP = 1.5
"""Lab units of a step across a flank; where plain cloth lies on both sides it is 0 to 1."""
_SHADE = 2.5
"""Lab units between the inside of the back and the shoulders beside it, at least."""
_SEAM = 6
"""Pixels along an edge that may be a seam, a shadow or the backdrop's."""
_LEAST_INNER = 0.25
"""Share of the opening's depth in which the inside of the back shows; of an empty opening a band is less."""


@dataclass(frozen=True)
class Sleeve:
    """One sleeve: (n, 2) polylines from the shoulder seam to the cuff, and its pixels."""

    outer: np.ndarray
    inner: np.ndarray
    mask: np.ndarray

    @property
    def length(self) -> float:
        return (length(self.outer) + length(self.inner)) / 2 if len(self.inner) > 1 else length(self.outer)


@dataclass(frozen=True)
class Garment:
    """Landmarks in pixels x, y; pairs are [left, right] as seen in the picture."""

    mask: np.ndarray
    """bool (1024, 768)."""
    body: np.ndarray
    """bool: the trunk of the garment, without sleeves and without the inside of the back seen through the collar."""
    collar: np.ndarray
    """(2, 2) where the shoulder seams meet the neck."""
    collar_top: np.ndarray | None
    """(2, 2) upper corners of a collar that stands up along the neck; None where there is none."""
    neckline: np.ndarray
    """(n, 2) from collar left over the lowest point of the opening to collar right."""
    shoulder: np.ndarray
    """(2, 2) outer ends of the shoulder seams."""
    armpit: np.ndarray
    """(2, 2)."""
    sides: tuple
    """Two polylines from armpit to hem corner."""
    hem: np.ndarray
    """(n, 2) from left to right."""
    sleeves: tuple
    """Two of Sleeve or None."""

    @property
    def chest(self) -> float:
        """Width between the armpits in pixels."""
        return float(self.armpit[RIGHT, 0] - self.armpit[LEFT, 0])


def read_garment(cloth: np.ndarray, cloth_mask: np.ndarray) -> Garment:
    """Find the landmarks. cloth: uint8 RGB (H, W, 3); cloth_mask: bool (H, W), not empty."""
    mask = largest_region(cloth_mask)
    smooth = cv2.GaussianBlur(mask.astype(np.float32), (0, 0), 1.5) > 0.5
    smooth = largest_region(smooth if smooth.any() else mask)
    thick = grow(grow(smooth, -9), 9)  # straps are no sleeves
    left = _read_side(smooth, thick)
    right = _mirror(_read_side(smooth[:, ::-1], thick[:, ::-1]), smooth.shape[1])
    armpit = np.array([left[0], right[0]])
    chest = armpit[1, 0] - armpit[0, 0]
    sleeved = [bool(left[1] and right[1])] * 2
    centre = armpit[:, 0].mean()
    if sleeved[LEFT]:
        mask = mask & ~_wedge_tips(cloth, mask, armpit, chest)
    shoulder = np.array([_shoulder(smooth, armpit, sleeved[side], side) for side in (LEFT, RIGHT)])
    collar, collar_top = _collar(smooth, shoulder, centre, chest)
    neckline, collar_top = _neckline(cloth, smooth, collar, collar_top, chest)
    sleeves = tuple(_sleeve(smooth, mask, shoulder[side], armpit[side], side) if sleeved[side] else None
                    for side in (LEFT, RIGHT))  # fmt: skip
    trunk = _trunk(smooth, sleeves)
    corners = [_hem_corner(trunk, armpit, side) for side in (LEFT, RIGHT)]
    sides = tuple(_side_line(trunk, armpit, corners, side) for side in (LEFT, RIGHT))
    hem = _hem_line(smooth, corners)
    body = _trunk(mask, sleeves)
    body |= grow(body, 12) & mask  # laps under the sleeves, so that no gap opens along the seam
    if collar_top is None:
        body &= ~_inside_of_back(neckline, mask.shape)
    return Garment(mask, body, collar, collar_top, neckline, shoulder, armpit, sides, hem, sleeves)


def _wedge_tips(cloth: np.ndarray, mask: np.ndarray, armpit: np.ndarray, chest: float) -> np.ndarray:
    """Backdrop in the narrow end of the gap between trunk and sleeve, which a smooth mask closes."""
    if mask[::4, ::4].all():
        return ~mask
    tips = np.zeros_like(mask)
    backdrop = np.median(cloth[::4, ::4][~mask[::4, ::4]], axis=0)
    reach = int(0.12 * chest)
    for x, y in armpit.astype(int):
        box = slice(max(y - reach, 0), y + reach), slice(max(x - reach, 0), x + reach)
        like = np.abs(cloth[box].astype(np.int16) - backdrop).max(axis=2) < 16
        tips[box] = mask[box] & grow(grow(~mask[box], 12) & like, 2)
    return tips


def _mirror(side: tuple, width: int) -> tuple:
    point, has_sleeve = side
    return np.array([width - 1 - point[0], point[1]]), has_sleeve


def _read_side(mask: np.ndarray, thick: np.ndarray) -> tuple:
    """Armpit of the left side, and whether there is a sleeve. thick: the mask without its narrow parts."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    top, high, centre = rows[0], rows[-1] - rows[0], _centre_column(mask)
    last = np.where(thick.any(axis=1), thick.shape[1] - thick[:, ::-1].argmax(axis=1), 0)
    first = np.where(thick.any(axis=0), thick.argmax(axis=0), thick.shape[0])
    # outside of the garment, but below some of it and farther out than some of it
    under = ~mask & (np.arange(mask.shape[1]) < last[:, None]) & (np.arange(mask.shape[0])[:, None] > first)
    under[:, int(centre) :] = False
    under[: int(top + 0.12 * high)] = False
    under[int(min(top + 0.8 * high, _hem_row(mask, centre) - 0.03 * high)) :] = False
    if under.any():
        under = largest_region(under)
        ys, xs = np.nonzero(under)
        best = np.argmax(2 * xs - ys)  # inward counts more than upward: a wide sleeve slants
        point = np.array([xs[best], ys[best]], np.float64)
        reach = point[0] - columns[0]
        inward = centre - point[0]
        # Gaps in the middle part legs, or an open front.
        beside_the_trunk = 0.2 * reach < inward < reach / (2 * _MIN_OVERHANG)
        if beside_the_trunk and under.sum() > 0.002 * mask.sum():
            return point, True
    return _armhole_end(mask, int(top), int(high)), False


def _hem_row(mask: np.ndarray, centre: float) -> int:
    """Below it lies nothing of the trunk, only of sleeves; the last row for what is open or parted in the middle."""
    rows = np.flatnonzero(mask.any(axis=1))
    in_the_middle = np.flatnonzero(mask[:, int(centre)])
    parted = len(in_the_middle) == 0 or in_the_middle[-1] < (rows[0] + rows[-1]) / 2
    return int(rows[-1] if parted else in_the_middle[-1])


def _centre_column(mask: np.ndarray) -> float:
    rows = np.flatnonzero(mask.any(axis=1))
    middle = mask[rows[len(rows) // 3] : rows[2 * len(rows) // 3]]
    columns = np.flatnonzero(mask.any(axis=0))
    return float((columns[0] + columns[-1]) / 2 if not middle.any() else np.nonzero(middle)[1].mean())


def _armhole_end(mask: np.ndarray, top: int, high: int) -> np.ndarray:
    """Without a sleeve: where the outline bulges out most between the strap and the waist."""
    first, last = top + int(0.04 * high), top + int(0.55 * high)
    edge = mask[first:last].argmax(axis=1).astype(np.float64)
    chord = np.linspace(edge[0], edge[-1], len(edge))
    bulge = chord - edge
    low, upper = int(0.3 * len(edge)), int(0.8 * len(edge))
    best = low + int(bulge[low:upper].argmax())
    if bulge[best] < 0.01 * mask.shape[1]:
        best = int(0.5 * len(edge))
    return np.array([edge[best], first + best])


def _shoulder(mask: np.ndarray, armpit: np.ndarray, sleeved: bool, side: int) -> np.ndarray:
    """Outer end of the shoulder seam."""
    out = -1 if side == LEFT else 1
    if sleeved:  # the seam hardly shows in the outline: it lies above the armpit
        chest = armpit[1, 0] - armpit[0, 0]
        x = armpit[side, 0] - out * 0.03 * chest
        return np.array([x, mask[:, int(round(x))].argmax()], np.float64)
    centre = armpit[:, 0].mean()
    ys, xs = np.nonzero(mask[: int(armpit[side, 1])])
    keep = (xs - centre) * out > 0
    ys, xs = ys[keep], xs[keep]
    best = np.argmax(out * xs - 1.5 * ys)
    return np.array([xs[best], ys[best]], np.float64)


def _collar(mask: np.ndarray, shoulder: np.ndarray, centre: float, chest: float) -> tuple:
    """Ends of the shoulder seams at the neck, and the corners of a standing collar or None."""
    base, corner, stands = [], [], []
    for side in (LEFT, RIGHT):
        out = -1 if side == LEFT else 1
        columns = np.arange(int(round(centre)), int(round(shoulder[side, 0])) + out, out)[::-1]
        top = mask[:, columns].argmax(axis=0).astype(np.float64)
        chord = np.linspace(top[0], top[-1], len(top))
        peak = int((chord - top).argmax())
        if chord[peak] - top[peak] < 1:  # no corner: a quarter of the chest is a usual neck
            peak = int(np.clip(len(columns) - 0.2 * chest, 0, len(columns) - 1))
        line = np.linspace(top[0], top[peak], peak + 1)
        dip = int((top[: peak + 1] - line).argmax())
        rise, run = top[dip] - top[peak], abs(columns[peak] - columns[dip]) + 1
        stands.append(rise > 0.06 * chest and rise > 0.9 * run and dip > 0.2 * len(columns))
        corner.append((columns[peak], top[peak]))
        base.append((columns[dip], top[dip]) if stands[-1] else (columns[peak], top[peak]))
    if all(stands):
        return np.array(base, np.float64), np.array(corner, np.float64)
    return np.array(corner, np.float64), None


def _neckline(cloth: np.ndarray, mask: np.ndarray, collar: np.ndarray, top: np.ndarray | None, chest: float) -> tuple:
    """The front edge of the opening, and the standing collar's corners or None.

    The inside of the back shows above the front edge: the edge is the curve between the collar's ends with the clearest
    step of colour across it. A narrow opening with the same colour above is a standing collar.
    """
    smooth = cv2.GaussianBlur(_lit(cloth, mask), (0, 0), 1.5)
    if top is not None and not _of_one_cloth(smooth, mask, collar, top, chest):
        top = None
    outline = _outline_between(mask, collar if top is None else top)
    if top is not None:
        return outline, top
    inside = grow(mask, -7)
    share = np.linspace(-0.92, 0.92, 41)
    x = np.interp(share, (-1, 1), collar[:, 0])
    start = np.interp(share, (-1, 1), collar[:, 1])
    wide = collar[1, 0] - collar[0, 0]
    depths, powers = np.meshgrid(np.arange(0.2, 1.0, 0.02) * wide, (1.0, 1.5, 2.0, 2.6, 3.5), indexing="ij")
    depths, powers = depths.ravel(), powers.ravel()
    curves = start + depths[:, None] * (1 - np.abs(share) ** powers[:, None])
    steps, changes = _step_across(smooth, inside, x, curves)
    # the inside of the back is darker than the front well beyond the edge; a seam or a label is a step and no more
    scores = steps * (1 + np.minimum(changes, 15) / 15)
    scores *= np.where(powers < 1.2, 0.75, 1.0)  # a V has to be clear
    # above a print lies the front's cloth, as on the shoulders, and a print ends somewhere below the collar: the edge of the
    # front at its ends
    shaded = _strangeness(smooth, inside, collar, outline, x, curves) > _SHADE
    scores *= shaded | (_flank_steps(smooth, mask, x, curves) > _FLANK_STEP)
    open_depth = np.interp(collar[:, 0].mean(), outline[:, 0], outline[:, 1]) - collar[:, 1].mean()
    scores *= depths - open_depth > _LEAST_INNER * depths  # else a band along the outline
    best = int(scores.argmax())
    # on a patterned garment every curve crosses steps: the edge has to stand out from them
    if scores[best] <= 0 or steps[best] < max(2.0, 2.5 * _busyness(smooth, inside)):
        return outline, (collar if wide < 0.45 * chest else None)
    depth, power = depths[best], powers[best]
    if wide < 0.45 * chest and depth < 0.3 * wide and changes[best] < 8:
        return outline, collar
    share = np.linspace(-1, 1, 33)
    curve = np.interp(share, (-1, 1), collar[:, 1]) + depth * (1 - np.abs(share) ** power)
    x = np.interp(share, (-1, 1), collar[:, 0])
    return np.stack([x, np.maximum(curve, np.interp(x, outline[:, 0], outline[:, 1]))], axis=1), None


def _lit(cloth: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """The picture with a dark garment brought to medium light, where its edges are told apart like those of any other."""
    light = float(np.percentile(cloth[::4, ::4].max(axis=2)[mask[::4, ::4]], 80))
    gain = np.clip(130 / max(light, 1.0), 1.0, 5.0)
    return cloth if gain == 1 else cv2.convertScaleAbs(cloth, alpha=gain)


def _of_one_cloth(cloth: np.ndarray, mask: np.ndarray, collar: np.ndarray, top: np.ndarray, chest: float) -> bool:
    """Whether what stands above the shoulders is made of what hangs below; a hanger is not."""
    left, right = int(top[0, 0]), int(top[1, 0]) + 1
    rows = int(top[:, 1].min()), int(collar[:, 1].max()), int(collar[:, 1].max() + 0.2 * chest)
    above, below = (cloth[a:b, left:right][mask[a:b, left:right]] for a, b in zip(rows, rows[1:], strict=False))
    if not len(above) or not len(below):
        return False
    return bool(np.linalg.norm(np.median(to_lab(above), axis=0) - np.median(to_lab(below), axis=0)) < 18)


def _busyness(cloth: np.ndarray, inside: np.ndarray) -> float:
    """The usual colour step within the garment."""
    lab = to_lab(cloth[::8, ::8])
    step = np.linalg.norm(lab[1:] - lab[:-1], axis=2)
    both = inside[8::8, ::8] & inside[:-8:8, ::8]
    return float(np.median(step[both])) if both.any() else 0.0


def _outline_between(mask: np.ndarray, ends: np.ndarray) -> np.ndarray:
    columns = np.linspace(ends[0, 0], ends[1, 0], 33)
    inner = columns[1:-1].round().astype(int)
    return np.stack([columns, np.concatenate([ends[:1, 1], mask[:, inner].argmax(axis=0), ends[1:, 1]])], axis=1)


def _step_across(cloth: np.ndarray, mask: np.ndarray, x: np.ndarray, curves: np.ndarray) -> tuple:
    """Of many curves, each (n,) y over the same x: score of the colour step across it (it must hold along the curve),
    and the change of colour farther away."""
    columns = np.clip(np.round(x).astype(int), 0, cloth.shape[1] - 1)
    rows = np.round(curves).astype(int)
    shifted = [np.clip(rows + shift, 0, cloth.shape[0] - 1) for shift in (-4, 4, -12, 12)]
    above, below, far_above, far_below = (to_lab(cloth[row, columns]) for row in shifted)
    inside = mask[shifted[0], columns] & mask[shifted[1], columns]
    step = np.linalg.norm(above - below, axis=2) * inside
    deep = mask[shifted[2], columns] & mask[shifted[3], columns]
    enough = deep.mean(axis=1) > 0.5
    change = np.zeros(len(curves))
    farther = np.where(deep[..., None], far_above - far_below, np.nan)[enough]
    change[enough] = np.linalg.norm(np.nanmedian(farther, axis=1), axis=1)
    return np.percentile(step, 20, axis=1) + 0.25 * np.minimum(step.mean(axis=1), 40), change


def _strangeness(
    cloth: np.ndarray, mask: np.ndarray, collar: np.ndarray, outline: np.ndarray, x: np.ndarray, curves: np.ndarray
) -> np.ndarray:
    """How far the shade between the outline and each of many curves, each (n,) y over the same x, is from that of the
    shoulders beside it, in Lab units."""
    wide = collar[1, 0] - collar[0, 0]
    shoulders = []
    for (end, top), out in zip(collar, (-1, 1), strict=True):
        columns = (end + out * np.linspace(0.04, 0.25, 12) * wide).round().astype(int).clip(0, mask.shape[1] - 1)
        rows = (top + np.linspace(0.04, 0.45, 24) * wide).round().astype(int).clip(0, mask.shape[0] - 1)
        seen = mask[np.ix_(rows, columns)]
        if seen.any():
            shoulders.append(np.median(to_lab(cloth[np.ix_(rows, columns)])[seen], axis=0))
    above = np.interp(x, outline[:, 0], outline[:, 1]) + _SEAM
    share = np.linspace(0, 1, 12)[:, None]
    rows = above + share * np.maximum(curves - _SEAM - above, 0)[:, None, :]
    columns = np.broadcast_to(x.round().astype(int), rows.shape)
    shades = to_lab(cloth[rows.round().astype(int).clip(0, mask.shape[0] - 1), columns]).reshape(len(curves), -1, 3)
    shade = np.median(shades, axis=1)
    return (
        np.min([np.linalg.norm(shade - one, axis=1) for one in shoulders], axis=0)
        if shoulders
        else np.full(len(curves), np.inf)
    )


def _flank_steps(cloth: np.ndarray, mask: np.ndarray, x: np.ndarray, curves: np.ndarray) -> np.ndarray:
    """Of many curves, each (n,) y over the same x: the colour step across the outer parts of each, in Lab units, on the side
    where it is less. Infinite for a curve so near to the outline that it cannot be told."""
    slope = np.gradient(curves, x, axis=1)
    along = np.sqrt(1 + slope**2)
    steps = np.zeros((2, len(curves)))
    for reach in _FLANK_REACHES:
        sides = []
        for across in (reach, -reach):  # upwards first
            columns = (x + across * slope / along).round().astype(int).clip(0, mask.shape[1] - 1)
            rows = (curves - across / along).round().astype(int).clip(0, mask.shape[0] - 1)
            sides.append((to_lab(cloth[rows, columns]), mask[rows, columns]))
        seen = sides[0][1] & sides[1][1]
        change = np.where(seen[..., None], sides[1][0] - sides[0][0], np.nan)
        flank = np.maximum(4, _FLANK * seen.sum(axis=1))[:, None]
        told = seen.sum(axis=1) >= 8
        for side, counted in enumerate((seen.cumsum(axis=1), seen[:, ::-1].cumsum(axis=1)[:, ::-1])):
            # the median of the vectors, not of their lengths: those of noise and letters point anywhere
            part = np.where((counted <= flank)[told, :, None], change[told], np.nan)
            step = np.linalg.norm(np.nanmedian(part, axis=1), axis=1)
            steps[side, told] = np.maximum(steps[side, told], step)
            steps[side, ~told] = np.inf
    return steps.min(axis=0)


def _inside_of_back(neckline: np.ndarray, shape: tuple) -> np.ndarray:
    """Everything above the front edge of the opening, between the ends of the collar."""
    lid = np.array([[neckline[-1, 0], 0], [neckline[0, 0], 0]])
    return polygon_mask(np.vstack([neckline, lid]), shape)


def _sleeve(smooth: np.ndarray, mask: np.ndarray, shoulder: np.ndarray, armpit: np.ndarray, side: int) -> Sleeve | None:
    out = -1 if side == LEFT else 1
    down = armpit - shoulder
    rows, columns = np.arange(mask.shape[0])[:, None], np.arange(mask.shape[1])
    # beyond the line from shoulder to armpit, and below it beyond the armpit
    outside = (columns - shoulder[0]) * down[1] * out > (rows - shoulder[1]) * down[0] * out
    outside |= (rows >= int(armpit[1])) & ((columns - armpit[0]) * out > 0)
    region = largest_region(_cut_body(smooth & outside, armpit, out))
    if region.sum() < 0.005 * smooth.sum():
        return None
    contours, _ = cv2.findContours(region.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    ring = max(contours, key=len)[:, 0].astype(np.float64)
    start = np.linalg.norm(ring - shoulder, axis=1).argmin()
    ring = np.roll(ring, -start, axis=0)
    stop = np.linalg.norm(ring - armpit, axis=1).argmin()
    first, second = ring[: stop + 1], np.vstack([ring[stop:], ring[:1]])[::-1]
    line = resample(first if length(first) > length(second) else second, 90)
    outer_end, inner_start = _cuff(line, float(np.linalg.norm(down)))
    full = grow(region, 4) & mask & (outside | region)
    return Sleeve(line[: outer_end + 1], line[inner_start:][::-1], full)


def _cut_body(region: np.ndarray, armpit: np.ndarray, out: int) -> np.ndarray:
    """Below the armpit a sleeve is what lies outside of the gap; the trunk may bulge out below it."""
    region = region.copy()
    first, column = int(armpit[1]) + 1, int(armpit[0])
    # from the picture's edge to the armpit: background, sleeve, gap, and perhaps trunk
    outer = region[first:, : column + 1] if out < 0 else region[first:, column:][:, ::-1]
    gap = np.maximum.accumulate(outer, axis=1) & ~outer
    has_gap = gap.any(axis=1)
    outer &= ~np.maximum.accumulate(gap, axis=1)
    outer[~has_gap & (np.arange(first, len(region)) > armpit[1] + 3)] = False
    return region


def _cuff(line: np.ndarray, root: float) -> tuple:
    """Indices where the cuff begins and ends on the way from shoulder over cuff to armpit: two corners, straight between."""
    count = len(line)
    reach = 6
    before, after = np.roll(line, reach, axis=0), np.roll(line, -reach, axis=0)
    a, b = line - before, after - line
    cosine = (a * b).sum(axis=1) / np.maximum(np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1), 1e-6)
    sharp = 1 - cosine
    sharp[:reach] = sharp[-reach:] = 0
    step = length(line) / (count - 1)
    i, j = np.triu_indices(count, 3)
    chord = np.linalg.norm(line[i] - line[j], axis=1)
    straight = chord / ((j - i) * step)
    # both edges of a sleeve are about equally long, so the cuff lies in mid-way
    balance = np.abs((i + j) / 2 / count - 0.55)
    score = np.minimum(sharp[i], 1) + np.minimum(sharp[j], 1) + 2 * straight - 2.5 * balance
    score[(chord < 0.25 * root) | (chord > 1.4 * root) | (i < 0.15 * count) | (j > 0.97 * count)] = -9
    best = int(score.argmax())
    return int(i[best]), int(j[best])


def _trunk(mask: np.ndarray, sleeves: tuple) -> np.ndarray:
    trunk = mask.copy()
    for sleeve in sleeves:
        if sleeve is not None:
            trunk &= ~sleeve.mask
    return largest_region(trunk)


def _hem_corner(trunk: np.ndarray, armpit: np.ndarray, side: int) -> np.ndarray:
    """Lower corner of the trunk."""
    out = -1 if side == LEFT else 1
    below = largest_region(trunk & (np.arange(len(trunk)) > armpit[:, 1].max())[:, None])
    rows = np.flatnonzero(below.any(axis=1))
    outermost = below[rows].argmax(axis=1) if side == LEFT else below.shape[1] - 1 - below[rows, ::-1].argmax(axis=1)
    best = np.argmax(out * outermost + rows)
    return np.array([outermost[best], rows[best]], np.float64)


def _side_line(trunk: np.ndarray, armpit: np.ndarray, corners: list, side: int) -> np.ndarray:
    """The side seam from the armpit down: the outermost pixel of the trunk per row."""
    first, last = armpit[side, 1] + 2, corners[side][1] - 6
    points = [armpit[side]]
    for row in np.linspace(first, max(first + 1, last), 24).astype(int):
        inked = np.flatnonzero(trunk[row])
        if inked.size:
            points.append(np.array([inked[0] if side == LEFT else inked[-1], row], np.float64))
    points.append(corners[side])
    return resample(np.array(points), 24)


def _hem_line(mask: np.ndarray, corners: list) -> np.ndarray:
    columns = np.linspace(corners[0][0], corners[1][0], 15)[1:-1].astype(int)
    bottom = mask.shape[0] - 1 - mask[::-1, columns].argmax(axis=0)
    low = min(corners[0][1], corners[1][1]) - 0.1 * mask.shape[0]
    bottom = np.maximum(bottom, low)
    return np.vstack([corners[0], np.stack([columns, bottom], axis=1), corners[1]])
