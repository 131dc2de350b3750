"""The image generator's forward pass in training: block by block, as the profile wants it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

import torch
from torch import Tensor
from torch.nn import functional as F

from services.tryon.engines.hr_viton.generator import (
    BLOCKS,
    COARSEST,
    LABELS,
    SLOPE,
    ImageGenerator,
    Noise,
    Spade,
    SpadeBlock,
)
from training.lookup import Rows, spade_by_lookup
from training.profiles import Profile

Labels: TypeAlias = Rows | Tensor
"""A parse at a block's size: as the rows of its table, or one-hot (N, 7, h, w)."""

STEPS = [COARSEST >> i for i in range(len(BLOCKS))]
"""Each block works on every n-th pixel: that is nearest resizing by a whole factor."""


def scales(parse: Tensor, dtype: torch.dtype, profile: Profile) -> list[Labels]:
    """parse: (N, H, W) ids 0..6. What `draw` wants of it, the same in every pass; dtype: of one-hot maps."""
    small = [parse[:, ::step, ::step] for step in STEPS]
    if profile.lookup:
        return [Rows.of(one) for one in small]
    return [F.one_hot(one.long(), LABELS).permute(0, 3, 1, 2).to(dtype) for one in small]


def draw(network: ImageGenerator, picture: Tensor, parse: Sequence[Labels], noise: Noise, profile: Profile) -> Tensor:
    """What `network.with_noise(picture, parse, noise)` gives, in the picture's precision."""
    x: Tensor | None = None
    with profile.autocast(picture.device):
        for i in range(len(BLOCKS)):
            small = profile.laid_out(picture[:, :, :: STEPS[i], :: STEPS[i]])
            x = profile.kept_small(through_block(network, i))(x, small, parse[i], planes(network, i, small, noise))
        return finished(network, x, profile).to(picture.dtype)


def finished(network: ImageGenerator, x: Tensor, profile: Profile) -> Tensor:
    """The picture, from the last block's output."""
    return torch.tanh(
        profile.kept_small(network.conv_img)(F.leaky_relu(x, SLOPE)).to(torch.promote_types(x.dtype, torch.float32))
    )


def planes(network: ImageGenerator, number: int, small: Tensor, noise: Noise) -> list[Tensor]:
    """The noise of a block's normalisations, in the published order: shortcut, first, second; (N, 1, h, w) each."""
    block: SpadeBlock = getattr(network, BLOCKS[number][0])
    return [noise.draw(small) for _ in range(3 if block.learned else 2)]


def through_block(
    network: ImageGenerator, number: int
) -> Callable[[Tensor | None, Tensor, Labels, list[Tensor]], Tensor]:
    """What takes the output of the block before, the picture at this one's size, labels and noise to this block's output."""
    features: Callable[[Tensor], Tensor] = getattr(network, f"conv_{number}")
    block: SpadeBlock = getattr(network, BLOCKS[number][0])

    def run(x: Tensor | None, small: Tensor, parse: Labels, noise: list[Tensor]) -> Tensor:
        entered = features(small)
        if x is not None:
            entered = torch.cat([F.interpolate(x, scale_factor=2, mode="nearest"), entered], 1)
        shortcut = block.conv_s(_normalised(block.norm_s, entered, parse, noise[0])) if block.learned else entered
        dx = block.conv_0(_normalised(block.norm_0, entered, parse, noise[-2], activate=True))
        dx = block.conv_1(_normalised(block.norm_1, dx, parse, noise[-1], activate=True))
        return shortcut + dx

    return run


def _normalised(spade: Spade, x: Tensor, parse: Labels, noise: Tensor, activate: bool = False) -> Tensor:
    if isinstance(parse, Rows):
        return spade_by_lookup(spade, x, parse, noise, activate)
    made = spade(x, parse, noise)
    return F.leaky_relu(made, SLOPE) if activate else made
