"""The PoseNet engine: people drawn as its maps are read from them, the network is converted exactly, photographs are found."""

import json
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("cv2", reason="opencv is not installed")

from services.pose.engines.posenet.decode import EDGES, STRIDE, Maps, decode
from services.pose.engines.posenet.engine import Engine, in_picture
from services.pose.engines.posenet.network import SIZE, Network
from services.pose.layouts import BODY_25, COCO_17
from stagekit.errors import NoPerson, WeightsMissing
from stagekit.formats import HEIGHT, WIDTH, keypoints
from stagekit.weights import weights_folder

ROOT = Path(__file__).resolve().parents[2]
SAMPLES = Path(os.environ.get("HOWSFIT_SAMPLES", ROOT / ".." / "shared" / "samples"))
needs_samples = pytest.mark.skipif(
    not SAMPLES.is_dir(), reason="no sample photographs: set HOWSFIT_SAMPLES to their folder"
)
MODEL = Path(weights_folder("posenet")) / "posenet.onnx"
needs_model = pytest.mark.skipif(not MODEL.is_file(), reason=f"no {MODEL}; `howsfit export posenet` writes it")

# Somebody upright, the middle of the shoulders at 0, 0 and the torso one unit long.
UPRIGHT = {
    "nose": (0, -0.4), "left_eye": (0.1, -0.48), "right_eye": (-0.1, -0.48), "left_ear": (0.2, -0.42),
    "right_ear": (-0.2, -0.42), "left_shoulder": (0.35, 0), "right_shoulder": (-0.35, 0), "left_elbow": (0.5, 0.5),
    "right_elbow": (-0.5, 0.5), "left_wrist": (0.55, 0.95), "right_wrist": (-0.55, 0.95), "left_hip": (0.22, 1),
    "right_hip": (-0.22, 1), "left_knee": (0.25, 1.75), "right_knee": (-0.25, 1.75), "left_ankle": (0.25, 2.5),
    "right_ankle": (-0.25, 2.5),
}  # fmt: skip
assert set(UPRIGHT) == set(COCO_17)


def somebody(middle, torso, hidden=()):
    """(17, 3) in pixels; a hidden joint has a place, but no confidence."""
    return np.array(
        [(*(np.array(middle) + torso * np.array(UPRIGHT[name])), float(name not in hidden)) for name in COCO_17]
    )


def drawn(people, height=30, width=40):
    """The maps that a perfect network would give: around each joint, discs of confidence and vectors to it and from it on."""
    rows, columns = np.mgrid[:height, :width] * float(STRIDE)
    heat = np.full((17, height, width), 0.01)
    offsets, forward, backward = (np.zeros((count, height, width)) for count in (34, 32, 32))
    nearest = np.full((17, height, width), np.inf)
    for person in people:
        for joint, (x, y, seen) in enumerate(person):
            away = np.hypot(columns - x, rows - y)
            closer = away < np.minimum(nearest[joint], 2.5 * STRIDE)
            nearest[joint][closer] = away[closer]
            heat[joint][closer] = np.where(away[closer] < 1.5 * STRIDE, 0.95 - away[closer] / 100, 0.05) * seen
            offsets[joint][closer], offsets[joint + 17][closer] = (y - rows)[closer], (x - columns)[closer]
            for edge, ends in enumerate(EDGES):
                start, end = (COCO_17.index(name) for name in ends)
                if joint in (start, end):
                    field, other = (forward, end) if joint == start else (backward, start)
                    field[edge][closer] = person[other, 1] - rows[closer]
                    field[edge + 16][closer] = person[other, 0] - columns[closer]
    return Maps(heat, offsets, forward, backward)


@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_people_drawn_as_maps_are_found_between_the_cells(count):
    people = [somebody((80 + 140 * number, 83 + 7 * number), 100 + 9 * number) for number in range(count)]
    found = decode(drawn(people))
    assert found.shape == (count, 17, 3)
    for person, expected in zip(found, people[::-1], strict=True):
        assert np.allclose(person[:, :2], expected[:, :2], atol=0.01) and person[:, 2].min() > 0.8


def test_joints_that_the_network_is_not_sure_of_are_zero_and_lead_on_all_the_same():
    hidden = ("nose", "left_elbow", "right_hip", "left_ankle")
    (found,) = decode(drawn([somebody((300, 90), 110, hidden)]))
    for name, joint in zip(COCO_17, found, strict=True):
        assert (joint == 0).all() if name in hidden else joint[2] > 0.8, name


