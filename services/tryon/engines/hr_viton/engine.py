"""HR-VITON with its published weights."""

from __future__ import annotations

from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import Any, Callable

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

import stagekit
from services.tryon.engines.hr_viton import checkpoint
from services.tryon.engines.hr_viton.condition import ConditionGenerator, folded
from services.tryon.engines.hr_viton.fast import FastGenerator
from services.tryon.engines.hr_viton.generator import ImageGenerator
from services.tryon.engines.hr_viton.inputs import SHOWN_AS, Arrays, prepare
from services.tryon.engines.hr_viton.memory import keep_freed_memory
from services.tryon.engines.hr_viton.passage import Inputs, Outputs, dress
from services.tryon.engines.hr_viton.settings import MAX_SEED, SIZES, read_hr_viton_settings
from services.tryon.tops import warn_of_what_is_worn_as_top
from stagekit.options import OptionSchema, choice, defaults, integer
from stagekit.torch_device import choose_device, device_name, move, multiplies_bfloat16, numerics, precision_name
from stagekit.weights import require, weights_folder

HEIGHT, WIDTH = 1024, 768


class Engine(stagekit.Engine):
    """agnostic, parse_agnostic, densepose, cloth, cloth_mask, pose -> tryon; warped_cloth, warped_mask, parse_predicted on
    request.

    Lee et al., "High-Resolution Virtual Try-On with Misalignment and Occlusion-Handled Conditions", ECCV 2022, with
    occlusion handling. The pose is only checked: the network does not see it. `parse_predicted` is the label map of the
    dressed person, its 13 labels under their CIHP ids; `warped_mask` is soft.

    Options: seed, height; the defaults are HOWSFIT_TRYON_SEED and HOWSFIT_TRYON_HEIGHT.

    Warns: odd-labels. Raises WeightsMissing (at load), WrongKind for inputs that the network was not trained on,
    GarmentNotFound.
    """

    name = "hr_viton"
    version = "1"
    start_s = 180.0
    categories = ("upper",)
    inputs = ("agnostic", "parse_agnostic", "densepose", "cloth", "cloth_mask", "pose", "category")
    extras = {"warped_cloth": "image", "warped_mask": "map", "parse_predicted": "labels"}
    licence = "CC-BY-NC-4.0"
    commercial = "no"
    digital_source = "compositeWithTrainedAlgorithmicMedia"

    def __init__(self) -> None:
        self._settings = read_hr_viton_settings()
        self._device = choose_device(self._settings.device)
        self._precision = choose_precision(self._settings.precision, self._device)
        self._weights: tuple[dict[str, str], ...] = ()

    def load(self) -> None:
        folder = Path(weights_folder(self.name))
        weights = require(self.name)
        condition, generator = ConditionGenerator().eval(), ImageGenerator().eval()
        checkpoint.load(condition, folder / "mtviton.pth")
        checkpoint.load(generator, folder / "gen.pth")
        self._predict = folded(condition).to(self._device)
        self._draw = self._drawer(generator)
        self._moved = (self._predict, generator) if self._device.type == "cuda" else ()
        self._weights = weights

    def rest(self) -> None:
        for network in self._moved:
            move(network, torch.device("cpu"))

    def wake(self) -> None:
        for network in self._moved:
            move(network, self._device)

    def option_schema(self) -> OptionSchema:
        seed = "Of the noise: the same seed gives the same picture."
        height = "Pixels that it works at: 1024, or 512 for a preview in a quarter of the time, enlarged afterwards."
        return {
            "seed": integer(seed, self._settings.tryon_seed, 0, MAX_SEED),
            "height": choice(height, self._settings.tryon_height, tuple(SIZES)),
        }

    def run_with(self, options: dict[str, Any], inputs: stagekit.Artifacts, warn: stagekit.Warn) -> stagekit.Artifacts:
        warn_of_what_is_worn_as_top(inputs, warn)
        arrays = prepare(inputs, warn)
        with torch.no_grad():
            size = (options["height"], SIZES[options["height"]])
            draw = partial(self._draw, seed=options["seed"])
            made = dress(tensors(arrays, size, self._device), self._predict, draw)
        return {
            "tryon": to_image(made.image),
            "warped_cloth": lambda: to_image(made.warped_cloth),
            "warped_mask": lambda: to_map(made.warped_mask),
            "parse_predicted": lambda: to_labels(made),
        }

    def options(self) -> dict[str, Any]:
        return defaults(self.option_schema()) | numerics(self._device) | {"precision": precision_name(self._precision)}

    def runtime(self) -> dict[str, str]:
        return {"framework": "torch " + torch.__version__, "device": device_name(self._device)}

    def weights(self) -> tuple[dict[str, str], ...]:
        return self._weights

    def _drawer(self, generator: ImageGenerator) -> Callable[..., Tensor]:
        if self._device.type == "cpu":
            keep_freed_memory()
            return FastGenerator(generator, self._precision)
        generator = generator.to(self._device)
        low = self._precision != torch.float32

        def draw(picture: Tensor, parse: Tensor, seed: int) -> Tensor:
            with torch.autocast("cuda", dtype=self._precision) if low else nullcontext():
                return generator(picture, parse, seed).float()

        return draw


