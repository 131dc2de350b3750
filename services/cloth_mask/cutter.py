"""What the engines have in common: from the garment's outline to the stage's outputs."""

import numpy as np

import stagekit
from services.cloth_mask.framing import frame
from stagekit.errors import GarmentNotFound
from stagekit.formats import HEIGHT, WIDTH


class Cutter(stagekit.Engine):
    """garment -> cloth: uint8 RGB (1024, 768, 3), the garment centred on a near-white backdrop; a picture that already has
    this size passes through pixel for pixel. cloth_mask: uint8 (1024, 768), 0 or 255.

    Warns: garment-fills-picture. Raises GarmentNotFound where `find` finds nothing.
    """

    inputs = ("garment",)

    def find(self, garment: np.ndarray) -> np.ndarray:
        """Which pixels are garment. garment: uint8 RGB (H, W, 3) of any size; gives bool (H, W)."""
        raise NotImplementedError

    def run(self, inputs: stagekit.Artifacts, warn: stagekit.Warn) -> stagekit.Artifacts:
        garment = inputs["garment"]
        mask = self.find(garment)
        if not mask.any():
            raise GarmentNotFound(
                "No garment stands out from the background of this picture. Send one garment, laid flat or hung, "
                "on a plain background of another colour, with some room around it."
            )
        _warn_of_doubts(mask, warn)
        if garment.shape[:2] == (HEIGHT, WIDTH):
            cloth = garment.copy()
        else:
            cloth, mask = frame(garment, mask)
        return {"cloth": cloth, "cloth_mask": np.where(mask, 255, 0).astype(np.uint8)}


def _warn_of_doubts(mask: np.ndarray, warn: stagekit.Warn) -> None:
    borders = (mask[0], mask[-1], mask[:, 0], mask[:, -1])
    if all(border.mean() > 0.02 for border in borders):
        warn(
            "garment-fills-picture",
            "The garment touches all four borders of its picture, so its outline is a guess. "
            "Send a picture that shows the whole garment with some background around it.",
        )
