"""What the garment is, by its picture."""

from collections.abc import Mapping

import numpy as np
import onnxruntime

import stagekit
from garment_parser.parser import FILE, GarmentParser
from stagekit.formats import CIHP
from stagekit.weights import in_folder

_CERTAIN = 0.7
"""Likelihood from which nothing is said."""

_NAMES = {"upper": "a top", "lower": "trousers or a skirt", "dress": "a dress"}

_WORN_AS = {"upper": ("upper_clothes", "coat"), "lower": ("pants", "skirt"), "dress": ("dress",)}
"""Category -> labels of a parse."""

_LEAST_WORN = 0.1
"""Share of the garment's mask that has labels of garments, below which a parse tells nothing of it."""


class Engine(stagekit.Engine):
    """cloth, cloth_mask -> category.

    By the garment parser, a network that learned from drawn garments (`garment_parser`). It sees no size: a long top and a
    short dress may look the same. Of a garment that somebody wears in its picture a `cloth_parse` tells more: then it is
    what the most of it is labelled as. Warns: doubtful-category.
    """

    name = "parser"
    version = "1"
    inputs = ("cloth", "cloth_mask")
    concurrency = 2

    def __init__(self) -> None:
        self._weights: tuple[dict[str, str], ...] = ()

    def load(self) -> None:
        self._parser = GarmentParser()
        self._weights = in_folder(str(FILE.parent), self.licence, FILE.name)

    def run(self, inputs: stagekit.Artifacts, warn: stagekit.Warn) -> stagekit.Artifacts:
        mask = inputs["cloth_mask"] >= 128
        mask = mask if mask.any() else np.ones_like(mask)
        likely: Mapping[str, float] = _shares_worn(inputs["cloth_parse"][mask]) if "cloth_parse" in inputs else {}
        if not likely:
            likely = self._parser.read(inputs["cloth"], mask).category
        category, other = sorted(likely, key=likely.__getitem__, reverse=True)[:2]
        if likely[category] < _CERTAIN:
            warn(
                "doubtful-category",
                f"By its picture this may be {_NAMES[category]} ({likely[category]:.0%}) or {_NAMES[other]} "
                f"({likely[other]:.0%}). Say which: category={category} or category={other}.",
            )
        return {"category": category}

    def weights(self) -> tuple[dict[str, str], ...]:
        return self._weights

    def runtime(self) -> dict[str, str]:
        return {"framework": "onnxruntime " + onnxruntime.__version__, "device": "cpu"}


def _shares_worn(labels: np.ndarray) -> dict[str, float]:
    """Category -> its share of what is labelled as a garment; nothing where that is too little. labels: those in the mask."""
    counts = {kind: int(np.isin(labels, [CIHP[name] for name in names]).sum()) for kind, names in _WORN_AS.items()}
    worn = sum(counts.values())
    return {kind: count / worn for kind, count in counts.items()} if worn >= _LEAST_WORN * labels.size else {}
