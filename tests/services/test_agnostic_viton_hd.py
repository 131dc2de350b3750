"""The agnostic engine against the published files, and what it does with poses that the published code breaks on."""

import json
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from services.agnostic.engines.viton_hd.engine import Engine, rescued
from services.agnostic.joints import joints_of_first_person
from services.agnostic.rescue import rescue
from stagekit.errors import IncompletePose
from stagekit.formats import BODY_25, BODY_25_JOINTS, CIHP, HEIGHT, WIDTH, pose_document

SAMPLES = Path(os.environ.get("HOWSFIT_SAMPLES", Path(__file__).resolve().parents[2] / ".." / "shared" / "samples"))
needs_samples = pytest.mark.skipif(
    not SAMPLES.is_dir(), reason="no sample photographs: set HOWSFIT_SAMPLES to their folder"
)

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
    gray, changed = (published == 128).all(axis=2), (published != person).any(axis=2)
    assert (outputs["agnostic_mask"][changed] == 255).all() and (outputs["agnostic_mask"][~gray] == 0).all()
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


def test_the_mask_is_what_was_painted_whatever_colour_was_there():
    """A person in gray before gray: the picture alone does not show what is hidden."""
    parse = np.zeros((HEIGHT, WIDTH), dtype=np.uint8)
    parse[300:700, 254:514] = CIHP["upper_clothes"]
    gray, _ = run(person=np.full((HEIGHT, WIDTH, 3), 128, dtype=np.uint8), parse=parse)
    light, _ = run(parse=parse)
    assert np.array_equal(gray["agnostic_mask"], np.where((light["agnostic"] == 128).all(axis=2), 255, 0))
    assert 0.1 < (gray["agnostic_mask"] == 255).mean() < 0.6 and gray["agnostic_mask"].dtype == np.uint8


GONE = (0, 0)


@pytest.mark.parametrize("changes, guessed", [
    ({}, {}),
    ({"neck": GONE}, {"neck": (384, 300)}),
    ({"right_shoulder": GONE}, {"right_shoulder": (254, 300)}),
    ({"left_shoulder": GONE}, {"left_shoulder": (514, 300)}),
    ({"left_hip": GONE}, {"left_hip": (473, 720)}),
    ({"left_hip": GONE, "mid_hip": (374, 725)}, {"left_hip": (444, 730)}),
    ({"right_hip": GONE, "left_shoulder": GONE}, {"right_hip": (295, 720), "left_shoulder": (514, 300)}),
    ({"right_hip": GONE, "left_hip": GONE, "mid_hip": (380, 700)}, {"right_hip": (295.5, 700), "left_hip": (464.5, 700)}),
    ({"right_hip": GONE, "left_hip": GONE}, {"right_hip": (299.5, 690), "left_hip": (468.5, 690)}),
    ({"right_hip": (390, 700), "left_hip": (390, 700)}, {"right_hip": (305.5, 700), "left_hip": (474.5, 700)}),
    ({"left_hip": GONE, "mid_hip": FRONTAL["right_hip"]}, {"right_hip": (219.5, 720), "left_hip": (388.5, 720)}),
    ({"left_elbow": GONE}, {"left_elbow": (546, 495)}),
    ({"left_elbow": GONE, "left_wrist": GONE}, {}),
], ids=lambda given: " ".join(given) or "nothing")  # fmt: skip
def test_each_rule_for_missing_joints(changes, guessed):
    joints = joints_of_first_person(pose(**changes))
    before = list(joints)
    found = rescue(joints)
    assert joints == before
    changed = {BODY_25_JOINTS[joint]: found[joint] for joint in range(25) if found[joint] != joints[joint]}
    assert changed == {name: pytest.approx(place) for name, place in guessed.items()}


def test_the_torso_is_guessed_at_right_angles_to_the_shoulders_and_downwards_from_behind():
    slanted = {"right_shoulder": (260, 250), "left_shoulder": (460, 350), "neck": (360, 300)}
    leaning = rescue(joints_of_first_person(pose(**slanted, right_hip=GONE, left_hip=GONE)))
    assert (np.array(leaning[9]) + leaning[12]) / 2 == pytest.approx((360 - 150, 300 + 300))
    one_hip = rescue(joints_of_first_person(pose(**slanted, right_hip=(150, 560), left_hip=GONE)))
    assert one_hip[12] == pytest.approx((150 + 130, 560 + 65)), "along the shoulders"
    swapped = {"right_shoulder": (514, 300), "left_shoulder": (254, 300)}
    behind = rescue(joints_of_first_person(pose(**swapped, right_hip=GONE, left_hip=GONE)))
    assert behind[9] == pytest.approx((468.5, 690)) and behind[12] == pytest.approx((299.5, 690))


