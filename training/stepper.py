"""How a network is stepped: its gradients added up, scaled where float16 wants it, used, and freed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import Tensor, nn

from training.profiles import Profile

Terms = dict[str, Tensor]
"""A loss's terms by name."""


def add_up(sums: Terms, terms: Terms, share: float) -> None:
    """Add a part's terms to those of its batch."""
    for name, term in terms.items():
        sums[name] = sums.get(name, 0) + share * term


class Stepper:
    """A network's optimiser, and the scaler that float16 wants."""

    def __init__(self, network: nn.Module, rate: float, betas: tuple[float, float], profile: Profile) -> None:
        self._network = network
        self.optimiser = profile.optimiser(network, rate, betas)
        self.scaler = profile.scaler(next(network.parameters()).device)
        self.after_backward: Callable[[nn.Module], None] = lambda network: None
        """Called with the network when its gradients are complete, before float16's are looked at for what overflowed:
        several processes average here, so that all of them leave a step out, or none."""

    def scaled(self, loss: Tensor) -> Tensor:
        """The loss times the scaler's factor: what to go back from."""
        return self.scaler.scale(loss)

    def step(self) -> None:
        """Use the gradients and free them. In float16, a step whose gradients overflowed is left out."""
        self.after_backward(self._network)
        self.scaler.step(self.optimiser)
        self.scaler.update()
        self.optimiser.zero_grad()

    def state_dict(self) -> dict[str, Any]:
        """For an exact resume."""
        return {"optimiser": self.optimiser.state_dict(), "scaler": self.scaler.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on where `state_dict` was taken."""
        self.optimiser.load_state_dict(state["optimiser"])
        self.scaler.load_state_dict(state["scaler"])
