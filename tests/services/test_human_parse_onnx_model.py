"""An exported network is asked for several pictures at once, and every answer finds its way back."""

import numpy as np
import pytest

onnx = pytest.importorskip(
    "onnx", reason="the exporting engine's image has it; pip install onnx onnxruntime to run this"
)
pytest.importorskip("onnxruntime", reason="the ONNX engines' images have it; pip install onnx onnxruntime")

from services.human_parse.onnx_model import OnnxModel  # noqa: E402
from stagekit.errors import WeightsMissing  # noqa: E402


@pytest.fixture(params=[1, 2])
def path(request, tmp_path):
    """A model that takes one picture, or two, at a time: how much is in each channel, and the picture doubled."""
    helper, number = onnx.helper, onnx.TensorProto.FLOAT
    at_once = request.param
    graph = helper.make_graph(
        [
            helper.make_node("ReduceSum", ["picture", "axes"], ["sums"]),
            helper.make_node("Add", ["picture", "picture"], ["doubled"]),
        ],
        "sums",
        [helper.make_tensor_value_info("picture", number, [at_once, 3, "h", "w"])],
        [
            helper.make_tensor_value_info("sums", number, [at_once, 3, 1, 1]),
            helper.make_tensor_value_info("doubled", number, [at_once, 3, "h", "w"]),
        ],
        [onnx.numpy_helper.from_array(np.array([2, 3]), "axes")],
    )
    file = tmp_path / "sums.onnx"
    onnx.save(helper.make_model(graph, ir_version=7, opset_imports=[helper.make_opsetid("", 13)]), file)
    return file


def test_batches_of_any_size_get_their_own_outputs(path):
    batches = [np.random.RandomState(h).rand(2, 3, h, 5).astype(np.float32) for h in (4, 9, 2, 7)]
    answers = OnnxModel("sums", str(path), ["sums", "doubled"])(batches)
    assert len(answers) == len(batches)
    for batch, (sums, doubled) in zip(batches, answers, strict=True):
        assert np.allclose(sums, batch.sum(axis=(2, 3), keepdims=True))
        assert np.array_equal(doubled, 2 * batch)


def test_a_model_that_is_none_or_another_is_told(path):
    with pytest.raises(WeightsMissing, match=r"sums\.onnx gives \['sums', 'doubled'\], not \['parsing'\]"):
        OnnxModel("cihp_pgn_onnx", str(path), ["parsing"])
    path.write_bytes(b"no model")
    with pytest.raises(WeightsMissing, match=r"cannot read sums\.onnx"):
        OnnxModel("cihp_pgn_onnx", str(path), ["parsing"])
