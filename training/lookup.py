"""SPADE's normalisation by looking up scale and shift, with gradients: what the plain layers give, for a fraction of the
work and of the memory.

Scale and shift of a pixel depend on its 5 x 5 label neighbourhood alone, of which a parse has some thousands. Each is computed
once. Going back, what the pixels of a neighbourhood say is summed (a scatter-add), and goes on through the small table.
Between the two passes only the input is kept, with the noise, the neighbourhoods' numbers and the table.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional as F

from services.tryon.engines.hr_viton.generator import LABELS, SLOPE, Spade
from services.tryon.engines.hr_viton.neighbourhoods import Neighbourhoods

PLACES = 9
"""Of a 3 x 3 neighbourhood."""

EPS = 1e-5

BAND = 1 << 22
"""Numbers of a picture that are worked on at a time; what is made on the way is not kept."""


@dataclass(frozen=True)
class Rows:
    """The neighbourhoods of a batch's label maps, one sample's after the other's."""

    index: Tensor
    """(N, h, w): the row of each pixel's neighbourhood in the table."""
    ends: tuple[int, ...]
    """Where each sample's rows end."""
    parts: Tensor
    """(K, 9): the 3 x 3 neighbourhoods that each is made of."""
    labels: Tensor
    """(D, 9): the labels of each 3 x 3 neighbourhood, 7 outside of the map."""

    @classmethod
    def of(cls, parse: Tensor) -> Rows:
        """parse: (N, h, w) ids 0..6."""
        hoods = [Neighbourhoods(one) for one in parse.cpu()]
        ends, small = [0], [0]
        for hood in hoods:
            ends.append(ends[-1] + len(hood.parts))
            small.append(small[-1] + len(hood.labels))
        index = torch.stack([hood.index + start for hood, start in zip(hoods, ends, strict=False)])
        parts = torch.cat([hood.parts + start for hood, start in zip(hoods, small, strict=False)])
        labels = torch.cat([hood.labels for hood in hoods])
        there = parse.device
        return cls(index.to(there), tuple(ends[1:]), parts.to(there), labels.to(there))


def table(spade: Spade, rows: Rows) -> Tensor:
    """Scale (with its 1) and shift of each neighbourhood, (K, 2 C), differentiable."""
    shared = spade.conv_shared[0]
    # What a label at each of the nine places adds; what lies outside of the map adds nothing: (9, 8, 128).
    adds = F.pad(shared.weight.flatten(2).permute(2, 1, 0), (0, 0, 0, 1))
    hidden = shared.bias + torch.stack([adds[place][rows.labels[:, place]] for place in range(PLACES)]).sum(0)
    hidden = F.relu(hidden) * (rows.labels[:, 4:5] < LABELS)
    kernels = torch.cat([spade.conv_gamma.weight, spade.conv_beta.weight])
    parts = hidden.mm(kernels.flatten(2).permute(1, 2, 0).flatten(1)).view(-1, kernels.shape[0])  # (D * 9, 2 C)
    places = rows.parts * PLACES + torch.arange(PLACES, device=parts.device)
    return F.embedding_bag(places, parts, mode="sum") + torch.cat([1 + spade.conv_gamma.bias, spade.conv_beta.bias])


def spade_by_lookup(spade: Spade, x: Tensor, rows: Rows, noise: Tensor, activate: bool = False) -> Tensor:
    """What `spade(x, labels, noise)` gives, in the precision of autocast, and with its activation if asked for.

    rows: of the label maps at x's size; noise: (N, 1, h, w).
    """
    with torch.autocast(x.device.type, enabled=False):
        both = table(spade, rows)
    dtype = torch.get_autocast_dtype(x.device.type) if torch.is_autocast_enabled(x.device.type) else x.dtype
    made: Tensor = _Modulated.apply(x, noise, spade.noise_scale, both, rows, SLOPE if activate else 1.0, dtype)
    return made


class _Modulated(torch.autograd.Function):
    """activation(normalised(x + noise * noise_scale) * scale + shift), by bands of pixel rows.

    Pictures are N, C, H, W laid out with their channels last; sums are taken in float64.
    """

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, noise: Tensor, noise_scale: Tensor, both: Tensor, rows: Rows, slope: float,
        dtype: torch.dtype,
    ) -> Tensor:  # fmt: skip
        x = x.contiguous(memory_format=torch.channels_last)
        means, deviations = zip(*(_moments(*sample, noise_scale) for sample in _samples(x, noise)), strict=True)
        mean, rate = torch.stack(means), torch.stack(deviations).reciprocal()
        made = torch.empty_like(x, dtype=dtype, memory_format=torch.channels_last)
        ctx.save_for_backward(x, noise, noise_scale, both, mean, rate)
        ctx.rows, ctx.slope = rows, slope
        for number in range(len(x)):
            sample = _Sample(x, noise, noise_scale, both, mean, rate, rows, number)
            out = made[number].permute(1, 2, 0)
            for band in sample.bands():
                modulated = sample.modulated(band)[1]
                out[band] = F.leaky_relu_(modulated, slope) if slope != 1 else modulated
        return made

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        x, noise, noise_scale, both, mean, rate = ctx.saved_tensors
        gradient = gradient.contiguous(memory_format=torch.channels_last)
        to_x = torch.empty_like(x, memory_format=torch.channels_last)
        to_both = torch.zeros_like(both, dtype=torch.float64)
        to_scale = torch.zeros_like(noise_scale, dtype=torch.float64)
        for number in range(len(x)):
            sample = _Sample(x, noise, noise_scale, both, mean, rate, ctx.rows, number)
            to_both[sample.of] = sample.scatter(gradient[number], to_x[number], ctx.slope)
            to_scale += sample.through_the_norm(to_both[sample.of], to_x[number])
        return to_x, None, to_scale.to(noise_scale.dtype), to_both.to(both.dtype), None, None, None


