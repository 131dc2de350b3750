"""The moving average of a network's weights: steadier than those of any one step."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from training.spectral import advance

VECTORS = (".weight_u", ".weight_v")
"""Of the power iteration: an average of them is none, so they are found anew."""

ITERATIONS = 8
"""Power iterations that find them, from those of the network itself."""


class Average:
    """Parameters and running statistics, averaged with a decay that begins lower, so that the beginning is soon forgotten."""

    def __init__(self, network: nn.Module, decay: float, every: int = 1, device: torch.device | None = None) -> None:
        """every: steps after which it is brought up to date, to the same decay. device: where it lies; None: the network's."""
        self._network, self._decay, self._every = network, decay, every
        self.kept = {
            name: array.detach().clone().to(device or array.device)
            for name, array in network.state_dict().items()
            if array.is_floating_point() and not name.endswith(VECTORS)
        }

    @torch.no_grad()
    def update(self, step: int) -> None:
        """step: how many were done."""
        if step % self._every:
            return
        decay = min(self._decay, (1 + step) / (10 + step)) ** self._every
        live = self._network.state_dict()
        for name, kept in self.kept.items():
            kept.lerp_(live[name].to(kept.device), 1 - decay)

    @contextmanager
    def shown(self) -> Iterator[None]:
        """While it lasts the network has the averaged weights."""
        live = self._network.state_dict()
        vectors = {name: array.clone() for name, array in live.items() if name.endswith(VECTORS)}
        self._exchange(live)
        try:
            for _ in range(ITERATIONS if vectors else 0):
                advance(self._network)
            yield
        finally:
            self._exchange(live)
            for name, array in vectors.items():
                live[name].copy_(array)

    @torch.no_grad()
    def _exchange(self, live: dict[str, Tensor]) -> None:
        for name, kept in self.kept.items():
            before = live[name].clone()
            live[name].copy_(kept)
            kept.copy_(before)

    def weights(self) -> dict[str, Tensor]:
        """The whole network with averaged weights, on the CPU, under its names."""
        with self.shown():
            return {name: array.detach().cpu().clone() for name, array in self._network.state_dict().items()}

    def state(self) -> dict[str, Tensor]:
        return self.kept

    def load(self, state: dict[str, Tensor]) -> None:
        for name, kept in self.kept.items():
            kept.copy_(state[name])
