"""Reads the published checkpoints, and refuses what is something else."""

from __future__ import annotations

import collections
import pickle
import re
from pathlib import Path
from typing import Any, Mapping

import torch
from torch import Tensor, nn

from stagekit.errors import WeightsMissing

_SHOWN = 3


def load(network: nn.Module, path: Path) -> None:
    """Fill the network from a checkpoint file; every array must be there, and no other.

    Nothing in the file is executed. Keys may be spelt as older versions of the published code did.
    Raises WeightsMissing that says what differs.
    """
    state = {modern(name): array for name, array in read(path).items()}
    differences = compare(state, network.state_dict())
    if differences:
        raise WeightsMissing("%s holds another network: %s. Download it anew." % (path, differences))
    network.load_state_dict(state)


def read(path: Path) -> dict[str, Tensor]:
    """The arrays of a file that torch.save wrote. Raises WeightsMissing for any other file."""
    with open(path, "rb") as file:
        if file.read(64).lstrip()[:1] == b"<":
            raise WeightsMissing(
                "%s is a web page, not a checkpoint: the download was not confirmed. Download it anew." % path
            )
    try:
        found = _load_arrays_only(path)
    except Exception as error:  # torch.load raises whatever the bytes lead to
        raise WeightsMissing("%s cannot be read (%s). Download it anew." % (path, error)) from error
    if not isinstance(found, dict) or not all(isinstance(array, Tensor) for array in found.values()):
        raise WeightsMissing("%s holds no named arrays. Download it anew." % path)
    return dict(found)


def modern(name: str) -> str:
    """Today's spelling of a parameter's name: `ace` and `alias` were norms, `.Spade` a level of its own."""
    name = name[len("module.") :] if name.startswith("module.") else name
    return re.sub(r"\.(ace|alias)_", ".norm_", name).replace(".Spade", "")


def compare(found: Mapping[str, Tensor], wanted: Mapping[str, Tensor]) -> str:
    """What differs in names and shapes, in words; empty when nothing does."""
    missing = sorted(set(wanted) - set(found))
    unknown = sorted(set(found) - set(wanted))
    shapes = [
        "%s is %s, not %s" % (name, tuple(found[name].shape), tuple(wanted[name].shape))
        for name in wanted
        if name in found and found[name].shape != wanted[name].shape
    ]
    parts = []
    for what, names in (("lacks", missing), ("has the unknown", unknown), ("other shapes:", shapes)):
        if names:
            more = " and %d more" % (len(names) - _SHOWN) if len(names) > _SHOWN else ""
            parts.append("%s %s%s" % (what, ", ".join(names[:_SHOWN]), more))
    return "; ".join(parts)


def _load_arrays_only(path: Path) -> Any:
    if "weights_only" in torch.load.__code__.co_varnames:
        return torch.load(path, map_location="cpu", weights_only=True)
    return torch.load(path, map_location="cpu", pickle_module=_ArraysOnly)


class _ArraysOnly:
    """What Torch before 1.13 takes for the pickle module: one that knows arrays and dictionaries, and nothing else."""

    _ALLOWED = {
        ("collections", "OrderedDict"): collections.OrderedDict,
        ("torch._utils", "_rebuild_tensor_v2"): torch._utils._rebuild_tensor_v2,
        ("torch._utils", "_rebuild_parameter"): torch._utils._rebuild_parameter,
    }

    class Unpickler(pickle.Unpickler):
        def find_class(self, module: str, name: str) -> Any:
            if (module, name) in _ArraysOnly._ALLOWED:
                return _ArraysOnly._ALLOWED[module, name]
            if module == "torch" and re.fullmatch(r"[A-Z][A-Za-z0-9]*Storage", name):
                return getattr(torch, name)
            raise pickle.UnpicklingError("%s.%s is no array" % (module, name))

    @classmethod
    def load(cls, file: Any, **options: Any) -> Any:
        return cls.Unpickler(file, **options).load()
