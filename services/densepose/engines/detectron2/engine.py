"""DensePose's own network, by Detectron2."""

from __future__ import annotations

from typing import Any

import detectron2
import numpy as np
import torch

import stagekit
from services.densepose.engines.detectron2 import checkpoint
from services.densepose.engines.detectron2.network import Network
from services.densepose.engines.detectron2.person import paint, part_map, surface_map
from services.densepose.engines.detectron2.settings import read_densepose_settings
from stagekit.errors import NoPerson
from stagekit.formats import HEIGHT, WIDTH
from stagekit.manifest import read_manifest
from stagekit.torch_device import choose_device, device_name, numerics
from stagekit.weights import require, weights_folder


class Engine(stagekit.Engine):
    """person -> densepose; densepose_i, densepose_u, densepose_v on request.

    `densepose` is (1024, 768, 3) uint8 RGB: the parts of the largest person (DENSEPOSE_PALETTE) on black, and nothing of the
    photo or of others. `densepose_i` holds the part ids 0..24 themselves; `densepose_u` and `densepose_v` the place on the
    part's surface, 0..255.

    Raises WeightsMissing (at load), NoPerson where nobody is found with a score of 0.8.
    """

    name = checkpoint.ENGINE
    version = "1"
    start_s = 180.0
    inputs = ("person",)
    extras = {"densepose_i": "map", "densepose_u": "map", "densepose_v": "map"}
    licence = "Apache-2.0 code; weights " + read_manifest()[checkpoint.ENGINE].licence
    commercial = read_manifest()[checkpoint.ENGINE].commercial

    def __init__(self) -> None:
        self._settings = read_densepose_settings()
        self._device = choose_device(self._settings.device)
        self._weights: tuple[dict[str, str], ...] = ()

    def load(self) -> None:
        weights = require(self.name)
        network = Network(self._device, self._settings.densepose_side)
        network.take(checkpoint.read(weights_folder(self.name), network.shapes()))
        network.look(np.full((HEIGHT, WIDTH, 3), 127, np.uint8))  # warms up
        self._network = network
        self._weights = weights

    def run(self, inputs: stagekit.Artifacts, warn: stagekit.Warn) -> stagekit.Artifacts:
        found = self._network.look(inputs["person"])
        parts = None if found is None else part_map(found)
        if found is None or parts is None or not parts.any():
            raise NoPerson("Nobody was found in the photo. Use a photo of one person who faces the camera.")
        return {
            "densepose": paint(parts),
            "densepose_i": lambda: parts,
            "densepose_u": lambda: surface_map(found, found.u()),
            "densepose_v": lambda: surface_map(found, found.v()),
        }

    def options(self) -> dict[str, Any]:
        return {**numerics(self._device), "side": self._settings.densepose_side}

    def runtime(self) -> dict[str, str]:
        framework = f"torch {torch.__version__}, detectron2 {detectron2.__version__}"
        return {"framework": framework, "device": device_name(self._device)}

    def weights(self) -> tuple[dict[str, str], ...]:
        return self._weights
