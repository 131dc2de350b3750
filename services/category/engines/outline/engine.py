"""What the garment is, by its outline."""

import stagekit
from services.category.engines.outline.network import FILE, likelihood_of, read_network
from stagekit.weights import in_folder

_CERTAIN = 0.7
"""Likelihood from which a garment is taken for something else than a top, and from which nothing is said."""

_NAMES = {"upper": "a top", "lower": "trousers or a skirt", "dress": "a dress"}


class Engine(stagekit.Engine):
    """cloth_mask -> category.

    A network of one hidden layer on the mask, 40 pixels a side, trained on outlines that scripts/garment_outlines.py draws:
    tops with all sleeves, dresses, trousers, shorts and skirts. It sees neither colours nor size: a long top and a short
    dress may have the same outline. Warns: doubtful-category.
    """

    name = "outline"
    version = "1"
    inputs = ("cloth_mask",)
    concurrency = 2

    def __init__(self) -> None:
        self._weights: tuple[dict[str, str], ...] = ()

    def load(self) -> None:
        self._network = read_network()
        self._weights = in_folder(str(FILE.parent), self.licence, FILE.name)

    def run(self, inputs: stagekit.Artifacts, warn: stagekit.Warn) -> stagekit.Artifacts:
        likely = likelihood_of(self._network, inputs["cloth_mask"])
        other = max(("lower", "dress"), key=likely.__getitem__)
        # For a top that is taken for something else loses more: engines for tops are the rule.
        category = other if likely[other] >= _CERTAIN else "upper"
        if likely[category] < _CERTAIN:
            warn(
                "doubtful-category",
                f"By its outline this may be {_NAMES['upper']} ({likely['upper']:.0%}) or {_NAMES[other]} "
                f"({likely[other]:.0%}; it is taken for that from {_CERTAIN:.0%} on). Say which: category=upper or "
                f"category={other}.",
            )
        return {"category": category}

    def weights(self) -> tuple[dict[str, str], ...]:
        return self._weights
