"""How far a long command has come: a bar where there is a terminal, else a line now and then."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.text import Text

_EVERY_S = 30.0


class _Rate(ProgressColumn):
    def render(self, task: Task) -> Text:
        return Text("" if task.speed is None else f"{task.speed:.2f}/s")


class Bar:
    """With rate and time left. Nothing of it stays."""

    def __init__(self, bar: Progress, what: str) -> None:
        self._bar, self._task = bar, bar.add_task(what, total=None, rate="")

    def begin(self, total: int) -> None:
        self._bar.update(self._task, total=total)

    def tell(self, done: int = 1) -> None:
        """So many more are done."""
        speed = self._bar.tasks[0].speed
        self._bar.update(self._task, advance=done, rate=f"{speed:.1f}/s" if speed else "")


@contextmanager
def bar(console: Console, what: str) -> Iterator[Bar]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[rate]}"))
    with Progress(*columns, TimeRemainingColumn(), console=console, transient=True) as shown:
        yield Bar(shown, what)


class Counter:
    """Of what is done, what failed, and what was there already."""

    def __init__(self, bar: Progress, what: str, total: int, console: Console) -> None:
        self._bar, self._console, self._total = bar, console, total
        self._task = bar.add_task(what, total=total, failed="")
        self._began = self._said = time.monotonic()
        self.done = self.failed = self.there = 0

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._began

    def count(self, failed: bool = False, there: bool = False) -> None:
        self.done += not (failed or there)
        self.failed += failed
        self.there += there
        ended = self.done + self.failed + self.there
        self._bar.update(self._task, completed=ended, failed=f"{self.failed} failed" if self.failed else "")
        if not self._console.is_terminal and time.monotonic() - self._said > _EVERY_S:
            self._said = time.monotonic()
            left = self.seconds / ended * (self._total - ended)
            self._console.print(
                f"{ended} of {self._total}, {self.failed} failed, {ended / self.seconds:.2f}/s, {left / 60:.0f} minutes left",
                highlight=False,
            )


@contextmanager
def counted(console: Console, what: str, total: int) -> Iterator[Counter]:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        _Rate(),
        TimeRemainingColumn(),
        TextColumn("[red]{task.fields[failed]}"),
    )
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        yield Counter(bar, what, total, console)
