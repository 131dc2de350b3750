"""Write Graphonomy's weight file with deterministic weights: python -m tests.specs.graphonomy.weights FOLDER

The weights are random, but the same everywhere: with them the published network gave the golden run beside this file.
"""

import json
import sys
from collections import OrderedDict
from pathlib import Path

import torch

from tests.specs.fill import fill


def write_weights(folder, change=None):
    """As `inference.pth`. change: a function that changes the arrays before (name -> array)."""
    arrays = fill(json.loads(Path(__file__).with_name("state_dict.json").read_text()))
    if change is not None:
        change(arrays)
    Path(folder).mkdir(parents=True, exist_ok=True)
    # As the file is published: from several GPUs, so with a prefix.
    tensors = OrderedDict(("module." + name, torch.from_numpy(array)) for name, array in arrays.items())
    torch.save(tensors, Path(folder, "inference.pth"))


if __name__ == "__main__":
    write_weights(sys.argv[1])
