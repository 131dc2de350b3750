"""Skin that the old top hid: the wearer's own tone, shaded like a body in soft light, joined to the skin that shows."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from services.tryon.engines.tps.body import ARMS, NECK, Arm, Body
from services.tryon.engines.tps.curves import Box, box_around, grow, labelled, polygon_mask
from stagekit.formats import CIHP

_SHRINK = 4
"""Skin is smooth: its colours are worked out at a quarter of the size."""


def fill_smoothly(image: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Fill what is not known from what is around it, smoothly (push-pull pyramid; Gortler et al., SIGGRAPH 1996).

    image: float32 (H, W, 3); known: bool (H, W). Known pixels, of which there is at least one, stay as they are.
    """
    weight = known.astype(np.float32)
    levels = [(image * weight[..., None], weight)]
    while max(levels[-1][1].shape) > 1 and levels[-1][1].min() <= 0:
        size = tuple((side + 1) // 2 for side in levels[-1][1].shape[::-1])
        colour, mass = (cv2.resize(v, size, interpolation=cv2.INTER_AREA) for v in levels[-1])
        levels.append((colour, mass))
    colour, mass = levels[-1]
    result = colour / np.maximum(mass, 1e-6)[..., None]
    for colour, mass in levels[-2::-1]:
        result = cv2.resize(result, mass.shape[::-1], interpolation=cv2.INTER_LINEAR)
        result = colour + result * (1 - mass)[..., None]
    return result


@dataclass(frozen=True)
class Tones:
    """The wearer's skin in the light of the photo, (3,) float RGB each."""

    chest: np.ndarray
    arm: np.ndarray
    hand: np.ndarray


@dataclass(frozen=True)
class Layer:
    """A part of the body or of the trousers that the old top hid."""

    box: Box
    colour: np.ndarray
    """RGB (h, w, 3) in the box."""
    area: np.ndarray
    """bool (h, w): what to paint."""
    beside: np.ndarray
    """bool (h, w): what shows of the same part."""


def read_tones(photo: np.ndarray, parse: np.ndarray, body: Body) -> Tones:
    """From the lit part of the face, and from the arms where enough of them is bare."""
    face = _usual_colour(photo, grow(parse == CIHP["face"], -4), 45, 85)
    if face is None:
        face = _usual_colour(photo, grow(parse == NECK, -4), 40, 90)
    bare = labelled(parse, [CIHP["left_arm"], CIHP["right_arm"]])
    arms = _usual_colour(photo, grow(bare, -4), 25, 90)
    face = next(colour for colour in (face, arms, np.array([205.0, 165.0, 145.0])) if colour is not None)
    arms = face if arms is None else arms
    if bare.sum() < 0.2 * body.unit**2:  # hands, which are redder and darker than arms
        return Tones(0.97 * face, 0.7 * face + 0.3 * arms, arms)
    return Tones((face + arms) / 2, arms, arms)


def _usual_colour(photo: np.ndarray, area: np.ndarray, low: float, high: float) -> np.ndarray | None:
    if area.sum() < 1000:
        return None
    colours = photo[area].astype(np.float32)
    light = colours.mean(axis=1)
    usual = (light >= np.percentile(light, low)) & (light <= np.percentile(light, high))
    return np.median(colours[usual], axis=0)


def trunk_skin(photo: np.ndarray, parse: np.ndarray, body: Body, tones: Tones, area: np.ndarray) -> Layer:
    """Neck and chest: darker towards the sides and under the chin. area: bool, what to paint."""
    if not area.any():
        return _nothing()
    box = _coarse_box(area)
    rows, columns = _coarse_grid(box)
    height = (rows - body.middle[1]) / body.unit
    half = np.interp(height, (-0.4, -0.2, 0.1), (0.2, 0.3, 0.56)) * body.unit  # neck, its root, shoulders
    off = np.abs(columns - body.axis(rows[:, 0])[:, None]) / half
    shade = 1.02 - 0.14 * np.minimum(off, 1.2) ** 3
    shade *= np.interp(height, (-0.3, 0.0, 0.5), (0.97, 1.0, 0.96))
    head = _coarse(labelled(parse, [CIHP["face"], CIHP["hair"]]), box) > 0.5
    away = _distance(head) / body.unit
    model = tones.chest * (shade * (1 - 0.22 * np.exp(-away / 0.09)))[..., None]
    return _joined(photo, model, parse == NECK, area, box, 0.22 * body.unit)


def arm_skin(
    photo: np.ndarray,
    parse: np.ndarray,
    body: Body,
    arm: Arm,
    tones: Tones,
    area: np.ndarray,
    hidden: np.ndarray,
    labels: Sequence[int] = ARMS,
) -> Layer:
    """A bare arm where the old sleeve was: a lit cylinder. area: what to paint; hidden: bool, the old top; labels: of
    arms, or of legs where `arm` is one.
    """
    if not area.any():
        return _nothing()
    box = _coarse_box(area)
    rows, columns = _coarse_grid(box)
    place, off = _on_arm(arm, columns.ravel(), rows.ravel())
    tone = np.stack([np.interp(place, (0, 0.5, 1.6, 2.1), values)
                     for values in zip(tones.chest, tones.arm, tones.arm, tones.hand, strict=True)], axis=1)  # fmt: skip
    bare = labelled(parse, list(labels)) & ~hidden
    model = (tone * _across(photo, arm, bare)(off)[:, None]).reshape(*rows.shape, 3)
    return _joined(photo, model, bare, area, box, 0.25 * body.unit)


def _nothing() -> Layer:
    none = np.zeros((0, 0), bool)
    return Layer((slice(0, 0), slice(0, 0)), np.zeros((0, 0, 3), np.float32), none, none)


def _on_arm(arm: Arm, columns: np.ndarray, rows: np.ndarray) -> tuple:
    """Place of pixels on an arm: 0 shoulder .. 2 wrist along it, -1 inner .. 1 outer edge across it."""
    columns, rows = columns.astype(np.float32), rows.astype(np.float32)
    x, y = arm.line.astype(np.float32).T
    nearest = ((columns[:, None] - x) ** 2 + (rows[:, None] - y) ** 2).argmin(axis=1)
    normal = arm.normal.astype(np.float32)[nearest]
    off = (columns - x[nearest]) * normal[:, 0] + (rows - y[nearest]) * normal[:, 1]
    off /= np.maximum(arm.half[nearest], 1)
    return nearest / 20, np.clip(off, -1, 1)


def _across(photo: np.ndarray, arm: Arm, bare: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    """Light at places across an arm, factors around 1: as on the bare part of the same arm, else of a lit cylinder."""
    places = np.linspace(-1, 1, 9)
    light = 1.04 - 0.22 * np.abs(places) ** 2.2 - 0.04 * places
    rows, columns = np.nonzero((polygon_mask(arm.outline(0.2, 1.9), bare.shape) & bare)[::4, ::4])
    if len(rows) > 200:
        rows, columns = 4 * rows, 4 * columns
        seen = np.round(_on_arm(arm, columns, rows)[1] * 4).astype(int) + 4
        values = photo[rows, columns].mean(axis=1)
        usual = np.median(values)
        for index in range(9):
            own = values[seen == index]
            if len(own) > 8:
                light[index] = np.median(own) / usual
        light[1:-1] = (light[:-2] + 2 * light[1:-1] + light[2:]) / 4
        light[[0, -1]] = 0.94 * light[[1, -2]]
    return lambda off: np.interp(off, places, light)


def _joined(photo: np.ndarray, model: np.ndarray, seen: np.ndarray, area: np.ndarray, box: Box, reach: float) -> Layer:
    """The model, moved near the skin that shows to meet it: its error there is carried on and fades over `reach` pixels."""
    model = model.astype(np.float32)
    inner = grow(seen, -3)
    share = _coarse(inner, box) > 0.95
    if share.any():
        small = cv2.resize(photo[box], model.shape[1::-1], interpolation=cv2.INTER_AREA)
        error = fill_smoothly(small.astype(np.float32) - model, share)
        model += cv2.GaussianBlur(error, (0, 0), 2) * np.exp(-_distance(share) / reach)[..., None]
    fine = cv2.resize(model, area[box].shape[::-1], interpolation=cv2.INTER_LINEAR)
    return Layer(box, fine + _grain(photo, inner, area[box].shape), area[box], seen[box])


def _grain(photo: np.ndarray, seen: np.ndarray, shape: tuple) -> np.ndarray:
    """Noise (h, w, 1) as strong as the fine grain of the skin that shows."""
    box = box_around(seen)
    level = 1.0
    if seen[box].sum() > 2000:
        light = cv2.cvtColor(photo[box], cv2.COLOR_RGB2GRAY).astype(np.float32)
        level = 1.48 * float(np.median(np.abs(light - cv2.GaussianBlur(light, (0, 0), 1.5))[seen[box]]))
    noise = np.random.default_rng(7).normal(size=shape).astype(np.float32)
    return (cv2.GaussianBlur(noise, (0, 0), 0.7) * min(1.5 * level, 2.5))[..., None]


def _distance(coarse: np.ndarray) -> np.ndarray:
    """Pixels of the picture from each coarse pixel to a mask; 1000 for an empty one."""
    if not coarse.any():
        return np.full(coarse.shape, 1000.0)
    return np.asarray(cv2.distanceTransform((~coarse).astype(np.uint8), cv2.DIST_L2, 3) * _SHRINK)


def _coarse_box(area: np.ndarray) -> Box:
    """The box of what to paint and of the skin near it, in steps of a coarse pixel."""
    rows, columns = box_around(area, 60)
    whole = [slice(part.start // _SHRINK * _SHRINK, part.stop // _SHRINK * _SHRINK) for part in (rows, columns)]
    return whole[0], whole[1]


def _coarse_grid(box: Box) -> tuple:
    """Rows and columns of the middles of the coarse pixels, (h, w) each."""
    ranges = [np.arange(part.start, part.stop, _SHRINK) + (_SHRINK - 1) / 2 for part in box]
    rows, columns = np.meshgrid(*ranges, indexing="ij")
    return rows, columns


def _coarse(mask: np.ndarray, box: Box) -> np.ndarray:
    """Share of a mask in each coarse pixel."""
    part = mask[box].astype(np.float32)
    return cv2.resize(part, (part.shape[1] // _SHRINK, part.shape[0] // _SHRINK), interpolation=cv2.INTER_AREA)
