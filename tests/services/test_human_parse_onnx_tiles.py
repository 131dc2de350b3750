"""Convolutions in tiles against plain ones, on ONNX Runtime. The whole network is held to its golden run: tests/parity."""

import numpy as np
import pytest

onnx = pytest.importorskip(
    "onnx", reason="the exporting engine's image has it; pip install onnx onnxruntime to run this"
)
onnxruntime = pytest.importorskip(
    "onnxruntime", reason="the ONNX engines' images have it; pip install onnx onnxruntime"
)

from services.human_parse.engines.cihp_pgn.onnx_nodes import Nodes  # noqa: E402
from services.human_parse.engines.cihp_pgn.onnx_tiles import Tiles  # noqa: E402

TAKEN, OUT = 5, 7


def plain(images, kernels, biases, dilation):
    """(1, in, h, w) -> (1, out, h, w) in float64, padded with zeros."""
    height, width = images.shape[2:]
    padded = np.pad(images.astype(np.float64), ((0, 0), (0, 0), (dilation,) * 2, (dilation,) * 2))
    made = np.zeros((1, len(kernels), height, width)) + biases.reshape(-1, 1, 1)
    for y in range(3):
        for x in range(3):
            seen = padded[:, :, y * dilation : y * dilation + height, x * dilation : x * dilation + width]
            made += np.einsum("oc,nchw->nohw", kernels[:, :, y, x], seen)
    return made


def session_of(dilation, relu, kernels, biases):
    """A model of one convolution: images (1, in, h, w) of any size -> rows (h w, out)."""
    nodes = Nodes()
    for axis, side in ((2, "h"), (3, "w")):
        nodes.size("images", axis, side)
    nodes.node("Transpose", ("images",), "pixels", perm=[0, 2, 3, 1])
    Tiles(nodes, "h", "w").convolve(
        nodes.reshape("pixels", [-1, TAKEN], "rows"), kernels, biases, dilation, relu, "made"
    )
    helper, number = onnx.helper, onnx.TensorProto.FLOAT
    graph = helper.make_graph(
        nodes.nodes,
        "tiles",
        [helper.make_tensor_value_info("images", number, [1, TAKEN, None, None])],
        [helper.make_tensor_value_info("made", number, [None, OUT])],
        nodes.constants,
    )
    model = helper.make_model(graph, ir_version=7, opset_imports=[helper.make_opsetid("", 13)])
    return onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])


@pytest.mark.parametrize("relu", [False, True])
@pytest.mark.parametrize("dilation", [1, 2, 4])
def test_tiles_give_what_a_plain_convolution_gives(dilation, relu):
    rng = np.random.RandomState(dilation)
    kernels, biases = rng.randn(OUT, TAKEN, 3, 3).astype(np.float32), rng.randn(OUT).astype(np.float32)
    session = session_of(dilation, relu, kernels, biases)
    for height, width in ((8, 6), (12, 9), (13, 17), (3, 2), (32, 24)):  # of one model: whole tiles and parts of them
        images = rng.randn(1, TAKEN, height, width).astype(np.float32)
        wanted = plain(images, kernels, biases, dilation)
        wanted = np.maximum(wanted, 0) if relu else wanted
        (rows,) = session.run(None, {"images": images})
        made = rows.reshape(1, height, width, OUT).transpose(0, 3, 1, 2)
        assert np.abs(made - wanted).max() < 1e-4 * wanted.std(), (height, width)
