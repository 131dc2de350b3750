"""Take the worn top out of the photo: skin, trousers or backdrop where it was."""

from dataclasses import dataclass

import cv2
import numpy as np

from services.tryon.engines.tps.body import ARMS, HEAD, LOWER, NECK, UPPER, Arm, Body
from services.tryon.engines.tps.curves import Box, box_around, grow, labelled, lay, polygon_mask
from stagekit.formats import CIHP

_SKIN = (CIHP["face"], NECK, CIHP["left_arm"], CIHP["right_arm"])


def fill_smoothly(image: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Fill what is not known from what is around it, smoothly (push-pull pyramid; Gortler et al., SIGGRAPH 1996).

    image: float32 (H, W, 3); known: bool (H, W). Known pixels stay as they are.
    """
    weight = known.astype(np.float32)
    levels = [(image * weight[..., None], weight)]
    while min(levels[-1][1].shape) > 4 and levels[-1][1].min() <= 0:
        colour, mass = (cv2.resize(v, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA) for v in levels[-1])
        levels.append((colour, mass))
    colour, mass = levels[-1]
    result = colour / np.maximum(mass, 1e-6)[..., None]
    for colour, mass in levels[-2::-1]:
        result = cv2.resize(result, mass.shape[::-1], interpolation=cv2.INTER_LINEAR)
        result = colour + result * (1 - mass)[..., None]
    return result


def skin_colour(photo: np.ndarray, parse: np.ndarray) -> np.ndarray:
    """The wearer's skin in the light of the photo: (3,) float RGB, the median of arms and neck, else of the face."""
    arms, face = (_usual_colour(photo, grow(labelled(parse, labels), -4))
                  for labels in ([CIHP["left_arm"], CIHP["right_arm"]], [NECK, CIHP["face"]]))  # fmt: skip
    if arms is None or face is None:
        return next((colour for colour in (arms, face) if colour is not None), np.array([205.0, 165.0, 145.0]))
    hands_only = labelled(parse, ARMS).sum() < 15000  # hands are redder and darker than arms
    return (arms + face) / 2 if hands_only else arms


def _usual_colour(photo: np.ndarray, area: np.ndarray) -> np.ndarray | None:
    if area.sum() < 1000:
        return None
    colours = photo[area].astype(np.float32)
    light = colours.mean(axis=1)
    usual = (light >= np.percentile(light, 25)) & (light <= np.percentile(light, 90))
    return np.median(colours[usual], axis=0)


@dataclass(frozen=True)
class Skin:
    """A part of the body that the old top hid."""

    box: Box
    colour: np.ndarray
    """RGB (h, w, 3) in the box."""
    known: np.ndarray
    """bool (h, w): where there is a colour."""
    area: np.ndarray
    """bool (h, w): what to paint."""


@dataclass(frozen=True)
class Undressed:
    """The photo without the worn top, in layers from back to front: backdrop, trousers, trunk, arms."""

    canvas: np.ndarray
    """uint8 RGB (1024, 768, 3): backdrop and trousers where the top was, elsewhere the photo."""
    backdrop: np.ndarray
    """uint8 RGB (1024, 768, 3)."""
    bared: np.ndarray
    """bool: the old top and the arms, with a margin."""
    skins: list[Skin]

    def under(self, sleeves: np.ndarray) -> np.ndarray:
        """The picture, uint8 RGB; backdrop instead of what new sleeves are to hide (bool mask) of shoulders and arms."""
        trunk, *arms = self.skins
        canvas = self.canvas.copy()
        _paint_skin(canvas, trunk, sleeves)
        _paint(canvas, self.backdrop, sleeves & self.bared)
        for arm in arms:
            _paint_skin(canvas, arm, sleeves)
        return canvas


def erase_top(photo: np.ndarray, parse: np.ndarray, body: Body) -> Undressed:
    """Take the worn top off. What the photo shows besides it stays."""
    old = labelled(parse, UPPER)
    # a rim of skin and trousers goes too: the old edge casts its colour and shadow there
    kept = grow(labelled(parse, list(_SKIN) + LOWER), -4) | labelled(parse, HEAD)
    reach = grow(old, 6) & ~kept
    backdrop = _backdrop(photo, ~grow(parse > 0, 7))
    canvas = photo.copy()
    box = box_around(reach, 8)
    if reach.any():
        alpha = cv2.GaussianBlur(reach[box].astype(np.float32), (0, 0), 1.2)
        lay(canvas[box], backdrop[box], alpha * ~kept[box])  # no rim around hands
    skin = skin_colour(photo, parse)
    trunk = _trunk_area(body, parse.shape)
    forearms = np.zeros(parse.shape, bool)
    for arm in body.arms:
        if arm is not None:
            forearms |= polygon_mask(arm.outline(1.1, extra=0.05 * body.unit), parse.shape)
    _paint_lower(canvas, photo, parse, reach & trunk & ~forearms, body)
    chest = reach & trunk & _above_waist(body, parse.shape)
    box = box_around(chest, 8)
    colour = _trunk_skin(photo, parse, body, skin)[box]
    skins = [Skin(box, colour, np.ones_like(chest[box]), chest[box])]
    skins += [_arm_skin(photo, parse, arm, skin, reach) for arm in body.arms if arm is not None]
    own = labelled(parse, UPPER + ARMS)
    return Undressed(canvas, backdrop, own | (grow(own, 5) & (parse == 0)), skins)


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


def _backdrop(photo: np.ndarray, known: np.ndarray) -> np.ndarray:
    small = cv2.resize(photo.astype(np.float32), None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    seen = cv2.resize(known.astype(np.uint8), small.shape[1::-1], interpolation=cv2.INTER_NEAREST) > 0
    if not seen.any():
        return photo
    filled = cv2.resize(fill_smoothly(small, seen), photo.shape[1::-1], interpolation=cv2.INTER_LINEAR)
    return np.clip(filled + 0.5, 0, 255).astype(np.uint8)


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


def _paint(canvas: np.ndarray, colour: np.ndarray, area: np.ndarray, soft: float = 1.0) -> None:
    if area.any():
        box = box_around(area, 8)
        lay(canvas[box], colour[box], cv2.GaussianBlur(area[box].astype(np.float32), (0, 0), soft))


def _paint_skin(canvas: np.ndarray, skin: Skin, hidden: np.ndarray) -> None:
    area = skin.area & ~hidden[skin.box]
    if area.any():
        lay(canvas[skin.box], skin.colour, cv2.GaussianBlur(area.astype(np.float32), (0, 0), 1.2) * skin.known)


def _paint_lower(canvas: np.ndarray, photo: np.ndarray, parse: np.ndarray, area: np.ndarray, body: Body) -> None:
    """Draw the trousers on upwards: each column goes on with the colour just below the old hem."""
    lower = labelled(parse, LOWER)
    if lower.sum() < 500:
        return
    sample = grow(lower, -3)
    band = sample & (np.arange(parse.shape[0])[:, None] < sample.argmax(axis=0) + 30)
    small = cv2.resize(photo.astype(np.float32), None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
    seen = cv2.resize(band.astype(np.float32), small.shape[1::-1], interpolation=cv2.INTER_AREA) > 0.6
    if not seen.any():
        return
    colour = cv2.resize(fill_smoothly(small, seen), photo.shape[1::-1], interpolation=cv2.INTER_LINEAR)
    top = body.middle[1] + 0.72 * (body.hip[1] - body.middle[1])
    below = (np.arange(parse.shape[0]) > top)[:, None]
    _paint(canvas, colour, area & below, 1.2)


def _trunk_skin(photo: np.ndarray, parse: np.ndarray, body: Body, skin: np.ndarray) -> np.ndarray:
    """Neck and chest: skin with a soft shade under the chin and towards the sides, joined to the visible neck."""
    known = grow(parse == NECK, -2)
    small = cv2.resize(photo.astype(np.float32), None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
    seen = cv2.resize(known.astype(np.float32), small.shape[1::-1], interpolation=cv2.INTER_AREA) > 0.8
    # away from the visible neck, often in the shade of the chin, the colour goes over to the general tone
    if not seen.any():
        return np.broadcast_to(skin, photo.shape).astype(np.float32)
    far = cv2.distanceTransform((~seen).astype(np.uint8), cv2.DIST_L2, 3) * 4
    share = np.exp(-far / (0.06 * body.unit))[..., None]
    filled = fill_smoothly(small, seen) * share + skin * (1 - share)
    filled = cv2.GaussianBlur(filled, (0, 0), 3)
    return cv2.resize(filled, photo.shape[1::-1], interpolation=cv2.INTER_LINEAR)


def _arm_skin(photo: np.ndarray, parse: np.ndarray, arm: Arm, skin: np.ndarray, reach: np.ndarray) -> Skin:
    """A bare arm where the old sleeve was: the wearer's skin, darker towards the edges like a lit cylinder."""
    shape = parse.shape
    whole = polygon_mask(arm.outline(0.2), shape).astype(np.uint8)
    for step in range(5):  # a round shoulder
        centre = (int(arm.line[step, 0]), int(arm.line[step, 1]))
        cv2.circle(whole, centre, int(arm.half[step]), 1, -1)
    # a few pixels over the old sleeve's edge, for its folds are not the arm's outline
    area = (whole > 0) & (reach | (grow(reach, 5) & (parse == 0)))
    box = box_around(area, 8)
    rows, columns = np.nonzero(area)
    colour = np.zeros((*area[box].shape, 3), np.float32)
    colour[area[box]] = _across_arm(photo, parse, arm, skin, reach, _off_middle(arm, columns, rows))
    seen = labelled(parse, ARMS) & ~reach
    return Skin(box, colour, area[box], (area & ~seen)[box])


def _off_middle(arm: Arm, columns: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Place of pixels across an arm: -1 inner edge .. 1 outer edge."""
    spots = np.stack([columns, rows], axis=1).astype(np.float32)
    line = arm.line.astype(np.float32)
    square = (spots**2).sum(axis=1)[:, None] - 2 * spots @ line.T + (line**2).sum(axis=1)
    nearest = square.argmin(axis=1)
    off = ((spots - line[nearest]) * arm.normal[nearest]).sum(axis=1) / np.maximum(arm.half[nearest], 1)
    return np.clip(off, -1, 1)


def _across_arm(
    photo: np.ndarray, parse: np.ndarray, arm: Arm, skin: np.ndarray, reach: np.ndarray, off: np.ndarray
) -> np.ndarray:
    """Colours (n, 3) at places across an arm: as on the bare part of the same arm, else darker towards the edges."""
    places = np.linspace(-1, 1, 9)
    shade = skin * (1.03 - 0.18 * np.abs(places) ** 2.4 - 0.05 * places)[:, None]
    bare = polygon_mask(arm.outline(0.2, 1.9), parse.shape) & labelled(parse, ARMS) & ~reach
    rows, columns = np.nonzero(bare)
    if len(rows) > 1500:
        rows, columns = rows[::5], columns[::5]
        seen = np.round(_off_middle(arm, columns, rows) * 4).astype(int) + 4
        for index in range(9):
            own = photo[rows, columns][seen == index]
            if len(own) > 15:
                shade[index] = np.median(own, axis=0)
        shade[1:-1] = (shade[:-2] + 2 * shade[1:-1] + shade[2:]) / 4
        shade[[0, -1]] = 0.94 * shade[[1, -2]]
    return np.stack([np.interp(off, places, shade[:, channel]) for channel in range(3)], axis=1)
