"""Take the worn top out of the photo: skin, trousers or backdrop where it was."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from services.tryon.engines.tps.body import ARMS, HEAD, LEGS, LOWER, NECK, UPPER, Arm, Body
from services.tryon.engines.tps.curves import Box, box_around, grow, labelled, lay, polygon_mask
from services.tryon.engines.tps.ground import continue_ground
from services.tryon.engines.tps.skin import Layer, Tones, arm_skin, fill_smoothly, read_tones, trunk_skin
from stagekit.formats import CIHP

_SKIN = (CIHP["face"], NECK, CIHP["left_arm"], CIHP["right_arm"])


_LAP = 10
"""Rows by which trousers go on under the new hem."""

_SHADED = 16
"""Rows of trousers below a hem that lie in its shadow."""

_FOLD = 5
"""Pixels: what is finer is the weave and small folds of a cloth."""

_DEEPEST = 24.0
"""Grey levels of the deepest fold."""


@dataclass(frozen=True)
class Undressed:
    """The photo without the worn top, in layers from back to front: backdrop, trousers, trunk, arms."""

    canvas: np.ndarray
    """uint8 RGB (1024, 768, 3): backdrop where the top was, elsewhere the photo."""
    backdrop: np.ndarray
    """uint8 RGB (1024, 768, 3)."""
    worn: np.ndarray
    """bool: the old top."""
    bared: np.ndarray
    """bool: the old top and the arms, with a margin."""
    trousers: Layer | None
    skins: list[Layer]

    def under(self, hidden: np.ndarray, hem: np.ndarray) -> np.ndarray:
        """The picture, uint8 RGB, to lay the garment on.

        hidden: bool, backdrop instead of what the garment is to hide of shoulders and arms; hem: (n, 2) from left to
        right, below which trousers are drawn on upwards.
        """
        trunk, *arms = self.skins
        canvas = self.canvas.copy()
        if self.trousers is not None:
            rows, columns = (np.arange(part.start, part.stop) for part in self.trousers.box)
            _paint(canvas, self.trousers, rows[:, None] < np.interp(columns, *hem.T) - _LAP)
        _paint(canvas, trunk, hidden[trunk.box])
        box = box_around(hidden & self.bared, 8)
        if hidden[box].size:
            alpha = cv2.GaussianBlur((hidden & self.bared)[box].astype(np.float32), (0, 0), 1.0)
            lay(canvas[box], self.backdrop[box], alpha)
        for arm in arms:
            _paint(canvas, arm, hidden[arm.box])
        return canvas


def erase_top(photo: np.ndarray, parse: np.ndarray, body: Body) -> Undressed:
    """Take the worn top off. What the photo shows besides it stays."""
    old = labelled(parse, UPPER)
    # a rim of skin and trousers goes too: the old edge casts its colour and shadow there
    kept = grow(labelled(parse, list(_SKIN) + LOWER), -4) | labelled(parse, HEAD)
    reach = grow(old, 6) & ~kept
    backdrop = continue_ground(photo, ~grow(parse > 0, 7))
    canvas = photo.copy()
    box = box_around(reach, 8)
    if reach.any():
        alpha = cv2.GaussianBlur(reach[box].astype(np.float32), (0, 0), 1.2)
        lay(canvas[box], backdrop[box], alpha * ~kept[box])  # no rim around hands
    tones = read_tones(photo, parse, body)
    trunk = _trunk_area(body, parse.shape)
    forearms = np.zeros(parse.shape, bool)
    for arm in body.arms:
        if arm is not None and arm.old_sleeve > 1.1:
            forearms |= polygon_mask(arm.outline(1.1, arm.old_sleeve, 0.05 * body.unit), parse.shape)
    trousers = _trousers(photo, parse, reach & trunk & ~forearms, body)
    chest = reach & trunk & _above_waist(body, parse.shape)
    skins = [trunk_skin(photo, parse, body, tones, chest)]
    skins += [_arm(photo, parse, body, arm, tones, reach) for arm in body.arms if arm is not None]
    own = labelled(parse, UPPER + ARMS)
    return Undressed(canvas, backdrop, old, own | (grow(own, 5) & (parse == 0)), trousers, skins)


def erase_lower(
    canvas: np.ndarray, photo: np.ndarray, parse: np.ndarray, body: Body, backdrop: np.ndarray, old: np.ndarray,
    kept: np.ndarray, legs: Sequence[Arm], bared: np.ndarray,
) -> np.ndarray:  # fmt: skip
    """The canvas, uint8 RGB, without the worn trousers or skirt: legs where they are bared, elsewhere backdrop.

    canvas: the photo, or what has been made of it; old, kept, bared: bool (1024, 768), the worn garment, what lies in front of
    it, and where legs are to show. Legs that the photo shows there stay.
    """
    legs_shown = labelled(parse, LEGS)
    ankles = min(float(leg.line[40, 1]) for leg in legs) - 0.05 * body.unit
    feet = np.arange(parse.shape[0])[:, None] > ankles
    kept = kept | (legs_shown & (bared | feet))
    reach = grow(old | legs_shown, 6) & ~kept
    canvas = canvas.copy()
    box = box_around(reach, 8)
    if not reach[box].any():
        return canvas
    alpha = cv2.GaussianBlur(reach[box].astype(np.float32), (0, 0), 1.2)
    lay(canvas[box], backdrop[box], alpha * ~kept[box])
    tones = read_tones(photo, parse, body)
    for leg in legs:
        area = polygon_mask(leg.outline(0.1, 2.1), parse.shape) & bared & reach
        layer = arm_skin(photo, parse, body, leg, tones, area, old, LEGS)
        _paint(canvas, layer, np.zeros(layer.area.shape, bool))
    return canvas


def under_sleeves(body: Body, sleeve_ends: tuple, shape: tuple) -> np.ndarray:
    """What new sleeves are to hide, with a margin: shoulder and arm that stick out of them would look like holes.

    sleeve_ends: how far each one reaches (0 shoulder, 1 elbow, 2 wrist).
    """
    hidden = np.zeros(shape[:2], np.uint8)
    for arm, end in zip(body.arms, sleeve_ends, strict=True):
        if arm is not None and end > 0.15:
            hidden |= polygon_mask(arm.outline(0.0, end - 0.1, 0.12 * body.unit), shape)
            cv2.circle(hidden, (int(arm.line[0, 0]), int(arm.line[0, 1])), int(0.2 * body.unit), 1, -1)
    return hidden > 0


def _trunk_area(body: Body, shape: tuple) -> np.ndarray:
    top = int(body.middle[1] + 0.3 * body.unit)
    rows = np.arange(max(top, 0), shape[0], 6)
    left = np.stack([[body.side(row, 0) for row in rows], rows], axis=1)
    right = np.stack([[body.side(row, 1) for row in rows], rows], axis=1)
    head = [body.shoulder_point(share) for share in (-1, -0.8, -0.4, -0.22, 0.22, 0.4, 0.8, 1)]
    neck = [
        body.middle + body.across * share * body.unit + body.up * high * body.unit
        for share, high in ((-0.3, 0.2), (-0.19, 0.28), (-0.19, 0.6), (0.19, 0.6), (0.19, 0.28), (0.3, 0.2))
    ]
    return polygon_mask(np.vstack([left[::-1], head, right]), shape) | polygon_mask(np.array(neck), shape)


def _above_waist(body: Body, shape: tuple) -> np.ndarray:
    waist = body.middle[1] + 0.75 * (body.hip[1] - body.middle[1])
    return np.broadcast_to((np.arange(shape[0]) < waist)[:, None], shape[:2])


def _paint(canvas: np.ndarray, layer: Layer, hidden: np.ndarray) -> None:
    """Lay what is not hidden, bool (h, w) in the layer's box, over the canvas in place."""
    area = layer.area & ~hidden
    if area.any():
        # a little over what shows of it, or the backdrop shines through along the seam
        area |= grow(area, 3) & layer.beside
        lay(canvas[layer.box], layer.colour, cv2.GaussianBlur(area.astype(np.float32), (0, 0), 1.2))


