"""Adam for beta1 = 0, as the image generator is trained: the first moment is the gradient itself, and is not stored."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import nn
from torch.optim import Adam, Optimizer


class SecondMomentAdam(Adam):
    """What Adam(parameters, rate, (0.0, beta)) does, with half of its state. Either goes on where the other stopped."""

    def __init__(self, parameters: Iterable[nn.Parameter], rate: float, beta: float) -> None:
        super().__init__(parameters, rate, (0.0, beta))
        self.register_load_state_dict_pre_hook(_without_first_moments)

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:
        """closure is not used."""
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is not None:
                    self._step(parameter, parameter.grad, group)

    def _step(self, parameter: nn.Parameter, gradient: torch.Tensor, group: dict[str, Any]) -> None:
        state, beta = self.state[parameter], group["betas"][1]
        if not state:
            state |= {"step": torch.tensor(0.0), "exp_avg_sq": torch.zeros_like(parameter)}
        state["step"] += 1
        moment = state["exp_avg_sq"].mul_(beta).addcmul_(gradient, gradient, value=1 - beta)
        correction = 1 - beta ** state["step"].item()
        parameter.addcdiv_(gradient, (moment / correction).sqrt_().add_(group["eps"]), value=-group["lr"])


def whole_adam(parameters: Iterable[nn.Parameter], rate: float, betas: tuple[float, float]) -> Adam:
    """Torch's, which goes on where SecondMomentAdam stopped, too."""
    optimiser = Adam(parameters, rate, betas)
    if betas[0] == 0:
        optimiser.register_load_state_dict_pre_hook(_with_first_moments)
    return optimiser


def _without_first_moments(_: Optimizer, state: dict[str, Any]) -> dict[str, Any]:
    kept = {number: {k: v for k, v in of.items() if k != "exp_avg"} for number, of in state["state"].items()}
    return state | {"state": kept}


def _with_first_moments(_: Optimizer, state: dict[str, Any]) -> dict[str, Any]:
    """Any will do: with beta1 = 0 the next gradient takes its place."""
    whole = {number: {"exp_avg": torch.zeros_like(of["exp_avg_sq"])} | of for number, of in state["state"].items()}
    return state | {"state": whole}
