"""SPADE's normalisation with its label-driven scale and shift as a table with a row for each distinct neighbourhood."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from services.tryon.engines.hr_viton.generator import LABELS, Spade
from services.tryon.engines.hr_viton.neighbourhoods import Neighbourhoods

EPS = 1e-5


class Moments(NamedTuple):
    """Sums over a picture's pixels, float64."""

    pixels: int
    total: Tensor
    """(C): of x."""
    squares: Tensor
    """(C): of x * x."""
    products: Tensor
    """(k, C): of x times each noise."""
    noise_total: Tensor
    """(k)"""
    noise_squares: Tensor
    """(k)"""

    @classmethod
    def of(cls, sums: Tensor, noises: Tensor) -> Moments:
        """sums: what `sums` gave for the whole picture; noises: (k, h, w)."""
        drawn = noises.flatten(1).double()
        return cls(drawn.shape[1], sums[1], sums[0], sums[2:], drawn.sum(1), drawn.square().sum(1))

    def with_noise(self, scale: Tensor, which: int) -> tuple[Tensor, Tensor]:
        """Mean and variance of x + scale * noise, without looking at the pixels again."""
        s = scale.double()
        mean, noise_mean = self.total / self.pixels, self.noise_total[which] / self.pixels
        variance = self.squares / self.pixels - mean**2
        covariance = self.products[which] / self.pixels - mean * noise_mean
        noise_variance = self.noise_squares[which] / self.pixels - noise_mean**2
        return mean + s * noise_mean, (variance + 2 * s * covariance + s**2 * noise_variance).clamp_(min=0)


def sums(x: Tensor, noises: Tensor) -> Tensor:
    """x: (n, w, C); noises: (k, n, w). Float64 (2 + k, C): of x * x, of x, of x times each noise."""
    pixels = x.float().flatten(0, 1)
    flat = noises.flatten(1)
    return torch.cat([pixels.square().sum(0, True), pixels.sum(0, True), flat.mm(pixels)]).double()


class Norm:
    """One Spade: what it makes of each distinct neighbourhood."""

    def __init__(self, spade: Spade) -> None:
        self.noise_scale = spade.noise_scale.detach()
        shared = spade.conv_shared[0]
        # (9, 8, 128): what a label at each of the nine places adds; what lies outside of the map adds nothing.
        self._shared = F.pad(shared.weight.detach().flatten(2).permute(2, 1, 0), (0, 0, 0, 1)).contiguous()
        self._shared_bias = shared.bias.detach()
        both = torch.cat([spade.conv_gamma.weight, spade.conv_beta.weight]).detach()
        self._both = both.flatten(2).permute(1, 2, 0).flatten(1).contiguous()  # (128, 9 * 2 C)
        self._both_bias = torch.cat([1 + spade.conv_gamma.bias, spade.conv_beta.bias]).detach()

    def table(self, hood: Neighbourhoods) -> Table:
        """Scale and shift of each neighbourhood; the normalisation is still to be folded in."""
        hidden = self._shared_bias.expand(len(hood.labels), -1)
        for place in range(9):
            hidden = hidden + self._shared[place][hood.labels[:, place]]
        inside = hood.labels[:, 4:5] < LABELS
        parts = torch.mm(F.relu(hidden) * inside, self._both).view(-1, len(self._both_bias))  # (D * 9, 2 C)
        rows = hood.parts * 9 + torch.arange(9)
        both = F.embedding_bag(rows, parts, mode="sum").add_(self._both_bias)
        return Table(hood.index, both, self.noise_scale)


class Table(NamedTuple):
    """Scale and shift for each neighbourhood."""

    index: Tensor
    """(h, w): the neighbourhood of each pixel."""
    both: Tensor
    """(K, 2 C): scale, then shift."""
    noise_scale: Tensor
    """(C)"""

    def normalise(self, moments: Moments, which: int) -> None:
        """Fold in, for this mean and variance, what takes x plus the noise of that number to mean 0 and variance 1."""
        channels = len(self.noise_scale)
        mean, variance = moments.with_noise(self.noise_scale, which)
        scale, shift = self.both[:, :channels], self.both[:, channels:]
        scale *= torch.rsqrt(variance + EPS).float()
        shift -= scale * mean.float()

    def modulate(self, x: Tensor, rows: slice, out: Tensor) -> Tensor:
        """x: (n, w, C), those rows, float32; scaled and shifted, into out: x itself or an array of its own type."""
        count, width, channels = x.shape
        both = self.both.index_select(0, self.index[rows].reshape(-1)).view(count, width, 2 * channels)
        return torch.addcmul(both[..., channels:], x, both[..., :channels], out=out)
