"""How a training goes: a bar with losses, pace and time left where there is a terminal, else a line now and then."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

if TYPE_CHECKING:
    from training.trainer import Pace

_EVERY_S = 30.0


class Shown:
    """Told by a trainer."""

    def __init__(self, bar: Progress, what: str, console: Console, speaks: bool) -> None:
        self._bar, self._console, self._speaks = bar, console, speaks
        self._task = bar.add_task(what, total=None, losses="", pace="")
        self._what, self._said, self._began, self._from, self._steps = what, time.monotonic(), time.monotonic(), 0, 0

    def began(self, step: int, steps: int) -> None:
        """step: how many were done before."""
        self._from, self._steps, self._began = step, steps, time.monotonic()
        self._bar.update(self._task, total=steps, completed=step)
        if step:
            self._say(f"{self._what}: goes on after step {step}")

    def stepped(self, step: int, terms: "dict[str, float]", pace: "Pace") -> None:
        losses = " ".join(f"{name} {terms[name]:.3g}" for name in ("G", "D") if name in terms)
        rate = f"{pace.pictures_a_second:.2f} pictures/s, {pace.waiting:.0%} waiting for data, {pace.reserved:.1f} GiB"
        self._bar.update(self._task, completed=step, losses=losses, pace=rate)
        if not self._console.is_terminal and time.monotonic() - self._said > _EVERY_S:
            self._said = time.monotonic()
            left = (time.monotonic() - self._began) / (step - self._from) * (self._steps - step)
            self._say(f"{self._what}: step {step} of {self._steps}, {losses}, {rate}, {left / 60:.0f} minutes left")

    def judged(self, step: int, measures: "dict[str, float]") -> None:
        told = ", ".join(f"{name} {value:.4f}" for name, value in measures.items())
        self._say(f"{self._what}: step {step}, held-out pairs: {told}")

    def _say(self, text: str) -> None:
        if self._speaks:
            self._console.print(text, highlight=False, markup=False)


@contextmanager
def shown(console: Console, what: str, speaks: bool = True) -> Iterator[Shown]:
    """speaks: False in all processes but the first."""
    columns = (
        TextColumn("{task.description}"), BarColumn(20), MofNCompleteColumn(), TextColumn("{task.fields[losses]}"),
        TextColumn("[dim]{task.fields[pace]}"), TimeElapsedColumn(), TimeRemainingColumn(),
    )  # fmt: skip
    with Progress(*columns, console=console, transient=True, disable=not (speaks and console.is_terminal)) as bar:
        yield Shown(bar, what, console, speaks)