def choose_precision(wanted: str, device: torch.device) -> torch.dtype:
    """Raises ValueError for bf16 where Torch cannot do it with any gain."""
    if wanted == "fp32":
        return torch.float32
    if device.type == "cuda":
        return torch.bfloat16 if wanted == "bf16" or torch.cuda.is_bf16_supported() else torch.float16
    # Torch 1.10 has no channels-last convolutions in bfloat16; its others are slower than float32.
    recent = int(torch.__version__.split(".")[0]) >= 2
    if wanted == "bf16" and not recent:
        raise ValueError("HOWSFIT_PRECISION=bf16 needs Torch 2 on a CPU; this is %s. Say auto." % torch.__version__)
    return torch.bfloat16 if recent and (wanted == "bf16" or multiplies_bfloat16()) else torch.float32


def tensors(arrays: Arrays, size: tuple[int, int], device: torch.device) -> Inputs:
    """The network's inputs at that height and width."""

    def image(pixels: np.ndarray) -> Tensor:
        scaled = torch.from_numpy(pixels.copy()).to(device).permute(2, 0, 1).unsqueeze(0).float() / 127.5 - 1
        return scaled if scaled.shape[2:] == size else F.interpolate(scaled, size, mode="area")

    step = HEIGHT // size[0]  # masks and labels: the nearest pixel
    mask = torch.from_numpy(arrays.cloth_mask[::step, ::step].astype(np.float32)).to(device)
    parse = torch.from_numpy(arrays.parse_agnostic[::step, ::step].copy()).to(device)
    return Inputs(image(arrays.cloth), mask[None, None], parse[None], image(arrays.densepose), image(arrays.agnostic))


def to_image(x: Tensor) -> np.ndarray:
    """(1, 3, h, w) in -1..1 to uint8 RGB (1024, 768, 3); cut off, not rounded, as published."""
    return _canvas((x.float() + 1) * 127.5).clamp_(0, 255).to(torch.uint8)[0].permute(1, 2, 0).cpu().numpy()


def to_map(x: Tensor) -> np.ndarray:
    """(1, 1, h, w) in 0..1 to uint8 (1024, 768)."""
    return (_canvas(x.float()) * 255).round_().clamp_(0, 255).to(torch.uint8)[0, 0].cpu().numpy()


def to_labels(made: Outputs) -> np.ndarray:
    """The 13 labels under CIHP ids, uint8 (1024, 768)."""
    labels = F.interpolate(made.labels.unsqueeze(1).float(), (HEIGHT, WIDTH), mode="nearest")[0, 0]
    return SHOWN_AS[labels.cpu().numpy().astype(np.uint8)]


def _canvas(x: Tensor) -> Tensor:
    if x.shape[2:] == (HEIGHT, WIDTH):
        return x
    return F.interpolate(x, (HEIGHT, WIDTH), mode="bicubic", align_corners=False)
