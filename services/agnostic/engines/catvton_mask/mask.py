"""The inpainting mask of CatVTON, from two parses and DensePose's parts. It needs no pose.

Source: CatVTON (Chong et al., ICLR 2025), of which the facts are used, not the code. It has one parser that labels as ATR does
and one that labels as LIP does, and looks at both. Tests compare with masks of the original.
"""

from typing import NamedTuple

import cv2
import numpy as np

from services.agnostic import atr
from stagekit.formats import CIHP

LIP = {**CIHP, "jumpsuit": CIHP["neck"]}
"""LIP numbers as CIHP does, but for the neck, which it lacks: 10 is a jumpsuit there."""

Labels = tuple[tuple[int, ...], tuple[str, ...]]
"""Numbers of ATR, and names of LIP."""


class Rule(NamedTuple):
    """What makes one kind of garment's mask."""

    worn: Labels
    """What it takes the place of."""
    kept: Labels
    """What stays because of it."""
    body: tuple[int, ...]
    """Parts of DensePose that it may lie on."""


_TORSO, _LEGS, _ARMS = (1, 2), tuple(range(7, 15)), tuple(range(15, 23))
_HANDS_AND_FEET = (3, 4, 5, 6)

_BELOW = (
    (atr.SKIRT, atr.PANTS, atr.DRESS, atr.LEFT_LEG, atr.RIGHT_LEG),
    ("pants", "jumpsuit", "skirt", "left_leg", "right_leg"),
)
"""What stays below the layers of a top."""

RULES = {
    "upper": Rule(
        worn=((atr.UPPER_CLOTHES, atr.DRESS), ("upper_clothes", "dress", "coat", "jumpsuit")),
        kept=(
            (atr.SKIRT, atr.PANTS, atr.LEFT_LEG, atr.RIGHT_LEG),
            ("pants", "skirt", "left_leg", "right_leg"),
        ),
        body=_TORSO + _ARMS,
    ),
    "lower": Rule(
        worn=((atr.SKIRT, atr.PANTS, atr.DRESS), ("dress", "pants", "jumpsuit", "skirt")),
        kept=(
            (atr.UPPER_CLOTHES, atr.FACE, atr.LEFT_ARM, atr.RIGHT_ARM),
            ("upper_clothes", "coat", "face", "left_arm", "right_arm"),
        ),
        body=_LEGS,
    ),
    "dress": Rule(
        worn=(
            (atr.UPPER_CLOTHES, atr.SKIRT, atr.PANTS, atr.DRESS),
            ("upper_clothes", "dress", "coat", "pants", "jumpsuit", "skirt"),
        ),
        kept=((), ()),
        body=_TORSO + _LEGS + _ARMS,
    ),
    "inner": Rule(
        worn=((atr.UPPER_CLOTHES,), ("upper_clothes",)),
        kept=(_BELOW[0], ("dress", "coat", *_BELOW[1])),
        body=_TORSO,
    ),
    "outer": Rule(
        worn=((), ("coat",)),
        kept=(_BELOW[0], ("upper_clothes", "dress", *_BELOW[1])),
        body=_TORSO + _ARMS,
    ),
}
"""The categories of garments, and of a top what is worn under an open jacket (inner) and the jacket (outer)."""

_ALWAYS_KEPT = (
    (atr.HAT, atr.HAIR, atr.SUNGLASSES, atr.LEFT_SHOE, atr.RIGHT_SHOE, atr.BAG, atr.SCARF),
    ("hat", "hair", "glove", "sunglasses", "socks", "scarf", "left_shoe", "right_shoe"),
)
_LIMBS = (
    (atr.LEFT_LEG, atr.RIGHT_LEG, atr.LEFT_ARM, atr.RIGHT_ARM),
    ("left_leg", "right_leg", "left_arm", "right_arm"),
)


class Parses(NamedTuple):
    """The same person's labels, (h, w) uint8 each."""

    atr: np.ndarray
    """In the order of ATR, which calls a neck face."""
    lip: np.ndarray

    def are(self, labels: Labels) -> np.ndarray:
        """Where either parse has one of its labels: (h, w) bool."""
        of_atr, of_lip = labels
        return np.isin(self.atr, of_atr) | np.isin(self.lip, [LIP[name] for name in of_lip])


def both_parses(parse: np.ndarray) -> Parses:
    """What stands in for the two parses, out of one of CIHP's ids, which tells all of either but bags and belts."""
    in_atr = atr.in_atr(parse)
    return Parses(
        atr=np.where(in_atr == atr.NECK, np.uint8(atr.FACE), in_atr),
        lip=np.where(parse == CIHP["neck"], np.uint8(CIHP["background"]), parse),
    )


def inpainting_mask(parses: Parses, parts: np.ndarray, kind: str) -> np.ndarray:
    """Where a garment may be painted: (h, w) bool.

    parts: (h, w) uint8, DensePose ids; h and w are multiples of 4. kind: one of RULES. Lengths follow the longer side.
    """
    rule = RULES[kind]
    side = max(parts.shape)
    square, blur = np.ones((_odd(side // 250),) * 2, np.uint8), (_odd(side // 25),) * 2

    untouched = _grown(np.isin(parts, _HANDS_AND_FEET), square) & parses.are(_LIMBS)
    untouched |= parses.lip == LIP["face"]
    kept = untouched | parses.are(_ALWAYS_KEPT) | parses.are(rule.kept)
    somebody = (parses.atr != 0) | (parses.lip != 0)

    area = (somebody & ~kept) | _widened(np.isin(parts, rule.body), square)
    area = _hulls(area) & ~kept
    area = cv2.GaussianBlur(area.astype(np.uint8) * 255, blur, 0) >= 25
    return _grown((area | parses.are(rule.worn)) & ~untouched, square)


def _odd(length: int) -> int:
    return length if length % 2 else length + 1


def _grown(mask: np.ndarray, square: np.ndarray, times: int = 1) -> np.ndarray:
    return np.asarray(cv2.dilate(mask.astype(np.uint8), square, iterations=times) > 0)


def _widened(mask: np.ndarray, square: np.ndarray) -> np.ndarray:
    """Grown twice at a quarter of its size."""
    height, width = mask.shape
    small = cv2.resize(mask.astype(np.uint8), (width // 4, height // 4), interpolation=cv2.INTER_NEAREST)
    grown = _grown(small, square, 2).astype(np.uint8)
    return np.asarray(cv2.resize(grown, (width, height), interpolation=cv2.INTER_NEAREST) > 0)


def _hulls(mask: np.ndarray) -> np.ndarray:
    """Each piece's convex hull in its place."""
    outlines, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    found = np.zeros(mask.shape, np.uint8)
    for outline in outlines:
        cv2.fillPoly(found, [cv2.convexHull(outline)], (1,))
    return found > 0
