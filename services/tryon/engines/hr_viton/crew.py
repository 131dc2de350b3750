"""Threads that share out a picture, each with operations of its own."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any, Callable, Iterable

import torch


class Crew:
    """As many threads as Torch would use, in each of which an operation runs on that thread alone.

    Torch shares out every single operation and meets after each: thousands of meetings for a picture, each as long as the
    slowest thread, which is very long when the machine has other work too. A crew meets some dozens of times.
    """

    def __init__(self) -> None:
        self.size = torch.get_num_threads()
        self._threads = ThreadPoolExecutor(self.size, "hr_viton", initializer=_work_alone)

    def __enter__(self) -> Crew:
        torch.set_num_threads(1)
        return self

    def __exit__(self, *exc: object) -> None:
        self._threads.shutdown()
        torch.set_num_threads(self.size)

    def each(self, work: Callable[[Any], Any], items: Iterable[Any]) -> list[Any]:
        """work(item) for each, in any order; the results in the items' order."""
        return list(self._threads.map(work, items))

    def split(self, work: Callable[[slice], Any], length: int) -> list[Any]:
        """work(part) for even parts of 0..length, one for each thread."""
        borders = [length * i // self.size for i in range(self.size + 1)]
        return self.each(work, [slice(a, b) for a, b in zip(borders, borders[1:]) if a < b])


def _work_alone() -> None:
    torch.set_num_threads(1)
    torch.set_grad_enabled(False)
