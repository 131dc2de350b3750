"""PoseNet on OpenCV: python -m tests.parity posenet FILE.npz --model FILE.onnx

The golden run is that of TensorFlow.js 4.22 (its CPU backend) on the published graph, weights and all: no others are needed.
"""

import argparse
import sys

import numpy as np

from services.pose.engines.posenet.network import Network
from tests.parity._compare import LOGITS


def main(arguments):
    parser = argparse.ArgumentParser(prog="python -m tests.parity posenet", description=__doc__)
    parser.add_argument("golden", help="golden_1.npz")
    parser.add_argument("--model", required=True, help="posenet.onnx, as it is converted")
    options = parser.parse_args(arguments)
    golden = np.load(options.golden)
    maps = Network(options.model).look(golden["in_rgb"])
    for name, made in zip(maps._fields, maps, strict=True):
        wanted = golden["out_" + name].astype(np.float64)
        wanted = 1 / (1 + np.exp(-wanted)) if name == "heat" else wanted
        difference = float(np.abs(made - wanted).max() / wanted.std())
        print("%s differ by at most %.2e of their spread (allowed: %g)" % (name, difference, LOGITS))
        if made.shape != wanted.shape or not difference <= LOGITS:
            sys.exit("no parity")
