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
needs_samples = pytest.mark.skipif(
    not SAMPLES.is_dir(), reason="no sample photographs: set HOWSFIT_SAMPLES to their folder"
)
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


BODY = {"nose": (0, 0.72, 0.13), "left_shoulder": (0.18, 0.5, 0), "right_shoulder": (-0.18, 0.5, 0),
        "left_elbow": (0.23, 0.19, 0), "right_elbow": (-0.23, 0.19, 0), "left_wrist": (0.24, -0.05, 0.05),
        "right_wrist": (-0.24, -0.05, 0.05), "left_hip": (0.1, 0, 0), "right_hip": (-0.1, 0, 0),
        "left_knee": (0.1, -0.42, 0), "right_knee": (-0.1, -0.42, 0)}  # fmt: skip
"""Somebody in space: metres to the side, up and towards the camera, from the middle of the hips."""


def seen(degrees=0.0, build=(1, 1, 1), camera=(0.3, 2.8), **places):
    """That body, turned about its axis and seen by a camera at a height over the hips and a distance.

    build: factors of shoulders, trunk and head; places: joints elsewhere.
    """
    shoulders, trunk, head = build
    points = {name: np.array(place, float) for name, place in {**BODY, **places}.items()}
    for name, point in points.items():
        if not name.endswith(("hip", "knee", "ankle")):
            point[1] += 0.5 * (trunk - 1) + (0.22 * (head - 1) if name == "nose" else 0)
        if name.endswith(("shoulder", "elbow", "wrist")):
            point[0] *= shoulders
    angle = np.radians(degrees)
    found = {}
    for name, (x, y, z) in points.items():
        x, z = x * np.cos(angle) + z * np.sin(angle), z * np.cos(angle) - x * np.sin(angle)
        scale = 600 * camera[1] / (camera[1] - z)
        found[name] = (WIDTH / 2 + scale * x, 600 - scale * (y - camera[0]) - 600 * camera[0])
    return found


BUILDS = [(1, 1, 1), (1.07, 0.97, 1), (0.93, 1.03, 1), (1, 1, 1.2), (0.97, 0.95, 1.1)]
SEATED = {"left_knee": (0.12, -0.05, 0.42), "right_knee": (-0.12, -0.05, 0.42)}
ON_A_STOOL = {"left_knee": (0.15, -0.2, 0.37), "right_knee": (-0.15, -0.2, 0.37)}
SIDEWAYS = {"left_knee": (0.45, -0.08, 0.2), "right_knee": (0.25, -0.08, 0.3)}


@pytest.mark.parametrize("build", BUILDS)
@pytest.mark.parametrize("way", [1, -1])
def test_who_turns_aside_is_doubted_and_who_faces_the_camera_is_not(build, way):
    for degrees in (0, 10, 20, 25):
        assert said(pose_document(joints_of(seen(way * degrees, build))[None])) == [], degrees
    for degrees in (45, 55, 70, 90):
        ((code, detail),) = said(pose_document(joints_of(seen(way * degrees, build))[None]))
        assert code == "doubtful-pose" and ("turns aside" in detail or "side view" in detail), degrees


def test_a_turn_is_seen_without_head_or_arms_too():
    for missing in (["nose"], ["left_elbow", "left_wrist"]):
        for degrees, doubted in ((10, False), (50, True)):
            found = {name: place for name, place in seen(degrees).items() if name not in missing}
            assert bool(said(pose_document(joints_of(found)[None]))) == doubted, (missing, degrees)


@pytest.mark.parametrize("camera", [(0.3, 2.8), (0.6, 2.2), (0.0, 4.0)])
@pytest.mark.parametrize("knees", [SEATED, ON_A_STOOL, SIDEWAYS], ids=["seated", "on a stool", "sideways"])
def test_who_sits_is_doubted(knees, camera):
    if knees is ON_A_STOOL:  # from above and near, thighs that slope look as long as those of somebody who stands
        camera = (min(camera[0], 0.3), 2.8)
    ((code, detail),) = said(pose_document(joints_of(seen(camera=camera, **knees))[None]))
    assert code == "doubtful-pose" and "as of somebody seated" in detail


def test_who_stands_on_one_leg_or_steps_is_not_seated_nor_are_knees_that_were_guessed():
    for knees in (
        {"left_knee": SEATED["left_knee"]},
        {"left_knee": (0.1, -0.38, 0.2), "right_knee": (-0.1, -0.4, -0.15)},
    ):
        assert said(pose_document(joints_of(seen(**knees))[None])) == []
    guessed = joints_of(seen(**SEATED))
    guessed[[BODY_25["left_knee"], BODY_25["right_knee"]], 2] = 0.2
    assert said(pose_document(guessed[None])) == []


def said(pose):
    found = []
    STAGE.check({}, {"pose": pose}, lambda code, detail: found.append((code, detail)))
    return found


@pytest.mark.parametrize(
    "joints",
    [joints_of(STANDING), joints_of(STANDING, 0.5), turned(15), turned(-15), moved([[0.85, 0], [0, 1]]),
     changed(right_elbow=None, right_wrist=None), changed(left_wrist=(400, 470), right_wrist=(370, 470)),
     changed(left_elbow=(640, 300), left_wrist=(760, 180)), changed(nose=None)],
    ids=["standing", "half sure", "leaning left", "leaning right", "slightly turned", "one arm behind the back",
         "hands in front", "one arm raised", "head cut off"],
)  # fmt: skip
def test_good_poses_pass(joints):
    assert said(pose_document(joints[None])) == []


@pytest.mark.parametrize(
    "joints, reason",
    [
        (moved([[0.3, 0], [0, 1]]), "shoulders are 0.21 torso lengths apart (below 0.42), as in a side view"),
        (
            moved([[0.7, 0], [0, 1]]),
            "shoulders are 0.74 times as wide as trunk and head and upper arm lead to expect (below 0.77)",
        ),
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
