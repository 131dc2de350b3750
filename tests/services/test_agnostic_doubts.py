"""What parse and pose tell of each other: good parses pass, whoever made them; others are named with what was measured."""

import json
import os
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from services.agnostic.engines.viton_hd.engine import Engine as VitonHd
from services.agnostic.stage import STAGE
from stagekit.formats import BODY_25, CIHP, HEIGHT, WIDTH, pose_document

ROOT = Path(__file__).resolve().parents[2]
SAMPLES = Path(os.environ.get("HOWSFIT_SAMPLES", ROOT / ".." / "shared" / "samples"))
needs_samples = pytest.mark.skipif(
    not SAMPLES.is_dir(), reason="no sample photographs: set HOWSFIT_SAMPLES to their folder"
)
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
        points.append((points[2][0], points[2][1] + 60))  # the hand
        cv2.polylines(parse, [np.array(points)], False, CIHP[side + "_arm"], 60)
        cv2.line(parse, points[0], points[1], CIHP[garment], 76)
    cv2.rectangle(parse, (264, 270), (504, trousers_from), CIHP[garment], -1)
    cv2.rectangle(parse, (280, trousers_from), (490, 1023), CIHP["pants"], -1)
    cv2.rectangle(parse, (350, 220), (418, 300), CIHP["neck"], -1)
    cv2.ellipse(parse, (384, 160), (60, 80), 0, 0, 360, CIHP["face"], -1)
    return parse


