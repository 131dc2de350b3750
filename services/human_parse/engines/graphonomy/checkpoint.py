"""The published weights: where they belong, and whether what lies there is them."""

import os
from collections.abc import Mapping

from torch import Tensor

from services.human_parse.engines.graphonomy.network import Graphonomy
from stagekit.torch_files import read_arrays
from stagekit.weights import not_right

FILE = "inference.pth"


def load_network(folder: str) -> Graphonomy:
    """The network with the weights of a folder, ready for inference. Raises WeightsMissing with what differs."""
    path = os.path.join(folder, FILE)
    if not os.path.exists(path):
        raise not_right("graphonomy", "there is no " + FILE)
    try:
        found = read_arrays(path)
    except ValueError as error:
        raise not_right("graphonomy", "%s: %s" % (FILE, error)) from None
    network = Graphonomy().eval()
    problems = _differences(network.state_dict(), found)
    if problems:
        some = "; ".join(problems[:3]) + ("; ..." if len(problems) > 3 else "")
        raise not_right("graphonomy", "%d entries of %s differ: %s" % (len(problems), FILE, some))
    network.load_state_dict(found, strict=False)  # not strict only about the counters
    return network


def _differences(wanted: Mapping[str, Tensor], found: Mapping[str, Tensor]) -> list[str]:
    """Every key is accounted for, but for the batch norms' counters: Torch 0.4, which saved the file, may have had none."""
    told = ["%s is unknown" % name for name in sorted(set(found) - set(wanted))]
    for name, tensor in wanted.items():
        if name not in found:
            if not name.endswith("num_batches_tracked"):
                told.append("%s is missing" % name)
        elif found[name].shape != tensor.shape:
            told.append("%s is %s, not %s" % (name, tuple(found[name].shape), tuple(tensor.shape)))
    return told
