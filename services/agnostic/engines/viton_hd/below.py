"""The same for what is worn below the waist, and for dresses. VITON-HD has tops only: these forms are ours, in its manner.

Lengths follow the shoulder width, as there. What hides a garment hides its cut as well: between the legs, where a skirt may
hang, and some way around what the parse calls trousers, skirt or legs.
"""

import cv2
import numpy as np

from services.agnostic.drawing import Mask, Point
from services.agnostic.engines.viton_hd.agnostic import hidden, unit_of
from services.agnostic.joints import Joints
from services.agnostic.outputs import WORN_BELOW
from stagekit.formats import BODY_25, CIHP, HEIGHT

_HEAD = ("hat", "hair", "sunglasses", "face")
_HANDS = ("glove", "left_arm", "right_arm")
_SHOES = ("left_shoe", "right_shoe")
_WORN_ABOVE = ("upper_clothes", "coat", "scarf", "neck")

_KEPT_BELOW = [CIHP[label] for label in (*_HEAD, *_HANDS, *_SHOES, *_WORN_ABOVE)]
_KEPT_OF_ALL = [CIHP[label] for label in ("sunglasses", "face", *_SHOES)]
"""Less than below: as in the published form for tops, hair that hangs over the garment goes with it."""


def hidden_by(category: str, parse: np.ndarray, joints: Joints) -> np.ndarray:
    """What is hidden for a garment of this category, (1024, 768) bool; of `upper` the published form.

    joints: as `hidden` takes them; knees and ankles may be missing, as in half figures.
    """
    if category == "upper":
        return hidden(parse, joints)
    below = _below(parse, joints)
    if category == "lower":
        return np.asarray(below & ~np.isin(parse, _KEPT_BELOW))
    kept = np.isin(parse, [*_KEPT_OF_ALL, *(CIHP[label] for label in _HANDS)])
    return hidden(parse, joints, _KEPT_OF_ALL) | (below & ~kept)


def _below(parse: np.ndarray, joints: Joints) -> np.ndarray:
    """From the waist to the ankles, or to the picture's end: (1024, 768) bool."""
    unit = unit_of(joints)
    painted = Mask()
    right, left = (_leg(joints, side) for side in ("right", "left"))
    painted.line(right[0], left[0], 12 * unit)
    painted.polygon((*right, *left[::-1]))
    for leg in (right, left):
        painted.disc(leg[0], 6 * unit)
        for start, end in zip(leg, leg[1:], strict=False):
            painted.line(start, end, 10 * unit)
            painted.disc(end, 5 * unit)
    worn = np.isin(parse, WORN_BELOW)
    hips = max(0, int(min(right[0][1], left[0][1])))
    worn[hips:] |= parse[hips:] == CIHP["dress"]
    side = 4 * unit + 1
    around = cv2.dilate(worn.astype(np.uint8), cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))) > 0
    return np.asarray(painted.drawn() | around)


def _leg(joints: Joints, side: str) -> tuple[Point, ...]:
    """Hip, knee and ankle, as far as they are there; then on, as the thigh or straight down, to the picture's end."""
    hip, knee, ankle = (joints[BODY_25[f"{side}_{name}"]] for name in ("hip", "knee", "ankle"))
    if any(knee) and any(ankle):
        return hip, knee, ankle
    way = (knee[0] - hip[0]) / (knee[1] - hip[1]) if any(knee) and knee[1] > hip[1] + 1 else 0.0
    last = knee if any(knee) else hip
    end = (last[0] + max(-0.5, min(0.5, way)) * max(0.0, HEIGHT - last[1]), float(HEIGHT))
    return (hip, knee, end) if any(knee) else (hip, end)
