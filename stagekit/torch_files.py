"""Reads what torch.save wrote without executing anything in it. For engines on Torch: nothing else imports this."""

import collections
import pickle
from types import SimpleNamespace
from typing import Any, Dict, List

import torch


def read_arrays(path: str, mapped: bool = False) -> Dict[str, torch.Tensor]:
    """The named tensors of a state_dict, on the CPU, without the prefix that training on several GPUs gives their names.

    mapped: what is not looked at stays on the disk, if the file is of the form since Torch 1.6 and this is Torch 2.1 or newer.
    Raises ValueError for any other file; a pickle that names anything but tensors and their containers, which could run code,
    is refused.
    """
    try:
        records = _records(path)
        if "constants.pkl" in records:
            raise ValueError("it is a TorchScript program, which would be run")
        options = _explicit()
        if mapped and records and "mmap" in torch.load.__code__.co_varnames:
            options["mmap"] = True
        found = torch.load(path, map_location="cpu", pickle_module=_ARRAYS_ONLY, **options)
    except Exception as error:  # torch.load raises whatever the bytes lead to
        raise ValueError("it cannot be read: %s" % error) from error
    if not isinstance(found, dict) or not all(isinstance(array, torch.Tensor) for array in found.values()):
        raise ValueError("it holds no named arrays")
    return {name[len("module.") :] if name.startswith("module.") else name: found[name] for name in found}


def _records(path: str) -> List[str]:
    """Names of the records, by the reader that torch.load takes; none of a file older than Torch 1.6."""
    try:
        return list(torch._C.PyTorchFileReader(path).get_all_records())
    except RuntimeError:
        return []


def _explicit() -> Dict[str, bool]:
    """Torch 2.6 reads with an unpickler of its own unless it is told to take ours."""
    return {"weights_only": False} if "weights_only" in torch.load.__code__.co_varnames else {}


class _ArraysOnly(pickle.Unpickler):
    _ALLOWED = {
        ("collections", "OrderedDict"),
        ("torch._utils", "_rebuild_tensor"),
        ("torch._utils", "_rebuild_tensor_v2"),
        ("torch._utils", "_rebuild_parameter"),
    }
    _STORAGES = {
        "DoubleStorage",
        "FloatStorage",
        "HalfStorage",
        "LongStorage",
        "IntStorage",
        "ByteStorage",
        "BoolStorage",
    }

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("collections", "OrderedDict"):
            return collections.OrderedDict
        if (module, name) in self._ALLOWED or (module in ("torch", "torch.cuda") and name in self._STORAGES):
            return super().find_class(module, name)
        raise pickle.UnpicklingError("it names %s.%s, which weights have no need of" % (module, name))


def _load(file: Any, **options: Any) -> Any:
    return _ArraysOnly(file, **options).load()


_ARRAYS_ONLY = SimpleNamespace(__name__="arrays only", Unpickler=_ArraysOnly, load=_load)
"""What torch.load needs of the module pickle."""
