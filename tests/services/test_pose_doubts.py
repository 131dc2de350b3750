"""What the keypoints tell: good poses pass, whoever found them; others are named with what was measured."""

import json
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFilter

from services.pose.stage import STAGE
from stagekit.formats import BODY_25, HEIGHT, WIDTH, pose_document

ROOT = Path(__file__).resolve().parents[2]
SAMPLES = Path(os.environ.get("HOWSFIT_SAMPLES", ROOT / ".." / "shared" / "samples"))
needs_samples = pytest.mark.skipif(not SAMPLES.is_dir(), reason=f"no sample photographs in {SAMPLES}")
STANDING = {"nose": (384, 160), "neck": (384, 300), "mid_hip": (384, 620),
            "left_shoulder": (494, 300), "left_elbow": (530, 480), "left_wrist": (545, 640), "left_hip": (450, 620),
            "right_shoulder": (274, 300), "right_elbow": (238, 480), "right_wrist": (223, 640),
            "right_hip": (318, 620)}  # fmt: skip


def joints_of(places, confidence=0.7):
    joints = np.zeros((25, 3))
    for name, place in places.items():
        joints[BODY_25[name]] = *place, confidence
    return joints


def changed(**places):
    """The standing person with some joints elsewhere; None: not found."""
    places = {name: place for name, place in {**STANDING, **places}.items() if place is not None}
    return joints_of(places)


def moved(matrix):
    """The standing person, turned or squeezed by a 2 x 2 matrix around the middle of the picture."""
    middle = np.array([WIDTH / 2, HEIGHT / 2])
    return joints_of({name: middle + np.array(matrix) @ (place - middle) for name, place in STANDING.items()})


def turned(degrees):
    angle = np.radians(degrees)
    return moved([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])


def said(pose):
    found = []
    STAGE.check({}, {"pose": pose}, lambda code, detail: found.append((code, detail)))
    return found


@pytest.mark.parametrize(
    "joints",
    [joints_of(STANDING), joints_of(STANDING, 0.5), turned(15), turned(-15), moved([[0.7, 0], [0, 1]]),
     changed(right_elbow=None, right_wrist=None), changed(left_wrist=(400, 470), right_wrist=(370, 470)),
     changed(left_elbow=(640, 300), left_wrist=(760, 180)), changed(nose=None)],
    ids=["standing", "half sure", "leaning left", "leaning right", "half turned", "one arm behind the back", "hands in front",
         "one arm raised", "head cut off"],
)  # fmt: skip
def test_good_poses_pass(joints):
    assert said(pose_document(joints[None])) == []


@pytest.mark.parametrize(
    "joints, reason",
    [
        (moved([[0.3, 0], [0, 1]]), "shoulders are 0.21 torso lengths apart (below 0.42), as in a side view"),
        (moved([[1, 0], [0, 0.5]]), "shoulders are 1.38 torso lengths apart (above 1.10)"),
        (turned(90), "leans 90 degrees from upright (more than 35)"),
        (turned(180), "leans 180 degrees"),
        (moved([[1, 0], [0.9, 1]]), "miss a right angle by 42 degrees"),
        (changed(left_wrist=(760, 1000)), "left forearm is 1.78 torso lengths long"),
        (changed(left_wrist=None, right_wrist=None), "not found: left wrist, right wrist"),
        (changed(left_hip=None), "not found: left hip"),
        (joints_of(STANDING, 0.2), "mean confidence of shoulders, elbows, wrists and hips is 0.20"),
    ],
)
def test_doubts_say_their_measure(joints, reason):
    ((code, detail),) = said(pose_document(joints[None]))
    assert code == "doubtful-pose" and reason in detail


def test_only_the_person_that_is_dressed_counts():
    assert said(pose_document(np.stack([joints_of(STANDING), turned(90)]))) == []
    assert said(pose_document(np.zeros((0, 25, 3)))) == []


def test_joints_on_one_point_are_doubtful_and_no_error():
    ((_, detail),) = said(pose_document(joints_of(dict.fromkeys(STANDING, (300, 300)))[None]))
    assert "side view" in detail


@needs_samples
def test_openpose_on_the_samples_passes():
    for name in ("00891_00", "03615_00", "07573_00", "10549_00"):
        pose = json.loads((SAMPLES / "openpose_json" / f"{name}_keypoints.json").read_text())
        assert said(pose) == [], name


@needs_samples
@pytest.mark.slow
def test_photos_that_blazepose_gets_right_pass_and_spoilt_ones_do_not():
    from services.pose.engines.blazepose.engine import Engine

    engine = Engine()
    engine.load()

    def found_in(picture):
        picture = picture.resize((WIDTH, HEIGHT))
        return said(engine.run({"person": np.array(picture)}, lambda code, detail: None)["pose"])

    for path in [*sorted((SAMPLES / "image").glob("*.jpg")), *sorted((SAMPLES / "wild").iterdir())]:
        photo = Image.open(path).convert("RGB")
        assert found_in(photo) == [], path.name
        assert found_in(photo.transpose(Image.Transpose.FLIP_LEFT_RIGHT)) == [], path.name
        assert found_in(photo.transpose(Image.Transpose.ROTATE_180)), path.name
    photo = Image.open(SAMPLES / "image" / "10549_00.jpg").convert("RGB")
    assert found_in(photo.filter(ImageFilter.GaussianBlur(20)))
