"""The image generator as published: SPADE blocks with a noise term, from 8 x 6 to 1024 x 768. The reference, and the GPU path.

Lee et al., ECCV 2022, section 3.3; SPADE: Park et al., "Semantic Image Synthesis with Spatially-Adaptive Normalization",
CVPR 2019. Parameter names are those of the published checkpoint; spectral norm is in its three arrays, read-only.
"""

from __future__ import annotations

from typing import Optional

import torch
from torch import Tensor, nn
from torch.nn import functional as F

INPUTS = 9
"""Channels of the picture that conditions it: agnostic, densepose, warped cloth."""

LABELS = 7
HIDDEN = 128
FEATURES = 16
SLOPE = 0.2
BLOCKS = (
    ("head_0", 1024, 1024), ("G_middle_0", 1040, 1024), ("G_middle_1", 1040, 1024), ("up_0", 1040, 512),
    ("up_1", 528, 256), ("up_2", 272, 128), ("up_3", 144, 64), ("up_4", 80, 32),
)  # fmt: skip
"""Name, input and output channels of the blocks, from coarse to fine."""

COARSEST = 128
"""The first block works at 1/128 of the size, each next one at twice the size before."""


class SpectralConv(nn.Module):
    """A convolution whose kernel is weight_orig / (u^T W v)."""

    def __init__(self, inputs: int, outputs: int, size: int, bias: bool = True) -> None:
        super().__init__()
        self.weight_orig = nn.Parameter(torch.empty(outputs, inputs, size, size))
        self.bias = nn.Parameter(torch.empty(outputs)) if bias else None
        self.register_buffer("weight_u", torch.empty(outputs))
        self.register_buffer("weight_v", torch.empty(inputs * size * size))

    def kernel(self) -> Tensor:
        """The normalised kernel."""
        matrix = self.weight_orig.flatten(1)
        return self.weight_orig / torch.dot(self.weight_u, torch.mv(matrix, self.weight_v))

    def forward(self, x: Tensor) -> Tensor:
        kernel = self.kernel().to(x.dtype)
        return F.conv2d(x, kernel, self.bias, padding=kernel.shape[2] // 2)


class Spade(nn.Module):
    """Instance normalisation of x plus noise, then a scale and shift per pixel that the label map decides."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.noise_scale = nn.Parameter(torch.zeros(channels))
        self.conv_shared = nn.Sequential(nn.Conv2d(LABELS, HIDDEN, 3, padding=1), nn.ReLU())
        self.conv_gamma = nn.Conv2d(HIDDEN, channels, 3, padding=1)
        self.conv_beta = nn.Conv2d(HIDDEN, channels, 3, padding=1)

    def forward(self, x: Tensor, labels: Tensor, noise: Tensor) -> Tensor:
        """labels: (N, 7, h, w) one-hot of x's size. noise: (N, 1, h, w)."""
        normalised = F.instance_norm(x + noise * self.noise_scale.view(1, -1, 1, 1))
        hidden = self.conv_shared(labels)
        return normalised * (1 + self.conv_gamma(hidden)) + self.conv_beta(hidden)


class SpadeBlock(nn.Module):
    """Two normalised convolutions beside a shortcut, which is learned where the widths differ."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        middle = min(inputs, outputs)
        self.conv_0 = SpectralConv(inputs, middle, 3)
        self.conv_1 = SpectralConv(middle, outputs, 3)
        self.norm_0 = Spade(inputs)
        self.norm_1 = Spade(middle)
        self.learned = inputs != outputs
        if self.learned:
            self.conv_s = SpectralConv(inputs, outputs, 1, bias=False)
            self.norm_s = Spade(inputs)

    def forward(self, x: Tensor, labels: Tensor, noise: Noise) -> Tensor:
        shortcut = self.conv_s(self.norm_s(x, labels, noise.draw(x))) if self.learned else x
        dx = self.conv_0(F.leaky_relu(self.norm_0(x, labels, noise.draw(x)), SLOPE))
        dx = self.conv_1(F.leaky_relu(self.norm_1(dx, labels, noise.draw(dx)), SLOPE))
        return shortcut + dx


class Noise:
    """The random term of every normalisation, drawn in their order: the same seed gives the same picture.

    Drawn on the CPU, whatever the device, so that the seed means the same everywhere.
    """

    def __init__(self, seed: int) -> None:
        self._generator = torch.Generator().manual_seed(seed)

    def draw(self, x: Tensor) -> Tensor:
        """Standard normal (N, 1, h, w) for an x of (N, C, h, w)."""
        return self.plane(x.shape[0], x.shape[2], x.shape[3]).to(x.device, x.dtype)

    def plane(self, count: int, height: int, width: int) -> Tensor:
        """Standard normal (N, 1, h, w) in float32; drawn as (N, w, h), as published."""
        return torch.randn(count, width, height, generator=self._generator).transpose(1, 2).unsqueeze(1)


class ImageGenerator(nn.Module):
    """Draws the dressed person from nine conditioning channels and the 7-label map."""

    def __init__(self) -> None:
        super().__init__()
        for i in range(len(BLOCKS)):
            self.add_module("conv_%d" % i, nn.Conv2d(INPUTS, FEATURES if i else 1024, 3, padding=1))
        for name, inputs, outputs in BLOCKS:
            self.add_module(name, SpadeBlock(inputs, outputs))
        self.conv_img = nn.Conv2d(BLOCKS[-1][2], 3, 3, padding=1)

    def forward(self, picture: Tensor, parse: Tensor, seed: int = 0) -> Tensor:
        """picture: (N, 9, H, W) in -1..1; parse: (N, H, W) label ids 0..6; H and W multiples of 128. (N, 3, H, W) in -1..1."""
        return self.with_noise(picture, parse, Noise(seed))

    def with_noise(self, picture: Tensor, parse: Tensor, noise: Noise) -> Tensor:
        """`forward` with a noise of the caller's."""
        one_hot = F.one_hot(parse.long(), LABELS).permute(0, 3, 1, 2).to(picture.dtype)
        x: Optional[Tensor] = None
        for i, (name, _, _) in enumerate(BLOCKS):
            step = COARSEST >> i
            # Nearest resizing by a whole factor takes every n-th pixel.
            features = getattr(self, "conv_%d" % i)(picture[:, :, ::step, ::step])
            x = features if x is None else torch.cat([F.interpolate(x, scale_factor=2, mode="nearest"), features], 1)
            x = getattr(self, name)(x, one_hot[:, :, ::step, ::step], noise)
        return torch.tanh(self.conv_img(F.leaky_relu(x, SLOPE)))
