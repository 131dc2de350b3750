"""What the garment is, by its picture."""

import numpy as np
import onnxruntime

import stagekit
from garment_parser.parser import FILE, GarmentParser
from stagekit.weights import in_folder

_CERTAIN = 0.7
"""Likelihood from which nothing is said."""

_NAMES = {"upper": "a top", "lower": "trousers or a skirt", "dress": "a dress"}


class Engine(stagekit.Engine):
    """cloth, cloth_mask -> category.

    By the garment parser, a network that learned from drawn garments (`garment_parser`). It sees no size: a long top and a
    short dress may look the same. Warns: doubtful-category.
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
        likely = self._parser.read(inputs["cloth"], mask if mask.any() else np.ones_like(mask)).category
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
