"""MoveNet's second opinion on the hips: read from its maps as the published graph reads them, and taken only where it holds."""

import os
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("cv2", reason="opencv is not installed")

from services.pose.engines.blazepose.thunder import CELLS, OUTPUTS, Maps, Thunder, decode, with_hips
from services.pose.layouts import BLAZEPOSE_33, COCO_17
from stagekit.errors import WeightsMissing
from stagekit.formats import BODY_25, HEIGHT, WIDTH
from stagekit.weights import weights_folder

ROOT = Path(__file__).resolve().parents[2]
MODEL = os.path.join(weights_folder("blazepose"), "movenet_thunder.onnx")
needs_model = pytest.mark.skipif(not os.path.isfile(MODEL), reason=f"no {MODEL}; `make models` writes it")
HIPS = [BODY_25["left_hip"], BODY_25["right_hip"]]


def test_joints_are_those_of_the_person_in_the_middle():
    maps = Maps(*(np.zeros((channels, CELLS, CELLS)) for channels in OUTPUTS.values()))
    nose = COCO_17.index("nose")
    maps.centre[0, 30, 33], maps.centre[0, 5, 5] = 0.8, 0.9  # somebody else is surer, but far off
    maps.places[2 * nose : 2 * nose + 2, 30, 33] = -20, 1
    maps.heat[nose, 11, 35], maps.heat[nose, 40, 50] = 0.6, 0.9
    maps.offsets[2 * nose : 2 * nose + 2, 11, 35] = 0.25, -0.5
    assert decode(maps)[nose].tolist() == [34.5, 11.25, 0.6]


class Looked:
    """In Thunder's place: what it found."""

    def __init__(self, **joints):
        self.found = np.zeros((17, 3))
        for name, place in joints.items():
            self.found[COCO_17.index(name)] = place

    def find(self, image, box):
        left, top, right, bottom = box
        assert 0 <= left <= right < WIDTH and 0 <= top <= bottom < HEIGHT, "around what the picture shows"
        return self.found


def person(hip_y):
    """(25, 3) with shoulders 200 pixels apart, and (33, 4) of the same."""
    joints, landmarks = np.zeros((25, 3)), np.full((33, 4), -50.0)
    places = {
        "left_shoulder": (480, 300),
        "right_shoulder": (280, 300),
        "left_hip": (440, hip_y),
        "right_hip": (320, hip_y),
    }
    for name, place in places.items():
        joints[BODY_25[name]] = *place, 0.9
        landmarks[BLAZEPOSE_33.index(name), :2] = place
    return joints, landmarks


SHOULDERS = {"left_shoulder": (475, 310, 0.9), "right_shoulder": (285, 310, 0.9)}


def test_hips_that_the_picture_shows_are_where_thunder_sees_them():
    joints, landmarks = person(700)
    thunder = Looked(**SHOULDERS, left_hip=(438, 650, 0.8), right_hip=(322, 656, 0.7))
    made = with_hips(joints, landmarks, np.zeros((HEIGHT, WIDTH, 3), np.uint8), thunder)
    assert made[HIPS].tolist() == [[438, 650, 0.9], [322, 656, 0.9]] and made[BODY_25["mid_hip"]].tolist() == [
        380,
        653,
        0.9,
    ]
    assert joints[HIPS, 1].tolist() == [700, 700], "the ones given stay"
    rest = [index for index in range(25) if index not in (*HIPS, BODY_25["mid_hip"])]
    assert np.array_equal(made[rest], joints[rest])


@pytest.mark.parametrize(
    ("hip_y", "found"),
    [
        (700, SHOULDERS | {"left_hip": (438, 650, 0.8), "right_hip": (322, 656, 0.4)}),
        (700, SHOULDERS | {"left_hip": (438, 720, 0.8), "right_hip": (322, 720, 0.8)}),
        (1000, SHOULDERS | {"left_hip": (438, 980, 0.8), "right_hip": (322, 980, 0.8)}),
        (1100, SHOULDERS | {"left_hip": (438, 900, 0.8), "right_hip": (322, 900, 0.8)}),
        (700, {"left_shoulder": (600, 310, 0.9), "right_shoulder": (410, 310, 0.9), "left_hip": (560, 650, 0.8),
               "right_hip": (450, 650, 0.8)}),
    ],
    ids=["unsure", "lower", "at the edge, where it puts what is cut off", "outside for BlazePose", "somebody else"],
)  # fmt: skip
def test_else_they_stay(hip_y, found):
    joints, landmarks = person(hip_y)
    assert with_hips(joints, landmarks, np.zeros((HEIGHT, WIDTH, 3), np.uint8), Looked(**found)) is joints


def test_a_file_that_is_no_model_is_told_with_what_to_do(tmp_path):
    path = tmp_path / "movenet_thunder.onnx"
    path.write_bytes(b"<html>not found</html>")
    with pytest.raises(WeightsMissing, match="cannot be read.*`make models`"):
        Thunder(str(path))


@needs_model
def test_the_converted_network_gives_what_tensorflow_js_gave():
    golden = np.load(ROOT / "tests" / "specs" / "movenet" / "golden_1.npz")
    joints = decode(Thunder(MODEL).look(golden["in_rgb"]))
    assert np.allclose(joints[:, [1, 0, 2]] / (CELLS, CELLS, 1), golden["out_joints"], atol=1e-3)
