"""DWPose: which person, which points, and the way of pictures into its networks and back, on made-up networks.

The golden run is the published code's order and choice of person, of made-up points.
"""

from pathlib import Path

import numpy as np
import pytest

onnx = pytest.importorskip("onnx", reason="`make test` has it")
pytest.importorskip("onnxruntime", reason="`make test` has it")

from howsfit.weights.lock import record  # noqa: E402
from services.pose.engines.dwpose.engine import DETECTOR, POINTS, Engine  # noqa: E402
from services.pose.engines.dwpose.networks import CROP, SIDE, Network, find_people, find_points  # noqa: E402
from services.pose.engines.dwpose.people import people_of  # noqa: E402
from services.tryon.engines.fashn_vton.pose import of_document  # noqa: E402
from stagekit.errors import NoPerson, WeightsMissing  # noqa: E402
from stagekit.formats import keypoints, pose_document  # noqa: E402

GOLDEN = Path(__file__).parents[1] / "specs" / "dwpose" / "golden_order.npz"
EYE = (512, 300)
"""A bright pixel's x, y in a photo."""


def test_order_and_choice_of_person_are_the_published_ones():
    golden = np.load(GOLDEN)
    height, width = golden["in_size"]
    people = people_of(np.concatenate([golden["in_keypoints"], golden["in_scores"][..., None]], axis=2))
    body = of_document(pose_document(*people), (width, height))
    seen = golden["out_subset"][0] >= 0
    assert np.array_equal(body.seen, seen)
    assert np.allclose(body.joints[seen], golden["out_body"][seen], atol=1e-6)
    for mine, theirs in ((body.hands, golden["out_hands"]), (body.face, golden["out_faces"][0])):
        assert np.allclose(mine, theirs, atol=1e-6) and (theirs == -1).any() and (theirs > 0).any()


