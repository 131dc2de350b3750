"""From noise to the picture, in straight steps along the velocity that the network says."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from services.tryon.engines.fashn_vton.network import Conditions, Modulations, Network, nothing_of

MU = 1.5
"""How much more of the steps lie near the noise, as the authors have it."""

UNGUIDED = 1
"""Of the last steps, where guidance would saturate the colours."""

Step = Callable[[int, int, Tensor], None]
"""step(done, of, x): called after each step with what there is of the picture; what it raises ends the sampling."""


class Plan(NamedTuple):
    """All that steps need and that depends on neither picture nor noise. Made once, it replaces the network's modulation."""

    times: tuple[float, ...]
    """From 0, noise, to 1, the picture: one more than there are steps."""
    guidance: float
    conditional: tuple[Modulations, ...]
    unconditional: tuple[Modulations, ...]
    """Of those steps that are guided: all but the last, or none."""


def schedule(steps: int, mu: float = MU) -> tuple[float, ...]:
    """The times of so many steps."""
    inner = (math.exp(-mu) / (math.exp(-mu) + steps / k - 1) for k in range(1, steps))
    return (0.0, *inner, 1.0)


def plan_steps(network: Network, steps: int, guidance: float, category: Tensor) -> Plan:
    """category: (B) whole numbers, of the samples that are made together."""
    times = schedule(steps)
    dtype = network.final_layer.linear.weight.dtype
    guided = 0 if guidance == 1 else steps - UNGUIDED

    def at(time: float, of: Tensor) -> Modulations:
        return network.modulations(torch.full(of.shape, time, dtype=dtype, device=of.device), of)

    return Plan(
        times,
        guidance,
        tuple(at(time, category) for time in times[:-1]),
        tuple(at(time, torch.zeros_like(category)) for time in times[:guided]),
    )


def forwards(steps: int, guidance: float) -> int:
    """How often the network runs for one sample."""
    return steps if guidance == 1 else 2 * steps - UNGUIDED


def sample(network: Network, plan: Plan, noise: Tensor, conditions: Conditions, step: Step | None = None) -> Tensor:
    """The picture, (B, 3, H, W) in about -1..1, from noise of that shape."""
    x, nothing = noise, nothing_of(conditions)
    steps = len(plan.times) - 1
    for k in range(steps):
        velocity = network(x, conditions, plan.conditional[k])
        if k < len(plan.unconditional):
            away = network(x, nothing, plan.unconditional[k])
            velocity = away + plan.guidance * (velocity - away)
        x = x + (plan.times[k + 1] - plan.times[k]) * velocity
        if step is not None:
            step(k + 1, steps, x)
    return x


def noise_of(seed: int, samples: int, network: Network) -> Tensor:
    """As the authors draw it on a processor: the same seed gives the same noise on every device."""
    random = torch.Generator().manual_seed(seed)
    noise = torch.randn((samples, 3, network.shape.height, network.shape.width), generator=random)
    weight = network.final_layer.linear.weight
    return noise.to(weight.device, weight.dtype)


def to_pictures(x: Tensor) -> Tensor:
    """uint8 (B, H, W, 3); cut off, not rounded, as published."""
    return ((x.float().clamp(-1, 1) + 1) / 2 * 255).to(torch.uint8).permute(0, 2, 3, 1).cpu()
