"""The way from the inputs through both networks: shrinking, the label map, the full-size warp, occlusion.

Lee et al., ECCV 2022, sections 3.2 (occlusion handling) and 3.3.
"""

from __future__ import annotations

from typing import Callable, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from services.tryon.engines.hr_viton import condition
from services.tryon.engines.hr_viton.condition import Condition, sample

UPPER = 3
"""The upper garment among the 13 labels."""

HIDES = (1, 2, 5, 6, 7, 8, 9, 10, 11, 12)
"""Labels that lie in front of the garment: all but background, upper garment and bottom."""

MERGE = (0, 3, 1, 2, 1, 4, 5, 1, 1, 1, 1, 1, 6)
"""13 labels -> the generator's 7: background, paste, upper, hair, left arm, right arm, noise."""

BLUR_SIZE, BLUR_SIGMA = 15, 3.0


class Inputs(NamedTuple):
    """The five inputs of one size, N, C, H, W float32; H and W multiples of 128."""

    cloth: Tensor
    """(N, 3, H, W) in -1..1."""

    cloth_mask: Tensor
    """(N, 1, H, W), 0 or 1."""

    parse_agnostic: Tensor
    """(N, H, W) uint8 label ids 0..12."""

    densepose: Tensor
    """(N, 3, H, W) in -1..1."""

    agnostic: Tensor
    """(N, 3, H, W) in -1..1."""


class Outputs(NamedTuple):
    """The result, and what was found on the way."""

    image: Tensor
    """(N, 3, H, W) in -1..1."""

    parse: Tensor
    """(N, H, W) uint8 ids 0..6 of the dressed person, as the generator sees it."""

    labels: Tensor
    """(N, H, W) uint8 ids 0..12 of the dressed person."""

    warped_cloth: Tensor
    """(N, 3, H, W) in -1..1, white where the garment is hidden."""

    warped_mask: Tensor
    """(N, 1, H, W) in 0..1, without what is hidden."""

    condition: Condition
    """What the condition generator said."""


def dress(
    inputs: Inputs,
    predict: Callable[[Tensor, Tensor], Condition],
    draw: Callable[[Tensor, Tensor], Tensor],
    occlusion: bool = True,
) -> Outputs:
    """Run both networks. predict: the condition generator; draw(picture, parse): the image generator.

    occlusion: take from the warped cloth what lies behind hair, arms and the like. The published results do.
    """
    found = _predict(inputs, predict)
    segmentation = found.segmentation.clone()
    segmentation[:, UPPER : UPPER + 1] *= found.warped_mask
    scores = blur(_resize(segmentation, inputs.cloth))
    labels = scores.argmax(1).to(torch.uint8)
    parse = torch.tensor(MERGE, dtype=torch.uint8, device=labels.device)[labels.long()]
    cloth, mask = _warp_full_size(inputs, found.flow)
    if occlusion:
        mask = mask * (1 - scores.softmax(1)[:, HIDES].sum(1, keepdim=True))
        cloth = cloth * mask + (1 - mask)
    image = draw(torch.cat([inputs.agnostic, inputs.densepose, cloth], 1), parse)
    return Outputs(image, parse, labels, cloth, mask, found)


def blur(scores: Tensor) -> Tensor:
    """Blur each channel with a 15 x 15 Gaussian of sigma 3, zero outside: (N, C, H, W)."""
    channels = scores.shape[1]
    precise = torch.promote_types(scores.dtype, torch.float32)
    at = torch.arange(BLUR_SIZE, dtype=precise, device=scores.device) - BLUR_SIZE // 2
    line = torch.exp(-(at**2) / (2 * BLUR_SIGMA**2))
    line = (line / line.sum()).to(scores.dtype).repeat(channels, 1, 1)
    scores = F.conv2d(scores, line.unsqueeze(2), padding=(0, BLUR_SIZE // 2), groups=channels)
    return F.conv2d(scores, line.unsqueeze(3), padding=(BLUR_SIZE // 2, 0), groups=channels)


def _predict(inputs: Inputs, predict: Callable[[Tensor, Tensor], Condition]) -> Condition:
    size = (condition.HEIGHT, condition.WIDTH)
    cloth = F.interpolate(inputs.cloth, size, mode="bilinear", align_corners=False)
    mask = F.interpolate(inputs.cloth_mask, size, mode="nearest")
    densepose = F.interpolate(inputs.densepose, size, mode="bilinear", align_corners=False)
    ids = F.interpolate(inputs.parse_agnostic.unsqueeze(1).float(), size, mode="nearest").squeeze(1)
    one_hot = F.one_hot(ids.long(), condition.LABELS).permute(0, 3, 1, 2).to(densepose.dtype)
    return predict(torch.cat([cloth, mask], 1), torch.cat([one_hot, densepose], 1))


def _warp_full_size(inputs: Inputs, flow: Tensor) -> tuple[Tensor, Tensor]:
    both = torch.cat([inputs.cloth, inputs.cloth_mask], 1)
    warped = sample(both, _resize(flow, both), tuple(flow.shape[2:]))
    return warped[:, :3], warped[:, 3:]


def _resize(x: Tensor, like: Tensor) -> Tensor:
    return F.interpolate(x, like.shape[2:], mode="bilinear", align_corners=False)
