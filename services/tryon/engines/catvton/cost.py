"""What a picture costs, told before it is begun."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import torch
from diffusers import UNet2DConditionModel

from services.tryon.engines.catvton.pictures import Form
from services.tryon.latents import FACTOR
from services.tryon.stable_diffusion import drop_cross_attention, forward_flops, make_unet, make_vae, seconds_of

_PROBE = (64, 24)
"""Height and width of the latents by which a processor is timed: some seconds."""


class Cost(NamedTuple):
    """Floating-point operations."""

    forward: float
    """Of the UNet, for one sample."""
    pictures: float
    """Of the autoencoder: person and garment in, one picture out."""


def cost_of(form: Form, unet_config: Mapping[str, Any], vae_config: Mapping[str, Any]) -> Cost:
    """Of one picture of that form; counted, not done."""
    height, width = form.height // FACTOR, form.width // FACTOR
    vae = make_vae(vae_config)
    with torch.device("meta"):
        picture, latents = torch.zeros((1, 3, form.height, form.width)), torch.zeros((1, 4, height, width))
    pictures = 2 * forward_flops(lambda: vae.encode(picture)) + forward_flops(lambda: vae.decode(latents))
    return Cost(_forward_flops(unet_config, 2 * height, width), pictures)


def flops_per_second(unet: UNet2DConditionModel, unet_config: Mapping[str, Any], form: Form) -> float:
    """How fast the network runs here. form: the one that is timed on a card, where a small one would say too little."""
    weight = unet.conv_in.weight
    height, width = _PROBE if weight.device.type == "cpu" else (2 * form.height // FACTOR, form.width // FACTOR)
    seen = torch.zeros((1, unet.config.in_channels, height, width), device=weight.device, dtype=weight.dtype)
    return _forward_flops(unet_config, height, width) / seconds_of(lambda: unet(seen, 1, None).sample)


def _forward_flops(config: Mapping[str, Any], height: int, width: int) -> float:
    unet = make_unet(config)
    drop_cross_attention(unet)
    with torch.device("meta"):
        seen, timestep = torch.zeros((1, unet.config.in_channels, height, width)), torch.tensor(1)
    return forward_flops(lambda: unet(seen, timestep, None))
