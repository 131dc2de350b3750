"""The labels of ATR, in which inpainting models want a parse."""

import numpy as np

from stagekit.formats import CIHP_LABELS

HAT, HAIR, SUNGLASSES, UPPER_CLOTHES, SKIRT, PANTS, DRESS, BELT, LEFT_SHOE, RIGHT_SHOE = range(1, 11)
FACE, LEFT_LEG, RIGHT_LEG, LEFT_ARM, RIGHT_ARM, BAG, SCARF = range(11, 18)
NECK = 18
"""ATR has none, and calls a neck face: IDM-VTON, OOTDiffusion and Leffa add it."""

_OF_CIHP = {
    "hat": HAT, "hair": HAIR, "sunglasses": SUNGLASSES, "upper_clothes": UPPER_CLOTHES, "coat": UPPER_CLOTHES,
    "skirt": SKIRT, "pants": PANTS, "dress": DRESS, "left_shoe": LEFT_SHOE, "right_shoe": RIGHT_SHOE, "face": FACE,
    "left_leg": LEFT_LEG, "right_leg": RIGHT_LEG, "left_arm": LEFT_ARM, "right_arm": RIGHT_ARM, "scarf": SCARF,
    "neck": NECK,
}  # fmt: skip
"""Gloves and socks have none; CIHP has neither bag nor belt."""


def in_atr(parse: np.ndarray) -> np.ndarray:
    """Labels of CIHP in the order of ATR, uint8 of any shape."""
    table = np.array([_OF_CIHP.get(label, 0) for label in CIHP_LABELS], np.uint8)
    return np.asarray(table[parse])
