"""Graphonomy on ONNX Runtime: python -m tests.parity graphonomy_onnx FILE.npz --model FILE.onnx

The model is exported from the deterministic weights (tests/specs/graphonomy/weights.py).
"""

import argparse

import numpy as np

from services.human_parse.engines.graphonomy_onnx.engine import OUTPUTS
from services.human_parse.graph_transfer import look
from services.human_parse.multiscale import SCALES
from services.human_parse.onnx_model import OnnxModel
from tests.parity._compare import report


def main(arguments):
    parser = argparse.ArgumentParser(prog="python -m tests.parity graphonomy_onnx", description=__doc__)
    parser.add_argument("golden", help="golden_1.npz")
    parser.add_argument("--model", required=True, help="exported from the deterministic weights")
    options = parser.parse_args(arguments)
    golden = np.load(options.golden)
    model = OnnxModel("graphonomy_onnx", options.model, OUTPUTS)
    logits = look(model, golden["in_rgb"], SCALES)
    report(logits * len(SCALES), logits.argmax(axis=0), golden["out_logits"], golden["out_label"])
