"""The five inputs as HR-VITON was trained on them, and the mistakes that would make it draw nonsense in silence."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from PIL import Image, ImageFilter

import stagekit
from stagekit.densepose import check_densepose
from stagekit.errors import GarmentNotFound, WrongKind
from stagekit.formats import BODY_25, CIHP, keypoints

MERGED = (
    ("background", "neck"), ("hat", "hair"), ("sunglasses", "face"), ("upper_clothes", "dress", "coat"),
    ("pants", "skirt"), ("left_arm",), ("right_arm",), ("left_leg",), ("right_leg",), ("left_shoe",), ("right_shoe",),
    ("socks",), ("glove", "scarf"),
)  # fmt: skip
"""The 13 labels that the network knows, each of one or more CIHP labels."""

SHOWN_AS = np.array(
    [CIHP[name] for name in ("background", "hair", "face", "upper_clothes", "pants", "left_arm", "right_arm", "left_leg",
                             "right_leg", "left_shoe", "right_shoe", "socks", "glove")], np.uint8)  # fmt: skip
"""CIHP id under which each of the 13 labels is shown."""

BACKDROP = 246
"""Grey of the backdrop of the data set's cloth pictures."""


class Arrays(NamedTuple):
    """The inputs at 1024 x 768, ready to become tensors."""

    cloth: np.ndarray
    """uint8 RGB (1024, 768, 3), backdrop 246."""
    cloth_mask: np.ndarray
    """bool (1024, 768)"""
    parse_agnostic: np.ndarray
    """uint8 (1024, 768), ids 0..12."""
    densepose: np.ndarray
    """uint8 RGB (1024, 768, 3)"""
    agnostic: np.ndarray
    """uint8 RGB (1024, 768, 3)"""


def prepare(inputs: stagekit.Artifacts, warn: stagekit.Warn) -> Arrays:
    """Check every input and bring it into the network's form. Raises WrongKind naming the mistake, GarmentNotFound."""
    mask = inputs["cloth_mask"] >= 128
    check_mask(mask)
    check_pose(inputs["pose"])
    check_parse_agnostic(inputs["parse_agnostic"], warn)
    check_densepose(inputs["densepose"])
    check_agnostic(inputs["agnostic"])
    cloth = on_backdrop(inputs["cloth"], mask)
    return Arrays(cloth, mask, merge(inputs["parse_agnostic"]), inputs["densepose"], inputs["agnostic"])


def merge(parse: np.ndarray) -> np.ndarray:
    """CIHP ids 0..19 to the network's 13 labels."""
    table = np.zeros(len(CIHP), np.uint8)
    for number, names in enumerate(MERGED):
        for name in names:
            table[CIHP[name]] = number
    return table[parse]


def on_backdrop(cloth: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """The cloth before the data set's backdrop; a picture that has it (or nearly) is left as it is."""
    backdrop = cloth[~mask]
    if not len(backdrop) or np.abs(np.median(backdrop, axis=0) - BACKDROP).max() <= 4:
        return cloth
    soft = Image.fromarray(np.where(mask, np.uint8(255), np.uint8(0))).filter(ImageFilter.GaussianBlur(1))
    # Inside of the mask nothing changes; from its edge on the old backdrop fades out within some pixels.
    alpha = np.where(mask, np.float32(1), np.asarray(soft, np.float32) / 255)[..., None]
    return np.rint(cloth * alpha + BACKDROP * (1 - alpha)).astype(np.uint8)


def check_mask(mask: np.ndarray) -> None:
    """mask: bool (H, W). Raises GarmentNotFound, WrongKind for an inverted one."""
    if mask.sum() < 2000:
        raise GarmentNotFound("The cloth mask is empty. Send a picture of one garment on a plain background.")
    rim = np.concatenate([mask[:8].ravel(), mask[-8:].ravel(), mask[:, :8].ravel(), mask[:, -8:].ravel()])
    if rim.mean() > 0.7:
        raise WrongKind("'cloth_mask' is inverted: its rim is white. The garment is white (255) on black. Invert it.")


def check_pose(pose: dict) -> None:
    """Raises WrongKind for COCO's joints in BODY_25's clothes: there, 9 and 12 are knees instead of hips."""
    people = keypoints(pose)
    if not len(people):
        return
    right, left, middle, shoulders = (
        people[0, BODY_25[name], :2] for name in ("right_hip", "left_hip", "mid_hip", "neck")
    )
    if not all(joint.any() for joint in (right, left, middle, shoulders)):
        return
    trunk = np.linalg.norm(middle - shoulders)
    if np.linalg.norm((right + left) / 2 - middle) > 0.35 * trunk:
        raise WrongKind(
            "'pose' has its joints in another order than BODY_25: the middle of the hips (8) is not between right hip (9) "
            "and left hip (12). COCO-18 has knees there. Convert it to BODY_25."
        )


def check_parse_agnostic(parse: np.ndarray, warn: stagekit.Warn) -> None:
    """parse: CIHP ids. Raises WrongKind; warns where the order of the labels is doubtful."""
    area = np.bincount(parse.ravel(), minlength=len(CIHP)) / parse.size
    if area[CIHP["background"]] == 1:
        raise WrongKind("'parse_agnostic' shows nobody: every pixel is background (0).")
    worn = [name for name in ("upper_clothes", "dress", "coat") if area[CIHP[name]] > 0.002]
    if worn:
        raise WrongKind(
            "'parse_agnostic' still wears the garment (%s). That is the parse itself, or labels in another order than "
            "CIHP's (LIP and ATR differ). Send what the agnostic stage gives." % ", ".join(worn)
        )
    if not area[[CIHP["face"], CIHP["left_arm"], CIHP["right_arm"]]].any():
        warn("odd-labels", "The parse has neither a face (13) nor arms (14, 15). Are its labels in CIHP order?")


def check_agnostic(image: np.ndarray) -> None:
    """image: uint8 RGB. Raises WrongKind for the photo itself."""
    grey = np.abs(image[::4, ::4].astype(np.int32) - 128).max(axis=2) <= 6
    if grey.mean() < 0.01:
        raise WrongKind(
            "'agnostic' hides nothing: no part of it is the grey (128) that covers the worn garment. That is the photo "
            "itself. Send what the agnostic stage gives."
        )
