"""The published weights: where they belong, and whether what lies there is them."""

import os
import pickle
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor

from services.human_parse.engines.graphonomy.network import Graphonomy
from stagekit.errors import WeightsMissing

FILE = "inference.pth"

_ADVICE = (
    "The weights of Graphonomy are not in %s (%s). Download the CIHP trained model from "
    "https://drive.google.com/uc?id=1eUe18HoH05p0yFUd_sN6GXdTj82aW0m9 (the link in the README of "
    "github.com/Gaoyiminggithub/Graphonomy) and save it there as inference.pth. Its code is MIT; the weights come without a "
    "licence: use them for research only."
)


def load_network(folder: str) -> Graphonomy:
    """The network with the weights of a folder, ready for inference. Raises WeightsMissing with what differs."""
    path = os.path.join(folder, FILE)
    if not os.path.exists(path):
        raise WeightsMissing(_ADVICE % (folder, "there is no " + FILE))
    try:
        found = torch.load(path, map_location="cpu", pickle_module=_DATA_ONLY)
        found = {name[len("module.") :] if name.startswith("module.") else name: found[name] for name in found}
    except Exception as error:  # a file of another kind fails in a dozen ways
        raise WeightsMissing(_ADVICE % (folder, "%s cannot be read: %s" % (FILE, error))) from None
    network = Graphonomy().eval()
    problems = _differences(network.state_dict(), found)
    if problems:
        some = "; ".join(problems[:3]) + ("; ..." if len(problems) > 3 else "")
        raise WeightsMissing(_ADVICE % (folder, "%d entries of %s differ: %s" % (len(problems), FILE, some)))
    network.load_state_dict(found, strict=False)  # not strict only about the counters
    return network


def _differences(wanted: Mapping[str, Tensor], found: Mapping[str, Any]) -> list[str]:
    """Every key is accounted for, but for the batch norms' counters: Torch 0.4, which saved the file, may have had none."""
    told = ["%s is unknown" % name for name in sorted(set(found) - set(wanted))]
    for name, tensor in wanted.items():
        shape = tuple(getattr(found.get(name), "shape", ()))
        if name not in found:
            if not name.endswith("num_batches_tracked"):
                told.append("%s is missing" % name)
        elif shape != tuple(tensor.shape):
            told.append("%s is %s, not %s" % (name, shape, tuple(tensor.shape)))
    return told


class _DataOnly(pickle.Unpickler):
    """Reads tensors and their containers; a pickle that names anything else, which could run code, is refused."""

    _ALLOWED = {
        ("collections", "OrderedDict"),
        ("torch._utils", "_rebuild_tensor"),
        ("torch._utils", "_rebuild_tensor_v2"),
        ("torch._utils", "_rebuild_parameter"),
        ("torch", "FloatStorage"),
        ("torch", "LongStorage"),
        ("torch.cuda", "FloatStorage"),
        ("torch.cuda", "LongStorage"),
    }

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in self._ALLOWED:
            raise pickle.UnpicklingError("it names %s.%s, which weights have no need of" % (module, name))
        return super().find_class(module, name)


def _load(file: Any, **options: Any) -> Any:
    return _DataOnly(file, **options).load()


_DATA_ONLY = SimpleNamespace(__name__="data only", Unpickler=_DataOnly, load=_load)
"""What torch.load needs of the module pickle."""
