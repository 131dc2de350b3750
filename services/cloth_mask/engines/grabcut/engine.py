"""Garment cut-out without a learned model."""

from typing import Any

import cv2
import numpy as np

from services.cloth_mask.cutter import Cutter
from services.cloth_mask.engines.grabcut.segmentation import garment_mask

_WARM_UP = (246, 60)  # grey levels of a backdrop and a garment


class Engine(Cutter):
    """garment -> cloth, cloth_mask. See Cutter.

    Background model from the border, evidence of garment, GrabCut (Rother et al., SIGGRAPH 2004) along the outline; a
    watershed along it where the garment hardly differs from the backdrop; where that is not enough before a bright backdrop, a
    closed outline of weak edges (outline.py). Raises GarmentNotFound where nothing stands out
    from the border's colour.
    """

    name = "grabcut"
    version = "5"
    stand_in = True
    concurrency = 2

    def load(self) -> None:
        # Warm up: OpenCV prepares its filters at their first use.
        picture = np.full((512, 384, 3), _WARM_UP[0], np.uint8)
        picture[100:400, 80:300] = _WARM_UP[1]
        garment_mask(picture)

    def find(self, garment: np.ndarray) -> np.ndarray:
        return garment_mask(garment)

    def runtime(self) -> dict[str, Any]:
        return {"framework": "opencv " + cv2.__version__, "device": "cpu"}
