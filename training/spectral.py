"""Spectral normalisation while training: one power iteration before every forward pass."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from services.tryon.engines.hr_viton.generator import SpectralConv

EPS = 1e-12


class StridedSpectralConv(SpectralConv):
    """The same convolution with a stride, as the discriminators have it."""

    def __init__(self, inputs: int, outputs: int, size: int, stride: int, bias: bool) -> None:
        super().__init__(inputs, outputs, size, bias)
        self.stride = stride

    def forward(self, x: Tensor) -> Tensor:
        kernel = self.kernel().to(x.dtype)
        return F.conv2d(x, kernel, self.bias, stride=self.stride, padding=kernel.shape[2] // 2)


@torch.no_grad()
def advance(network: nn.Module) -> None:
    """Run one power iteration in every spectrally normalised convolution. Once for each forward pass of the training,
    also for those without gradient; never again where a pass is recomputed."""
    for module in network.modules():
        if isinstance(module, SpectralConv):
            matrix = module.weight_orig.flatten(1)
            # New arrays, not the old ones changed: a pass whose gradient is still to be taken may hold these.
            module.weight_v = F.normalize(torch.mv(matrix.t(), module.weight_u), dim=0, eps=EPS)
            module.weight_u = F.normalize(torch.mv(matrix, module.weight_v), dim=0, eps=EPS)
