"""Adam for beta1 = 0, as the image generator is trained: the first moment is the gradient itself, and is not stored."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import nn
from torch.optim import Optimizer

EPS = 1e-8


class SecondMomentAdam(Optimizer):
    """What Adam(parameters, rate, (0.0, beta)) does, with half of its state."""

    def __init__(self, parameters: Iterable[nn.Parameter], rate: float, beta: float) -> None:
        super().__init__(parameters, {"lr": rate, "beta": beta})

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:
        """closure is not used."""
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is not None:
                    self._step(parameter, parameter.grad, group["lr"], group["beta"])

    def _step(self, parameter: nn.Parameter, gradient: torch.Tensor, rate: float, beta: float) -> None:
        state: dict[str, Any] = self.state[parameter]
        if not state:
            state |= {"step": torch.tensor(0.0), "exp_avg_sq": torch.zeros_like(parameter)}
        state["step"] += 1
        moment = state["exp_avg_sq"].mul_(beta).addcmul_(gradient, gradient, value=1 - beta)
        correction = float(1 - beta ** state["step"].item())
        parameter.addcdiv_(gradient, (moment / correction).sqrt_().add_(EPS), value=-rate)
