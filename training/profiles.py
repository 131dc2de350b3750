"""What a training does to need less memory, as one object that the steps take. docs/training.md has what each point pays."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import Literal

import torch
from torch import Tensor, nn
from torch.amp.grad_scaler import GradScaler
from torch.optim import Optimizer
from torch.utils.checkpoint import checkpoint

from training.second_moment import SecondMomentAdam, whole_adam

Precision = Literal["full", "bfloat16", "float16"]
"""full: that of the weights."""


@dataclass(frozen=True)
class Profile:
    """All but `precision` leave the arithmetic as published: the same sums in another order."""

    name: str
    lookup: bool = False
    """SPADE's scale and shift from a table with a row for each distinct label neighbourhood."""
    checkpoints: bool = False
    """Keep each block's and each perceptual slice's input alone, and run it again in the backward pass."""
    apart: bool = False
    """Take the losses' gradients one after the other, up to the picture, each graph freed before the next is made."""
    second_moment: bool = False
    """With beta1 = 0, Adam's first moment is the gradient: do not store it."""
    channels_last: bool = False
    """Lay pictures out as rows of pixels."""
    at_once: int | None = None
    """Take so many pictures of a batch at a time, and add up their gradients; not for the condition generator, whose batch
    normalisation looks at the whole batch."""
    precision: Precision = "full"
    """Of convolutions and what they leave behind; weights, statistics and losses stay in float32."""

    def autocast(self, device: torch.device) -> AbstractContextManager[None]:
        """For the networks' forward passes."""
        dtype = None if self.precision == "full" else getattr(torch, self.precision)
        return torch.autocast(device.type, dtype, enabled=dtype is not None)

    def scaler(self, device: torch.device) -> GradScaler:
        """Keeps float16's gradients from vanishing; does nothing in the other precisions."""
        return GradScaler(device.type, enabled=self.precision == "float16")

    def optimiser(self, network: nn.Module, rate: float, betas: tuple[float, float]) -> Optimizer:
        """Adam for the network's parameters."""
        if self.second_moment and betas[0] == 0:
            return SecondMomentAdam(network.parameters(), rate, betas[1])
        return whole_adam(network.parameters(), rate, betas)

    def laid_out(self, pictures: Tensor) -> Tensor:
        """(N, C, H, W) in the profile's layout."""
        return pictures.contiguous(memory_format=torch.channels_last) if self.channels_last else pictures

    def kept_small(self, part: Callable[..., Tensor]) -> Callable[..., Tensor]:
        """With checkpoints, keeps only the part's arguments for the backward pass. Nothing in it may be drawn or counted:
        it runs twice."""
        if not self.checkpoints:
            return part
        return lambda *given: checkpoint(part, *given, use_reentrant=False, preserve_rng_state=False)


PLAIN = Profile("plain")
"""As published."""

EIGHT_GB = Profile("8gb", lookup=True, checkpoints=True, apart=True, second_moment=True, channels_last=True, at_once=1)
"""1024 x 768 at batch 1 on a card of 8 GB; larger batches need no more."""

PROFILES = {profile.name: profile for profile in (PLAIN, EIGHT_GB)}


def named(name: str, precision: Precision = "full") -> Profile:
    """The profile of that name. Raises ValueError where there is none."""
    if name not in PROFILES:
        raise ValueError(f"There is no profile {name!r}: choose from {', '.join(PROFILES)}.")
    return replace(PROFILES[name], precision=precision)
