"""Computes what memory a piece of work needs, without doing it: on tensors that have a shape and no numbers."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves


class Meter(TorchDispatchMode):
    """Counts the bytes of all tensors that are alive. Not counted is what a library sets aside for itself while it works."""

    def __init__(self) -> None:
        super().__init__()
        self.now = self.peak = 0
        self._known: set[int] = set()

    def __torch_dispatch__(self, func: Callable[..., Any], types: Any, args: Any = (), kwargs: Any = None) -> Any:
        made = func(*args, **(kwargs or {}))
        for leaf in tree_leaves(made):
            if isinstance(leaf, Tensor):
                self._count(leaf.untyped_storage())
        return made

    def _count(self, storage: torch.UntypedStorage) -> None:
        key = storage._cdata
        if key not in self._known:
            size = storage.nbytes()
            self._known.add(key)
            self.now += size
            self.peak = max(self.peak, self.now)
            weakref.finalize(storage, self._forget, key, size)

    def _forget(self, key: int, size: int) -> None:
        self._known.discard(key)
        self.now -= size

    def most(self, work: Callable[[], Any]) -> tuple[Any, int]:
        """What the work gives, and the most bytes at a time that it adds to what is there."""
        before = self.peak = self.now
        made = work()
        return made, self.peak - before


@contextmanager
def metered() -> Iterator[Meter]:
    """What is made in here has no numbers, and is counted."""
    with FakeTensorMode(), Meter() as meter:
        yield meter