def test_nobody_fragments_and_noise():
    nothing = Maps(*(np.zeros((count, 21, 16)) for count in (17, 34, 32, 32)))
    assert decode(nothing).shape == (0, 17, 3)
    lone = [name for name in COCO_17 if name not in ("left_wrist", "left_elbow")]
    assert len(decode(drawn([somebody((300, 90), 110, lone)]))) == 0, "two joints of 17 are nobody"
    random = np.random.default_rng(0)
    noise = Maps(random.random((17, 21, 16)), *(40 * random.standard_normal((count, 21, 16)) for count in (34, 32, 32)))
    found = decode(noise)
    assert len(found) <= 32 and np.isfinite(found).all()


def test_a_joint_is_used_by_the_surest_person_only():
    maps = drawn([somebody((300, 90), 110)])
    maps.heat[:, ::2, ::2] *= 0.99  # more than one peak of each joint
    assert len(decode(maps)) == 1


def test_places_keep_their_share_of_the_picture():
    people = np.array([[(120.0, 160.0, 0.9), (0.0, 0.0, 0.0), (-3.0, 20.0, 0.8), (240.0, 320.0, 0.7)]])
    placed = in_picture(people, (HEIGHT, WIDTH))[0]
    assert placed[0].tolist() == pytest.approx([(WIDTH - 1) / 2, (HEIGHT - 1) / 2, 0.9])
    assert not placed[1].any() and not placed[2].any(), "undetected, and outside of the picture"
    assert WIDTH - 5 < placed[3, 0] < WIDTH and HEIGHT - 5 < placed[3, 1] < HEIGHT


def test_missing_and_foreign_models_are_told_with_the_command_that_helps(tmp_path, monkeypatch):
    monkeypatch.setenv("HOWSFIT_WEIGHTS_DIR", str(tmp_path))
    path = tmp_path / "posenet" / "posenet.onnx"
    with pytest.raises(WeightsMissing, match="there is no such file. `howsfit export posenet --weights ") as told:
        Engine().load()
    assert str(path) in told.value.detail and "MIT" in told.value.detail
    path.parent.mkdir()
    path.write_bytes(b"<html>not found</html>")
    with pytest.raises(WeightsMissing, match="cannot be read"):
        Engine().load()


@needs_model
def test_the_converted_network_gives_what_tensorflow_js_gave():
    golden = np.load(ROOT / "tests" / "specs" / "posenet" / "golden_1.npz")
    maps = Network(str(MODEL)).look(golden["in_rgb"])
    assert golden["in_rgb"].shape[:2] == SIZE
    assert np.allclose(maps.heat, 1 / (1 + np.exp(-golden["out_heat"])), atol=1e-4)
    for made, name in zip(maps[1:], ("offsets", "forward", "backward"), strict=True):
        assert np.allclose(made, golden["out_" + name], atol=0.01), "pixels"


@needs_model
@needs_samples
def test_from_picture_to_pose():
    engine = Engine()
    engine.load()
    assert engine.weights()[0]["file"] == "posenet.onnx" and engine.weights()[0]["licence"] == "MIT"
    near, known = 0, 0
    for name in ("00891_00", "03615_00", "07573_00", "10549_00"):
        picture = np.array(Image.open(SAMPLES / f"image/{name}.jpg").convert("RGB"))
        outputs = engine.run({"person": picture}, lambda code, message: pytest.fail(code))
        people = keypoints(outputs["pose"])
        assert people.shape == (1, 25, 3) and outputs["pose_image"].shape == (HEIGHT, WIDTH, 3)
        found = people[0]
        assert not found[19:].any(), "feet"
        hips = found[[BODY_25.index("right_hip"), BODY_25.index("left_hip")]]
        assert np.allclose(found[BODY_25.index("mid_hip"), :2], hips[:, :2].mean(axis=0), atol=0.01)
        document = json.loads((SAMPLES / f"openpose_json/{name}_keypoints.json").read_text())
        truth = keypoints(document)[0]
        far = np.linalg.norm((found - truth)[:, :2], axis=1) / np.linalg.norm((truth[2] - truth[5])[:2])
        near += ((far < 0.2) & (found[:, 2] > 0) & (truth[:, 2] > 0)).sum()
        known += (truth[:, 2] > 0).sum()
    assert near / known > 0.85, "PCK at 0.2 shoulder widths"
    with pytest.raises(NoPerson, match="Use a photo"):
        engine.run({"person": np.full((HEIGHT, WIDTH, 3), 128, dtype=np.uint8)}, lambda code, message: None)
