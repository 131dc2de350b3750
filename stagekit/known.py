"""Inputs that were decoded before: the same person comes again with garment after garment."""

import collections
import hashlib
import threading
from typing import Any, Tuple

import numpy as np

from stagekit.artifacts import decode
from stagekit.images import Limits


class KnownInputs:
    """Decodes artifacts, and keeps the latest arrays of fixed size, which are read-only. Safe for several threads."""

    def __init__(self, limits: Limits, max_bytes: int = 32000000, largest: int = 4000000) -> None:
        """max_bytes: of all arrays kept. largest: bytes of one; a photo may be far larger, and is decoded each time."""
        self._limits = limits
        self._max_bytes = max_bytes
        self._largest = largest
        self._lock = threading.Lock()
        self._arrays = collections.OrderedDict()  # type: collections.OrderedDict[Tuple[str, bytes], np.ndarray]

    def decode(self, name: str, kind: str, data: bytes, cut_out: bool = False) -> Any:
        """The same as artifacts.decode, which raises for what cannot be read."""
        key = name, hashlib.sha256(data).digest()
        with self._lock:
            if key in self._arrays:
                self._arrays.move_to_end(key)
                return self._arrays[key]
        value = decode(name, kind, data, self._limits, cut_out)
        if isinstance(value, np.ndarray) and value.nbytes <= self._largest:
            self._keep(key, value)
        return value

    def _keep(self, key: Tuple[str, bytes], value: np.ndarray) -> None:
        value.setflags(write=False)  # an engine that changed its input would change that of later runs
        with self._lock:
            self._arrays[key] = value
            while sum(array.nbytes for array in self._arrays.values()) > self._max_bytes:
                self._arrays.popitem(last=False)
