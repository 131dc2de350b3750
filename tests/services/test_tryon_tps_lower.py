"""Trousers, skirts and dresses of the tps engine, drawn, on a drawn person; and where they go."""

import cv2
import numpy as np
import pytest

from garment_parser.parser import GarmentParser
from services.tryon.engines.tps.lower import read_lower
from stagekit.formats import BODY_25, CIHP, pose_document
from tests.services.outlines import OTHERS, TOPS, drawn
from tests.services.test_tryon_tps import BACKDROP, NEW, SKIN, TROUSERS, drawn_person, joints, loaded, near

OLD = (30, 30, 200)


def whole_person(bare_legs=False):
    """A drawn person to her feet, in a blue top and gray trousers, or in shorts above bare legs."""
    places = {"right_hip": (345, 500), "left_hip": (423, 500), "mid_hip": (384, 500), "neck": (384, 230)}
    places |= {"right_knee": (340, 720), "left_knee": (428, 720), "right_ankle": (338, 930), "left_ankle": (430, 930)}
    places |= {"right_shoulder": (310, 240), "left_shoulder": (458, 240), "nose": (384, 150)}
    places |= {"right_elbow": (285, 370), "left_elbow": (483, 370), "right_wrist": (275, 490), "left_wrist": (493, 490)}
    photo, parse = np.full((1024, 768, 3), BACKDROP, np.uint8), np.zeros((1024, 768), np.uint8)

    def paint(points, colour, label):
        cv2.fillPoly(photo, [np.array(points)], colour)
        cv2.fillPoly(parse, [np.array(points)], CIHP[label])

    for side, knee, ankle in (("right", 340, 338), ("left", 428, 430)):
        end = 620 if bare_legs else 940
        paint([(knee - 32, 480), (knee + 32, 480), (ankle + 18, 940), (ankle - 18, 940)], SKIN, f"{side}_leg")
        paint([(knee - 38, 470), (knee + 38, 470), (knee + 30, end), (knee - 30, end)], TROUSERS, "pants")
        paint(
            [(ankle - 20, 940), (ankle + 20, 940), (ankle + 20, 970), (ankle - 20, 970)], (40, 30, 20), f"{side}_shoe"
        )
    paint([(310, 440), (458, 440), (462, 520), (306, 520)], TROUSERS, "pants")
    for arm, x in (("right_arm", (300, 275)), ("left_arm", (468, 493))):
        paint([(x[0] - 14, 250), (x[0] + 14, 250), (x[1] + 10, 500), (x[1] - 10, 500)], SKIN, arm)
    paint([(315, 225), (453, 225), (450, 460), (318, 460)], OLD, "upper_clothes")
    paint([(365, 190), (403, 190), (403, 235), (365, 235)], SKIN, "neck")
    cv2.ellipse(photo, (384, 150), (40, 52), 0, 0, 360, SKIN, -1)
    cv2.ellipse(parse, (384, 150), (40, 52), 0, 0, 360, CIHP["face"], -1)
    points = joints(**places)
    assert points.shape[1] == len(BODY_25)
    return {"person": photo, "parse": parse, "pose": pose_document(points)}


def garment(name):
    mask = drawn(TOPS[name] if name in TOPS else OTHERS[name][0])
    return {"cloth": np.where(mask[..., None] > 0, NEW, (246, 246, 246)).astype(np.uint8), "cloth_mask": mask}


def worn(person, name, category):
    inputs = {**person, **garment(name), "category": category}
    return np.asarray(loaded().run(inputs, lambda code, detail: None)["tryon"])


@pytest.mark.parametrize("name", ["trousers", "wide trousers", "tight trousers"])
def test_trousers_cover_both_legs_down_to_the_ankles(name):
    person = whole_person()
    result = worn(person, name, "lower")
    red = near(result, NEW, 60)
    for x in (340, 428):
        assert red[540:900, x - 12 : x + 12].mean() > 0.95
    assert near(result, TROUSERS, 20)[:930].mean() < 0.002, "nothing of the old ones is left"
    kept = np.isin(person["parse"], [CIHP[part] for part in ("upper_clothes", "face", "left_shoe", "right_shoe")])
    inner = cv2.erode(kept.astype(np.uint8), np.ones((9, 9))) > 0
    assert np.array_equal(result[inner], person["person"][inner]), "top, head and shoes stay as they were"


def test_a_skirt_bares_painted_legs_in_the_skins_tone():
    result = worn(whole_person(), "mini skirt", "lower")
    assert near(result, NEW, 60)[500:540, 340:428].mean() > 0.9
    for x in (339, 429):
        assert near(result, SKIN, 45)[800:900, x - 8 : x + 8].mean() > 0.95
    assert near(result, TROUSERS, 20)[:930].mean() < 0.002


def test_legs_that_the_photo_shows_stay_pixel_for_pixel():
    person = whole_person(bare_legs=True)
    result = worn(person, "mini skirt", "lower")
    shins = (slice(760, 900), slice(328, 350))
    assert np.array_equal(result[shins], person["person"][shins])


def test_a_dress_takes_the_place_of_top_and_trousers():
    result = worn(whole_person(), "flared dress", "dress")
    assert near(result, NEW, 60)[300:600, 350:418].mean() > 0.95
    assert near(result, OLD, 60).sum() < 150 and near(result, TROUSERS, 20)[:930].mean() < 0.002


def test_trousers_go_on_half_a_person_too():
    person = drawn_person()
    result = worn(person, "trousers", "lower")
    red = near(result, NEW, 60)[700:1000]
    assert red[:, 310:340].mean() > 0.95 and red[:, 430:460].mean() > 0.95
    top = cv2.erode((person["parse"] == CIHP["upper_clothes"]).astype(np.uint8), np.ones((9, 9))) > 0
    assert np.array_equal(result[top], person["person"][top])


@pytest.mark.parametrize(("name", "strips"), [("trousers", 2), ("shorts", 2), ("skirt", 1), ("pencil skirt", 1)])
def test_trousers_have_two_strips_and_skirts_one(name, strips):
    drawn_one = garment(name)
    read = read_lower(GarmentParser(), drawn_one["cloth"], drawn_one["cloth_mask"] > 0)
    assert len(read.strips) == strips
    for strip in read.strips:
        assert (strip.left[:, 0] <= strip.right[:, 0]).all() and (np.diff(strip.left[:, 1]) > 0).all()


@pytest.mark.parametrize(
    ("name", "said", "warned"),
    [
        ("trousers", "upper", "not-a-top"),
        ("trousers", "dress", "doubtful-category"),
        ("trousers", "lower", None),
        ("jumper", "lower", "doubtful-category"),
        ("jumper", "upper", None),
    ],
)
def test_what_was_said_to_be_something_else_than_it_looks_like_is_worn_so_and_doubted(name, said, warned):
    told = {}
    inputs = {**whole_person(), **garment(name), "category": said}
    assert loaded().run(inputs, told.__setitem__)["tryon"].any()
    assert told.keys() & {"not-a-top", "doubtful-category"} == ({warned} if warned else set())
    if warned:
        looks_like = "lower" if name == "trousers" else "upper"
        assert f"If it is what it looks like, say category={looks_like}." in told[warned]