def said(parse, document=None):
    found = []
    white = np.full((HEIGHT, WIDTH, 3), 255, np.uint8)
    inputs = {"person": white, "parse": parse, "pose": document or pose()}
    STAGE.check(inputs, {"agnostic": white // 2}, lambda code, detail: found.append((code, detail)))
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
    (code, detail), (hands, _) = said(parse)
    assert hands == "hand-hidden"
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


def left(parse, colours):
    """What is said of a person whose labels have these colours once the published algorithm has taken the garment out."""
    person = np.full((HEIGHT, WIDTH, 3), 235, np.uint8)
    for label, colour in {"face": SKIN, "neck": SKIN, "left_arm": SKIN, "right_arm": SKIN, **colours}.items():
        person[parse == CIHP[label]] = colour
    return left_in(person, parse, pose())


def left_in(person, parse, document):
    found = []
    inputs = {"person": person, "parse": parse, "pose": document}
    outputs = VitonHd().run(inputs, lambda code, detail: None)
    STAGE.check(inputs, outputs, lambda code, detail: found.append((code, detail)))
    return [(code, detail) for code, detail in found if code == "garment-left"]


SKIN, BLUE, BEIGE = (215, 170, 145), (40, 50, 110), (205, 180, 150)


def long_coat():
    parse = figure("coat")
    cv2.rectangle(parse, (250, 560), (520, 900), CIHP["coat"], -1)
    return parse


def hood_and_cape():
    parse = figure()
    cv2.ellipse(parse, (384, 170), (150, 150), 0, 0, 360, CIHP["upper_clothes"], 40)
    cv2.fillPoly(parse, [np.array([(300, 260), (60, 700), (220, 700)])], CIHP["upper_clothes"])
    return parse


def scarf():
    parse = figure()
    cv2.rectangle(parse, (370, 300), (440, 980), CIHP["scarf"], -1)
    return parse


def with_hands(hidden=(), garment="pants"):
    """The figure with its forearms before wide trousers, and hands below its wrists but for those in pockets."""
    parse = figure()
    cv2.rectangle(parse, (150, 560), (620, 1023), CIHP[garment], -1)
    for side in ("left", "right"):
        elbow, wrist = (np.array(STANDING[f"{side}_{joint}"]) for joint in ("elbow", "wrist"))
        end = wrist if side in hidden else wrist + 0.5 * (wrist - elbow)
        cv2.line(parse, tuple(elbow), tuple(end.astype(int).tolist()), CIHP[f"{side}_arm"], 60)
    return parse


@pytest.mark.parametrize("hidden, told", [((), None), (("left",), "The left hand"), (("left", "right"), "The hands")])
def test_hands_in_pockets_are_told(hidden, told):
    for garment in ("pants", "coat"):
        found = [detail for code, detail in said(with_hands(hidden, garment)) if code == "hand-hidden"]
        assert [detail.startswith(f"{told} cannot be seen") for detail in found] == ([True] if told else [])


def test_hands_that_the_picture_cuts_off_or_that_no_wrist_tells_of_are_not_missed():
    hidden = with_hands(("left", "right"))
    assert not [code for code, _ in said(hidden, pose(without=("left_wrist", "right_elbow"))) if code == "hand-hidden"]
    joints = np.array(pose()["people"][0]["pose_keypoints_2d"]).reshape(1, 25, 3)
    joints[0, :, 1] += 360 * (joints[0, :, 2] > 0)
    moved = np.roll(hidden, 360, axis=0)
    assert not [code for code, _ in said(moved, pose_document(joints)) if code == "hand-hidden"]


@pytest.mark.parametrize("parse", [long_coat(), hood_and_cape(), scarf()], ids=["long coat", "hood and cape", "scarf"])
def test_what_the_agnostic_leaves_of_the_worn_garment_is_told(parse):
    colours = dict.fromkeys(("upper_clothes", "coat", "scarf"), BLUE)
    ((_, detail),) = left(parse, {**colours, "pants": BEIGE})
    assert "of it stay (above 8 %)" in detail and "below the new one" in detail


@pytest.mark.parametrize("garment", ["upper_clothes", "coat"])
@pytest.mark.parametrize("trousers", [BEIGE, BLUE, (240, 240, 240)])
def test_a_top_leaves_nothing(garment, trousers):
    for top in (BLUE, (240, 240, 240), BEIGE):
        assert left(figure(garment), {garment: top, "pants": trousers}) == []


@pytest.mark.parametrize("hem, told", [(640, False), (760, True), (840, True)])
def test_a_hem_that_was_labelled_trousers_is_known_by_its_colour(hem, told):
    parse = figure()
    person = np.full((HEIGHT, WIDTH, 3), 235, np.uint8)
    person[parse > 0] = SKIN
    person[parse == CIHP["pants"]] = BEIGE
    person[:hem][np.isin(parse[:hem], (CIHP["upper_clothes"], CIHP["pants"]))] = BLUE
    found = left_in(person, parse, pose())
    assert bool(found) == told and all("seems to go on below the hips" in detail for _, detail in found)


def test_a_patterned_skirt_is_no_hem():
    parse = figure()
    person = np.full((HEIGHT, WIDTH, 3), 235, np.uint8)
    person[parse > 0] = SKIN
    stripes = np.where((np.indices(parse.shape)[0] // 24 % 2 == 0)[..., None], BLUE, BEIGE)
    lower = parse == CIHP["pants"]
    person[lower] = stripes[lower]
    person[parse == CIHP["upper_clothes"]] = BLUE
    assert left_in(person, parse, pose()) == []


@pytest.mark.parametrize("category", ["lower", "dress"])
def test_of_a_lower_garment_the_top_may_stay_and_of_a_dress_nothing(category):
    parse = figure()
    person, grey = np.full((HEIGHT, WIDTH, 3), 235, np.uint8), np.full((HEIGHT, WIDTH, 3), 128, np.uint8)
    trousers = (parse == CIHP["pants"])[..., None]

    def found(agnostic):
        codes = []
        inputs = {"person": person, "parse": parse, "pose": pose(), "category": category}
        STAGE.check(inputs, {"agnostic": agnostic}, lambda code, detail: codes.append(code))
        return "garment-left" in codes

    assert found(np.where(trousers, grey, person)) == (category == "dress")
    assert found(np.where(trousers, person, grey)), "the trousers stay"
    assert not found(grey)


@needs_samples
def test_the_samples_published_parses_pass():
    for name in PHOTOS:
        parse = np.array(Image.open(SAMPLES / "image-parse-v3" / f"{name}.png"))
        document = json.loads((SAMPLES / "openpose_json" / f"{name}_keypoints.json").read_text())
        assert said(parse, document) == [], name
        person = np.array(Image.open(SAMPLES / "image" / f"{name}.jpg").convert("RGB"))
        assert left_in(person, parse, document) == [], name


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
