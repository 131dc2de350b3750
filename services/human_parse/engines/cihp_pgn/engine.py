"""Human parse by the published CIHP_PGN: TensorFlow 1.15 on Python 3.6, with the authors' own checkpoint."""

from typing import Dict, Optional, Sequence, Tuple

import numpy as np

from services.human_parse.engines.cihp_pgn.checkpoint import find_checkpoint
from services.human_parse.engines.cihp_pgn.network import Network
from services.human_parse.engines.cihp_pgn.tf1 import tf
from services.human_parse.parser import Parser
from services.human_parse.part_grouping import look
from stagekit.weights import require, weights_folder


class Engine(Parser):
    """person -> parse; parse_confidence and parse_edges on request. See Parser.

    `parse_edges` is the probability that an edge between two persons or parts runs through a pixel, 255 for certain.
    Source: Gong et al., "Instance-level Human Parsing via Part Grouping Network", ECCV 2018. Raises WeightsMissing.
    """

    name = "cihp_pgn"
    version = "1"
    start_s = 180.0
    extras = {"parse_confidence": "map", "parse_edges": "map"}
    licence = "MIT code; weights without a licence, for research only"
    commercial = "unclear"

    def load(self) -> None:
        weights = require(self.name)
        checkpoint = find_checkpoint(weights_folder(self.name))
        self._network = Network(self.sizes())
        self._network.restore(checkpoint)
        self._weights = weights
        self.warm_up()

    def look(self, image: np.ndarray, scales: Sequence[float]) -> Tuple[np.ndarray, Optional[np.ndarray]]:
        return look(self._network, image, scales)

    def runtime(self) -> Dict[str, str]:
        return {"framework": "tensorflow " + tf.__version__, "device": "cpu"}
