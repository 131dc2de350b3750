"""Graphonomy on Torch: python -m tests.parity graphonomy FILE.npz [--weights FOLDER]"""

import argparse
import tempfile

import numpy as np
import torch

from services.human_parse.engines.graphonomy.checkpoint import load_network
from services.human_parse.graph_transfer import look
from services.human_parse.multiscale import SCALES
from tests.parity._compare import report
from tests.specs.graphonomy.weights import write_weights


def main(arguments):
    parser = argparse.ArgumentParser(prog="python -m tests.parity graphonomy", description=__doc__)
    parser.add_argument("golden", help="golden_1.npz")
    parser.add_argument(
        "--weights", help="folder with the deterministic weights; without it, they are written and deleted"
    )
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as temporary:
        if options.weights is None:
            write_weights(temporary)
        network = load_network(options.weights or temporary)

    def run(pairs):
        with torch.no_grad():
            return [(network(torch.from_numpy(pair)).numpy(),) for pair in pairs]

    golden = np.load(options.golden)
    logits = look(run, golden["in_rgb"], SCALES)
    report(logits * len(SCALES), logits.argmax(axis=0), golden["out_logits"], golden["out_label"])
