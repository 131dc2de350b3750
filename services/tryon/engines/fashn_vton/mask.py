"""What the masked mode hides of the person: the garment that she wears, generously, as the network was trained on it."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np

from stagekit.formats import BODY_25, CIHP

LABELS = (
    "background", "face", "hair", "top", "dress", "skirt", "pants", "belt", "bag", "hat", "scarf", "glasses", "arms", "hands",
    "legs", "feet", "torso", "jewelry",
)  # fmt: skip
"""Names of the authors' labels; the id is the position."""

_ID = {name: number for number, name in enumerate(LABELS)}

_OF_CIHP = {
    "hat": "hat", "hair": "hair", "glove": "hands", "sunglasses": "glasses", "upper_clothes": "top", "coat": "top",
    "dress": "dress", "socks": "feet", "pants": "pants", "neck": "torso", "scarf": "scarf", "skirt": "skirt", "face": "face",
    "left_arm": "arms", "right_arm": "arms", "left_leg": "legs", "right_leg": "legs", "left_shoe": "feet",
    "right_shoe": "feet",
}  # fmt: skip

_HAND = 0.6
"""How far a hand reaches beyond its wrist, of the forearm's length."""


class _Hidden(NamedTuple):
    """Labels, by name, for one category."""

    garment: tuple[str, ...]
    limbs: tuple[str, ...]
    kept: tuple[str, ...]


_UPPER, _LOWER = ("top", "dress", "scarf"), ("skirt", "pants", "belt")
_ALWAYS_KEPT = ("face", "hair", "jewelry", "bag", "glasses", "hat")
_BY_CATEGORY = {
    "upper": _Hidden(_UPPER, ("arms", "torso"), (*_ALWAYS_KEPT, "legs", "hands")),
    "lower": _Hidden(_LOWER, ("legs",), (*_ALWAYS_KEPT, "arms", "feet")),
    "dress": _Hidden(_UPPER + _LOWER, ("arms", "torso", "legs"), (*_ALWAYS_KEPT, "hands", "feet")),
}


class Steps(NamedTuple):
    """On the way to the mask, bool (H, W) each."""

    base: np.ndarray
    buffer: np.ndarray
    contour: np.ndarray
    hybrid: np.ndarray
    dilated: np.ndarray
    mask: np.ndarray
    """What is hidden."""


def labels_of_parse(parse: np.ndarray, person: np.ndarray) -> np.ndarray:
    """A parse as the authors' parser would have it: uint8 (H, W). What of an arm lies beyond its wrist is a hand.

    parse: CIHP's labels, (H, W); person: (25, 3), joints in its pixels.
    """
    table = np.zeros(256, np.uint8)
    for theirs, ours in _OF_CIHP.items():
        table[CIHP[theirs]] = _ID[ours]
    labels = table[parse]
    rows, columns = np.mgrid[: parse.shape[0], : parse.shape[1]]
    for side in ("left", "right"):
        elbow, wrist = (person[BODY_25[f"{side}_{joint}"]] for joint in ("elbow", "wrist"))
        if elbow[2] and wrist[2]:
            forearm, x, y = wrist[:2] - elbow[:2], columns - wrist[0], rows - wrist[1]
            beyond = (x * forearm[0] + y * forearm[1] > 0) & (np.hypot(x, y) < _HAND * np.hypot(*forearm))
            labels[beyond & (parse == CIHP[f"{side}_arm"])] = _ID["hands"]
    return labels


def mask_steps(labels: np.ndarray, category: str) -> Steps:
    """labels: the authors', uint8 (H, W), of a picture after its first resize."""
    hidden, scale = _BY_CATEGORY[category], labels.shape[0] / 864
    base = np.isin(labels, [_ID[name] for name in (*hidden.garment, *hidden.limbs)])
    buffer = _dilated(base, np.ones((max(1, int(4 * scale)),) * 2, np.uint8))
    contour = _contour(base, max(1, int(18 * scale))) | base
    hybrid = _bounded(base) & (contour | (_distance(~contour) <= 100 * scale))
    across, down = int(33 * scale), int(16 * scale)
    dilated = _dilated(hybrid, np.ones((2 * down + 1, 2 * across + 1), np.uint8))
    kept = np.isin(labels, [_ID[name] for name in hidden.kept])
    return Steps(base, buffer, contour, hybrid, dilated, buffer | (dilated & ~kept))


def _contour(base: np.ndarray, radius: int) -> np.ndarray:
    """A smooth outline around it, `radius` pixels away, without holes."""
    grown = _dilated(base, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1,) * 2))
    signed = _distance(~grown) - _distance(grown)
    smooth = cv2.GaussianBlur(signed, (0, 0), radius / 2.5, borderType=cv2.BORDER_REPLICATE) <= 0
    _, ground = cv2.connectedComponents((~smooth).astype(np.uint8), connectivity=4)
    # As published: ground is what hangs together with the first pixel; where that one is inside, all is.
    return ground != (ground[0, 0] or -1)


def _bounded(base: np.ndarray) -> np.ndarray:
    """The rectangle around it."""
    x, y, width, height = cv2.boundingRect(base.astype(np.uint8))
    rectangle = np.zeros_like(base)
    rectangle[y : y + height, x : x + width] = True
    return rectangle


def _distance(inside: np.ndarray) -> np.ndarray:
    """Of each pixel inside to the nearest one outside, float32."""
    return cv2.distanceTransform(inside.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5)


def _dilated(mask: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    return cv2.dilate(mask.astype(np.uint8), kernel) > 0
