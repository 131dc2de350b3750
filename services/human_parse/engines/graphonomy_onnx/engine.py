"""Human parse by the published Graphonomy, exported to ONNX: the same labels as engine graphonomy."""

import os
from collections.abc import Sequence

import numpy as np
import onnxruntime

from services.human_parse.graph_transfer import look
from services.human_parse.onnx_model import OnnxModel
from services.human_parse.parser import Parser
from stagekit.weights import require, weights_folder

MODEL = "graphonomy.onnx"
OUTPUTS = ["parsing"]


class Engine(Parser):
    """person -> parse; parse_confidence on request. See Parser, and engine graphonomy.

    Source: Gong et al., "Graphonomy: Universal Human Parsing via Graph Transfer Learning", CVPR 2019. Raises WeightsMissing.
    """

    name = "graphonomy_onnx"
    version = "1"
    licence = "MIT code; weights without a licence, for research only"
    commercial = "unclear"

    def load(self) -> None:
        weights = require(self.name)
        self._model = OnnxModel(self.name, os.path.join(weights_folder(self.name), MODEL), OUTPUTS)
        self._weights = weights
        self.warm_up()

    def look(self, image: np.ndarray, scales: Sequence[float]) -> tuple[np.ndarray, np.ndarray | None]:
        return look(self._model, image, scales), None

    def runtime(self) -> dict[str, str]:
        return {"framework": "onnxruntime " + onnxruntime.__version__, "device": "cpu"}
