"""Landmarks and outlines of a garment that lies flat or hangs, from what the garment parser reads in its picture."""

from collections.abc import Mapping
from dataclasses import dataclass

import cv2
import numpy as np

from garment_parser.parser import GarmentParser, Reading
from services.tryon.engines.tps.curves import grow, largest_region, length, polygon_mask, resample

LEFT, RIGHT = 0, 1
"""Sides as seen in the picture."""

_SIDES = ("left", "right")

_LONG = 0.6
"""Likelihood from which sleeves count as long."""

_LEAST_SHOWN = 0.3
"""Share of the neckline along which the inside of the back has to show."""

_EVEN = 0.25
"""How far an even curve may be from the neckline that was read, as a share of its depth."""

_SHALLOWEST, _UNEVEN = 0.3, 1.25
"""Depth of the armholes: at least this share of the chest's width, and of one per that of the other."""

_STEPS = 33
"""Points of a neckline."""


@dataclass(frozen=True)
class Sleeve:
    """One sleeve: (n, 2) polylines from the shoulder seam to the cuff, and its pixels."""

    outer: np.ndarray
    inner: np.ndarray
    mask: np.ndarray

    @property
    def length(self) -> float:
        """From the shoulder to the cuff, as tailors measure it."""
        return length(self.outer)


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
    reaches_wrists: bool
    """Whether the sleeves are long ones."""
    likely: Mapping[str, float]
    """Category -> how likely this is one, by its picture."""

    @property
    def sleeve_length(self) -> float:
        """Of the longer one: the other may be folded, or hidden in part."""
        return max((sleeve.length for sleeve in self.sleeves if sleeve is not None), default=0.0)

    @property
    def chest(self) -> float:
        """Width between the armpits in pixels."""
        return float(self.armpit[RIGHT, 0] - self.armpit[LEFT, 0])


def read_garment(parser: GarmentParser, cloth: np.ndarray, cloth_mask: np.ndarray) -> Garment:
    """Find the landmarks. cloth: uint8 RGB (H, W, 3); cloth_mask: bool (H, W), not empty."""
    reading = parser.read(cloth, cloth_mask)
    mask = largest_region(reading.parts > 0)
    smooth = largest_region(cv2.GaussianBlur(mask.astype(np.float32), (0, 0), 1.5) > 0.5)
    shoulder, armpit, collar, hem = (_pair(reading, name, smooth) for name in ("shoulder", "armpit", "collar", "hem"))
    shoulder, collar = (np.array([_on_top(smooth, point) for point in pair]) for pair in (shoulder, collar))
    armpit = _level(armpit, shoulder, smooth, reading)
    mask = mask & ~_wedge_tips(cloth, mask, armpit, float(np.ptp(armpit[:, 0])))
    regions = [_sleeve_region(reading, shoulder, armpit, hem, side) for side in (LEFT, RIGHT)]
    sleeves = tuple(_sleeve(reading, region, mask, shoulder[side], armpit[side], side) if region is not None else None
                    for side, region in enumerate(regions))  # fmt: skip
    trunk = mask.copy()
    for sleeve in sleeves:
        if sleeve is not None:
            trunk &= ~sleeve.mask
    trunk = largest_region(trunk)
    collar_top = _collar_top(reading, smooth)
    neckline = _neckline(reading, smooth, collar, collar_top)
    corners = [_nearest(trunk, hem[side]) for side in (LEFT, RIGHT)]
    sides = tuple(_side_line(trunk, armpit, corners, side) for side in (LEFT, RIGHT))
    body = trunk | (grow(trunk, 12) & mask)  # laps under the sleeves, so that no gap opens along the seam
    if collar_top is None:
        body &= ~_above(neckline, mask.shape)
    return Garment(mask, body, collar, collar_top, neckline, shoulder, armpit, sides, _hem_line(trunk, corners), sleeves,
                   reading.sleeves["long"] > _LONG, reading.category)  # fmt: skip


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


def _pair(reading: Reading, name: str, mask: np.ndarray) -> np.ndarray:
    """A landmark of both sides, (2, 2), left one left: where the garment has no such, where a top of that outline would."""
    found = np.array([reading.landmarks[f"{side}_{name}"] for side in _SIDES])
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    corner, size = np.array([columns[0], rows[0]]), np.array([np.ptp(columns), np.ptp(rows)])
    if (
        min(reading.there[f"{side}_{name}"] for side in _SIDES) < 0.5
        or np.ptp(found[:, 0]) < 0.05 * size[0]
        or (found[LEFT, 0] > found[RIGHT, 0])
    ):
        across, down = {"shoulder": (0.12, 0.05), "armpit": (0.03, 0.3), "collar": (0.35, 0.0), "hem": (0.03, 0.98)}[
            name
        ]
        found = corner + np.array([[across, down], [1 - across, down]]) * size
    return found


