"""What the engine needs to know of the wearer, whatever the garment."""

from dataclasses import dataclass

import cv2
import numpy as np

from services.tryon.engines.tps.body import ARMS, HEAD, LOWER, SHOES, UPPER, Body, read_body
from services.tryon.engines.tps.clean import with_overlooked_top, without_mistaken_head
from services.tryon.engines.tps.curves import grow, labelled, polygon_mask, soft, within
from services.tryon.engines.tps.erase import Undressed, erase_top
from services.tryon.engines.tps.garment import LEFT, RIGHT
from services.tryon.engines.tps.light import light_on
from services.tryon.engines.tps.lower import read_leg
from stagekit.formats import CIHP

_WAIST = 0.35
"""Of trousers and skirts above the hip joints, in shoulder distances, where the photo does not show it."""

_DRESS_PARTS = 0.1
"""Above the hip joints, in shoulder distances, where a dress is parted into a top and a skirt."""

_HIDDEN = 0.1
"""Share of a forearm's middle that trousers hide, where they are in front of it."""

_LONGEST = 0.45
"""How far below the hips a top may reach."""


@dataclass(frozen=True)
class Wearer:
    """The person without her top, and what shows in front of or on the new one."""

    photo: np.ndarray
    """uint8 RGB (1024, 768, 3)."""
    parse: np.ndarray
    """uint8 (1024, 768): CIHP ids; a worn dress is skirt from the hips on, which stays below a new top."""
    points: np.ndarray
    """(25, 3) BODY_25."""
    body: Body
    undressed: Undressed
    shading: np.ndarray
    """float32 (1024, 768, 1): folds and light of the worn top, factors around 1."""
    light: np.ndarray
    """float32 (3,): factors for the colours of a garment from a picture in white light."""
    arms: np.ndarray
    """float32 0..1: bare arms and hands, in front of the trunk of the garment."""
    beside_arms: np.ndarray
    """bool: the worn top near bare arms."""
    front: np.ndarray
    """float32 0..1: hair and face, in front of everything."""
    lower: np.ndarray
    """float32 0..1: trousers or skirt."""
    before_arms: np.ndarray
    """float32 0..1: trousers or skirt that hide a forearm, which goes behind them or into a pocket."""
    behind: np.ndarray
    """float32 0..1: the person without her arms."""
    old_hem: np.ndarray
    """(768,) row where the worn top ends in each column of the trunk; below the picture where that cuts it off, 0 without
    a top."""


def read_wearer(photo: np.ndarray, parse: np.ndarray, points: np.ndarray) -> Wearer:
    """photo: uint8 RGB; parse: uint8 CIHP ids; points: (25, 3) BODY_25. Raises IncompletePose."""
    photo = photo.copy()  # a wearer is kept, and the caller may go on with his array
    parse = with_overlooked_top(photo, without_mistaken_head(photo, parse))
    body = read_body(points, parse)
    parse = _with_skirt(parse, body)
    arms = soft(_bare_arms(parse, body))
    undressed = erase_top(photo, parse, body)
    return Wearer(
        photo=photo,
        parse=parse,
        points=points,
        body=body,
        undressed=undressed,
        shading=_shading(photo, parse),
        light=light_on(photo, parse),
        arms=arms,
        beside_arms=undressed.worn & within(arms > 0.5, 0.1 * body.unit),
        front=soft(labelled(parse, HEAD)),
        lower=soft(labelled(parse, LOWER)),
        before_arms=soft(_before_arms(parse, body)),
        behind=np.clip(soft(grow(parse > 0, -1)) - arms, 0, 1),
        old_hem=_old_hem(parse, body),
    )


def _with_skirt(parse: np.ndarray, body: Body) -> np.ndarray:
    below = np.arange(parse.shape[0])[:, None] > body.hip[1] - _DRESS_PARTS * body.unit
    return np.where((parse == CIHP["dress"]) & below & ~_sleeves(parse, body), np.uint8(CIHP["skirt"]), parse)


