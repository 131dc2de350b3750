"""CIHP_PGN on ONNX Runtime: python -m tests.parity cihp_pgn_onnx FILE.npz --model FILE.onnx

The model is exported from the deterministic checkpoint (tests/specs/cihp_pgn/checkpoint.py).
"""

import argparse

import numpy as np

from services.human_parse.engines.cihp_pgn_onnx.engine import OUTPUTS
from services.human_parse.multiscale import SCALES
from services.human_parse.onnx_model import OnnxModel
from services.human_parse.part_grouping import look
from tests.parity._compare import report_with_edges


def main(arguments):
    parser = argparse.ArgumentParser(prog="python -m tests.parity cihp_pgn_onnx", description=__doc__)
    parser.add_argument("golden", help="golden_1.npz")
    parser.add_argument("--model", required=True, help="exported from the deterministic checkpoint")
    options = parser.parse_args(arguments)
    golden = np.load(options.golden)
    report_with_edges(*look(OnnxModel("cihp_pgn_onnx", options.model, OUTPUTS), golden["in_rgb"], SCALES), golden)
