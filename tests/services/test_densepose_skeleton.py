"""DensePose parts from a skeleton: ids and sides on a drawn person, agreement with a real DensePose image."""

import copy
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from stagekit.errors import IncompletePose, NoPerson
from stagekit.formats import BODY_25, DENSEPOSE_PALETTE, HEIGHT, WIDTH, pose_document

pytest.importorskip("mediapipe", reason="mediapipe is not installed")

from services.densepose.engines.skeleton.engine import Engine
from services.densepose.engines.skeleton.parts import PartPainter

SAMPLES = Path(os.environ.get("HOWSFIT_SAMPLES", Path(__file__).resolve().parents[3] / "shared" / "samples"))
needs_samples = pytest.mark.skipif(
    not SAMPLES.is_dir(), reason="no sample photographs: set HOWSFIT_SAMPLES to their folder"
)

STANDING = {
    "nose": (384, 150), "left_eye": (400, 130), "right_eye": (368, 130), "left_ear": (420, 140), "right_ear": (348, 140),
    "neck": (384, 290), "left_shoulder": (484, 290), "right_shoulder": (284, 290), "left_elbow": (540, 440),
    "right_elbow": (228, 440), "left_wrist": (560, 580), "right_wrist": (208, 580), "mid_hip": (384, 580),
    "left_hip": (444, 580), "right_hip": (324, 580), "left_knee": (444, 760), "right_knee": (324, 760),
    "left_ankle": (444, 920), "right_ankle": (324, 920), "left_big_toe": (460, 960), "right_big_toe": (308, 960),
}  # fmt: skip
# What BlazePose finds in sample 00006_00, to the pixel.
SAMPLE_00006 = {
    "nose": (379, 175), "neck": (374, 350), "right_shoulder": (238, 327), "right_elbow": (172, 611), "right_wrist": (198, 863),
    "left_shoulder": (510, 372), "left_elbow": (503, 622), "left_wrist": (532, 866), "mid_hip": (354, 733),
    "right_hip": (273, 732), "left_hip": (434, 734), "right_eye": (341, 151), "left_eye": (412, 141), "right_ear": (317, 169),
    "left_ear": (438, 157),
}  # fmt: skip


def joints(places):
    points = np.zeros((25, 3))
    for name, place in places.items():
        points[BODY_25[name]] = *place, 1
    return points


def without(places, *names):
    return {name: place for name, place in places.items() if name not in names}


def painted(places):
    """Parts of somebody whose silhouette is the whole picture."""
    return PartPainter(joints(places), np.ones((HEIGHT, WIDTH), np.uint8)).paint()


def decode(image):
    """Nearest part ids of every second pixel."""
    palette = np.array(DENSEPOSE_PALETTE, np.int32)
    return ((image[::2, ::2, None].astype(np.int32) - palette) ** 2).sum(-1).argmin(-1)


@pytest.fixture(scope="module")
def engine():
    engine = Engine()
    engine.load()
    return engine


def test_every_visible_part_is_painted_where_its_joints_are():
    parts = painted(STANDING)
    assert set(np.unique(parts)) == {0, 2, 3, 4, 5, 6, 9, 10, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24}
    spots = {(384, 420): {2}, (200, 620): {3}, (566, 620): {4}, (318, 700): {9}, (450, 700): {10}, (324, 850): {13},
             (444, 850): {14}, (256, 365): {16, 18}, (512, 365): {15, 17}, (219, 510): {20, 22}, (550, 510): {19, 21},
             (350, 140): {23}, (418, 140): {24}, (308, 960): {6}, (460, 960): {5}}  # fmt: skip
    assert all(parts[y, x] in ids for (x, y), ids in spots.items())


def test_an_arm_in_front_of_the_body_covers_the_trunk():
    parts = painted({**STANDING, "left_elbow": (470, 440), "left_wrist": (360, 420)})
    assert parts[430, 410] in (19, 21) and parts[420, 330] == 4


def test_a_back_shows_the_ids_of_the_back():
    places = without(STANDING, "nose", "left_eye", "right_eye")
    mirrored = {name: (WIDTH - x, y) for name, (x, y) in places.items()}
    assert {1, 7, 8, 11, 12} <= set(np.unique(painted(mirrored))) and not np.isin([2, 9, 10], painted(mirrored)).any()


def test_missing_joints_leave_out_their_parts_only():
    parts = painted(without(STANDING, "left_wrist", "left_knee", "left_ankle", "mid_hip"))
    assert not np.isin([4, 14, 19, 21], parts).any() and np.isin([3, 10, 13, 15], parts).all()
    hipless = painted({name: place for name, place in STANDING.items() if "shoulder" in name})
    assert hipless[400, 384] == 2 and np.isin([23, 24], hipless).all()


def test_parts_stay_inside_of_the_silhouette():
    silhouette = np.zeros((HEIGHT, WIDTH), np.uint8)
    silhouette[:, 300:400] = 1
    assert not PartPainter(joints(STANDING), silhouette).paint()[silhouette == 0].any()


def test_refusals_say_what_to_do(engine):
    person = np.full((HEIGHT, WIDTH, 3), 200, np.uint8)
    with pytest.raises(NoPerson, match="photo"):
        engine.run({"person": person, "pose": pose_document(np.zeros((0, 25, 3)))}, print)
    with pytest.raises(IncompletePose, match="shoulders"):
        pose = pose_document(joints(without(STANDING, "left_shoulder"))[None])
        engine.run({"person": person, "pose": pose}, print)


@needs_samples
def test_agrees_with_a_densepose_image(engine):
    person = np.array(Image.open(SAMPLES / "image" / "00006_00.jpg").convert("RGB"))
    inputs = {"person": person, "pose": pose_document(joints(SAMPLE_00006)[None])}
    before = copy.deepcopy(inputs)
    image = engine.run(inputs, print)["densepose"]
    assert image.shape == (HEIGHT, WIDTH, 3) and image.dtype == np.uint8
    assert np.array_equal(inputs["person"], before["person"]) and inputs["pose"] == before["pose"]
    assert np.array_equal(image, engine.run(inputs, print)["densepose"])
    ours, theirs = (
        decode(image),
        decode(np.array(Image.open(SAMPLES / "image-densepose" / "00006_00.jpg").convert("RGB"))),
    )
    assert np.array_equal(np.array(DENSEPOSE_PALETTE, np.uint8)[ours], image[::2, ::2])
    least = {"person": (range(1, 25), 0.9), "torso": ((1, 2), 0.83), "thighs": ((9, 10), 0.7), "head": ((23, 24), 0.8),
             "upper arms": ((15, 16, 17, 18), 0.67), "forearms": ((19, 20, 21, 22), 0.5)}  # fmt: skip
    for name, (ids, bound) in least.items():
        a, b = np.isin(ours, list(ids)), np.isin(theirs, list(ids))
        assert (a & b).sum() / (a | b).sum() >= bound, name
    assert (ours == theirs).mean() >= 0.9
