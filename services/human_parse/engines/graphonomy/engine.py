"""Human parse by the published Graphonomy (CIHP transfer model) on Torch."""

from collections.abc import Sequence
from typing import Optional

import numpy as np
import torch

from services.human_parse.engines.graphonomy.checkpoint import load_network
from services.human_parse.graph_transfer import look
from services.human_parse.parser import Parser
from stagekit.weights import require, weights_folder


class Engine(Parser):
    """person -> parse; parse_confidence on request. See Parser.

    Source: Gong et al., "Graphonomy: Universal Human Parsing via Graph Transfer Learning", CVPR 2019. Raises WeightsMissing.
    """

    name = "graphonomy"
    version = "1"
    start_s = 180.0
    licence = "MIT code; weights without a licence, for research only"
    commercial = "unclear"

    def load(self) -> None:
        weights = require(self.name)
        self._network = load_network(weights_folder(self.name))
        self._weights = weights
        self.warm_up()

    def look(self, image: np.ndarray, scales: Sequence[float]) -> tuple[np.ndarray, Optional[np.ndarray]]:
        return look(self._run, image, scales), None

    def runtime(self) -> dict[str, str]:
        return {"framework": "torch " + torch.__version__, "device": "cpu"}

    def _run(self, pairs: list[np.ndarray]) -> list[tuple[np.ndarray]]:
        with torch.no_grad():
            return [(self._network(torch.from_numpy(pair)).numpy(),) for pair in pairs]
