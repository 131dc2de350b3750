"""What the condition generator is trained by. Lee et al., ECCV 2022, section 3.2."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from services.tryon.engines.hr_viton.condition import LABELS, ConditionGenerator, sample
from services.tryon.engines.hr_viton.passage import HIDES, UPPER
from training.stepper import Terms

WEIGHTS = {"l1": 10.0, "vgg": 1.0, "tv": 2.0, "ce": 10.0, "gan": 1.0}
"""Of the terms."""

EDGE = 150.0


@dataclass(frozen=True)
class Recipe:
    """The published recipe; what else its authors' program can do is chosen here."""

    occlusion: bool = True
    """Take from the warped cloth what lies behind other things."""
    intermediate_flows: bool = True
    """Judge the warps by the coarser flows, too."""
    last_flow_only: bool = True
    """Smooth the last flow alone."""
    edge_aware: Literal["none", "last_only", "weighted"] = "none"
    """Smooth less at the edges of the cloth's mask."""
    add_last_flow: bool = False
    """With edge_aware: smooth the last flow evenly besides."""
    composition: Literal["warp_grad", "detach", "no_composition"] = "warp_grad"
    """How the warped mask bounds the upper garment's score."""
    gan: bool = True
    separate: bool = False
    """The discriminator judges what the stepped generator makes, without composition."""


class Sample(NamedTuple):
    """A batch at the condition generator's size, N, C, H, W; pictures in -1..1."""

    cloth: Tensor
    cloth_mask: Tensor
    parse_agnostic: Tensor
    """(N, 13, H, W) one-hot."""
    densepose: Tensor
    image: Tensor
    label: Tensor
    """(N, H, W) ids 0..12."""

    @property
    def cloth_input(self) -> Tensor:
        """(N, 4, H, W)"""
        return torch.cat([self.cloth, self.cloth_mask], 1)

    @property
    def person_input(self) -> Tensor:
        """(N, 16, H, W)"""
        return torch.cat([self.parse_agnostic, self.densepose], 1)

    @property
    def parse(self) -> Tensor:
        """(N, 13, H, W) one-hot of what is true."""
        return one_hot(self.label, self.image.dtype)

    @property
    def worn_mask(self) -> Tensor:
        """(N, 1, H, W): where the garment is worn."""
        return (self.label == UPPER).unsqueeze(1).to(self.image.dtype)

    @property
    def worn(self) -> Tensor:
        """The worn garment on white."""
        return self.image * self.worn_mask + (1 - self.worn_mask)


def one_hot(labels: Tensor, dtype: torch.dtype) -> Tensor:
    """(N, H, W) ids 0..12 to (N, 13, H, W)."""
    return F.one_hot(labels.long(), LABELS).permute(0, 3, 1, 2).to(dtype)


class Forward(NamedTuple):
    """What the condition generator made of a sample."""

    flows: list[Tensor]
    """Five, coarse to fine, (N, 2, h, w)."""
    segmentation: Tensor
    """(N, 13, H, W) scores, composed."""
    warped_cloth: Tensor
    warped_mask: Tensor
    overlap: Tensor
    """(N, 1, H, W): how likely something lies in front of the garment."""


def forward(network: ConditionGenerator, batch: Sample, recipe: Recipe) -> Forward:
    """Run the network, compose, and take away what is hidden."""
    found, flows = network.with_flows(batch.cloth_input, batch.person_input)
    cloth, mask = found.warped_cloth, found.warped_mask
    segmentation = composed(found.segmentation, mask, recipe)
    overlap = segmentation.softmax(1)[:, HIDES].sum(1, keepdim=True)
    if recipe.occlusion:
        mask = mask - overlap * mask
        cloth = cloth * mask + (1 - mask)
    return Forward(flows, segmentation, cloth, mask, overlap)


def composed(segmentation: Tensor, mask: Tensor, recipe: Recipe) -> Tensor:
    """The upper garment's score is bounded by the warped mask."""
    if recipe.composition == "no_composition":
        return segmentation
    if recipe.composition == "detach":
        mask = (mask.detach() > 0.5).to(mask.dtype)
    upper = segmentation[:, UPPER : UPPER + 1] * mask
    return torch.cat([segmentation[:, :UPPER], upper, segmentation[:, UPPER + 1 :]], 1)


class Warp(NamedTuple):
    """What is judged of a flow."""

    weight: float
    cloth: Tensor
    mask: Tensor


def warps(made: Forward, batch: Sample, recipe: Recipe) -> list[Warp]:
    """The last one, then the coarser ones if they are judged."""
    judged = [Warp(1.0, made.warped_cloth, made.warped_mask)]
    if recipe.intermediate_flows:
        size = batch.cloth.shape[2:]
        for level, flow in enumerate(made.flows[:-1]):
            fine = F.interpolate(flow, size, mode="bilinear", align_corners=False)
            warped = sample(batch.cloth_input, fine, (flow.shape[2], flow.shape[3]))
            mask = warped[:, 3:]
            judged.append(Warp(0.5 ** (4 - level), warped[:, :3], mask - made.overlap * mask))
    return judged


def losses(made: Forward, judged: list[Warp], batch: Sample, recipe: Recipe) -> Terms:
    """The terms without the discriminator's and the perceptual one, unweighted: l1, tv, ce."""
    worn_mask = batch.worn_mask
    return {
        "l1": torch.stack([warp.weight * F.l1_loss(warp.mask, worn_mask) for warp in judged]).sum(),
        "tv": smoothness(made, recipe),
        "ce": F.cross_entropy(made.segmentation, batch.label.long()),
    }


def smoothness(made: Forward, recipe: Recipe) -> Tensor:
    """The flows' total variation; values as they are."""
    last = made.flows[-1]
    if recipe.edge_aware == "none":
        return variation(last) if recipe.last_flow_only else torch.stack([variation(f) for f in made.flows]).sum()
    levels = [(1.0, last)]
    if recipe.edge_aware == "weighted":
        levels = [(0.5 ** (4 - level), flow) for level, flow in enumerate(made.flows)]
    total = torch.stack([weight * _edge_aware(flow, made.warped_mask) for weight, flow in levels]).sum()
    return total + variation(last) if recipe.add_last_flow else total


def variation(flow: Tensor) -> Tensor:
    """Mean absolute difference down and across."""
    return flow.diff(dim=2).abs().mean() + flow.diff(dim=3).abs().mean()


def _edge_aware(flow: Tensor, mask: Tensor) -> Tensor:
    mask = F.interpolate(mask, flow.shape[2:], mode="bilinear", align_corners=False)
    parts = [(flow.diff(dim=axis).abs() * torch.exp(-EDGE * mask.diff(dim=axis).abs())).mean() for axis in (2, 3)]
    return parts[0] + parts[1]


def least_squares(scores: list[Tensor], target: float) -> Tensor:
    """Summed over the scales."""
    return torch.stack([(score - target).square().mean() for score in scores]).sum()


def weighted(terms: Terms) -> Tensor:
    """The generator's loss of these terms."""
    return torch.stack([WEIGHTS[name] * term for name, term in terms.items()]).sum()
