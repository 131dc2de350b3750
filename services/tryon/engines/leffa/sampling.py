"""What Leffa's steps predict, with guidance."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from services.tryon.engines.leffa.networks import Features, Generator

Look = Callable[[int], Features]
"""look(timestep): the reference's features of one garment, batch 1."""


def predictor(
    generator: Generator, person: Tensor, garment: Look, nothing: Look, guidance: float
) -> Callable[[Tensor, int], Tensor]:
    """For `denoise`.

    person: (1, 8, h, w) of mask, latents of the masked person, DensePose; nothing: of no garment; guidance: 1 for none, which
    takes half the time.
    """
    weight = generator.unet.conv_in.weight

    def predict(latents: Tensor, timestep: int) -> Tensor:
        x = torch.cat((latents, person), 1).to(weight.device, weight.dtype)
        if guidance == 1:
            return generator(x, timestep, garment(timestep)).float()
        features = [torch.cat(each) for each in zip(nothing(timestep), garment(timestep), strict=True)]
        away, towards = generator(x.repeat(2, 1, 1, 1), timestep, features).float().chunk(2)
        return rescaled(away + guidance * (towards - away), towards, guidance)

    return predict


def rescaled(guided: Tensor, towards: Tensor, factor: float) -> Tensor:
    """The guided noise brought to the spread of the one with the garment, by this factor: above 1, as Leffa has it, beyond."""
    spread = towards.std((1, 2, 3), keepdim=True) / guided.std((1, 2, 3), keepdim=True)
    return factor * guided * spread + (1 - factor) * guided
