"""How long a run will take, before it begins."""

from __future__ import annotations

from typing import NamedTuple

import torch

from services.tryon.engines.leffa.checkpoint import INPUT_CHANNELS, Networks
from services.tryon.engines.leffa.inputs import Size
from services.tryon.engines.leffa.painter import How
from services.tryon.latents import CHANNELS, latent_shape
from services.tryon.stable_diffusion import forward_flops, seconds_of

_TIMESTEP = 1


class Costs(NamedTuple):
    """Of one sample of one size, in floating-point operations."""

    look: float
    """At the garment, once."""
    step: float
    """But for the look."""
    around: float
    """Both pictures into latents, and the result out of them."""

    def of(self, how: How) -> float:
        """Of a whole picture, if nothing is kept of person and garment."""
        samples, looks = 1 if how.guidance == 1 else 2, 1 if how.once else how.steps
        return samples * (how.steps * self.step + looks * self.look) + self.around


def costs_of(networks: Networks, size: Size) -> Costs:
    """networks: on the meta device, where all is counted and nothing done."""
    with torch.device("meta"):
        latents = torch.zeros(latent_shape(size))
        x = torch.zeros((1, INPUT_CHANNELS, *latents.shape[2:]))
        picture = torch.zeros((1, 3, *size))
    with torch.no_grad():
        features = networks.reference(latents, _TIMESTEP)
    return Costs(
        forward_flops(lambda: networks.reference(latents, _TIMESTEP)),
        forward_flops(lambda: networks.generator(x, _TIMESTEP, features)),
        2 * forward_flops(lambda: networks.vae.encode(picture)) + forward_flops(lambda: networks.vae.decode(latents)),
    )


def seconds_per_flop(networks: Networks) -> float:
    """Told from looking at a garment of the published size, of which a processor is given a sixteenth."""
    weight = networks.reference.unet.conv_in.weight
    size = (128, 96) if weight.device.type == "cuda" else (32, 24)
    latents = torch.zeros((1, CHANNELS, *size), device=weight.device, dtype=weight.dtype)

    def look() -> torch.Tensor:
        return networks.reference(latents, _TIMESTEP)[-1]

    with torch.no_grad():
        return seconds_of(look) / forward_flops(look)
