"""From noise to the picture, in straight steps along the velocity that the network says."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor

from services.tryon.engines.fashn_vton.network import Conditions, Modulations, Network, Shape, nothing_of

MU = 1.5
"""How much more of the steps lie near the noise, as the authors have it."""

UNGUIDED = 1
"""Of the last steps, where guidance would saturate the colours."""

Step = Callable[[int, int, Tensor, Tensor], None]
"""step(done, of, x, velocity): called after each step with what there is of the picture, and the velocity that led there; what
it raises ends the sampling."""


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


def plan_steps(
    modulations: Callable[[Tensor, Tensor], Modulations], steps: int, guidance: float, category: Tensor
) -> Plan:
    """modulations: the network's, of times and categories alike; category: (B) whole numbers, of the samples that are made
    together, or (1) for all."""
    times = schedule(steps)

    def of_the_first(count: int, category: Tensor) -> tuple[Modulations, ...]:
        if not count:
            return ()
        size = len(category)
        all_times = torch.tensor(times[:count], dtype=torch.float32).repeat_interleave(size)
        made = modulations(all_times, category.repeat(count))
        return tuple(_each(made, partial(_rows, start=k * size, count=size)) for k in range(count))

    guided = 0 if guidance == 1 else steps - UNGUIDED
    return Plan(times, guidance, of_the_first(steps, category), of_the_first(guided, torch.zeros_like(category)))


def _rows(x: Tensor, start: int, count: int) -> Tensor:
    return x[start : start + count]


def _each(modulations: Modulations, change: Callable[[Tensor], Tensor]) -> Modulations:
    return Modulations(
        tuple(change(each) for each in modulations.mixers),
        tuple((change(person), change(garment)) for person, garment in modulations.doubles),
        tuple(change(each) for each in modulations.singles),
        change(modulations.final),
    )


def forwards(steps: int, guidance: float) -> int:
    """How often the network runs for one sample."""
    return steps if guidance == 1 else 2 * steps - UNGUIDED


def sample(network: Network, plan: Plan, noise: Tensor, conditions: Conditions, step: Step | None = None) -> Tensor:
    """The picture, (B, 3, H, W) in about -1..1, from noise of that shape. Between the steps it is kept in float32, whatever
    the network computes in."""
    weight = network.final_layer.linear.weight
    x, conditions = noise.to(weight.device), moved(conditions, weight)
    nothing = nothing_of(conditions)
    steps = len(plan.times) - 1

    def move(each: Tensor) -> Tensor:
        return each.to(weight.device, weight.dtype)

    for k in range(steps):
        velocity = network(x.to(weight.dtype), conditions, _each(plan.conditional[k], move)).float()
        if k < len(plan.unconditional):
            away = network(x.to(weight.dtype), nothing, _each(plan.unconditional[k], move)).float()
            velocity = away + plan.guidance * (velocity - away)
        x = x + (plan.times[k + 1] - plan.times[k]) * velocity
        if step is not None:
            step(k + 1, steps, x, velocity)
    return x


def moved(conditions: Conditions, like: Tensor) -> Conditions:
    """On that device, its pictures in that precision."""
    *pictures, category = conditions
    return Conditions._make([*(each.to(like.device, like.dtype) for each in pictures), category.to(like.device)])


def noise_of(seed: int, samples: int, shape: Shape) -> Tensor:
    """As the authors draw it on a processor: the same seed gives the same noise on every device."""
    random = torch.Generator().manual_seed(seed)
    return torch.randn((samples, 3, shape.height, shape.width), generator=random)


def to_pictures(x: Tensor) -> Tensor:
    """uint8 (B, H, W, 3); cut off, not rounded, as published."""
    return ((x.float().clamp(-1, 1) + 1) / 2 * 255).to(torch.uint8).permute(0, 2, 3, 1).cpu()
