"""The agnostic engine against the published files, and what it does with poses that the published code breaks on."""

import json
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from services.agnostic.engines.viton_hd.engine import Engine
from stagekit.errors import IncompletePose
from stagekit.formats import BODY_25, CIHP, HEIGHT, WIDTH, pose_document

SAMPLES = Path(os.environ.get("HOWSFIT_SAMPLES", Path(__file__).resolve().parents[2] / ".." / "shared" / "samples"))
needs_samples = pytest.mark.skipif(not SAMPLES.is_dir(), reason=f"no sample photographs at {SAMPLES}")

FRONTAL = {
    "neck": (384, 300), "right_shoulder": (254, 300), "right_elbow": (200, 500), "right_wrist": (190, 690),
    "left_shoulder": (514, 300), "left_elbow": (568, 500), "left_wrist": (578, 690), "right_hip": (304, 720),
    "left_hip": (464, 720),
}  # fmt: skip


def pose(**changes):
    """A frontal pose document; changes: joint name -> (x, y), (0, 0) to leave it undetected."""
    joints = np.zeros((25, 3))
    for name, (x, y) in {**FRONTAL, **changes}.items():
        joints[BODY_25[name]] = (x, y, 0.9) if (x, y) != (0, 0) else 0
    return pose_document(joints[None])


def run(person=None, parse=None, document=None):
    person = np.full((HEIGHT, WIDTH, 3), 200, dtype=np.uint8) if person is None else person
    parse = np.zeros((HEIGHT, WIDTH), dtype=np.uint8) if parse is None else parse
    warnings = []
    inputs = {"person": person, "parse": parse, "pose": pose() if document is None else document}
    engine = Engine()
    engine.load()
    return engine.run(inputs, lambda code, message: warnings.append(code)), warnings


@needs_samples
@pytest.mark.parametrize("name", ["00891_00", "03615_00", "07573_00", "10549_00"])
def test_equals_published_files_pixel_by_pixel(name):
    person = np.array(Image.open(SAMPLES / f"image/{name}.jpg").convert("RGB"))
    parse = np.array(Image.open(SAMPLES / f"image-parse-v3/{name}.png"))
    document = json.loads((SAMPLES / f"openpose_json/{name}_keypoints.json").read_text())
    before = person.copy(), parse.copy(), json.dumps(document)

    outputs, _ = run(person, parse, document)

    published = np.array(Image.open(SAMPLES / f"agnostic-v3.2/{name}.png").convert("RGB"))
    assert np.array_equal(outputs["agnostic"], published)
    assert np.array_equal(
        outputs["parse_agnostic"], np.array(Image.open(SAMPLES / f"image-parse-agnostic-v3.2/{name}.png"))
    )
    assert np.array_equal(person, before[0]) and np.array_equal(parse, before[1]) and json.dumps(document) == before[2]


def test_hides_torso_and_arms_and_keeps_hands_head_and_trousers():
    parse = np.zeros((HEIGHT, WIDTH), dtype=np.uint8)
    parse[100:260, 320:448] = CIHP["face"]
    parse[300:700, 254:514] = CIHP["upper_clothes"]
    parse[480:780, 150:240] = CIHP["right_arm"]
    parse[650:1024, 250:518] = CIHP["pants"]
    outputs, warnings = run(parse=parse)
    agnostic, parse_agnostic = outputs["agnostic"], outputs["parse_agnostic"]
    assert (agnostic[400, 384] == 128).all(), "torso"
    assert (agnostic[550, 195] == 128).all(), "forearm"
    assert (agnostic[200, 384] == 200).all(), "face"
    assert (agnostic[775, 190] == 200).all(), "hand"
    assert (agnostic[760, 384] == 200).all(), "trousers"
    assert not np.isin(parse_agnostic, [CIHP["upper_clothes"]]).any()
    assert parse_agnostic[550, 195] == 0 and parse_agnostic[775, 190] == CIHP["right_arm"]
    assert parse_agnostic[200, 384] == CIHP["face"] and parse_agnostic[900, 384] == CIHP["pants"]
    assert warnings == []


@pytest.mark.parametrize("joint", ["neck", "right_shoulder", "left_shoulder", "right_hip", "left_hip"])
def test_names_the_joint_that_is_missing(joint):
    with pytest.raises(IncompletePose) as error:
        run(document=pose(**{joint: (0, 0)}))
    assert joint.replace("_", " ") in error.value.detail and "Use a photo" in error.value.detail


def test_refuses_nobody_and_joints_on_one_point():
    with pytest.raises(IncompletePose, match="nobody"):
        run(document=pose_document(np.zeros((0, 25, 3))))
    with pytest.raises(IncompletePose, match="hip"):
        run(document=pose(left_hip=FRONTAL["right_hip"]))
    with pytest.raises(IncompletePose, match="shoulder"):
        run(document=pose(left_shoulder=FRONTAL["right_shoulder"]))


def test_missing_arm_is_left_out_and_warned_about():
    with_arm, _ = run()
    without_arm, warnings = run(document=pose(right_elbow=(0, 0)))
    assert warnings == ["arm-not-hidden"]
    assert (with_arm["agnostic"][600, 195] == 128).all() and (without_arm["agnostic"][600, 195] == 200).all()


def test_missing_wrist_hides_the_upper_arm_only():
    outputs, warnings = run(document=pose(right_wrist=(0, 0)))
    assert warnings == []
    assert (outputs["agnostic"][480, 205] == 128).all() and (outputs["agnostic"][680, 190] == 200).all()


def test_joints_outside_of_the_picture_are_fine():
    outside = pose(right_hip=(304, 1400), left_hip=(464, 1410), left_wrist=(-5000, 690), right_elbow=(-40, 20000))
    outputs, _ = run(document=outside)
    assert (outputs["agnostic"][1023, 384] == 128).all()
    assert outputs["agnostic"].shape == (HEIGHT, WIDTH, 3) and outputs["agnostic"].dtype == np.uint8
