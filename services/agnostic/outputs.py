"""What the stage gives of the mask that an engine drew: the person and the parse without what the mask is for.

The parse agnostic is that of HR-VITON (Lee et al., ECCV 2022) after VITON-HD (Choi et al., CVPR 2021), with the sizes of the
published `image-parse-agnostic-v3.2` files, whichever engine drew the mask: HR-VITON alone reads one.
"""

import numpy as np

from services.agnostic.drawing import Mask
from services.agnostic.joints import LEFT_ARM, RIGHT_ARM, Joints, bones
from stagekit import Artifacts
from stagekit.formats import BODY_25, CIHP

GRAY = 128
"""What takes the place of the garment, in all three channels."""

WORN_BELOW = [CIHP[label] for label in ("pants", "skirt", "left_leg", "right_leg", "socks")]
"""What a lower garment takes the place of, but for the skirt of a dress."""

_GARMENT_AND_NECK = [CIHP[label] for label in ("upper_clothes", "dress", "coat", "neck")]
_PARSE_UNIT = 10  # pixels; the parse agnostic has fixed sizes, masks follow the shoulder width


def outputs_of(mask: np.ndarray, inputs: Artifacts, joints: Joints) -> Artifacts:
    """The artifacts of the stage. mask: (1024, 768) bool, where the garment may be painted. A person without a category is made
    ready for a top."""
    return {
        "agnostic": agnostic_image(inputs["person"], mask),
        "agnostic_mask": np.where(mask, np.uint8(255), np.uint8(0)),
        "parse_agnostic": parse_agnostic_by(inputs.get("category", "upper"), inputs["parse"], joints),
    }


def agnostic_image(person: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """An RGB picture (1024, 768, 3) that is gray where the mask, (1024, 768) bool, is true."""
    agnostic = person.copy()
    agnostic[mask] = GRAY
    return agnostic


def parse_agnostic_by(category: str, parse: np.ndarray, joints: Joints) -> np.ndarray:
    """The parse without what a garment of this category takes the place of: (1024, 768) uint8 CIHP ids.

    Of `upper` the published form. VITON-HD has tops only: the others are ours, in its manner.
    """
    agnostic = parse.copy() if category == "lower" else parse_agnostic(parse, joints)
    if category != "upper":
        agnostic[np.isin(parse, WORN_BELOW)] = CIHP["background"]
    if category == "lower":
        # Of a dress only its skirt.
        hips = int(min(joints[BODY_25["right_hip"]][1], joints[BODY_25["left_hip"]][1]))
        skirt = agnostic[max(0, hips) :]
        skirt[skirt == CIHP["dress"]] = CIHP["background"]
    return agnostic


def parse_agnostic(parse: np.ndarray, joints: Joints) -> np.ndarray:
    """Erase garment, neck and arms, but not hands, from a parse: (1024, 768) uint8 CIHP ids -> the same.

    An arm is erased along its bones, starting at the other shoulder; a bone with an undetected end is left out.
    """
    agnostic = parse.copy()
    for label, arm, other in (("left_arm", LEFT_ARM, RIGHT_ARM), ("right_arm", RIGHT_ARM, LEFT_ARM)):
        mask = Mask()
        for start, end in bones((other[0], *arm), joints):
            mask.line(joints[start], joints[end], 10 * _PARSE_UNIT)
            mask.disc(joints[end], (4 if end == arm[-1] else 15) * _PARSE_UNIT)
        agnostic[mask.drawn() & (parse == CIHP[label])] = CIHP["background"]
    agnostic[np.isin(parse, _GARMENT_AND_NECK)] = CIHP["background"]
    return agnostic
