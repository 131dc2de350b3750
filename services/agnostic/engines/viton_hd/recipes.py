"""Inpainting masks as the demos of IDM-VTON, OOTDiffusion and Leffa make them: where a model may paint.

Source: Leffa (Zhou et al., CVPR 2025), its code under the MIT licence; IDM-VTON (Choi et al., ECCV 2024) and OOTDiffusion (Xu
et al., 2024), of which the facts are used, not the code. They work on pictures of 384 x 512 pixels, on a parse in the order of
ATR, and lengths below are pixels there. Tests compare with masks of the originals.
"""

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np
from PIL import Image, ImageDraw

from services.agnostic import atr
from stagekit.formats import BODY_25, HEIGHT, WIDTH

SMALL_WIDTH, SMALL_HEIGHT = 384, 512

_FIXED = {"upper": (atr.SKIRT, atr.PANTS), "lower": (atr.UPPER_CLOTHES, atr.LEFT_ARM, atr.RIGHT_ARM), "dress": ()}
"""Category -> the labels that stay because of it."""

Points = np.ndarray
"""Of the joints, as BODY_25 counts them, (25, 2) float: x, y; (0, 0) for what was not found."""


class Recipe(NamedTuple):
    """What tells the recipes with two arms apart."""

    arm: int
    """How wide an arm is drawn."""
    grow: int
    """Side of the square that the garment grows by, five times."""
    eroded: bool
    """Whether what stays loses its rim first, by which the mask reaches a little into it."""


RECIPES = {"hd": Recipe(60, 10, True), "idm": Recipe(60, 5, False), "ootd_dc": Recipe(45, 5, False)}
"""hd: Leffa on VITON-HD. idm: the demo of IDM-VTON, and OOTDiffusion's `hd`. ootd_dc: OOTDiffusion's `dc`."""

_CORE = {
    "upper": (atr.UPPER_CLOTHES, atr.DRESS),
    "lower": (atr.SKIRT, atr.PANTS, atr.LEFT_LEG, atr.RIGHT_LEG),
    "dress": (atr.UPPER_CLOTHES, atr.SKIRT, atr.PANTS, atr.DRESS),
}
_CORE_DC = {
    "upper": (atr.UPPER_CLOTHES,),
    "lower": (atr.PANTS, atr.LEFT_LEG, atr.RIGHT_LEG),
    "dress": (atr.DRESS, atr.LEFT_LEG, atr.RIGHT_LEG),
}


def recipe_mask(parse: np.ndarray, joints: Sequence[Sequence[float]], category: str, recipe: str) -> np.ndarray:
    """Where a garment of the category may be painted: (1024, 768) bool.

    parse: (1024, 768) uint8, CIHP ids. joints: BODY_25 in its pixels. recipe: one of RECIPES, or dc (Leffa on DressCode).
    """
    small_joints = np.array(joints, float)[:, :2] * SMALL_WIDTH / WIDTH
    small = small_mask(atr.in_atr(parse[::2, ::2]), small_joints, category, recipe)
    large = Image.fromarray(small.astype(np.uint8) * 255).resize((WIDTH, HEIGHT), Image.Resampling.BICUBIC)
    return np.asarray(large) >= 128


def small_mask(parse: np.ndarray, joints: Points, category: str, recipe: str) -> np.ndarray:
    """The same at the size that the recipes were made for: (512, 384) bool. parse: uint8 of that size, in the order of ATR."""
    if recipe == "dc":
        return _mask_dc(parse, joints, category)
    return _mask_with_two_arms(parse, joints, category, RECIPES[recipe])


# -- Leffa on VITON-HD, IDM-VTON, OOTDiffusion ---------------------------------------------------------------------------


