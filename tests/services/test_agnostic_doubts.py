"""What parse and pose tell of each other: good parses pass, whoever made them; others are named with what was measured."""

import json
import os
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from services.agnostic.stage import STAGE
from stagekit.formats import BODY_25, CIHP, HEIGHT, WIDTH, pose_document

ROOT = Path(__file__).resolve().parents[2]
SAMPLES = Path(os.environ.get("HOWSFIT_SAMPLES", ROOT / ".." / "shared" / "samples"))
needs_samples = pytest.mark.skipif(not SAMPLES.is_dir(), reason=f"no sample photographs in {SAMPLES}")
PHOTOS = ("00891_00", "03615_00", "07573_00", "10549_00")  # with BODY_25 poses of their own
STANDING = {"nose": (384, 160), "neck": (384, 300), "mid_hip": (384, 620),
            "left_shoulder": (494, 300), "left_elbow": (530, 480), "left_wrist": (545, 640), "left_hip": (450, 620),
            "right_shoulder": (274, 300), "right_elbow": (238, 480), "right_wrist": (223, 640),
            "right_hip": (318, 620)}  # fmt: skip


def pose(without=()):
    joints = np.zeros((1, 25, 3))
    for name, place in STANDING.items():
        if name not in without:
            joints[0, BODY_25[name]] = *place, 0.8
    return pose_document(joints)


def figure(garment="upper_clothes", trousers_from=600):
    """A parse of the standing person in short sleeves."""
    parse = np.zeros((HEIGHT, WIDTH), np.uint8)
    for side in ("left", "right"):
        points = [STANDING[f"{side}_{joint}"] for joint in ("shoulder", "elbow", "wrist")]
        cv2.polylines(parse, [np.array(points)], False, CIHP[side + "_arm"], 60)
        cv2.line(parse, points[0], points[1], CIHP[garment], 76)
    cv2.rectangle(parse, (264, 270), (504, trousers_from), CIHP[garment], -1)
    cv2.rectangle(parse, (280, trousers_from), (490, 1023), CIHP["pants"], -1)
    cv2.rectangle(parse, (350, 220), (418, 300), CIHP["neck"], -1)
    cv2.ellipse(parse, (384, 160), (60, 80), 0, 0, 360, CIHP["face"], -1)
    return parse


def said(parse, document=None):
    found = []
    inputs = {"parse": parse, "pose": document or pose()}
    STAGE.check(inputs, {}, lambda code, detail: found.append((code, detail)))
    return found


@pytest.mark.parametrize("garment", ["upper_clothes", "dress", "coat"])
def test_good_parses_pass(garment):
    assert said(figure(garment)) == []


def test_high_trousers_a_wide_skirt_and_long_hair_pass():
    assert said(figure(trousers_from=540)) == []
    skirt = figure("dress")
    cv2.fillPoly(skirt, [np.array([(280, 600), (490, 600), (760, 1023), (10, 1023)])], CIHP["dress"])
    assert said(skirt) == []
    hair = figure()
    cv2.rectangle(hair, (280, 100), (330, 420), CIHP["hair"], -1)
    assert said(hair) == []


def test_a_bare_trunk_passes():
    parse = figure()
    parse[parse == CIHP["upper_clothes"]] = CIHP["neck"]
    shoulders = parse.copy()
    for side in ("left", "right"):
        cv2.line(shoulders, STANDING[side + "_shoulder"], STANDING[side + "_elbow"], CIHP[side + "_arm"], 76)
    assert said(shoulders) == []


def test_a_board_that_was_taken_for_garment():
    parse = figure()
    parse[400:700, 20:760] = CIHP["upper_clothes"]
    ((code, detail),) = said(parse)
    assert code == "doubtful-parse" and "lies beside the body (above 7 %)" in detail


def test_a_board_that_was_taken_for_background():
    parse = figure()
    parse[400:, 480:] = 0
    ((code, detail),) = said(parse)
    assert code == "doubtful-parse" and "of the arms lie on background (above 12 %)" in detail


@pytest.mark.parametrize(
    "label, reason",
    [
        ("pants", "only 0 % of the torso are labelled upper garment or skin (below 50 %)"),
        ("hair", "only 0 % of the torso"),
    ],
)
def test_a_torso_without_garment(label, reason):
    parse = figure()
    parse[parse == CIHP["upper_clothes"]] = CIHP[label]
    ((_, detail),) = said(parse)
    assert reason in detail and "are labelled neither arm nor upper garment" in detail


def test_a_face_elsewhere():
    parse = figure()
    parse[parse == CIHP["face"]] = CIHP["left_arm"]
    ((_, detail),) = said(parse)
    assert "the nose lies on what is labelled left arm" in detail


def test_what_needs_a_joint_that_was_not_found_is_not_looked_at():
    for missing in (["nose"], ["left_hip", "right_hip"], ["left_elbow", "left_wrist"], list(STANDING)):
        assert said(figure(), pose(missing)) == [], missing
    assert said(figure(), pose_document(np.zeros((0, 25, 3)))) == []


def test_joints_outside_of_the_picture_are_no_error():
    joints = np.zeros((1, 25, 3))
    for name, (x, y) in STANDING.items():
        joints[0, BODY_25[name]] = x, y + 700, 0.8
    said(figure(), pose_document(joints))


@needs_samples
def test_the_samples_published_parses_pass():
    for name in PHOTOS:
        parse = np.array(Image.open(SAMPLES / "image-parse-v3" / f"{name}.png"))
        document = json.loads((SAMPLES / "openpose_json" / f"{name}_keypoints.json").read_text())
        assert said(parse, document) == [], name


@needs_samples
@pytest.mark.slow
def test_parses_of_the_samples_pass_and_of_covered_people_do_not():
    engines = pytest.importorskip("services.human_parse.engines.posecut.engine", reason="mediapipe is not installed")
    engine = engines.Engine()
    engine.load()
    for name in PHOTOS:
        person = np.array(Image.open(SAMPLES / "image" / f"{name}.jpg").convert("RGB"))
        document = json.loads((SAMPLES / "openpose_json" / f"{name}_keypoints.json").read_text())
        assert said(engine.run({"person": person, "pose": document}, lambda *_: None)["parse"], document) == [], name
        person[380:700, 30:] = (40, 120, 60)
        assert said(engine.run({"person": person, "pose": document}, lambda *_: None)["parse"], document), name