def _on_top(mask: np.ndarray, point: np.ndarray) -> np.ndarray:
    """The point moved up or down onto the mask's upper edge, where that is near."""
    x = int(np.clip(round(point[0]), 0, mask.shape[1] - 1))
    inked = np.flatnonzero(mask[:, x])
    if not len(inked) or abs(inked[0] - point[1]) > 0.05 * mask.shape[0]:
        return _nearest(mask, point)
    return np.array([point[0], inked[0]], np.float64)


def _nearest(mask: np.ndarray, point: np.ndarray) -> np.ndarray:
    """The point of the mask that is nearest."""
    ys, xs = np.nonzero(mask)
    best = np.hypot(xs - point[0], ys - point[1]).argmin()
    return np.array([xs[best], ys[best]], np.float64)


def _level(armpit: np.ndarray, shoulder: np.ndarray, mask: np.ndarray, reading: Reading) -> np.ndarray:
    """Both armpits about as deep as the higher one, and not right below the shoulders: where a sleeve lies against the trunk,
    the gap between them begins farther down.
    """
    depth = armpit[:, 1] - shoulder[:, 1]
    usual = max(float(depth.min()), _SHALLOWEST * float(np.ptp(armpit[:, 0])))
    levelled = armpit.copy()
    for side in (LEFT, RIGHT):
        if not usual <= depth[side] <= _UNEVEN * usual:
            row = shoulder[side, 1] + np.clip(depth[side], usual, _UNEVEN * usual)
            index = int(np.clip(row, 0, len(mask) - 1))
            columns = np.flatnonzero(reading.part(f"{_SIDES[side]}_sleeve")[index])
            if len(columns):
                x = columns[-1] if side == LEFT else columns[0]
            else:
                columns = np.flatnonzero(mask[index])
                x = (columns[0] if side == LEFT else columns[-1]) if len(columns) else armpit[side, 0]
            levelled[side] = x, row
    return levelled


def _sleeve_region(
    reading: Reading, shoulder: np.ndarray, armpit: np.ndarray, hem: np.ndarray, side: int
) -> np.ndarray | None:
    """bool (H, W), or None without a sleeve: what the parser calls one, where its landmarks do not tell better.

    shoulder, armpit, hem: (2, 2), of both sides.
    """
    name = _SIDES[side]
    if min(reading.there[f"{name}_cuff_outer"], 1 - reading.sleeves["none"]) < 0.5:
        return None
    garment, found = reading.parts > 0, reading.part(f"{name}_sleeve")
    cuffs = [reading.landmarks[f"{name}_cuff_{edge}"] for edge in ("outer", "inner")]
    sleeve = polygon_mask(np.array([shoulder[side], *cuffs, armpit[side]]), found.shape)
    sides = [[shoulder[each], armpit[each], hem[each]] for each in (LEFT, RIGHT)]
    trunk = polygon_mask(np.array([*sides[LEFT], *sides[RIGHT][::-1]]), found.shape)
    other = reading.part(f"{_SIDES[1 - side]}_sleeve")
    found = ((found & ~(trunk & ~sleeve)) | (sleeve & ~trunk)) & garment & ~other
    root, end = (shoulder[side] + armpit[side]) / 2, (cuffs[0] + cuffs[1]) / 2
    rows, columns = np.arange(found.shape[0])[:, None] - root[1], np.arange(found.shape[1]) - root[0]
    found &= columns * (end - root)[0] + rows * (end - root)[1] < 1.12 * np.sum((end - root) ** 2)
    found = _region_at(grow(grow(found, -2), 2) & garment, sleeve)
    return found if found.sum() > 0.004 * garment.sum() else None


def _region_at(mask: np.ndarray, place: np.ndarray) -> np.ndarray:
    """Of the connected regions of a bool mask the one that covers most of a place."""
    count, labels = cv2.connectedComponents(mask.astype(np.uint8))
    shares = np.bincount(labels[place], minlength=count)
    shares[0] = 0
    return np.asarray(labels == shares.argmax()) & mask