def _mask_with_two_arms(parse: np.ndarray, joints: Points, category: str, recipe: Recipe) -> np.ndarray:
    stays = np.isin(parse, (atr.HAT, atr.SUNGLASSES, atr.LEFT_SHOE, atr.RIGHT_SHOE, atr.BAG, *_FIXED[category]))
    changeable = ~stays
    core = _grown(np.isin(parse, _CORE[category]), recipe.grow, 5)
    head = np.isin(parse, (atr.HAT, atr.SUNGLASSES, atr.FACE))
    if category != "lower":
        arms = np.zeros_like(core)
        for label, side in ((atr.LEFT_ARM, "left"), (atr.RIGHT_ARM, "right")):
            arm = _arm(parse == label, joints, side, recipe.arm)
            stays |= (parse == label) & ~arm
            arms |= arm
        core |= (_grown(parse == atr.NECK, 5, 1) & ~head) | _grown(arms, 5, 4)
    if recipe.eroded:
        stays = cv2.erode(stays.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    stays |= head
    return _largest(_filled(~((changeable & ~core) | stays)))


def _arm(label: np.ndarray, joints: Points, side: str, width: int) -> np.ndarray:
    """Drawn from the shoulder over the elbow to behind the wrist; without a wrist the arm of the parse."""
    shoulder, elbow, wrist = (joints[BODY_25[f"{side}_{name}"]] for name in ("shoulder", "elbow", "wrist"))
    if wrist[0] <= 1 and wrist[1] <= 1:
        return label
    points = [(int(x), int(y)) for x, y in np.array([shoulder, elbow, elbow + 1.2 * (wrist - elbow)]).astype(np.uint16)]
    picture = Image.new("L", (SMALL_WIDTH, SMALL_HEIGHT))
    pen = ImageDraw.Draw(picture)
    pen.line(points if side == "right" else points[::-1], 255, width, "curve")
    x, y = points[0]
    half = width // 2
    pen.arc((x - half, y - half, x + half, y + half), 0, 360, 255, half)
    return np.asarray(picture) > 0


# -- Leffa on DressCode --------------------------------------------------------------------------------------------------


def _mask_dc(parse: np.ndarray, joints: Points, category: str) -> np.ndarray:
    head = np.isin(parse, (atr.HAT, atr.HAIR, atr.SUNGLASSES, atr.FACE, atr.NECK))
    stays = np.isin(
        parse, (atr.HAT, atr.HAIR, atr.SUNGLASSES, atr.LEFT_SHOE, atr.RIGHT_SHOE, atr.BAG, atr.SCARF, *_FIXED[category])
    )
    changeable = ~stays
    core = np.isin(parse, _CORE_DC[category])
    if category != "lower":
        arms = _grown(_both_arms(joints), 5, 5)
        stays |= np.isin(parse, (atr.LEFT_ARM, atr.RIGHT_ARM)) & ~arms
        below = _below_chin(head, joints)
        head &= ~below
        core |= arms | below
    stays |= head
    core = _grown(core, 10, 5)
    return _filled(~((changeable & ~core) | stays))


def _both_arms(joints: Points) -> np.ndarray:
    """One line from wrist to wrist, over elbows and shoulders."""
    names = ("left_wrist", "left_elbow", "left_shoulder", "right_shoulder", "right_elbow", "right_wrist")
    points = {name: (float(joints[BODY_25[name], 0]), float(joints[BODY_25[name], 1])) for name in names}
    missing = {name for name in names if points[name][0] <= 1 and points[name][1] <= 1}
    chosen = list(names)
    if "right_wrist" in missing:
        chosen = chosen[:-1] if "right_elbow" not in missing else chosen[:-2]
    elif "left_wrist" in missing:
        chosen = chosen[1:] if "left_elbow" not in missing else chosen[2:]
    picture = Image.new("L", (SMALL_WIDTH, SMALL_HEIGHT))
    ImageDraw.Draw(picture).line([points[name] for name in chosen], 255, 30, "curve")
    return np.asarray(picture) > 0


def _below_chin(head: np.ndarray, joints: Points) -> np.ndarray:
    """What of the head lies lower than 20 pixels above the line through the shoulders."""
    (ax, ay), (bx, by) = joints[BODY_25["left_shoulder"]], joints[BODY_25["right_shoulder"]]
    x = np.arange(head.shape[1])
    slope = (by - ay) / (bx - ax) if ax != bx else 0.0
    from_row = (ay + slope * (x - ax) - 20).astype(int)
    return np.asarray(head & (np.arange(head.shape[0])[:, None] >= from_row))


# -- shapes --------------------------------------------------------------------------------------------------------------


def _grown(mask: np.ndarray, side: int, times: int) -> np.ndarray:
    return np.asarray(cv2.dilate(mask.astype(np.uint8), np.ones((side, side), np.uint8), iterations=times) > 0)


def _filled(mask: np.ndarray) -> np.ndarray:
    """Without holes: all that the picture's corner cannot be reached from over ground. The outermost pixels are ground."""
    ground = (~mask).astype(np.uint8)
    ground[[0, -1]] = ground[:, [0, -1]] = 1
    _, pieces = cv2.connectedComponents(ground, connectivity=4)
    return np.asarray(pieces != pieces[0, 0])


def _largest(mask: np.ndarray) -> np.ndarray:
    """The piece of the largest outline."""
    outlines, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_TC89_L1)
    found = np.zeros(mask.shape, np.uint8)
    if outlines:
        cv2.drawContours(found, [max(outlines, key=lambda o: abs(cv2.contourArea(o)))], -1, 1, thickness=-1)
    return found > 0
