"""What was made of a person or of a garment, for the next run with the same."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable
from typing import TypeVar

import numpy as np
from torch import Tensor

T = TypeVar("T", bound=Iterable[Tensor])

_AT_WORK = 2
"""The last used owners, which never make room: of a run its garment and, for guidance, no garment."""


class Shelf:
    """Tensors by their owner and name. Those of the owner whose last use is longest ago make room for new ones; what finds none
    is made again each time."""

    def __init__(self, limit_bytes: float) -> None:
        self._limit = limit_bytes
        self._owners: OrderedDict[Hashable, dict[Hashable, tuple[Iterable[Tensor], int]]] = OrderedDict()

    def of(self, owner: Hashable, name: Hashable, make: Callable[[], T]) -> T:
        """What `make` made when it was asked for first."""
        things = self._owners.setdefault(owner, {})
        self._owners.move_to_end(owner)
        if name in things:
            return things[name][0]  # type: ignore[return-value]
        made = make()
        size = sum(each.numel() * each.element_size() for each in made)
        while self.size + size > self._limit and len(self._owners) > _AT_WORK:
            self._owners.popitem(last=False)
        if self.size + size <= self._limit:
            things[name] = (made, size)
        return made

    def clear(self) -> None:
        """Keep nothing any more."""
        self._owners.clear()

    @property
    def size(self) -> int:
        """Bytes of all that is here."""
        return sum(size for things in self._owners.values() for _, size in things.values())


def digest(*arrays: np.ndarray) -> str:
    """Names pictures by what they show."""
    known = hashlib.sha256()
    for array in arrays:
        known.update(repr((array.shape, array.dtype.str)).encode())
        known.update(np.ascontiguousarray(array).data)
    return known.hexdigest()
