"""What the networks begin as. The published Xavier initialisation misses spectrally normalised kernels; so does ours."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F

from services.tryon.engines.hr_viton.generator import SpectralConv

WIDTH = 0.02
"""Standard deviation of the condition discriminator's kernels; Xavier's gain of the others."""


@torch.no_grad()
def begin_condition(discriminator: nn.Module) -> None:
    """The discriminator of the condition generator, which itself begins as Torch has it."""
    for module in discriminator.modules():
        if isinstance(module, SpectralConv):
            _begin_spectral(module)
            nn.init.normal_(module.weight_orig, 0, WIDTH)
        elif isinstance(module, nn.Conv2d):
            nn.init.normal_(module.weight, 0, WIDTH)


@torch.no_grad()
def begin_images(network: nn.Module) -> None:
    """The image generator or its discriminator."""
    for module in network.modules():
        if isinstance(module, SpectralConv):
            _begin_spectral(module)
        elif isinstance(module, nn.Conv2d):
            nn.init.xavier_normal_(module.weight, WIDTH)
            assert module.bias is not None
            nn.init.zeros_(module.bias)


def _begin_spectral(module: SpectralConv) -> None:
    bound = module.weight_orig[0].numel() ** -0.5
    nn.init.uniform_(module.weight_orig, -bound, bound)
    if module.bias is not None:
        nn.init.zeros_(module.bias)
    for vector in (module.weight_u, module.weight_v):
        vector.copy_(F.normalize(torch.randn_like(vector), dim=0))
