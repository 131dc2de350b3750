"""FASHN VTON: ours against the network that computes its modulation in every step, for the guided and the unguided
sample in one batch, the last step's too, and its last block for the garment's tokens as well."""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from services.tryon.engines.fashn_vton.checkpoint import FILE, Weights
from services.tryon.engines.fashn_vton.network import Conditions, Network, Shape, Turns, nothing_of
from services.tryon.engines.fashn_vton.sampling import Plan, plan_steps, sample, schedule

REDUCED = "1 of 4 mixers, 1 of 8 double blocks, 2 of 16 single blocks, each of its true size"
GUIDANCE, CATEGORY = 1.5, 1

_FULL = Shape()
_FEW = _FULL._replace(mixers=1, doubles=1, singles=2)


def _work(shape: Shape) -> int:
    """Multiply-adds of a forward: a block of two pictures' tokens costs 2.62 times one of one picture's."""

    def block(tokens: int) -> int:
        return tokens * shape.hidden**2 * (4 + 2 * shape.mlp_ratio) + 2 * tokens**2 * shape.hidden

    return shape.mixers * block(shape.tokens) + (shape.doubles + shape.singles) * block(2 * shape.tokens)


SHARE = _work(_FEW) / _work(_FULL)


def write(folder: Path, reduced: bool) -> None:
    """In bfloat16, as published."""
    torch.manual_seed(0)
    save_file({n: a.to(torch.bfloat16) for n, a in Network(_shape(reduced)).state_dict().items()}, str(folder / FILE))


def _shape(reduced: bool) -> Shape:
    return _FEW if reduced else _FULL


class _Inputs:
    """Noise and conditions of a number of samples."""

    def __init__(self, count: int, device: torch.device) -> None:
        random, size = torch.Generator().manual_seed(1), (_FULL.height, _FULL.width)

        def drawn(channels: int) -> Tensor:
            return torch.rand((count, channels, *size), generator=random).mul(2).sub(1).to(device)

        category = torch.full((count,), CATEGORY, device=device)
        self.conditions = Conditions(drawn(3), drawn(1), drawn(3), drawn(1), category)
        self.noise = torch.randn((count, 3, *size), generator=random).to(device)


class Ours:
    """The network without its modulation, which is planned from the file."""

    def __init__(self, folder: Path, reduced: bool, device: torch.device, dtype: torch.dtype) -> None:
        weights = Weights(folder / FILE, _shape(reduced))
        self._device, self._network = device, weights.network(device, dtype)
        self._modulations = weights.modulations
        self._plans: dict[int, Plan] = {}

    def step(self) -> Tensor:
        """The first one of two."""
        plan, inputs = self._plan(2), _Inputs(1, self._device)
        first = plan._replace(times=plan.times[:2], conditional=plan.conditional[:1])
        return sample(self._network, first, inputs.noise, inputs.conditions)

    def pictures(self, steps: int, count: int) -> Tensor:
        inputs = _Inputs(count, self._device)
        return sample(self._network, self._plan(steps), inputs.noise, inputs.conditions)

    def _plan(self, steps: int) -> Plan:
        """As the engine keeps it from the first run of so many steps."""
        if steps not in self._plans:
            self._plans[steps] = plan_steps(self._modulations, steps, GUIDANCE, torch.tensor([CATEGORY]))
        return self._plans[steps]


class _PlainNetwork(Network):
    def velocity(self, x: Tensor, time: Tensor, conditions: Conditions) -> Tensor:
        """As `forward`, with nothing left out."""
        modulations, turns = self.modulations(time, conditions.category), Turns.of(self.shape, x.device)
        person = self.x_embedder(torch.cat((x, conditions.person, conditions.person_pose), 1))
        for mixer, modulation in zip(self.x_patch_mixer, modulations.mixers, strict=True):
            person = mixer(person, modulation, turns)
        garment = self.embedded_garment(conditions)
        for double, pair in zip(self.double_blocks, modulations.doubles, strict=True):
            person, garment = double(person, garment, pair, turns)
        both, twice = torch.cat((garment, person), 1), turns.twice()
        for single, modulation in zip(self.single_blocks, modulations.singles, strict=True):
            both = single(both, modulation, twice)
        return self._pixels(self.final_layer(both[:, self.shape.tokens :], modulations.final))


class Plain:
    """All of the network, asked for both samples at once."""

    def __init__(self, folder: Path, reduced: bool, device: torch.device, dtype: torch.dtype) -> None:
        with torch.device("meta"):
            network = _PlainNetwork(_shape(reduced))
        arrays = {name: array.to(device, dtype) for name, array in load_file(str(folder / FILE)).items()}
        network.load_state_dict(arrays, assign=True)
        self._device, self._dtype, self._network = device, dtype, network.eval().requires_grad_(False)

    def step(self) -> Tensor:
        inputs, times = _Inputs(1, self._device), schedule(2)
        return self._stepped(inputs.noise, inputs.conditions, times[0], times[1])

    def pictures(self, steps: int, count: int) -> Tensor:
        inputs, times = _Inputs(count, self._device), schedule(steps)
        x = inputs.noise
        for k in range(steps):
            x = self._stepped(x, inputs.conditions, times[k], times[k + 1], guided=k < steps - 1)
        return x

    def _stepped(self, x: Tensor, conditions: Conditions, begin: float, end: float, guided: bool = True) -> Tensor:
        both = [torch.cat(pair) for pair in zip(conditions, nothing_of(conditions), strict=True)]
        *pictures, category = (each.to(self._dtype) if each.is_floating_point() else each for each in both)
        noisy = torch.cat((x, x)).to(self._dtype)
        time = torch.full((len(noisy),), begin, device=self._device)
        velocity, away = self._network.velocity(noisy, time, Conditions(*pictures, category)).float().chunk(2)
        return x + (end - begin) * (away + GUIDANCE * (velocity - away) if guided else velocity)