def _trousers(photo: np.ndarray, parse: np.ndarray, area: np.ndarray, body: Body) -> Layer | None:
    """Trousers drawn on upwards with the colour below the shadow of the old hem."""
    lower = labelled(parse, LOWER)
    if lower.sum() < 500:
        return None
    sample = grow(lower, -3)
    from_top = np.arange(parse.shape[0])[:, None] - sample.argmax(axis=0)
    band = sample & (from_top >= _SHADED) & (from_top < 60)
    band = band if band.any() else sample
    small = cv2.resize(photo.astype(np.float32), None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
    seen = cv2.resize(band.astype(np.float32), small.shape[1::-1], interpolation=cv2.INTER_AREA) > 0.6
    top = body.middle[1] + 0.72 * (body.hip[1] - body.middle[1])
    area = area & (np.arange(parse.shape[0]) > top)[:, None]
    if not seen.any() or not area.any():
        return None
    box = box_around(area, 8)
    colour = cv2.resize(fill_smoothly(small, seen), photo.shape[1::-1], interpolation=cv2.INTER_LINEAR)[box]
    return Layer(box, colour + _weave(photo, sample, box), area[box], lower[box])


def _weave(photo: np.ndarray, sample: np.ndarray, box: Box) -> np.ndarray:
    """The fine detail of the trousers in a box, mirrored upwards over where they begin: float32 RGB (h, w, 3), 0 on average.

    sample: bool, the trousers.
    """
    fine = photo.astype(np.float32) - cv2.GaussianBlur(photo.astype(np.float32), (0, 0), _FOLD)
    fine = np.clip(fine, -_DEEPEST, _DEEPEST) * grow(sample, -4)[..., None]
    first = np.where(sample.any(axis=0), sample.argmax(axis=0), -sample.shape[0])[box[1]] + 4
    rows, columns = (np.arange(part.start, part.stop, dtype=np.float32) for part in box)
    below = np.maximum(2 * first - rows[:, None], rows[:, None]).astype(np.float32)
    across = np.broadcast_to(columns, below.shape).copy()
    return np.asarray(cv2.remap(fine, across, below, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT))


def _arm(photo: np.ndarray, parse: np.ndarray, body: Body, arm: Arm, tones: Tones, reach: np.ndarray) -> Layer:
    shape = parse.shape
    whole = polygon_mask(arm.outline(0.2, 2.3), shape)
    shoulder = np.zeros(shape, np.uint8)
    for step in range(5):  # a round one
        centre = (int(arm.line[step, 0]), int(arm.line[step, 1]))
        cv2.circle(shoulder, centre, int(arm.half[step]), 1, -1)
    sleeve = polygon_mask(arm.outline(0.2, min(arm.old_sleeve + 0.25, 2.3)), shape) | (shoulder > 0)
    bare = labelled(parse, ARMS)
    # a few pixels over the old sleeve's edge, for its folds are not the arm's outline; a speck is no sleeve
    speck = int(0.03 * body.unit)
    beyond = grow(grow(labelled(parse, UPPER) & sleeve, -speck), speck + 11) & (parse == 0)
    area = (sleeve & ((reach & (parse != 0)) | beyond)) | (grow(whole, 6) & bare & reach)
    return arm_skin(photo, parse, body, arm, tones, area, reach)
