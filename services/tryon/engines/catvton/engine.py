"""CatVTON with its published weights. For research: neither they nor what they make may be used commercially."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import diffusers
import numpy as np
import torch

import stagekit
from services.tryon.budget import refuse_above_budget
from services.tryon.engines.catvton.checkpoint import load_attention, load_unet, load_vae
from services.tryon.engines.catvton.conditions import Conditions, garment_latents, person_latents
from services.tryon.engines.catvton.cost import cost_of, flops_per_second
from services.tryon.engines.catvton.pictures import VARIANTS, Form, painted, resized
from services.tryon.engines.catvton.sampling import forwards, sample, upper
from services.tryon.engines.catvton.settings import (
    DRAFT_STEPS,
    MAX_GUIDANCE,
    MAX_SEED,
    MAX_STEPS,
    read_catvton_settings,
)
from services.tryon.latents import decode, latent_shape, noises, repaint, shrunk, steady_noise, telling, thresholded
from services.tryon.shelf import Shelf, digest
from services.tryon.stable_diffusion import UNET, VAE, choose_precision, save_memory
from stagekit.errors import BadOption, WeightsMissing, WrongKind
from stagekit.formats import HEIGHT, WIDTH
from stagekit.options import OptionSchema, boolean, choice, defaults, integer, number
from stagekit.report import Report
from stagekit.torch_device import choose_device, device_name, move, numerics, precision_name
from stagekit.weights import require, weights_folder

GUIDANCE = 2.5

EDGE = 50
"""What is repainted ends in an edge as soft as this part of the height."""

WHOLE = Form(HEIGHT, WIDTH)

_KEPT_BYTES = 2**26
"""Latents of some 300 people and garments at the largest size."""


class Engine(stagekit.Engine):
    """person, cloth, agnostic_mask -> tryon.

    Chong et al., "CatVTON: Concatenation Is All You Need for Virtual Try-On with Diffusion Models", ICLR 2025: paints in the
    mask. It looks at neither pose nor category: the mask alone says which garment goes; the engine `catvton_mask` of the stage
    agnostic makes it.

    Options: steps, guidance, seed, quality, repaint, variant. Refuses, with `bad-option`, a run whose estimated time is above
    HOWSFIT_CATVTON_BUDGET_S, and a variant whose weights are not here. What does not depend on the garment is kept for the
    person's next one, and the other way round. Raises WeightsMissing (at load), WrongKind.
    """

    name = "catvton"
    version = "1"
    start_s = 300.0
    inputs = ("person", "cloth", "agnostic_mask")
    licence = "CC-BY-NC-SA-4.0"
    commercial = "no"
    digital_source = "compositeWithTrainedAlgorithmicMedia"
    unet_config, vae_config, forms = UNET, VAE, VARIANTS
    """A test may run smaller networks of the same make."""

    def __init__(self) -> None:
        self._settings = read_catvton_settings()
        self._device = choose_device(self._settings.device)
        self._precision = choose_precision(self._settings.precision, self._device, _on_card())
        self._weights: tuple[dict[str, str], ...] = ()
        self._here: tuple[str, ...] = ()
        """Variants whose weights are here."""
        self._latents = Shelf(_KEPT_BYTES)
        self._tiled = False

    def load(self) -> None:
        self._variant = self._settings.catvton_variant
        weights = require("catvton/unet") + require("catvton/autoencoder") + require(f"catvton/{self._variant}")
        others = {variant: found for variant in self.forms if variant != self._variant and (found := _if_here(variant))}
        self._folder = Path(weights_folder(self.name))
        self._unet = load_unet(self._folder, self._variant, self.unet_config, self._device, self._precision)
        self._vae = load_vae(self._folder, self.vae_config, self._device, self._precision)
        self._tiled = save_memory(self._vae, self._device)
        self._costs = {form: cost_of(form, self.unet_config, self.vae_config) for form in set(self.forms.values())}
        with torch.no_grad():
            self._flops_per_s = flops_per_second(self._unet, self.unet_config, self.forms[self._variant])
        self._here = (self._variant, *others)
        self._weights = sum(others.values(), weights)

    def rest(self) -> None:
        self._move(torch.device("cpu"))

    def wake(self) -> None:
        self._move(self._device)

    def _move(self, device: torch.device) -> None:
        self._latents.clear()  # what is kept is on the device, too
        for network in (self._unet, self._vae):
            move(network, device)

    def option_schema(self) -> OptionSchema:
        return {
            "steps": integer("From noise to picture.", self._settings.catvton_steps, 1, MAX_STEPS),
            "guidance": number(
                "How strictly the garment is kept to; 1 takes half the time.", GUIDANCE, 1, MAX_GUIDANCE
            ),
            "seed": integer(
                "Of the noise: the same seed gives the same picture.", self._settings.tryon_seed, 0, MAX_SEED
            ),
            "quality": choice(
                f"full, or draft for {DRAFT_STEPS} steps whatever `steps` says.", "full", ("full", "draft")
            ),
            "repaint": boolean("Puts back what was not to be painted, over a soft edge.", False),
            "variant": choice(
                "Which of the weights; those at 512 work at half the size.",
                self._settings.catvton_variant,
                tuple(self.forms),
            ),
        }

    def run_with(self, options: dict[str, Any], inputs: stagekit.Artifacts, warn: Report) -> stagekit.Artifacts:
        variant, guidance = options["variant"], options["guidance"]
        steps = DRAFT_STEPS if options["quality"] == "draft" else options["steps"]
        self._refuse_what_is_not_here(variant)
        self._refuse_above_budget(variant, steps, guidance)
        form = self.forms[variant]
        person, cloth = resized(inputs["person"], form), resized(inputs["cloth"], form)
        mask = painted(inputs["agnostic_mask"], form)
        if not (mask >= 128).any():
            raise WrongKind("'agnostic_mask' is black: nothing may be painted. White is where the garment goes.")
        with torch.no_grad():
            self._take(variant)
            conditions = self._conditions(person, mask, cloth)
            noise = noises(options["seed"], latent_shape((2 * form.height, form.width)))
            warn.step(0, steps)
            latents = sample(self._unet, conditions, noise, steps, guidance, telling(warn, self._vae, upper))
            picture = decode(self._vae, latents)[0]
        drawn = resized(picture, WHOLE)
        if options["repaint"]:
            drawn = repaint(inputs["person"], resized(mask, WHOLE), drawn, EDGE)
        return {"tryon": drawn}

    def options(self) -> dict[str, Any]:
        own = {
            "precision": precision_name(self._precision),
            "tiled": self._tiled,
            "diffusers": diffusers.__version__,
        }
        return defaults(self.option_schema()) | numerics(self._device) | own

    def runtime(self) -> dict[str, str]:
        framework = f"torch {torch.__version__}, diffusers {diffusers.__version__}"
        return {"framework": framework, "device": device_name(self._device)}

    def weights(self) -> tuple[dict[str, str], ...]:
        return self._weights

    def _refuse_what_is_not_here(self, variant: str) -> None:
        if variant not in self._here:
            raise BadOption(
                f"The weights of {variant} are not here. `howsfit weights pull catvton/{variant}` fetches them; then start "
                f"this stage anew. Here: {', '.join(self._here)}.",
                members={"option": "variant"},
            )

    def _refuse_above_budget(self, variant: str, steps: int, guidance: float) -> None:
        cost = self._costs[self.forms[variant]]
        estimate_s = (cost.pictures + forwards(steps, guidance) * cost.forward) / self._flops_per_s
        refuse_above_budget(
            steps,
            estimate_s,
            self._settings.catvton_budget_s,
            self._device.type,
            "HOWSFIT_CATVTON_BUDGET_S",
            "for quality=draft, for guidance=1 or for a variant at 512",
        )

    def _take(self, variant: str) -> None:
        """Have the network attend as this variant does, which is all that the variants differ in."""
        if variant != self._variant:
            self._unet.load_state_dict(load_attention(self._folder, variant, self._unet), strict=False)
            self._variant = variant

    def _conditions(self, person: np.ndarray, mask: np.ndarray, cloth: np.ndarray) -> Conditions:
        height, width = mask.shape
        noise = steady_noise(latent_shape((height, width)))
        return Conditions(
            *self._latents.of(digest(person, mask), "", lambda: (person_latents(self._vae, person, mask, noise),)),
            *self._latents.of(digest(cloth), "", lambda: (garment_latents(self._vae, cloth, noise),)),
            shrunk(thresholded(mask)),
        )


def _if_here(variant: str) -> tuple[dict[str, str], ...]:
    try:
        return require(f"catvton/{variant}")
    except WeightsMissing:
        return ()


def _on_card() -> torch.dtype:
    """bfloat16 as published, where the card has it."""
    return torch.bfloat16 if torch.cuda.is_available() and torch.cuda.is_bf16_supported() else torch.float16
