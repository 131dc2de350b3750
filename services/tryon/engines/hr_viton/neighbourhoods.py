"""The distinct 5 x 5 neighbourhoods of a label map: SPADE's scale and shift of a pixel depend on nothing else."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

OUTSIDE = 7
"""Label of what lies outside the map; the labels are 0..6."""

_BITS = 3


class Neighbourhoods:
    """Which distinct 5 x 5 neighbourhood each pixel has, and how these are made of distinct 3 x 3 ones.

    A real parse has about 2,000 of the first and 400 of the second at 1024 x 768.
    """

    index: Tensor
    """(h, w) int64: the pixel's neighbourhood, 0..K-1."""

    parts: Tensor
    """(K, 9) int64: the 3 x 3 neighbourhoods around the nine inner positions of each 5 x 5 one, row by row."""

    labels: Tensor
    """(D, 9) int64 labels 0..7 of each distinct 3 x 3 neighbourhood, row by row."""

    def __init__(self, parse: Tensor) -> None:
        """parse: (h, w) label ids 0..6."""
        height, width = parse.shape
        padded = F.pad(parse.to(torch.int32), (2, 2, 2, 2), value=OUTSIDE)
        codes = _codes(padded)
        distinct, small = _distinct(codes)
        shifts = torch.arange(8, -1, -1) * _BITS
        self.labels = (distinct.view(-1, 1) >> shifts) & (2**_BITS - 1)
        # Four 3 x 3 corners cover a 5 x 5 neighbourhood: two make its upper half, two its lower one.
        small = small.view(height + 2, width + 2)
        _, halves = _distinct((small[:, :-2] << 32) | small[:, 2:])
        halves = halves.view(height + 2, width)
        _, index = _distinct((halves[:-2] << 32) | halves[2:])
        self.index = index.view(height, width)
        example = _first_of_each(index)
        at = torch.div(example, width, rounding_mode="floor") * (width + 2) + example % width
        around = torch.tensor([y * (width + 2) + x for y in range(3) for x in range(3)])
        self.parts = small.reshape(-1)[at.view(-1, 1) + around]


def _codes(padded: Tensor) -> Tensor:
    """The labels of each 3 x 3 window as one number of 27 bits."""
    width = padded.shape[1]
    lines = (padded[:, : width - 2] << 2 * _BITS) | (padded[:, 1 : width - 1] << _BITS) | padded[:, 2:]
    height = lines.shape[0]
    return (lines[: height - 2] << 6 * _BITS) | (lines[1 : height - 1] << 3 * _BITS) | lines[2:]


def _distinct(values: Tensor) -> tuple[Tensor, Tensor]:
    """The distinct values and, for each value of the flattened tensor, its position among them.

    Long runs are the rule: only where a value differs from its left neighbour does it need sorting.
    """
    flat = values.reshape(-1)
    begins = torch.ones_like(flat, dtype=torch.bool)
    torch.ne(flat[1:], flat[:-1], out=begins[1:])
    distinct, positions = torch.unique(flat[begins], return_inverse=True)
    run = begins.to(torch.int32).cumsum(0)
    return distinct.long(), positions[run - 1]


def _first_of_each(index: Tensor) -> Tensor:
    """For each of the values 0..K-1 a place where it stands."""
    example = torch.zeros(int(index.max()) + 1, dtype=torch.long)
    example[index] = torch.arange(index.numel())
    return example
