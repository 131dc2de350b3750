"""CarveKit's networks with weights that we put there: none is ever downloaded, whatever is missing."""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np
from carvekit.ml.wrap.fba_matting import FBAMatting
from carvekit.ml.wrap.tracer_b7 import TracerUniversalB7
from carvekit.ml.wrap.u2net import U2NET
from carvekit.trimap.generator import TrimapGenerator
from PIL import Image
from torch import Tensor, nn

from stagekit.torch_files import read_arrays
from stagekit.weights import not_right, weights_folder

FILES = {"tracer_b7": "tracer_b7.pth", "u2net": "u2net.pth", "fba": "fba_matting.pth"}


class Cutout:
    """The alpha of what stands in the foreground.

    model: tracer_b7 (Lee et al., "TRACER: Extreme Attention Guided Salient Object Tracing Network", AAAI 2022) or u2net (Qin et
    al., "U2-Net", Pattern Recognition 2020), at the sizes that CarveKit recommends. matting: none, or fba (Forte and Pitie,
    "F, B, Alpha Matting", 2020) along the outline. Raises WeightsMissing for files of another network.
    """

    def __init__(self, model: str, matting: str) -> None:
        if model == "tracer_b7":
            # A path keeps it from looking for a file of its own: with load_pretrained=False nothing is read from it.
            self._find = TracerUniversalB7(
                input_image_size=640, batch_size=1, load_pretrained=False, model_path=os.devnull
            )
        else:
            self._find = U2NET(input_image_size=320, batch_size=1, load_pretrained=False)
        fill(self._find, model)
        self._matting = None
        if matting == "fba":
            self._matting = FBAMatting(batch_size=1, load_pretrained=False)
            fill(self._matting, matting)
        self._trimap = TrimapGenerator(prob_threshold=231, kernel_size=30, erosion_iters=5)

    def __call__(self, picture: np.ndarray) -> np.ndarray:
        """picture: uint8 RGB (H, W, 3); gives uint8 (H, W), 255 for certainly garment."""
        image = Image.fromarray(picture)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # written for a Torch that had other defaults for enlarging
            (alpha,) = self._find([image])
            if self._matting is not None:
                (alpha,) = self._matting(images=[image], trimaps=[self._trimap(original_image=image, mask=alpha)])
        return np.array(alpha.convert("L"))


def fill(network: nn.Module, model: str) -> None:
    """Fill a network from its file: every array must be there. (TRACER's file also has those of an unused edge detector.)"""
    key = f"carvekit/{model}"
    try:
        found = read_arrays(os.path.join(weights_folder("carvekit"), FILES[model]))
    except ValueError as error:
        raise not_right(key, f"{FILES[model]}: {error}") from None
    wanted = network.state_dict()
    problems = differences(found, wanted)
    if problems:
        some = "; ".join(problems[:3]) + ("; ..." if len(problems) > 3 else "")
        raise not_right(key, f"{len(problems)} arrays of {FILES[model]} differ: {some}")
    network.load_state_dict({name: found.get(name, wanted[name]) for name in wanted})
    network.eval()


def differences(found: Mapping[str, Tensor], wanted: Mapping[str, Any]) -> list[str]:
    """What is missing, or has another shape. The batch norms' counters do nothing and may be missing."""
    told = []
    for name, array in wanted.items():
        if name not in found:
            told += [] if name.endswith("num_batches_tracked") else [f"{name} is missing"]
        elif found[name].shape != array.shape:
            told.append(f"{name} is {tuple(found[name].shape)}, not {tuple(array.shape)}")
    return told
