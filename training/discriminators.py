"""The discriminators of both trainings, with the published parameter names."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from services.tryon.engines.hr_viton.condition import LABELS as CONDITION_LABELS
from services.tryon.engines.hr_viton.generator import LABELS as IMAGE_LABELS
from training.spectral import StridedSpectralConv

SLOPE = 0.2
KERNEL, PADDING = 4, 2


class ConditionDiscriminator(nn.Module):
    """Judges the segmentation with the condition generator's inputs, on two scales. No sigmoid: trained by least squares.

    down_twice: the input is halved first. dropout: after the two middle layers; it shifts the names of the later ones.
    spectral: the two middle layers are spectrally normalised.
    """

    INPUTS = 4 + CONDITION_LABELS + 3 + CONDITION_LABELS

    def __init__(self, down_twice: bool = True, dropout: bool = True, spectral: bool = False) -> None:
        super().__init__()
        self._down_twice = down_twice
        self.layer0 = _scale(self.INPUTS, dropout, spectral)
        self.layer1 = _scale(self.INPUTS, dropout, spectral)

    def forward(self, x: Tensor) -> list[Tensor]:
        """x: (N, 33, H, W). The scores of the finer and of the coarser scale, (N, 1, h, w) each."""
        if self._down_twice:
            x = halved(x)
        return [self.layer1(x), self.layer0(halved(x))]


class ImageDiscriminator(nn.Module):
    """Judges a picture with its label map, on two scales."""

    INPUTS = IMAGE_LABELS + 3

    def __init__(self) -> None:
        super().__init__()
        self.discriminator_0 = _ImageScale(self.INPUTS)
        self.discriminator_1 = _ImageScale(self.INPUTS)

    def forward(self, x: Tensor) -> list[list[Tensor]]:
        """x: (N, 10, H, W). For each scale, the finer first: three features and the score."""
        return [self.discriminator_0(x), self.discriminator_1(halved(x))]


def halved(x: Tensor) -> Tensor:
    """Half the size, by means in which places outside do not count."""
    return F.avg_pool2d(x, 3, stride=2, padding=1, count_include_pad=False)


def _scale(inputs: int, dropout: bool, spectral: bool) -> nn.Sequential:
    layers: list[nn.Module] = [nn.Conv2d(inputs, 64, KERNEL, 2, PADDING), nn.LeakyReLU(SLOPE)]
    for before, width in ((64, 128), (128, 256)):
        layers.append(
            StridedSpectralConv(before, width, KERNEL, 2, bias=True)
            if spectral
            else nn.Conv2d(before, width, KERNEL, 2, PADDING)
        )
        layers += [nn.InstanceNorm2d(width), nn.LeakyReLU(SLOPE)]
        layers += [nn.Dropout(0.5)] if dropout else []
    layers += [nn.Conv2d(256, 512, KERNEL, 1, PADDING), nn.InstanceNorm2d(512), nn.LeakyReLU(SLOPE)]
    return nn.Sequential(*layers, nn.Conv2d(512, 1, KERNEL, 1, PADDING))


class _ImageScale(nn.Module):
    def __init__(self, inputs: int) -> None:
        super().__init__()
        self.model0 = nn.Sequential(nn.Conv2d(inputs, 64, KERNEL, 2, PADDING), nn.LeakyReLU(SLOPE))
        self.model1 = _normalised(64, 128)
        self.model2 = _normalised(128, 256)
        self.model3 = nn.Sequential(nn.Conv2d(256, 1, KERNEL, 1, PADDING))

    def forward(self, x: Tensor) -> list[Tensor]:
        outputs = []
        for part in (self.model0, self.model1, self.model2, self.model3):
            x = part(x)
            outputs.append(x)
        return outputs


def _normalised(inputs: int, outputs: int) -> nn.Sequential:
    conv = StridedSpectralConv(inputs, outputs, KERNEL, 2, bias=False)
    return nn.Sequential(nn.Sequential(conv, nn.InstanceNorm2d(outputs)), nn.LeakyReLU(SLOPE))


def odds(discriminator: ConditionDiscriminator, x: Tensor) -> tuple[Tensor, Tensor]:
    """How much more likely the data is than the generator to give x, by the least-squares discriminator in evaluation mode:
    the mean score l and l / (1 - l), (N) each."""
    score = torch.stack([scale.flatten(1).mean(1) for scale in discriminator(x)]).mean(0)
    return score, score / (1 - score)
