"""Leffa with its published weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

import stagekit
from services.tryon.budget import refuse_above_budget
from services.tryon.engines.leffa.checkpoint import FILES, Configuration, fill, make_networks, read
from services.tryon.engines.leffa.costs import costs_of, seconds_per_flop
from services.tryon.engines.leffa.inputs import at_size, prepare
from services.tryon.engines.leffa.painter import How, Painter
from services.tryon.engines.leffa.settings import (
    DRAFT_STEPS,
    MAX_GUIDANCE,
    MAX_SEED,
    MAX_STEPS,
    SIZES,
    read_leffa_settings,
)
from services.tryon.latents import latent_shape, noises, repaint, telling
from services.tryon.stable_diffusion import choose_precision, save_memory
from services.tryon.tops import warn_of_what_is_worn_as_top
from stagekit.formats import HEIGHT, WIDTH
from stagekit.options import OptionSchema, boolean, choice, defaults, integer, number
from stagekit.report import Report
from stagekit.torch_device import choose_device, device_name, move, numerics, precision_name
from stagekit.weights import require, weights_folder

GUIDANCE = 2.5

EDGE = 100
"""What is repainted ends in an edge as soft as this part of the height."""


class Engine(stagekit.Engine):
    """person, agnostic_mask, densepose, cloth, category -> tryon.

    Zhou et al., "Learning Flow Fields in Attention for Controllable Person Image Generation", CVPR 2025: paints what the mask
    says, with the garment's picture beside it. The model viton_hd is for tops, dress_code for all.

    Options: steps, guidance, seed, quality, height, ref_acceleration, repaint, model. Refuses, with `bad-option`, a run whose
    estimated time is above HOWSFIT_LEFFA_BUDGET_S. What does not depend on the garment is kept for the person's next one, and
    the other way round. Warns: not-a-top. Raises WeightsMissing (at load), WrongKind.
    """

    name = "leffa"
    version = "1"
    start_s = 300.0
    inputs = ("person", "agnostic_mask", "densepose", "cloth", "category")
    licence = "MIT code; the weights' licence is unclear"
    commercial = "unclear"
    digital_source = "compositeWithTrainedAlgorithmicMedia"
    configuration = Configuration()
    """A test may run smaller networks of the same make, at other sizes."""
    sizes = SIZES

    def __init__(self) -> None:
        self._settings = read_leffa_settings()
        self._device = choose_device(self._settings.device)
        self._precision = choose_precision(self._settings.precision, self._device)
        self._painters: dict[str, Painter] = {}
        self._tiled = False
        self._weights: tuple[dict[str, str], ...] = ()
        if self._settings.leffa_model == "viton_hd":
            self.categories = ("upper",)

    def load(self) -> None:
        models = self._settings.models
        weights = tuple(file for model in models for file in require(f"leffa/{model}"))
        self._costs = {size: costs_of(make_networks(self.configuration), size) for size in self.sizes.items()}
        for model in models:
            networks = make_networks(self.configuration)
            path = Path(weights_folder(self.name)) / FILES[model]
            fill(networks, read(path, model, self.configuration), self._device, self._precision)
            self._tiled = save_memory(networks.vae, self._device)
            self._painters[model] = Painter(networks, self._settings.leffa_keep_mb * 1e6 / len(models))
        self._seconds_per_flop = seconds_per_flop(networks)
        self._weights = weights

    def rest(self) -> None:
        self._move(torch.device("cpu"))

    def wake(self) -> None:
        self._move(self._device)

    def _move(self, device: torch.device) -> None:
        for painter in self._painters.values():
            painter.forget()  # what is kept is on the device, too
            for network in painter.networks.modules:
                move(network, device)

    def option_schema(self) -> OptionSchema:
        settings = self._settings
        heights = tuple(self.sizes)
        return {
            "steps": integer("From noise to picture: its authors take 30 to 50.", settings.leffa_steps, 1, MAX_STEPS),
            "guidance": number(
                "How strictly the garment is kept to; 1 takes half the time.", GUIDANCE, 1, MAX_GUIDANCE
            ),
            "seed": integer("Of the noise: the same seed gives the same picture.", settings.tryon_seed, 0, MAX_SEED),
            "quality": choice(
                f"full, or draft for {DRAFT_STEPS} steps whatever `steps` says.", "full", ("full", "draft")
            ),
            "height": choice(
                "Pixels that it works at: 1024, or 512 for a preview in a sixth of the time, enlarged afterwards.",
                settings.tryon_height if settings.tryon_height in heights else heights[0],
                heights,
            ),
            "ref_acceleration": boolean(
                "Looks at the garment once, not anew for each step: 37 % less work, perhaps less faithful.", False
            ),
            "repaint": boolean("Puts back what was not to be painted, over a soft edge.", False),
            "model": choice(
                "The weights: auto takes viton_hd for tops and dress_code for all else, as far as they are here.",
                "auto",
                ("auto", *settings.models),
            ),
        }

    def run_with(self, options: dict[str, Any], inputs: stagekit.Artifacts, warn: Report) -> stagekit.Artifacts:
        size = (options["height"], self.sizes[options["height"]])
        how = how_of(options)
        refuse_above_budget(
            how.steps,
            self._costs[size].of(how) * self._seconds_per_flop,
            self._settings.leffa_budget_s,
            self._device.type,
            "HOWSFIT_LEFFA_BUDGET_S",
            "for quality=draft, ref_acceleration=true, guidance=1 or height=512",
        )
        model = self._model(options["model"], inputs["category"])
        if model == "viton_hd":
            warn_of_what_is_worn_as_top(inputs, warn)
        shown = prepare(inputs, model, size)
        with torch.no_grad():
            painter, noise = self._painters[model], noises(options["seed"], latent_shape(size))
            warn.step(0, how.steps)
            picture = painter.paint(shown, how, noise, telling(warn, painter.networks.vae))
        drawn = at_size(picture, (HEIGHT, WIDTH))
        if options["repaint"]:
            drawn = repaint(inputs["person"], inputs["agnostic_mask"], drawn, EDGE)
        return {"tryon": drawn}

    def options(self) -> dict[str, Any]:
        own = {"precision": precision_name(self._precision), "tiled": self._tiled}
        return defaults(self.option_schema()) | numerics(self._device) | own

    def runtime(self) -> dict[str, str]:
        return {"framework": "torch " + torch.__version__, "device": device_name(self._device)}

    def weights(self) -> tuple[dict[str, str], ...]:
        return self._weights

    def _model(self, wanted: str, category: str) -> str:
        if wanted != "auto":
            return wanted
        fitting = "viton_hd" if category == "upper" else "dress_code"
        return fitting if fitting in self._painters else next(iter(self._painters))


def how_of(options: dict[str, Any]) -> How:
    """Of a run's options."""
    steps = DRAFT_STEPS if options["quality"] == "draft" else options["steps"]
    return How(steps, options["guidance"], options["ref_acceleration"])