def _sleeves(parse: np.ndarray, body: Body) -> np.ndarray:
    """bool: around the forearms that worn sleeves cover. What hangs below the hips there is no skirt."""
    around = np.zeros(parse.shape, bool)
    for arm in body.arms:
        if arm is not None and arm.old_sleeve > 1:
            around |= polygon_mask(arm.outline(1.0, arm.old_sleeve, 0.05 * body.unit), parse.shape)
    return around


@dataclass(frozen=True)
class Place:
    """Where trousers or a skirt go."""

    legs: tuple
    """Two of `Arm`, the left one in the picture first: 0 hip, 1 knee, 2 ankle."""
    waist: float
    """The row at which they begin."""
    old: np.ndarray
    """bool: the worn ones; of a worn dress what hangs below the waist."""
    kept: np.ndarray
    """bool: what lies in front: top, arms, head, shoes."""
    before: np.ndarray
    """bool: the same without the top: what lies in front of a dress."""

    def reached(self, row: float) -> tuple:
        """How far down each leg a row is: 0 hip, 1 knee, 2 ankle."""
        return tuple(float(np.interp(row, leg.line[:, 1], np.arange(len(leg.line)) / 20)) for leg in self.legs)


def read_place(wearer: Wearer) -> Place:
    """Where the lower body is, whatever the garment."""
    parse, body = wearer.parse, wearer.body
    rows = np.arange(parse.shape[0])[:, None]
    top, lower, sleeves = labelled(parse, UPPER), labelled(parse, LOWER), _sleeves(parse, body)
    waist = float(body.hip[1] - _WAIST * body.unit)
    spread = int(0.25 * body.unit)
    centre = int(np.clip(body.hip[0], spread, parse.shape[1] - spread))
    columns = slice(centre - spread, centre + spread)
    shown = lower[:, columns].any(axis=0)
    if shown.mean() > 0.5:
        first = float(np.median(lower[:, columns].argmax(axis=0)[shown]))
        waist = min(waist, first) if first > body.middle[1] + 0.4 * (body.hip[1] - body.middle[1]) else waist
    hanging = top & (rows > body.hip[1] + _LONGEST * body.unit) & ~sleeves
    if hanging[:, columns].any():  # a dress, or as long as one: it ends at the hips then
        hanging = top & (rows > body.hip[1] - _DRESS_PARTS * body.unit) & ~sleeves
    before = labelled(parse, ARMS + HEAD + SHOES)
    legs = tuple(read_leg(wearer.points, body, side) for side in (LEFT, RIGHT))
    return Place(legs, waist, lower | hanging, (top & ~hanging) | before, before)


def _old_hem(parse: np.ndarray, body: Body) -> np.ndarray:
    height, width = parse.shape
    top, hidden = labelled(parse, UPPER), labelled(parse, ARMS)
    for arm in body.arms:
        if arm is not None:
            hidden |= polygon_mask(arm.outline(0.2, arm.old_sleeve + 0.1, 0.06 * body.unit), parse.shape)
    top &= ~hidden
    last = np.where(top.any(axis=0), height - 1 - top[::-1].argmax(axis=0), 0)
    spread = int(0.3 * body.unit)
    centre = int(np.clip(body.hip[0], spread, width - spread))
    middle = last[centre - spread : centre + spread]
    if (middle > 0).mean() < 0.3:
        return np.zeros(width)
    usual = float(np.median(middle[middle > 0]))
    if usual > height - 8:
        return np.full(width, height + 0.1 * body.unit)
    # where an arm hides the hem, or nothing hangs, it goes on as beside it
    near = slice(max(int(usual - 0.2 * body.unit), 0), int(usual + 0.2 * body.unit))
    known = (np.abs(last - usual) < 0.2 * body.unit) & ~hidden[near].any(axis=0)
    left, right = (body.side(usual, side) for side in (LEFT, RIGHT))  # at a trunk's sides its outline goes up
    known &= np.abs(np.arange(width) - (left + right) / 2) < 0.45 * (right - left)
    if not known.any():
        return np.full(width, usual)
    line = np.interp(np.arange(width), np.flatnonzero(known), last[known])
    return cv2.GaussianBlur(line[None], (0, 0), 0.03 * body.unit, borderType=cv2.BORDER_REPLICATE)[0]


