"""Reads the published checkpoints, and refuses what is something else."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Mapping

from torch import Tensor, nn

from stagekit.errors import WeightsMissing
from stagekit.torch_files import read_arrays
from stagekit.weights import not_right

_SHOWN = 3


def load(network: nn.Module, path: Path) -> None:
    """Fill the network from a checkpoint file; every array must be there, and no other.

    Nothing in the file is executed. Keys may be spelt as older versions of the published code did.
    Raises WeightsMissing that says what differs.
    """
    state = {modern(name): array for name, array in read(path).items()}
    differences = compare(state, network.state_dict())
    if differences:
        raise _not_right("%s holds another network (%s)" % (path.name, differences))
    network.load_state_dict(state)


def read(path: Path) -> dict[str, Tensor]:
    """The arrays of a file that torch.save wrote, without the prefix `module.`. Raises WeightsMissing for any other file."""
    with open(path, "rb") as file:
        if file.read(64).lstrip()[:1] == b"<":
            raise _not_right("%s is a web page, not a checkpoint: the download was not confirmed" % path.name)
    try:
        return read_arrays(str(path))
    except ValueError as error:
        raise _not_right("%s: %s" % (path.name, error)) from error


def modern(name: str) -> str:
    """Today's spelling of a parameter's name: `ace` and `alias` were norms, `.Spade` a level of its own."""
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


def _not_right(what: str) -> WeightsMissing:
    return not_right("hr_viton", what)