@needs_samples
@pytest.mark.parametrize("missing, guessed, least", [
    (["neck"], "neck", 0.99), (["left_shoulder"], "left shoulder", 0.98), (["right_hip", "mid_hip"], "right hip", 0.98),
    (["right_hip", "left_hip"], "right hip, left hip", 0.98), (["left_elbow"], "left elbow", 0.88),
    (["right_hip", "left_hip", "mid_hip"], "right hip, left hip", 0.9),
])  # fmt: skip
def test_without_a_joint_nearly_the_same_is_hidden(missing, guessed, least):
    """Intersection over union of what is hidden, against the published picture."""
    for name in ("00891_00", "03615_00", "07573_00", "10549_00"):
        person = np.array(Image.open(SAMPLES / f"image/{name}.jpg").convert("RGB"))
        parse = np.array(Image.open(SAMPLES / f"image-parse-v3/{name}.png"))
        document = json.loads((SAMPLES / f"openpose_json/{name}_keypoints.json").read_text())
        for joint in missing:
            start = 3 * BODY_25[joint]
            document["people"][0]["pose_keypoints_2d"][start : start + 3] = [0, 0, 0]
        said = []
        inputs = {"person": person, "parse": parse, "pose": document}
        outputs = Engine().run(inputs, lambda code, message, said=said: said.append((code, message)))
        published = np.array(Image.open(SAMPLES / f"agnostic-v3.2/{name}.png").convert("RGB"))
        hidden, expected = ((picture != person).any(axis=2) for picture in (outputs["agnostic"], published))
        assert (hidden & expected).sum() / (hidden | expected).sum() > least, name
        assert [code for code, _ in said][0] == "joints-guessed" and f"the others: {guessed}." in said[0][1]


@pytest.mark.parametrize("missing", [("right_shoulder", "left_shoulder"), ("neck", "left_shoulder"),
                                     ("neck", "right_shoulder", "left_shoulder")])  # fmt: skip
def test_names_the_joints_that_nothing_stands_in_for(missing):
    with pytest.raises(IncompletePose) as error:
        run(document=pose(**dict.fromkeys(missing, GONE)))
    named = ", ".join(joint.replace("_", " ") for joint in missing)
    assert f"not found: {named}." in error.value.detail and "Use a photo" in error.value.detail


def test_refuses_nobody_and_shoulders_on_one_point():
    with pytest.raises(IncompletePose, match="nobody"):
        run(document=pose_document(np.zeros((0, 25, 3))))
    with pytest.raises(IncompletePose, match="shoulder"):
        run(document=pose(left_shoulder=FRONTAL["right_shoulder"]))
    with pytest.raises(IncompletePose, match="shoulder"):
        run(document=pose(left_shoulder=GONE, right_shoulder=FRONTAL["neck"]))


ANYWHERE = st.sampled_from([GONE, (384, 300), (254, 300), (-900, 4000), (0.001, 0.0), (700, 20)])


@given(st.lists(ANYWHERE, min_size=25, max_size=25))
def test_any_pose_is_drawn_or_refused(places):
    joints = np.array([(x, y, float((x, y) != GONE)) for x, y in places])
    try:
        found = rescued(joints_of_first_person(pose_document(joints[None])))
    except IncompletePose as refusal:
        assert "Use a photo" in refusal.detail
    else:
        assert np.isfinite(found).all() and found[2] != found[5] and found[9] != found[12]


def test_missing_arm_is_left_out_and_warned_about():
    with_arm, _ = run()
    without_arm, warnings = run(document=pose(right_elbow=GONE, right_wrist=GONE))
    assert warnings == ["arm-not-hidden"]
    assert (with_arm["agnostic"][600, 195] == 128).all() and (without_arm["agnostic"][600, 195] == 200).all()


def test_missing_wrist_hides_the_upper_arm_only():
    outputs, warnings = run(document=pose(right_wrist=GONE))
    assert warnings == []
    assert (outputs["agnostic"][480, 205] == 128).all() and (outputs["agnostic"][680, 190] == 200).all()


def test_joints_outside_of_the_picture_are_fine():
    outside = pose(right_hip=(304, 1400), left_hip=(464, 1410), left_wrist=(-5000, 690), right_elbow=(-40, 20000))
    outputs, _ = run(document=outside)
    assert (outputs["agnostic"][1023, 384] == 128).all()
    assert outputs["agnostic"].shape == (HEIGHT, WIDTH, 3) and outputs["agnostic"].dtype == np.uint8