def _bare_arms(parse: np.ndarray, body: Body) -> np.ndarray:
    """Bare arms and hands hide the trunk of the garment, but not the shoulders that it covers."""
    arms = labelled(parse, ARMS)
    for joint in body.shoulder:
        cap = np.zeros(parse.shape, np.uint8)
        cv2.circle(cap, (int(joint[0]), int(joint[1])), int(0.3 * body.unit), 1, -1)
        arms &= cap == 0
    return arms


def _before_arms(parse: np.ndarray, body: Body) -> np.ndarray:
    """Trousers where a forearm's middle should be, if it was in front of them."""
    lower, before = labelled(parse, LOWER), np.zeros(parse.shape, bool)
    for arm in body.arms:
        if arm is not None:
            middle = polygon_mask(arm.outline(1.0, 2.0, -0.4 * float(arm.half.mean())), parse.shape)
            if lower[middle].mean() > _HIDDEN:
                before |= lower & polygon_mask(arm.outline(0.8, 2.3, 0.3 * body.unit), parse.shape)
    return before


def _shading(photo: np.ndarray, parse: np.ndarray) -> np.ndarray:
    """Folds and light of the worn top, faint and smooth: (H, W, 1) factors around 1."""
    top = grow(labelled(parse, UPPER), -3)
    light = (cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY).astype(np.float32) + 20) * top
    half = (parse.shape[1] // 2, parse.shape[0] // 2)  # half the size is enough for anything so smooth
    light, mass = (cv2.resize(v, half, interpolation=cv2.INTER_AREA) for v in (light, top.astype(np.float32)))
    fine, broad = (_masked_blur(light, mass, sigma) for sigma in (4.5, 30))
    ratio = np.clip(fine / np.maximum(broad, 1), 0.8, 1.1)
    weight = cv2.GaussianBlur(mass, (0, 0), 4.5)
    factors = 1 + 0.5 * _plainness(photo, top) * (ratio - 1) * weight
    return cv2.resize(factors, parse.shape[::-1], interpolation=cv2.INTER_LINEAR)[..., None]


def _plainness(photo: np.ndarray, top: np.ndarray) -> float:
    """1 for a worn top of one colour, 0 for a dark or a patterned one, whose pattern would pass for folds."""
    if not top.any():
        return 0.0
    colours = cv2.cvtColor(photo[top][::7, None], cv2.COLOR_RGB2LAB)[:, 0].astype(np.float32)
    plain = np.clip(1.6 - colours[:, 1:].std(axis=0).max() / 5 - colours[:, 0].std() / 45, 0, 1)
    return float(plain * np.clip(np.median(colours[:, 0]) / 50 - 0.5, 0, 1))  # in the dark it is noise


def _masked_blur(values: np.ndarray, mass: np.ndarray, sigma: float) -> np.ndarray:
    """Blur what has mass. values: already multiplied by the mass."""
    shrink = max(1, int(sigma / 4))
    size = (values.shape[1] // shrink, values.shape[0] // shrink)
    top, mass = (cv2.resize(v, size, interpolation=cv2.INTER_AREA) for v in (values, mass))
    top, mass = (cv2.GaussianBlur(v, (0, 0), sigma / shrink) for v in (top, mass))
    return cv2.resize(top / np.maximum(mass, 1e-3), values.shape[::-1], interpolation=cv2.INTER_LINEAR)
