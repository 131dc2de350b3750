"""Run inside the image: what the engine says of files that are none of its weights, one message a line."""

import os
import tempfile
from collections import OrderedDict

import torch

from services.human_parse.engines.graphonomy.checkpoint import FILE, load_network
from services.human_parse.engines.graphonomy.network import Graphonomy
from stagekit.errors import WeightsMissing


class Trap:
    def __reduce__(self):
        return os.system, ("touch /tmp/sprung",)


def told(folder, content=None):
    if content is not None:
        torch.save(content, os.path.join(folder, FILE))
    try:
        return str(type(load_network(folder)))
    except WeightsMissing as error:
        return error.detail.replace("\n", " ")


with tempfile.TemporaryDirectory() as folder:
    print(told(folder))
    print(told(folder, {"semantic.weight": Trap()}), os.path.exists("/tmp/sprung"))
    weights = OrderedDict(Graphonomy().state_dict())
    weights["moon"] = weights.pop("semantic.bias")
    weights["semantic.weight"] = weights["semantic.weight"][:7]
    print(told(folder, weights))
    print(told(folder, OrderedDict((n, t) for n, t in Graphonomy().state_dict().items() if "num_batches" not in n)))
