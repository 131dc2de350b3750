"""FASHN VTON 1.5 with its published weights, without its parser."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch

import stagekit
from services.tryon.budget import refuse_above_budget
from services.tryon.engines.fashn_vton.checkpoint import FILE, Weights
from services.tryon.engines.fashn_vton.mask import labels_of_parse, mask_steps
from services.tryon.engines.fashn_vton.network import Conditions, Network, Shape, Turns
from services.tryon.engines.fashn_vton.pictures import SIZE, Borders, first_resize, fit, scaled, without
from services.tryon.engines.fashn_vton.pose import draw, of_document
from services.tryon.engines.fashn_vton.sampling import Plan, forwards, noise_of, plan_steps, sample, to_pictures
from services.tryon.engines.fashn_vton.settings import (
    DRAFT_STEPS,
    MAX_GUIDANCE,
    MAX_SEED,
    MAX_STEPS,
    read_fashn_vton_settings,
)
from stagekit.errors import GarmentNotFound, NoPerson
from stagekit.formats import HEIGHT, WIDTH, keypoints
from stagekit.options import OptionSchema, choice, defaults, integer, number
from stagekit.report import Report
from stagekit.torch_device import choose_device, device_name, move, multiplies_bfloat16, numerics, precision_name
from stagekit.weights import require, weights_folder

CATEGORIES = {"upper": 1, "lower": 2, "dress": 3}

GUIDANCE = 1.5

HIDDEN_GREY = 127
"""Of what is not the garment in a picture of somebody who wears it, and of what the masked mode hides of the person."""

_SMALLEST = 2000
"""Pixels of a garment."""

_REMEMBERED = 4
"""Plans of the latest runs."""


class Engine(stagekit.Engine):
    """person, parse, pose, cloth, cloth_mask, category -> tryon.

    FASHN VTON 1.5 of fashn.ai: the person goes in as she is, worn garment included, or masked, with what she wears hidden.
    Face, hands and background are painted anew.

    Options: steps, guidance, seed, garment, mode, quality. Refuses, with `bad-option`, a run whose estimated time is above
    HOWSFIT_FASHN_BUDGET_S. Raises WeightsMissing (at load), NoPerson, GarmentNotFound.
    """

    name = "fashn_vton"
    version = "1"
    start_s = 300.0
    inputs = ("person", "parse", "pose", "cloth", "cloth_mask", "category")
    licence = "Apache-2.0"
    commercial = "yes"
    digital_source = "compositeWithTrainedAlgorithmicMedia"
    shape = Shape()
    """A test may run a smaller network of the same make."""

    def __init__(self) -> None:
        self._settings = read_fashn_vton_settings()
        self._device = choose_device(self._settings.device)
        self._precision = choose_precision(self._settings.precision, self._device)
        self._weights: tuple[dict[str, str], ...] = ()
        self._plans: dict[tuple, Plan] = {}

    def load(self) -> None:
        weights = require(self.name)
        self._file = Weights(Path(weights_folder(self.name)) / FILE, self.shape)
        with torch.no_grad():
            self._network = self._file.network(self._device, self._precision)
            self._forward_s = forward_seconds(self._network)
        self._weights = weights

    def rest(self) -> None:
        move(self._network, torch.device("cpu"))

    def wake(self) -> None:
        move(self._network, self._device)

    def option_schema(self) -> OptionSchema:
        return {
            "steps": integer(
                "From noise to picture: 20 are fast, 50 careful.", self._settings.fashn_steps, 1, MAX_STEPS
            ),
            "guidance": number(
                "How strictly the garment is kept to; 1 takes half the time.", GUIDANCE, 1, MAX_GUIDANCE
            ),
            "seed": integer(
                "Of the noise: the same seed gives the same picture.", self._settings.tryon_seed, 0, MAX_SEED
            ),
            "garment": choice(
                "Whether the garment's picture shows it flat, or worn by somebody.", "flat", ("flat", "worn")
            ),
            "mode": choice(
                "free shows the person as she is; masked hides what she wears, where that would shine through.",
                "free",
                ("free", "masked"),
            ),
            "quality": choice(
                f"full, or draft for {DRAFT_STEPS} steps whatever `steps` says.", "full", ("full", "draft")
            ),
        }

    def run_with(self, options: dict[str, Any], inputs: stagekit.Artifacts, warn: Report) -> stagekit.Artifacts:
        steps = DRAFT_STEPS if options["quality"] == "draft" else options["steps"]
        refuse_above_budget(
            steps,
            forwards(steps, options["guidance"]) * self._forward_s,
            self._settings.fashn_budget_s,
            self._device.type,
            "HOWSFIT_FASHN_BUDGET_S",
            "for quality=draft or for guidance=1",
        )
        conditions, borders = self._conditions(inputs, options["garment"], options["mode"])
        with torch.no_grad():
            plan = self._plan(steps, options["guidance"], conditions.category)
            noise = noise_of(options["seed"], 1, self.shape)

            def tell(done: int, of: int, x: torch.Tensor, velocity: torch.Tensor) -> None:
                if self._device.type == "cuda":
                    torch.cuda.synchronize()  # else steps would be told that have only been ordered
                # What the picture would be if the velocity stayed as it is.
                warn.step(
                    done, of, lambda: on_canvas(to_pictures(x + (1 - plan.times[done]) * velocity)[0].numpy(), borders)
                )

            warn.step(0, steps)
            picture = to_pictures(sample(self._network, plan, noise, conditions, tell))[0].numpy()
        return {"tryon": on_canvas(picture, borders)}

    def options(self) -> dict[str, Any]:
        return defaults(self.option_schema()) | numerics(self._device) | {"precision": precision_name(self._precision)}

    def runtime(self) -> dict[str, str]:
        return {"framework": "torch " + torch.__version__, "device": device_name(self._device)}

    def weights(self) -> tuple[dict[str, str], ...]:
        return self._weights

    def _conditions(self, inputs: stagekit.Artifacts, garment: str, mode: str) -> tuple[Conditions, Borders]:
        """What the network is shown, and the black rows around the person in it."""
        people = keypoints(inputs["pose"])
        if not len(people):
            raise NoPerson("The pose lists nobody. Use a photo of one person who faces the camera.")
        mask = inputs["cloth_mask"] >= 128
        if mask.sum() < _SMALLEST:
            raise GarmentNotFound(
                "The cloth mask shows no garment. Send a picture of one garment on a plain background."
            )
        person, cloth = first_resize(inputs["person"]), inputs["cloth"]
        if garment == "worn":
            cloth = np.where(mask[..., None], cloth, np.uint8(HIDDEN_GREY))
        if mode == "masked":
            person = without_garment(person, labels_of_parse(inputs["parse"], people[0]), inputs["category"])
        drawing = draw(of_document(inputs["pose"], (WIDTH, HEIGHT)), *person.shape[:2])
        padded, borders = fit(person)
        # The garment has no pose: its wearer's is not known.
        shown = [padded, fit(drawing, drawing=True)[0], fit(first_resize(cloth))[0], np.zeros(SIZE, np.uint8)]
        if (self.shape.height, self.shape.width) != SIZE:
            size = (self.shape.width, self.shape.height)
            shown = [cv2.resize(each, size, interpolation=cv2.INTER_AREA) for each in shown]
        category = torch.tensor([CATEGORIES[inputs["category"]]])
        return Conditions._make([*(torch.from_numpy(scaled(each))[None] for each in shown), category]), borders

    def _plan(self, steps: int, guidance: float, category: torch.Tensor) -> Plan:
        key = (steps, guidance, int(category))
        plan = self._plans.pop(key, None) or plan_steps(self._file.modulations, steps, guidance, category)
        self._plans[key] = plan
        while len(self._plans) > _REMEMBERED:
            del self._plans[next(iter(self._plans))]
        return plan


def choose_precision(wanted: str, device: torch.device) -> torch.dtype:
    """wanted: fp32, bf16, or auto."""
    if wanted != "auto":
        return torch.bfloat16 if wanted == "bf16" else torch.float32
    has_it = torch.cuda.is_bf16_supported() if device.type == "cuda" else multiplies_bfloat16()
    return torch.bfloat16 if has_it else torch.float32


def forward_seconds(network: Network) -> float:
    """How long one forward of one sample takes here, told from one of the blocks."""
    shape, weight = network.shape, network.final_layer.linear.weight
    block, turns = network.x_patch_mixer[0], Turns.of(shape, weight.device)
    tokens = torch.zeros((1, shape.tokens, shape.hidden), device=weight.device, dtype=weight.dtype)
    modulation = torch.zeros((1, 3 * shape.hidden), device=weight.device, dtype=weight.dtype)
    seconds = []
    for _ in range(2):  # the first one warms up
        began = time.perf_counter()
        float(block(tokens, modulation, turns).sum())  # waits for the device
        seconds.append(time.perf_counter() - began)
    small = _multiply_adds(shape, shape.tokens)
    large = _multiply_adds(shape, 2 * shape.tokens)
    return min(seconds) * (shape.mixers * small + (shape.doubles + shape.singles) * large) / small


def _multiply_adds(shape: Shape, tokens: int) -> float:
    """Of one block."""
    return tokens * shape.hidden**2 * (4 + 2 * shape.mlp_ratio) + 2 * tokens**2 * shape.hidden


def without_garment(person: np.ndarray, labels: np.ndarray, category: str) -> np.ndarray:
    """The person after the first resize with grey in place of what she wears. labels: the authors', of any size."""
    labels = cv2.resize(labels, person.shape[1::-1], interpolation=cv2.INTER_NEAREST_EXACT)
    return np.where(mask_steps(labels, category).mask[..., None], np.uint8(HIDDEN_GREY), person)


def on_canvas(picture: np.ndarray, borders: Borders) -> np.ndarray:
    """The network's picture without the black rows, as large as `person`: uint8 RGB (1024, 768, 3)."""
    if picture.shape[:2] != SIZE:
        picture = cv2.resize(picture, SIZE[::-1], interpolation=cv2.INTER_LANCZOS4)
    return cv2.resize(without(picture, borders), (WIDTH, HEIGHT), interpolation=cv2.INTER_LANCZOS4)
