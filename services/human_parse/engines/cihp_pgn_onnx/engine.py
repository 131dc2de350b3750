"""Human parse by the published CIHP_PGN, exported to ONNX: the same labels as engine cihp_pgn, sooner."""

import os
from collections.abc import Sequence

import numpy as np
import onnxruntime

from services.human_parse.onnx_model import OnnxModel
from services.human_parse.parser import Parser
from services.human_parse.part_grouping import look
from stagekit.weights import require, weights_folder

MODEL = "cihp_pgn.onnx"
OUTPUTS = ["parsing", "edges"]


class Engine(Parser):
    """person -> parse; parse_confidence and parse_edges on request. See Parser, and engine cihp_pgn.

    Source: Gong et al., "Instance-level Human Parsing via Part Grouping Network", ECCV 2018. Raises WeightsMissing.
    """

    name = "cihp_pgn_onnx"
    version = "1"
    extras = {"parse_confidence": "map", "parse_edges": "map"}
    licence = "MIT code; weights without a licence, for research only"
    commercial = "unclear"

    def load(self) -> None:
        weights = require(self.name)
        self._model = OnnxModel(self.name, os.path.join(weights_folder(self.name), MODEL), OUTPUTS)
        self._weights = weights
        self.warm_up()

    def look(self, image: np.ndarray, scales: Sequence[float]) -> tuple[np.ndarray, np.ndarray | None]:
        return look(self._model, image, scales)

    def runtime(self) -> dict[str, str]:
        return {"framework": "onnxruntime " + onnxruntime.__version__, "device": "cpu"}