def rows_with(*people):
    """The detector's answer for people at (cell, centre, size, score), cells counted in the finest stride: (8400, 85)."""
    rows = np.full((8400, 85), -9, np.float32)
    rows[:, 4:] = 0
    for (column, row), centre, size, score in people:
        where = row * (SIDE // 8) + column
        rows[where, :2] = np.array(centre) / 8 - (column, row)
        rows[where, 2:4] = np.log(np.array(size) / 8)
        rows[where, 4:6] = score, 1
    return rows


def write_detector(folder, rows):
    """A model that answers so whatever it is shown."""
    write(
        folder / DETECTOR,
        [onnx.helper.make_node("Identity", ["rows"], ["output"])],
        (SIDE, SIDE),
        {"output": (1, 8400, 85)},
        rows=rows[None],
    )


def write_points(folder):
    """A model that sees all points at the brightest pixel of what it is shown."""
    width, height = CROP
    nodes = []
    for name, axes, size in (("x", [1, 2], width), ("y", [1, 3], height)):
        scales = np.array([1, 1, 2], np.float32)
        nodes += [
            onnx.helper.make_node("ReduceMax", ["picture"], [name + "_max"], axes=axes, keepdims=0),
            onnx.helper.make_node("Unsqueeze", [name + "_max", "one"], [name + "_row"]),
            onnx.helper.make_node("Resize", [name + "_row", "", name + "_scales"], [name + "_wide"], mode="nearest"),
            onnx.helper.make_node("Expand", [name + "_wide", name + "_shape"], ["simcc_" + name]),
            onnx.helper.make_node("Constant", [], [name + "_scales"], value=onnx.numpy_helper.from_array(scales)),
            onnx.helper.make_node("Constant", [], [name + "_shape"], value_ints=[1, 133, 2 * size]),
        ]
    order = sorted(nodes, key=lambda node: node.op_type != "Constant")
    outputs = {"simcc_x": (1, 133, 2 * width), "simcc_y": (1, 133, 2 * height)}
    write(folder / POINTS, order, (height, width), outputs, one=np.array([1]))


def write(path, nodes, size, outputs, **arrays):
    number = onnx.TensorProto.FLOAT
    graph = onnx.helper.make_graph(
        nodes,
        path.stem,
        [onnx.helper.make_tensor_value_info("picture", number, [1, 3, *size])],
        [onnx.helper.make_tensor_value_info(name, number, shape) for name, shape in outputs.items()],
        [onnx.numpy_helper.from_array(array, name) for name, array in arrays.items()],
    )
    onnx.save(onnx.helper.make_model(graph, ir_version=8, opset_imports=[onnx.helper.make_opsetid("", 13)]), path)


@pytest.fixture
def photo():
    """RGB, black but for one spot."""
    photo = np.zeros((1024, 768, 3), np.uint8)
    photo[EYE[1] - 2 : EYE[1] + 3, EYE[0] - 2 : EYE[0] + 3] = 255
    return photo


def test_people_are_found_where_the_detector_says(tmp_path, photo):
    one = ((30, 20), (250, 170), (100, 300), 0.9)
    again = ((31, 20), (252, 171), (100, 300), 0.8)
    other = ((10, 60), (100, 500), (60, 100), 0.5)
    unsure = ((50, 50), (400, 400), (60, 100), 0.2)
    write_detector(tmp_path, rows_with(other, one, again, unsure))
    boxes = find_people(Network(str(tmp_path), DETECTOR, 1), photo)
    ratio = SIDE / 1024
    assert np.allclose(boxes * ratio, [(200, 20, 300, 320), (70, 450, 130, 550)], atol=1e-3)
    write_detector(tmp_path, rows_with(unsure))
    assert np.allclose(find_people(Network(str(tmp_path), DETECTOR, 1), photo), [(0, 0, 768, 1024)])


@pytest.mark.parametrize("box", [(0, 0, 768, 1024), (450, 200, 600, 900), (400, 250, 700, 350)])
def test_points_come_back_to_their_place_in_the_photo(tmp_path, photo, box):
    write_points(tmp_path)
    points = find_points(Network(str(tmp_path), POINTS, 2), photo, np.array(box, float))
    assert points.shape == (133, 3) and np.abs(points[:, :2] - EYE).max() < 5 and (points[:, 2] > 1).all()


@pytest.fixture
def engine(tmp_path, monkeypatch):
    """The engine with networks that are somebody's own."""
    (tmp_path / "dwpose").mkdir()
    write_detector(tmp_path / "dwpose", rows_with(((30, 20), (250, 170), (100, 300), 0.9)))
    write_points(tmp_path / "dwpose")
    monkeypatch.setenv("HOWSFIT_WEIGHTS_DIR", str(tmp_path))
    for name in (DETECTOR, POINTS):
        record(tmp_path, "dwpose", name, "own", "a test")
    return Engine()


def test_the_engine_gives_body_hands_and_face(engine, photo):
    engine.load()
    made = engine.run({"person": photo}, lambda *said: pytest.fail(str(said)))
    (person,) = made["pose"]["people"]
    joints = keypoints(made["pose"])[0]
    assert np.abs(joints[:, :2] - EYE).max() < 5 and (joints[:, 2] == 1).all()
    face, left = person["face_keypoints_2d"], person["hand_left_keypoints_2d"]
    assert np.abs(np.reshape(face, (70, 3))[:68, :2] - EYE).max() < 5 and not any(face[68 * 3 :])
    assert np.abs(np.reshape(left, (21, 3))[:, :2] - EYE).max() < 5
    assert made["pose_image"].shape == (1024, 768, 3)
    with pytest.raises(NoPerson, match="Use a photo of one person"):
        engine.run({"person": np.zeros_like(photo)}, lambda *said: None)


def test_a_file_that_is_no_such_model_is_told(tmp_path):
    write_points(tmp_path)
    with pytest.raises(WeightsMissing, match=f"{POINTS} gives 2 arrays, not 1"):
        Network(str(tmp_path), POINTS, 1)
    (tmp_path / POINTS).write_bytes(b"no model")
    with pytest.raises(WeightsMissing, match=f"cannot read {POINTS}"):
        Network(str(tmp_path), POINTS, 2)
