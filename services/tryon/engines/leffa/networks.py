"""Leffa's two UNets: one looks at the garment, the other paints the person and looks at what the first one saw.

Source: Zhou et al., "Learning Flow Fields in Attention for Controllable Person Image Generation", CVPR 2025. Both are those of
Stable Diffusion 1.5 without text; only their self-attention differs.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from diffusers import UNet2DConditionModel
from diffusers.models.attention_processor import Attention, AttnProcessor2_0
from torch import Tensor, nn

from services.tryon.stable_diffusion import drop_cross_attention, transformer_blocks

Features = tuple[Tensor, ...]
"""What goes into the self-attention of each block, in running order: (B, pixels, channels) each."""


class Reference:
    """The UNet that looks at the garment. Of it the inputs of its self-attentions are wanted, and nothing after the last."""

    def __init__(self, unet: UNet2DConditionModel) -> None:
        """Changes the UNet, which has its cross attention yet: what nobody looks at is taken out."""
        drop_cross_attention(unet)
        self.unet = unet
        self._seen: list[Tensor] = []
        *blocks, last = transformer_blocks(unet)
        for block in blocks:
            block.attn1.set_processor(_Showing(self._seen))
        transformer = unet.up_blocks[-1].attentions[-1]
        transformer.transformer_blocks = nn.ModuleList([_LastLook(last.norm1, self._seen)])
        transformer.proj_out = nn.Identity()
        unet.conv_norm_out, unet.conv_out = None, nn.Identity()

    def __call__(self, latents: Tensor, timestep: int) -> Features:
        """latents: of the garment, (B, 4, h, w), or zeros for none."""
        self._seen.clear()
        self.unet(latents, timestep, None)
        seen = tuple(self._seen)
        self._seen.clear()
        return seen


class Generator:
    """The UNet that paints: each of its self-attentions looks at the person and at the garment's features alike."""

    def __init__(self, unet: UNet2DConditionModel) -> None:
        """Changes the UNet, which has its cross attention yet."""
        drop_cross_attention(unet)
        self.unet = unet
        self._beside: list[Tensor] = []
        for number, block in enumerate(transformer_blocks(unet)):
            block.attn1.set_processor(_Joined(self._beside, number))

    def __call__(self, x: Tensor, timestep: int, features: Sequence[Tensor]) -> Tensor:
        """The noise in the first 4 channels of x, (B, 4, h, w). x: (B, 12, h, w) of noisy latents, mask, latents of the masked
        person, DensePose; features: of a reference for as many garments."""
        self._beside[:] = features
        noise: Tensor = self.unet(x, timestep, None).sample
        self._beside.clear()
        return noise


class _Showing:
    """Plain self-attention that shows what it is given."""

    def __init__(self, seen: list[Tensor]) -> None:
        self._seen, self._attend = seen, AttnProcessor2_0()

    def __call__(self, attn: Attention, hidden_states: Tensor, **others: Any) -> Tensor:
        self._seen.append(hidden_states)
        return self._attend(attn, hidden_states)


class _Joined:
    """Self-attention that looks at another picture's pixels too; of the result only those of its own are kept."""

    def __init__(self, beside: list[Tensor], number: int) -> None:
        self._beside, self._number, self._attend = beside, number, AttnProcessor2_0()

    def __call__(self, attn: Attention, hidden_states: Tensor, **others: Any) -> Tensor:
        both = torch.cat((hidden_states, self._beside[self._number]), 1)
        return self._attend(attn, hidden_states, encoder_hidden_states=both)


class _LastLook(nn.Module):
    """What is left of the reference's last block."""

    def __init__(self, norm1: nn.Module, seen: list[Tensor]) -> None:
        super().__init__()
        self.norm1, self._seen = norm1, seen

    def forward(self, hidden_states: Tensor, **others: Any) -> Tensor:
        self._seen.append(self.norm1(hidden_states))
        return hidden_states
