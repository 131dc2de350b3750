"""The networks of Stable Diffusion 1.5 that try-on models are made of: diffusers' UNet, without text, and autoencoder.

For engines on diffusers: nothing else imports this. Networks are made without a download, on the meta device, where they take
no memory; `give` fills them.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from diffusers.models.attention import BasicTransformerBlock
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from stagekit.torch_device import multiplies_bfloat16

UNET = {
    "sample_size": 64,
    "in_channels": 9,
    "out_channels": 4,
    "block_out_channels": (320, 640, 1280, 1280),
    "layers_per_block": 2,
    "down_block_types": ("CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D"),
    "up_block_types": ("UpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D"),
    "attention_head_dim": 8,
    "cross_attention_dim": 768,
    "norm_num_groups": 32,
}
"""Of stable-diffusion-inpainting; what is not said is diffusers' default."""

VAE = {
    "sample_size": 512,
    "latent_channels": 4,
    "block_out_channels": (128, 256, 512, 512),
    "layers_per_block": 2,
    "down_block_types": ("DownEncoderBlock2D",) * 4,
    "up_block_types": ("UpDecoderBlock2D",) * 4,
    "norm_num_groups": 32,
}

CROSS_ATTENTION = ".attn2."
"""In the names of parameters that checkpoints hold and no network without text has a use for: 44 million in a UNet."""

SMALL_CARD_BYTES = 12 * 2**30
"""A card with less decodes its pictures in tiles."""


def make_unet(config: Mapping[str, Any] = UNET, **changes: Any) -> UNet2DConditionModel:
    """The UNet as published, cross attention and all. changes: of the configuration, such as in_channels."""
    return _make(UNet2DConditionModel, {**config, **changes})


def make_vae(config: Mapping[str, Any] = VAE) -> AutoencoderKL:
    return _make(AutoencoderKL, config)


def shapes_of(network: nn.Module, prefix: str = "") -> dict[str, tuple[int, ...]]:
    """Name -> shape of all that a checkpoint of it holds."""
    return {prefix + name: tuple(array.shape) for name, array in network.state_dict().items()}


def drop_cross_attention(unet: UNet2DConditionModel) -> None:
    """Without text: in each block's cross attention what goes in comes out, to be added to what the block has."""
    for block in transformer_blocks(unet):
        block.attn2 = _Same()


def transformer_blocks(unet: UNet2DConditionModel) -> list[BasicTransformerBlock]:
    """In the order in which they run."""
    parts = [*unet.down_blocks, unet.mid_block, *unet.up_blocks]
    return [each for part in parts for each in part.modules() if isinstance(each, BasicTransformerBlock)]


def give(
    network: nn.Module, arrays: Mapping[str, Tensor], prefix: str, device: torch.device, dtype: torch.dtype
) -> None:
    """Fill a network from the meta device with those of a checkpoint's arrays that it has, their names below the prefix."""
    state = {name: arrays[prefix + name].to(device, dtype) for name in network.state_dict()}
    network.load_state_dict(state, assign=True)
    network.eval().requires_grad_(False)
    if device.type == "cuda":  # on a processor group norms lose three digits in that order
        network.to(memory_format=torch.channels_last)


def save_memory(vae: AutoencoderKL, device: torch.device) -> bool:
    """Have it work in tiles, whose seams it blends, where the card is a small one; whether it is."""
    small = device.type == "cuda" and torch.cuda.get_device_properties(device).total_memory < SMALL_CARD_BYTES
    if small:
        vae.enable_tiling()
    return bool(small)


def choose_precision(wanted: str, device: torch.device, on_card: torch.dtype = torch.float16) -> torch.dtype:
    """wanted: fp32, fp16, bf16, or auto for the one of its authors on a card, else bfloat16 where the processor multiplies it.

    Raises ValueError for fp16 on a processor.
    """
    if wanted == "fp16" and device.type == "cpu":
        raise ValueError("HOWSFIT_PRECISION=fp16 needs a card; this runs on a CPU. Say auto.")
    if wanted != "auto":
        return {"fp32": torch.float32, "fp16": torch.float16, "bf16": torch.bfloat16}[wanted]
    if device.type == "cuda":
        return on_card
    return torch.bfloat16 if multiplies_bfloat16() else torch.float32


def forward_flops(forward: Callable[[], Any]) -> float:
    """Floating-point operations of what it calls; on the meta device, without doing any."""
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        forward()
    return float(counter.get_total_flops())


def seconds_of(forward: Callable[[], Tensor]) -> float:
    """How long it takes here, once warm."""
    seconds = []
    for _ in range(2):
        began = time.perf_counter()
        float(forward().float().sum())  # waits for the device
        seconds.append(time.perf_counter() - began)
    return min(seconds)


class _Same(nn.Module):
    """What stands in for cross attention."""

    def forward(self, hidden_states: Tensor, **others: Any) -> Tensor:
        return hidden_states


def _make(network: Any, config: Mapping[str, Any]) -> Any:
    with torch.device("meta"):
        return network.from_config({name: value for name, value in config.items() if not name.startswith("_")})
