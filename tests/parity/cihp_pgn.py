"""CIHP_PGN on TensorFlow: python3.6 -m tests.parity cihp_pgn FILE.npz [--weights FOLDER]"""

import argparse
import tempfile

import numpy as np

from services.human_parse.engines.cihp_pgn.checkpoint import find_checkpoint
from services.human_parse.engines.cihp_pgn.network import Network
from services.human_parse.multiscale import SCALES, scaled_size
from services.human_parse.part_grouping import look
from tests.parity._compare import report_with_edges
from tests.specs.cihp_pgn.checkpoint import write_checkpoint


def main(arguments):
    parser = argparse.ArgumentParser(prog="python -m tests.parity cihp_pgn", description=__doc__)
    parser.add_argument("golden", help="golden_1.npz")
    parser.add_argument(
        "--weights", help="folder with the deterministic checkpoint; without it, one is written and deleted"
    )
    options = parser.parse_args(arguments)
    golden = np.load(options.golden)
    height, width = golden["in_rgb"].shape[:2]
    network = Network([scaled_size(height, width, scale) for scale in SCALES])
    with tempfile.TemporaryDirectory() as temporary:
        if options.weights is None:
            write_checkpoint(temporary)
        network.restore(find_checkpoint(options.weights or temporary))
    report_with_edges(*look(network, golden["in_rgb"], SCALES), golden)
