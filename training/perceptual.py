"""The perceptual loss: how far two pictures are apart in the features of VGG19 (Simonyan and Zisserman, 2015)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import torch
from torch import Tensor, nn

from training.profiles import PLAIN, Profile

WIDTHS = ((64, 64), (128, 128), (256, 256, 256, 256), (512, 512, 512, 512), (512,))
"""Of the convolutions between the poolings, up to relu5_1."""

WEIGHTS = (1 / 32, 1 / 16, 1 / 8, 1 / 4, 1.0)


class Vgg19(nn.Module):
    """torchvision's VGG19 up to relu5_1, frozen; parameter names are those of its checkpoint."""

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        self._taps = []
        inputs = 3
        for group in WIDTHS:
            if layers:
                layers.append(nn.MaxPool2d(2))
            self._taps.append(len(layers) + 1)  # the ReLU after the group's first convolution
            for width in group:
                layers += [nn.Conv2d(inputs, width, 3, padding=1), nn.ReLU()]
                inputs = width
        self.features = nn.Sequential(*layers)
        self.requires_grad_(False)

    def slices(self) -> list[nn.Sequential]:
        """Five parts, each ending where a feature is taken."""
        starts = [0, *(tap + 1 for tap in self._taps)]
        return [self.features[start : tap + 1] for start, tap in zip(starts, self._taps, strict=False)]


def features(vgg: Vgg19, target: Tensor, profile: Profile = PLAIN) -> Iterator[Tensor]:
    """Of (N, 3, H, W) in -1..1, fed as it is; without gradient, each made when it is asked for."""
    x = profile.laid_out(target)
    for part in vgg.slices():
        with torch.no_grad(), profile.autocast(x.device):
            x = part(x)
        yield x


def perceptual(vgg: Vgg19, x: Tensor, target: Iterable[Tensor], profile: Profile = PLAIN) -> Tensor:
    """x: (N, 3, H, W) in -1..1, fed as it is. target: the features of the other picture. The gradient flows to x."""
    loss = x.new_zeros(())
    x = profile.laid_out(x)
    for weight, part, feature in zip(WEIGHTS, vgg.slices(), target, strict=True):
        with profile.autocast(x.device):
            x = profile.kept_small(part)(x)
        loss = loss + weight * distance(x, feature)
    return loss


def distance(x: Tensor, target: Tensor) -> Tensor:
    """Mean absolute difference, summed in float32 or more."""
    precise = torch.promote_types(x.dtype, torch.float32)
    return (x.to(precise) - target.to(precise)).abs().mean()
