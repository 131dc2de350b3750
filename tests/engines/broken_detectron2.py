"""Run inside the image: what the engine says of files that are none of its weights, one message a line."""

import os
import pickle
import tempfile
from pathlib import Path

import torch

from services.densepose.engines.detectron2.checkpoint import FILE, read
from services.densepose.engines.detectron2.engine import Engine
from services.densepose.engines.detectron2.network import Network
from stagekit.errors import WeightsMissing
from tests.specs.detectron2.weights import write_weights


class Trap:
    def __reduce__(self):
        return os.system, ("touch /tmp/sprung",)


def refusal(read, *arguments):
    try:
        read(*arguments)
        return "loaded"
    except WeightsMissing as error:
        return error.detail.replace("\n", " ")


def change(arrays):
    name = "roi_heads.densepose_predictor.ann_index_lowres."
    arrays["moon"] = arrays.pop(name + "bias")
    arrays[name + "weight"] = arrays[name + "weight"][:, :1]


shapes = Network(torch.device("cpu"), 800).shapes()
with tempfile.TemporaryDirectory() as weights:
    os.environ["HOWSFIT_WEIGHTS_DIR"] = weights
    folder = Path(weights, "detectron2")
    print(refusal(Engine().load))
    folder.mkdir()
    (folder / FILE).write_bytes(pickle.dumps({"model": Trap()}))
    print(refusal(read, str(folder), shapes), os.path.exists("/tmp/sprung"))
    write_weights(folder, change=change)
    print(refusal(read, str(folder), shapes))
    print(refusal(Engine().load))
