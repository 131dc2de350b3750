"""Garment cut-out: by colour where the ground is plain, by a network elsewhere."""

from typing import Any

import cv2
import numpy as np
import onnxruntime

import stagekit
from services.cloth_mask.cutter import Cutter
from services.cloth_mask.engines.cutout.ground import unevenness
from services.cloth_mask.engines.cutout.network import FILE, Network
from services.cloth_mask.engines.cutout.region import Region, garment_region
from services.cloth_mask.engines.cutout.segmentation import garment_mask, view
from stagekit.weights import in_folder

_LEAST = 0.01  # share of the picture; less is no garment
_LEAST_AGREEMENT = 0.85  # overlap of the network's garment with what its colours make of it [0.91 to 1; spoilt 0.75]
_MOST_UNSURE = 0.25  # share of the garment [0.03 to 0.25; spoilt 0.43 and more]

_WARM_UP = (246, 60)  # grey levels of a backdrop and a garment


class Engine(Cutter):
    """garment -> cloth, cloth_mask. See Cutter.

    Plain ground (ground.py): background model from the border, evidence of garment, GrabCut (Rother et al., SIGGRAPH 2004)
    along the outline; a watershed along it where the garment hardly differs from the backdrop; where that is not enough before
    a bright backdrop, a closed outline of weak edges (outline.py). Any other ground: U2-Net-P (network.py), its outline drawn
    along the picture's edges, without gaps that have the ground's colour (region.py); without its file, by colour, too.

    Warns: doubtful-mask, where the ground is not plain and network and colours disagree, or the network is unsure or missing.
    Raises GarmentNotFound where nothing stands out.
    """

    name = "cutout"
    version = "2"
    stand_in = True
    licence = "Apache-2.0"
    concurrency = 2

    def __init__(self) -> None:
        self._network: Network | None = None
        self._weights: tuple[dict[str, str], ...] = ()

    def load(self) -> None:
        if FILE.is_file():
            self._network = Network(FILE)
            self._weights = in_folder(str(FILE.parent), self.licence, FILE.name)
        # Warm up: OpenCV prepares its filters at their first use.
        picture = np.full((512, 384, 3), _WARM_UP[0], np.uint8)
        picture[100:400, 80:300] = _WARM_UP[1]
        garment_mask(picture, view(picture))

    def find(self, garment: np.ndarray, warn: stagekit.Warn) -> np.ndarray:
        seen = view(garment)
        uneven = unevenness(seen.lab, seen.background)
        if uneven is None:
            return garment_mask(garment, seen)
        if self._network is None:
            doubt = f"{uneven}, and the network for such grounds is not here: {FILE} is missing, which `make` brings"
        else:
            region = garment_region(garment, self._network.look(garment))
            if region.mask.mean() >= _LEAST:
                if doubts := _doubts(region):
                    _warn(f"{uneven}; {doubts}", warn)
                return region.mask
            doubt = f"{uneven}, and the network sees no garment"
        _warn(f"{doubt}; so it was cut out by its colour", warn)
        return garment_mask(garment, seen)

    def options(self) -> dict[str, Any]:
        return {"network": "none" if self._network is None else FILE.stem}

    def weights(self) -> tuple[dict[str, str], ...]:
        return self._weights

    def runtime(self) -> dict[str, Any]:
        frameworks = f"opencv {cv2.__version__}, onnxruntime {onnxruntime.__version__}"
        return {"framework": frameworks, "device": "cpu"}


def _doubts(region: Region) -> str:
    """What speaks against it, with its measure; empty where nothing does."""
    if region.agreement < _LEAST_AGREEMENT:
        return (
            f"network and colours agree about {100 * region.agreement:.0f} % of the garment (below "
            f"{100 * _LEAST_AGREEMENT:.0f} %)"
        )
    if region.unsure > _MOST_UNSURE:
        return f"the network is unsure of {100 * region.unsure:.0f} % of it (above {100 * _MOST_UNSURE:.0f} %)"
    return ""


def _warn(doubt: str, warn: stagekit.Warn) -> None:
    warn(
        "doubtful-mask",
        f"The garment may be cut out badly, as the ground is not plain: {doubt}. Send a picture on a plain background that "
        "differs from the garment.",
    )
