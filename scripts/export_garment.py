"""Bring a trained garment parser into the package: ONNX with 16-bit weights, which ONNX Runtime widens.

.venv/bin/python -m scripts.export_garment out/garment/garment.onnx
"""

import argparse
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from garment_parser.parser import FILE

LEAST = 64
"""Numbers of a tensor that are worth it."""


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("trained", type=Path)
    parser.add_argument("--output", type=Path, default=FILE, help="default %(default)s")
    wanted = parser.parse_args()
    onnx.save(halved(onnx.load(wanted.trained)), wanted.output)
    print(f"{wanted.output}: {wanted.output.stat().st_size} bytes")


def halved(model: onnx.ModelProto) -> onnx.ModelProto:
    """The same network with 16-bit weights."""
    casts = []
    for tensor in model.graph.initializer:
        numbers = numpy_helper.to_array(tensor)
        if numbers.dtype == np.float32 and numbers.size >= LEAST:
            name = tensor.name
            tensor.CopyFrom(numpy_helper.from_array(numbers.astype(np.float16), name + "_half"))
            casts.append(helper.make_node("Cast", [name + "_half"], [name], to=TensorProto.FLOAT))
    nodes = [*casts, *model.graph.node]
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    for node in model.graph.node:
        node.doc_string = ""
    onnx.checker.check_model(model)
    return model


if __name__ == "__main__":
    main()
