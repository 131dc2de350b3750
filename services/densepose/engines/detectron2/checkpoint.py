"""Reads the published weights, and refuses what is something else. NumPy only."""

from __future__ import annotations

import collections
import os
import pickle
from typing import Any, Mapping

import numpy as np

from stagekit.weights import not_right

ENGINE = "detectron2"
FILE = "model_final_162be9.pkl"
_SHOWN = 3

Arrays = dict[str, np.ndarray]


def read(folder: str, wanted: Mapping[str, tuple[int, ...]]) -> Arrays:
    """The arrays of the weight file in a folder: those that are wanted (name -> shape), all of them and no other.

    Nothing in the file is executed. Raises WeightsMissing that says what is wrong and which command helps.
    """
    path = os.path.join(folder, FILE)
    try:
        arrays = _without_constants(_named_arrays(_unpickle(path)))
    except Exception as error:  # unpickling raises whatever the bytes lead to
        raise not_right(ENGINE, "%s cannot be read: %s" % (path, error)) from error
    differences = compare(arrays, wanted)
    if differences:
        raise not_right(ENGINE, "%s holds another network: %s" % (path, differences))
    broken = [name for name, array in arrays.items() if not np.isfinite(array).all()]
    if broken:
        raise not_right(ENGINE, "%s holds values that are no numbers: %s" % (path, _some(broken)))
    return arrays


def compare(found: Mapping[str, np.ndarray], wanted: Mapping[str, tuple[int, ...]]) -> str:
    """What differs in names, shapes and types, in words; empty when nothing does."""
    shared = [name for name in wanted if name in found]
    shapes = ["%s is %s, not %s" % (n, found[n].shape, wanted[n]) for n in shared if found[n].shape != wanted[n]]
    types = ["%s is %s" % (name, found[name].dtype) for name in shared if found[name].dtype != np.float32]
    differences = (
        ("lacks", sorted(set(wanted) - set(found))),
        ("has the unknown", sorted(set(found) - set(wanted))),
        ("other shapes:", shapes),
        ("float32 is expected, but", types),
    )
    return "; ".join("%s %s" % (what, _some(names)) for what, names in differences if names)


def _some(names: list[str]) -> str:
    more = " and %d more" % (len(names) - _SHOWN) if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more


def _unpickle(path: str) -> Any:
    with open(path, "rb") as file:
        if file.read(64).lstrip()[:1] == b"<":
            raise ValueError("it is a web page: the download went wrong")
        file.seek(0)
        return _ArraysOnly(file, encoding="latin1").load()  # the encoding is that of arrays that Python 2 wrote


def _named_arrays(content: Any) -> Arrays:
    """What Detectron2's model zoo keeps under `model`."""
    model = content.get("model") if isinstance(content, dict) else None
    if not isinstance(model, dict) or not all(isinstance(array, np.ndarray) for array in model.values()):
        raise ValueError("it is no file of Detectron2's model zoo, which has named arrays under 'model'")
    return dict(model)


def _without_constants(arrays: Arrays) -> Arrays:
    """Files of older Detectron2 hold constants too that today's takes from the configuration."""
    return {
        name: array
        for name, array in arrays.items()
        if name not in ("pixel_mean", "pixel_std") and ".anchor_generator.cell_anchors." not in name
    }


class _ArraysOnly(pickle.Unpickler):
    """Knows arrays and dictionaries; a pickle that names anything else, which could run code, is refused."""

    _RECONSTRUCT = np.zeros(0).__reduce__()[0]
    _ALLOWED: dict[tuple[str, str], Any] = {
        ("collections", "OrderedDict"): collections.OrderedDict,
        ("numpy", "ndarray"): np.ndarray,
        ("numpy", "dtype"): np.dtype,
        ("numpy.core.multiarray", "_reconstruct"): _RECONSTRUCT,
        ("numpy._core.multiarray", "_reconstruct"): _RECONSTRUCT,  # NumPy 2 calls it so
    }

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in self._ALLOWED:
            raise pickle.UnpicklingError("it names %s.%s, which weights have no need of" % (module, name))
        return self._ALLOWED[module, name]
