"""Convolution of pictures in bands of rows, channels side by side (h, w, C)."""

from __future__ import annotations

import math
from typing import Iterator, NamedTuple, Optional

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from services.tryon.engines.hr_viton.crew import Crew

BAND_BYTES = 1 << 20
"""Aim for the size of a band in float32: it stays in a core's cache, yet is long enough for the convolutions."""


class Band(NamedTuple):
    """A step of a window."""

    out: slice
    """The rows that a 3 x 3 convolution of the window gives."""
    new: slice
    """The rows of its input that it still lacks."""


class Window:
    """Slides down a picture: the rows for the next band of a 3 x 3 convolution, zero above and below the picture.

    Iterate over it; write the rows `band.new` of the input into `new`; then `rows` is ready to be convolved.
    """

    def __init__(self, shape: tuple[int, int, int], rows: slice, precision: torch.dtype) -> None:
        """shape: of the picture, (h, w, C); rows: those to make."""
        height, width, channels = shape
        self._height, self._part = height, rows
        count = rows.stop - rows.start
        bands = math.ceil(count * width * channels * 4 / BAND_BYTES)
        self._step = math.ceil(count / min(bands, count))
        self._buffer = torch.zeros(self._step + 2, width, channels, dtype=precision)
        self.new = self.rows = self._buffer

    def __iter__(self) -> Iterator[Band]:
        first, last = self._part.start, self._part.stop
        for top in range(first, last, self._step):
            bottom = min(top + self._step, last)
            if top > first:  # the window above ended with these two rows
                self._buffer[:2] = self._buffer[self._step : self._step + 2].clone()
            new = slice(top + 1 if top > first else max(top - 1, 0), min(bottom + 1, self._height))
            self.rows = self._buffer[: bottom - top + 2]
            self.new = self.rows[new.start - top + 1 : new.stop - top + 1]
            if bottom == self._height:
                self.rows[-1] = 0
            yield Band(slice(top, bottom), new)


class Kernel:
    """A 3 x 3 convolution, zero beside the picture."""

    def __init__(self, weight: Tensor, bias: Optional[Tensor], precision: torch.dtype) -> None:
        self.outputs = weight.shape[0]
        self._weight = weight.detach().to(precision).contiguous(memory_format=torch.channels_last)
        self._bias = None if bias is None else bias.detach().to(precision)

    @classmethod
    def of(cls, conv: nn.Conv2d, precision: torch.dtype) -> Kernel:
        """That of an ordinary convolution."""
        return cls(conv.weight, conv.bias, precision)

    def __call__(self, rows: Tensor) -> Tensor:
        """A window's rows (n + 2, w, C) to (n, w, outputs)."""
        return self._convolve(rows, slice(None), 0)

    def whole(self, picture: Tensor, crew: Crew) -> Tensor:
        """A picture (h, w, C) to (h, w, outputs), the outputs shared out: for those smaller than their kernel."""
        return torch.cat(crew.split(lambda part: self._convolve(picture, part, 1), self.outputs), 2)

    def _convolve(self, pixels: Tensor, part: slice, above: int) -> Tensor:
        image = pixels.permute(2, 0, 1).unsqueeze(0)
        bias = None if self._bias is None else self._bias[part]
        made = F.conv2d(image, self._weight[part], bias, padding=(above, 1))
        return made[0].permute(1, 2, 0)


class Mix:
    """A 1 x 1 convolution without bias, as a product of matrices, which has less to prepare."""

    def __init__(self, weight: Tensor, precision: torch.dtype) -> None:
        self._weight = weight.detach().flatten(1).t().to(precision).contiguous()

    def __call__(self, x: Tensor, out: Tensor) -> None:
        """x: (n, w, C) of the kernel's precision; out: (n, w, outputs), float32."""
        pixels, into = x.view(-1, x.shape[2]), out.view(-1, out.shape[2])
        if x.dtype == out.dtype:
            torch.mm(pixels, self._weight, out=into)
        else:
            into.copy_(pixels.mm(self._weight))
