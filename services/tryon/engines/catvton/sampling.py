"""From noise to the dressed person. The garment lies below the person, and both are one tall picture to the network."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from diffusers import UNet2DConditionModel
from torch import Tensor

from services.tryon.engines.catvton.conditions import Conditions
from services.tryon.latents import Step, denoise, make_scheduler


def sample(
    unet: UNet2DConditionModel,
    conditions: Conditions,
    noise: Iterator[Tensor],
    steps: int,
    guidance: float,
    on_step: Step | None = None,
) -> Tensor:
    """Latents of the dressed person, float32 (B, 4, h, w).

    noise: float32 (B, 4, 2 h, w), first for the beginning, then for each step. on_step sees both halves of the tall picture, of
    which the upper one is the person.
    """
    weight = unet.conv_in.weight
    shown = [each.to(weight.device, weight.dtype) for each in _shown(conditions, guidance)]

    def predict(latents: Tensor, timestep: int) -> Tensor:
        seen = latents.to(weight.dtype)
        tall = torch.cat([torch.cat((seen, each), dim=1) for each in shown])
        found = unet(tall, timestep, None).sample.float().chunk(len(shown))
        return found[0] if len(shown) == 1 else found[0] + guidance * (found[1] - found[0])

    latents = denoise(predict, make_scheduler(steps, to_the_end=False), noise, weight.device, on_step)
    return upper(latents)


def upper(latents: Tensor) -> Tensor:
    """The person's half of the tall picture."""
    return latents[:, :, : latents.shape[2] // 2]


def forwards(steps: int, guidance: float) -> int:
    """How many samples the network sees for one picture."""
    return steps if guidance <= 1 else 2 * steps


def _shown(conditions: Conditions, guidance: float) -> list[Tensor]:
    """The channels beside the noise, (B, 5, 2 h, w): with the garment; where there is guidance, without it before them."""
    person, garment, mask = conditions
    tall_mask = torch.cat((mask, torch.zeros_like(mask)), dim=2).to(person)

    def beside(below: Tensor) -> Tensor:
        return torch.cat((tall_mask, torch.cat((person, below.to(person)), dim=2)), dim=1)

    return [beside(garment)] if guidance <= 1 else [beside(torch.zeros_like(garment)), beside(garment)]
