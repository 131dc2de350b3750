"""Garment cut-out with CarveKit: TRACER-B7 or U2-Net, and FBA matting where it is wanted."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import torch

import stagekit
from services.cloth_mask.cutter import Cutter
from services.cloth_mask.engines.carvekit.networks import Cutout
from services.cloth_mask.engines.carvekit.region import garment_region
from services.cloth_mask.engines.carvekit.settings import read_carvekit_settings
from stagekit.licences import strictest
from stagekit.manifest import read_manifest
from stagekit.weights import require

_MOST = (
    1024  # pixels of the longest side that the networks are given, as high as the cloth becomes; FBA takes 2.2 GB then
)


class Engine(Cutter):
    """garment -> cloth, cloth_mask. See Cutter.

    The mask is the networks' alpha, made one region with its real holes. Weights are verified before they are read, and
    nothing is downloaded. Raises GarmentNotFound; at start WeightsMissing, ValueError for settings that are none.
    """

    name = "carvekit"
    version = "2"
    start_s = 180.0

    def __init__(self) -> None:
        self._settings = read_carvekit_settings()
        models = [self._settings.carvekit_model]
        if self._settings.carvekit_matting != "none":
            models.append(self._settings.carvekit_matting)
        self._sets = [read_manifest()[f"{self.name}/{model}"] for model in models]
        self.licence = "; ".join(f"{each.title}: {each.licence}" for each in self._sets)
        self.commercial = strictest(each.commercial for each in self._sets)
        self._weights: tuple[dict[str, str], ...] = ()

    def load(self) -> None:
        weights = tuple(file for each in self._sets for file in require(each.key))
        self._cut_out = Cutout(self._settings.carvekit_model, self._settings.carvekit_matting)
        self._weights = weights

    def find(self, garment: np.ndarray, warn: stagekit.Warn) -> np.ndarray:
        scale = min(1.0, _MOST / max(garment.shape[:2]))
        small = cv2.resize(garment, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) if scale < 1 else garment
        alpha = self._cut_out(small)
        if scale < 1:
            alpha = cv2.resize(alpha, (garment.shape[1], garment.shape[0]), interpolation=cv2.INTER_CUBIC)
        return garment_region(alpha, garment)

    def options(self) -> dict[str, Any]:
        return {
            "model": self._settings.carvekit_model,
            "matting": self._settings.carvekit_matting,
            "torch": torch.__version__,  # another one differs in the last digits
        }

    def weights(self) -> tuple[dict[str, str], ...]:
        return self._weights

    def runtime(self) -> dict[str, str]:
        return {"framework": "torch " + torch.__version__, "device": "cpu"}