def _sleeve(
    reading: Reading, region: np.ndarray, mask: np.ndarray, shoulder: np.ndarray, armpit: np.ndarray, side: int
) -> Sleeve:
    contours, _ = cv2.findContours(region.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    ring = max(contours, key=len)[:, 0].astype(np.float64)
    ring = np.roll(ring, -int(np.linalg.norm(ring - shoulder, axis=1).argmin()), axis=0)
    name = _SIDES[side]
    cuffs = [reading.landmarks[f"{name}_cuff_{edge}"] for edge in ("outer", "inner")]
    outer, inner, root = (int(np.linalg.norm(ring - point, axis=1).argmin()) for point in (*cuffs, armpit))
    if root < outer:  # the ring runs the other way around
        ring = np.roll(ring[::-1], 1, axis=0)
        outer, inner, root = ((len(ring) - index) % len(ring) for index in (outer, inner, root))
    inner = min(max(inner, outer), root)
    return Sleeve(
        resample(ring[: outer + 1], 60),
        resample(ring[inner : root + 1][::-1], 60),
        grow(region, 4) & mask,
    )


def _collar_top(reading: Reading, mask: np.ndarray) -> np.ndarray | None:
    if min(reading.there[f"{side}_collar_top"] for side in _SIDES) < 0.5:
        return None
    top = np.array([_nearest(mask, reading.landmarks[f"{side}_collar_top"]) for side in _SIDES])
    # A collar that lies open shows the inside of the back between its ends.
    between = polygon_mask(np.array([*top, reading.landmarks["neck"]]), mask.shape)
    opened = (reading.part("inside") & between).sum() > 0.3 * max(between.sum(), 1)
    return None if opened or np.ptp(top[:, 0]) < 4 else top


def _neckline(reading: Reading, mask: np.ndarray, collar: np.ndarray, collar_top: np.ndarray | None) -> np.ndarray:
    """The front edge of the opening: below the inside of the back where that shows, else the outline."""
    ends = collar if collar_top is None else collar_top
    columns = np.linspace(ends[LEFT, 0], ends[RIGHT, 0], _STEPS)
    index = np.clip(columns.round().astype(int), 0, mask.shape[1] - 1)
    edge = mask[:, index].argmax(axis=0).astype(np.float64)
    if collar_top is None:
        lowest = int(np.clip(reading.landmarks["neck"][1] + 0.03 * len(mask), 0, len(mask) - 1))
        inside = reading.part("inside")[: lowest + 1, index]
        bottom = lowest + 1.0 - inside[::-1].argmax(axis=0)
        if (inside.any(axis=0) & (bottom > edge)).mean() > _LEAST_SHOWN:
            bottom = np.where(inside.any(axis=0), bottom, edge)
            edge = np.maximum(edge, _fitted(columns, bottom, ends))
    edge[0], edge[-1] = ends[:, 1]
    return np.stack([columns, _smoothed(edge)], axis=1)


def _fitted(x: np.ndarray, y: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """The edge of the front as clothes are cut: the even curve between a V and a square that is nearest to what was read; what
    was read where no such curve is near.
    """
    share = (2 * x - ends[:, 0].sum()) / np.ptp(ends[:, 0])
    base = np.interp(x, ends[:, 0], ends[:, 1])
    depths, powers = np.meshgrid(
        np.linspace(0.5, 1.2, 29) * max(float((y - base).max()), 1.0), (1.0, 1.3, 1.7, 2.2, 3.0, 4.5), indexing="ij"
    )
    curves = base + depths.ravel()[:, None] * (1 - np.abs(share) ** powers.ravel()[:, None])
    away = np.abs(curves - y).mean(axis=1)
    best = int(away.argmin())
    return curves[best] if away[best] < _EVEN * float((y - base).max()) else y


def _smoothed(values: np.ndarray) -> np.ndarray:
    """Without single steps, its ends as they are."""
    padded = np.pad(values, 2, mode="reflect", reflect_type="odd")
    middle = np.median(np.lib.stride_tricks.sliding_window_view(padded, 5), axis=1)
    padded = np.pad(middle, 1, mode="edge")
    smooth = np.asarray((padded[:-2] + 2 * padded[1:-1] + padded[2:]) / 4)
    smooth[0], smooth[-1] = values[0], values[-1]
    return smooth


def _above(neckline: np.ndarray, shape: tuple) -> np.ndarray:
    """Everything above the front edge of the opening, between the ends of the collar."""
    lid = np.array([[neckline[-1, 0], 0], [neckline[0, 0], 0]])
    return polygon_mask(np.vstack([neckline, lid]), shape)


def _side_line(trunk: np.ndarray, armpit: np.ndarray, corners: list, side: int) -> np.ndarray:
    """The side seam from the armpit down: the outermost pixel of the trunk per row."""
    first, last = armpit[side, 1] + 2, corners[side][1] - 6
    points = [armpit[side]]
    for row in np.linspace(first, max(first + 1, last), 24).astype(int):
        inked = np.flatnonzero(trunk[min(row, len(trunk) - 1)])
        if inked.size:
            points.append(np.array([inked[0] if side == LEFT else inked[-1], row], np.float64))
    points.append(corners[side])
    return resample(np.array(points), 24)


def _hem_line(trunk: np.ndarray, corners: list) -> np.ndarray:
    columns = np.linspace(corners[0][0], corners[1][0], 15)[1:-1].astype(int)
    bottom = trunk.shape[0] - 1 - trunk[::-1, columns].argmax(axis=0)
    low = min(corners[0][1], corners[1][1]) - 0.1 * trunk.shape[0]
    bottom = np.maximum(bottom, low)
    return np.vstack([corners[0], np.stack([columns, bottom], axis=1), corners[1]])
