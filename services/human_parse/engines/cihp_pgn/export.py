"""Write the checkpoint as an ONNX model, for the engine cihp_pgn_onnx: the way out of Python 3.6.

    python -m services.human_parse.engines.cihp_pgn.export > cihp_pgn.onnx

Reads the weights where the engine does. The model is made from the table of layers and the checkpoint's arrays; height and
width of its input are free.
"""

import argparse
import os
import sys
from typing import List, Optional, Sequence

import onnx
from onnx import TensorProto, helper

from services.human_parse.engines.cihp_pgn.checkpoint import find_checkpoint
from services.human_parse.engines.cihp_pgn.layers import (
    CLASSES,
    EDGE_HEAD,
    IMAGE,
    PARSING_HEADS,
    Layer,
    layers,
    reaching,
)
from services.human_parse.engines.cihp_pgn.onnx_graph import Arrays, Graph
from services.human_parse.engines.cihp_pgn.tf1 import tf
from stagekit.errors import StageError
from stagekit.weights import weights_folder

OPSET = 13


def main(arguments: Optional[Sequence[str]] = None) -> None:
    """Write to a file or to the standard output; refusals are told in a sentence."""
    parser = argparse.ArgumentParser(prog="python -m services.human_parse.engines.cihp_pgn.export", description=__doc__)
    parser.add_argument("-o", "--output", help="file to write; default: the standard output")
    options = parser.parse_args(arguments)
    if options.output is None and sys.stdout.isatty():
        parser.error("the model has 1.5 GB: write it to a file")
    try:
        reader = tf.train.NewCheckpointReader(find_checkpoint(weights_folder("cihp_pgn")))
    except StageError as error:
        sys.exit(error.detail)
    model = to_onnx({name: reader.get_tensor(name) for name in reader.get_variable_to_shape_map()}).SerializeToString()
    if options.output is None:
        sys.stdout.buffer.write(model)
    else:
        with open(options.output + ".part", "wb") as file:
            file.write(model)
        os.replace(options.output + ".part", options.output)


def to_onnx(variables: Arrays) -> onnx.ModelProto:
    """The network with these variables, as `layers.variable_shapes` names them.

    Input `data`: (1, 3, h, w) float32 BGR less the mean. Outputs at an eighth of the size: `parsing`, the mean of both
    parsing heads (1, 20, h/8, w/8), and `edges` (1, 1, h/8, w/8).
    """
    graph = Graph(variables)
    table = _folded(reaching(layers(), PARSING_HEADS + (EDGE_HEAD,)), graph)
    pyramids = {layer.name: layer for layer in table if layer.op == "pyramid"}
    pyramids_on = {layer.name: layer for layer in table if layer.op == "concat" and layer.inputs[-1] in pyramids}
    for layer in table:
        if layer.inputs[0] in pyramids_on:
            source, *pooled = pyramids_on[layer.inputs[0]].inputs
            graph.add_over_pyramid(layer, source, [pyramids[name] for name in pooled])
        elif layer.name not in pyramids and layer.name not in pyramids_on:
            graph.add(layer)
    graph.node("Mean", [graph.images(head) for head in PARSING_HEADS], "parsing")
    graph.node("Identity", (graph.images(EDGE_HEAD),), "edges")
    outputs = {"parsing": CLASSES, "edges": 1}
    made = helper.make_graph(
        graph.nodes,
        "CIHP_PGN",
        [helper.make_tensor_value_info(IMAGE, TensorProto.FLOAT, [1, 3, "height", "width"])],
        [
            helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, count, None, None])
            for name, count in outputs.items()
        ],
        graph.constants,
    )
    graph.constants.clear()  # copied, and large
    return helper.make_model(
        made, producer_name="howsfit", ir_version=7, opset_imports=[helper.make_opsetid("", OPSET)]
    )


def _folded(table: List[Layer], graph: Graph) -> List[Layer]:
    """The table with each batch norm in the convolution before it, which takes over its name and its ReLU.

    Every batch norm of this network follows a convolution without bias that nothing else takes.
    """
    convolutions = {layer.name: layer for layer in table if layer.op == "conv"}
    normed = {layer.inputs[0]: layer for layer in table if layer.op == "batch_norm"}
    folded = []
    for layer in table:
        if layer.op == "batch_norm":
            convolution = convolutions[layer.inputs[0]]
            graph.fold(convolution.name, layer.name)
            layer = convolution._replace(name=layer.name, relu=layer.relu, bias=True)
        elif layer.name in normed:
            continue
        folded.append(layer)
    return folded


if __name__ == "__main__":
    main()
