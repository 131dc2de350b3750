"""The condition generator: where the cloth goes, and what the dressed person's label map looks like.

Lee et al., "High-Resolution Virtual Try-On with Misalignment and Occlusion-Handled Conditions", ECCV 2022, section 3.2.
Parameter names are those of the published checkpoint.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.fusion import fuse_conv_bn_eval

HEIGHT, WIDTH = 256, 192
"""The size that it works at, whatever the result's."""

CHANNELS = 96
LABELS = 13


class Condition(NamedTuple):
    """What the condition generator says; N, C, H, W."""

    flow: Tensor
    """(N, 2, 128, 96): displacement in x and y, in units of `warp`."""

    segmentation: Tensor
    """(N, 13, 256, 192), not negative: the dressed person's label scores."""

    warped_cloth: Tensor
    """(N, 3, 256, 192) in -1..1."""

    warped_mask: Tensor
    """(N, 1, 256, 192) in 0..1."""


class ResidualBlock(nn.Module):
    """relu(y + block(y)) with y = scale(x). mode: down halves the size, up doubles it, same keeps it."""

    def __init__(self, inputs: int, outputs: int, mode: str) -> None:
        super().__init__()
        if mode == "down":
            self.scale: nn.Module = nn.Conv2d(inputs, outputs, 3, stride=2, padding=1, bias=False)
        elif mode == "up":
            self.scale = nn.Sequential(
                nn.Upsample(scale_factor=2, mode="bilinear", align_corners=False), nn.Conv2d(inputs, outputs, 1)
            )
        else:
            self.scale = nn.Conv2d(inputs, outputs, 1)
        self.block = nn.Sequential(
            nn.Conv2d(outputs, outputs, 3, padding=1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU(),
            nn.Conv2d(outputs, outputs, 3, padding=1, bias=False), nn.BatchNorm2d(outputs),
        )  # fmt: skip

    def forward(self, x: Tensor) -> Tensor:
        y = self.scale(x)
        return torch.relu_(self.block(y) + y)


class ConditionGenerator(nn.Module):
    """Predicts the cloth's flow and the segmentation of the dressed person, from coarse to fine."""

    def __init__(self) -> None:
        super().__init__()
        n = CHANNELS
        widths = [n, 2 * n, 4 * n, 4 * n, 4 * n]
        self.ClothEncoder = _encoder(4, widths)
        self.PoseEncoder = _encoder(LABELS + 3, widths)
        self.conv = ResidualBlock(4 * n, 8 * n, "same")
        self.SegDecoder = nn.Sequential(
            ResidualBlock(8 * n, 4 * n, "up"), ResidualBlock(12 * n, 4 * n, "up"), ResidualBlock(12 * n, 2 * n, "up"),
            ResidualBlock(8 * n, n, "up"), ResidualBlock(6 * n, n, "up"),
        )  # fmt: skip
        self.out_layer = ResidualBlock(n + 4 + LABELS + 3, LABELS, "same")
        self.conv1 = nn.Sequential(*(nn.Conv2d(width, 4 * n, 1) for width in widths[:4]))
        self.conv2 = nn.Sequential(*(nn.Conv2d(width, 4 * n, 1) for width in widths[:4]))
        self.flow_conv = nn.ModuleList(nn.Conv2d(8 * n, 2, 3, padding=1) for _ in range(5))
        self.bottleneck = nn.Sequential(
            *(nn.Sequential(nn.Conv2d(width, 4 * n, 3, padding=1), nn.ReLU()) for width in (4 * n, 4 * n, 2 * n, n))
        )

    def forward(self, cloth: Tensor, person: Tensor) -> Condition:
        """cloth: (N, 4, 256, 192), the cloth in -1..1 and its mask 0..1. person: (N, 16, 256, 192), the parse-agnostic
        one-hot (13) and the densepose image in -1..1."""
        return self.with_flows(cloth, person)[0]

    def with_flows(self, cloth: Tensor, person: Tensor) -> tuple[Condition, list[Tensor]]:
        """`forward`, and the five flows from coarse to fine, as training wants them."""
        cloth_features = _features(self.ClothEncoder, cloth)
        person_features = _features(self.PoseEncoder, person)
        cloth_state, person_state = cloth_features[4], person_features[4]
        flow = self.flow_conv[0](torch.cat([cloth_state, person_state], 1))
        flows = [flow]
        x = self.SegDecoder[0](self.conv(person_state))
        for level in range(1, 5):
            i = 4 - level
            cloth_state = _twice(cloth_state) + self.conv1[i](cloth_features[i])
            person_state = _twice(person_state) + self.conv2[i](person_features[i])
            flow = _twice(flow)
            warped = warp(cloth_state, flow)
            flow = flow + self.flow_conv[level](torch.cat([warped, self.bottleneck[level - 1](x)], 1))
            flows.append(flow)
            x = self.SegDecoder[level](torch.cat([x, person_features[i], warped], 1))
        warped = warp(cloth, _twice(flow))
        segmentation = self.out_layer(torch.cat([x, person, warped], 1))
        return Condition(flow, segmentation, warped[:, :3], warped[:, 3:]), flows


def warp(image: Tensor, flow: Tensor) -> Tensor:
    """Sample the image at its pixels displaced by the flow, bilinearly, the border carried on outwards.

    The flow's unit is the pixel of half the image's size, as the network has it: (N, 2, H, W), any H and W.
    """
    height, width = image.shape[2:]
    return sample(image, flow, (height // 2, width // 2))


def sample(image: Tensor, flow: Tensor, unit: tuple[int, int]) -> Tensor:
    """Sample the image at the flow's pixels displaced by the flow; unit: height and width of the image in the flow's pixels.

    The grid runs from -1 to 1 inclusive, yet is read with align_corners=False: the published weights were trained so.
    """
    count, _, height, width = flow.shape
    across = torch.linspace(-1, 1, width, device=flow.device, dtype=flow.dtype).view(1, 1, width)
    down = torch.linspace(-1, 1, height, device=flow.device, dtype=flow.dtype).view(1, height, 1)
    grid = torch.stack([flow[:, 0] / ((unit[1] - 1) / 2) + across, flow[:, 1] / ((unit[0] - 1) / 2) + down], 3)
    return F.grid_sample(image, grid, mode="bilinear", padding_mode="border", align_corners=False)


def _encoder(inputs: int, widths: list[int]) -> nn.Sequential:
    return nn.Sequential(
        *(ResidualBlock(before, width, "down") for before, width in zip([inputs] + widths[:-1], widths))
    )


def _features(encoder: nn.Sequential, x: Tensor) -> list[Tensor]:
    features = []
    for block in encoder:
        x = block(x)
        features.append(x)
    return features


def _twice(x: Tensor) -> Tensor:
    return F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)


def folded(network: ConditionGenerator) -> ConditionGenerator:
    """The same network, faster: batch normalisation folded into the convolutions, and each 1 x 1 convolution done before
    the enlargement that it followed, which is the same on a quarter of the pixels. The given network is used up."""
    for name, module in network.named_children():
        if isinstance(module, ResidualBlock):
            setattr(network, name, _FoldedBlock(module))
        elif isinstance(module, nn.Sequential) and isinstance(module[0], ResidualBlock):
            setattr(network, name, nn.Sequential(*(_FoldedBlock(block) for block in module)))
    return network.to(memory_format=torch.channels_last)


class _FoldedBlock(nn.Module):
    def __init__(self, block: ResidualBlock) -> None:
        super().__init__()
        scale, body = block.scale, block.block
        self.scale = nn.Sequential(scale[1], scale[0]) if isinstance(scale, nn.Sequential) else scale
        self.first = fuse_conv_bn_eval(body[0], body[1])
        self.second = fuse_conv_bn_eval(body[3], body[4])

    def forward(self, x: Tensor) -> Tensor:
        y = self.scale(x)
        return torch.relu_(self.second(torch.relu_(self.first(y))).add_(y))
