"""SPADE's normalisation by looking up scale and shift, with gradients: what the plain layers give, for a fraction of the work.

Scale and shift of a pixel depend on its 5 x 5 label neighbourhood alone, of which a parse has some thousands. Each is computed
once; autograd sums what the pixels of a neighbourhood say (a scatter-add), and goes on through the small table.
"""

from __future__ import annotations

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
from services.tryon.engines.hr_viton.neighbourhoods import Neighbourhoods

PLACES = 9
"""Of a 3 x 3 neighbourhood."""


def table(spade: Spade, hood: Neighbourhoods) -> tuple[Tensor, Tensor]:
    """Scale (with its 1) and shift of each distinct neighbourhood, (K, C) each, differentiable."""
    shared = spade.conv_shared[0]
    # What a label at each of the nine places adds; what lies outside of the map adds nothing: (9, 8, 128).
    adds = F.pad(shared.weight.flatten(2).permute(2, 1, 0), (0, 0, 0, 1))
    hidden = shared.bias + torch.stack([adds[place][hood.labels[:, place]] for place in range(PLACES)]).sum(0)
    hidden = F.relu(hidden) * (hood.labels[:, 4:5] < LABELS)
    kernels = torch.cat([spade.conv_gamma.weight, spade.conv_beta.weight])
    parts = hidden.mm(kernels.flatten(2).permute(1, 2, 0).flatten(1)).view(-1, kernels.shape[0])  # (D * 9, 2 C)
    rows = hood.parts * PLACES + torch.arange(PLACES, device=parts.device)
    both = F.embedding_bag(rows, parts, mode="sum") + torch.cat([1 + spade.conv_gamma.bias, spade.conv_beta.bias])
    scale, shift = both.chunk(2, 1)
    return scale, shift


def spade_by_lookup(spade: Spade, x: Tensor, hoods: list[Neighbourhoods], noise: Tensor) -> Tensor:
    """What `spade(x, labels, noise)` gives. hoods: of each sample's label map of x's size; noise: (N, 1, h, w)."""
    normalised = F.instance_norm(x + noise * spade.noise_scale.view(1, -1, 1, 1))
    pictures = []
    for picture, hood in zip(normalised, hoods, strict=True):
        scale, shift = table(spade, hood)
        at = hood.index.flatten()
        flat = picture.flatten(1).t()
        # embedding's backward is the scatter-add.
        pictures.append((flat * F.embedding(at, scale) + F.embedding(at, shift)).t().view_as(picture))
    return torch.stack(pictures)


def draw_by_lookup(network: ImageGenerator, picture: Tensor, parse: Tensor, noise: Noise) -> Tensor:
    """What `network.with_noise(picture, parse, noise)` gives."""
    x: Tensor | None = None
    for i, (name, _, _) in enumerate(BLOCKS):
        step = COARSEST >> i
        features = getattr(network, f"conv_{i}")(picture[:, :, ::step, ::step])
        x = features if x is None else torch.cat([F.interpolate(x, scale_factor=2, mode="nearest"), features], 1)
        hoods = [Neighbourhoods(one) for one in parse[:, ::step, ::step]]
        x = _block(getattr(network, name), x, hoods, noise)
    return torch.tanh(network.conv_img(F.leaky_relu(x, SLOPE)))


def _block(block: SpadeBlock, x: Tensor, hoods: list[Neighbourhoods], noise: Noise) -> Tensor:
    """The normalisations draw in the published order: shortcut, first, second."""
    shortcut = block.conv_s(spade_by_lookup(block.norm_s, x, hoods, noise.draw(x))) if block.learned else x
    dx = block.conv_0(F.leaky_relu(spade_by_lookup(block.norm_0, x, hoods, noise.draw(x)), SLOPE))
    dx = block.conv_1(F.leaky_relu(spade_by_lookup(block.norm_1, dx, hoods, noise.draw(dx)), SLOPE))
    return shortcut + dx