class _Sample:
    """One picture of a batch on its way through the normalisation; pictures here are (h, w, C)."""

    def __init__(
        self, x: Tensor, noise: Tensor, noise_scale: Tensor, both: Tensor, mean: Tensor, rate: Tensor, rows: Rows,
        number: int,
    ) -> None:  # fmt: skip
        self.of = slice(rows.ends[number - 1] if number else 0, rows.ends[number])
        self._x, self._noise = x[number].permute(1, 2, 0), noise[number, 0].unsqueeze(2)
        self._mean, self._rate, self._noise_scale = mean[number], rate[number], noise_scale
        self._index = rows.index[number] - self.of.start
        self._both = both[self.of]
        scale, shift = self._both.chunk(2, 1)
        self._folded = torch.cat([scale * self._rate, shift], 1)

    def bands(self) -> Iterator[slice]:
        return _bands(self._x)

    def modulated(self, band: slice) -> tuple[Tensor, Tensor, Tensor]:
        """The input about its mean, what is made of it, and the scale, of these rows."""
        about = _noisy(self._x[band], self._noise[band], self._noise_scale, self._mean)
        scale, shift = F.embedding(self._index[band], self._folded).chunk(2, 2)
        return about, torch.addcmul(shift, about, scale), scale

    def scatter(self, gradient: Tensor, to_x: Tensor, slope: float) -> Tensor:
        """The table's gradient, float64; and into to_x, that of the normalised input, times rate."""
        gradient, to_x = gradient.permute(1, 2, 0), to_x.permute(1, 2, 0)
        total = torch.zeros_like(self._both, dtype=torch.float64)
        for band in self.bands():
            about, made, scale = self.modulated(band)
            here = gradient[band].to(made.dtype)
            if slope != 1:
                here = torch.where(made > 0, here, here * slope)
            to_x[band] = here * scale
            said = torch.cat([about * self._rate * here, here], 2)
            total += torch.ops.aten.embedding_dense_backward(said, self._index[band], len(total), -1, False)
        return total

    def through_the_norm(self, to_both: Tensor, to_x: Tensor) -> Tensor:
        """Turn to_x into the input's gradient; the noise scale's, float64.

        Its mean, alone and times the normalised input, need no look at the pixels: the table's gradient has these sums.
        """
        to_x = to_x.permute(1, 2, 0)
        pixels = self._x.shape[0] * self._x.shape[1]
        scale = self._both.chunk(2, 1)[0]
        along, alone = ((part * scale).sum(0) * self._rate / pixels for part in to_both.chunk(2, 1))
        along, alone = (along * self._rate).to(scale.dtype), alone.to(scale.dtype)
        to_scale = torch.zeros_like(self._noise_scale, dtype=torch.float64)
        for band in self.bands():
            about = _noisy(self._x[band], self._noise[band], self._noise_scale, self._mean)
            here = torch.addcmul(to_x[band].to(about.dtype) - alone, about, along, value=-1)
            to_scale += self._noise[band].to(here.dtype).flatten() @ here.flatten(0, 1)
            to_x[band] = here
        return to_scale


def _samples(x: Tensor, noise: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
    for one, drawn in zip(x, noise, strict=True):
        yield one.permute(1, 2, 0), drawn[0].unsqueeze(2)


def _bands(x: Tensor) -> Iterator[slice]:
    step = max(1, BAND // (x.shape[1] * x.shape[2]))
    return (slice(top, min(top + step, len(x))) for top in range(0, len(x), step))


def _noisy(x: Tensor, noise: Tensor, scale: Tensor, without: Tensor) -> Tensor:
    """x - without + noise * scale in the scale's precision, new."""
    return torch.addcmul(x.to(scale.dtype) - without, noise.to(scale.dtype), scale)


def _moments(x: Tensor, noise: Tensor, scale: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and deviation of x + noise * scale, (C) each. Taken about the mean of some pixels, so that little cancels."""
    about = x[::8, ::8].to(torch.float64).mean((0, 1)).to(scale.dtype)
    total = torch.zeros(2, len(scale), dtype=torch.float64, device=x.device)
    for band in _bands(x):
        here = _noisy(x[band], noise[band], scale, about).flatten(0, 1)
        total[0] += here.sum(0)
        total[1] += here.square_().sum(0)
    mean, squares = total / (x.shape[0] * x.shape[1])
    deviation = (squares - mean.square()).clamp(min=0).add(EPS).sqrt()
    return (about + mean).to(scale.dtype), deviation.to(scale.dtype)
