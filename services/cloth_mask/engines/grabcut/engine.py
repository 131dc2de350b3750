"""Garment cut-out without a learned model."""

from typing import Any

import cv2
import numpy as np

from services.cloth_mask.engines.grabcut.framing import frame
from services.cloth_mask.engines.grabcut.segmentation import garment_mask
from stagekit import Artifacts, Warn
from stagekit import Engine as BaseEngine
from stagekit.errors import GarmentNotFound
from stagekit.formats import HEIGHT, WIDTH

_WARM_UP = (246, 60)  # grey levels of a backdrop and a garment


class Engine(BaseEngine):
    """Background model from the border, evidence of garment, GrabCut (Rother et al., SIGGRAPH 2004) along the outline.

    garment -> cloth: uint8 RGB (1024, 768, 3), the garment centred on a near-white backdrop; a picture that already has
    this size passes through pixel for pixel. cloth_mask: uint8 (1024, 768), 0 or 255.
    Raises GarmentNotFound where nothing stands out from the border's colour.
    """

    name = "grabcut"
    version = "2"
    inputs = ("garment",)
    stand_in = True
    concurrency = 2

    def load(self) -> None:
        # Warm up: OpenCV prepares its filters at their first use.
        picture = np.full((512, 384, 3), _WARM_UP[0], np.uint8)
        picture[100:400, 80:300] = _WARM_UP[1]
        garment_mask(picture)

    def run(self, inputs: Artifacts, warn: Warn) -> Artifacts:
        garment = inputs["garment"]
        mask = garment_mask(garment)
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

    def runtime(self) -> dict[str, Any]:
        return {"framework": "opencv " + cv2.__version__, "device": "cpu"}


def _warn_of_doubts(mask: np.ndarray, warn: Warn) -> None:
    borders = (mask[0], mask[-1], mask[:, 0], mask[:, -1])
    if all(border.mean() > 0.02 for border in borders):
        warn(
            "garment-fills-picture",
            "The garment touches all four borders of its picture, so its outline is a guess. "
            "Send a picture that shows the whole garment with some background around it.",
        )
