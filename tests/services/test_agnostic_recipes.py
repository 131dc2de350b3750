"""Inpainting masks, held to those that the originals made of the same parse and joints."""

from pathlib import Path

import numpy as np
import pytest

from services.agnostic.engines.viton_hd.engine import Engine
from services.agnostic.engines.viton_hd.recipes import small_mask
from stagekit.formats import BODY_25, CIHP, pose_document
from tests.servers import ROOT

GOLDEN = ROOT / "tests" / "specs" / "agnostic_mask"
CATEGORIES = {"upper_body": "upper", "lower_body": "lower", "dresses": "dress"}
RECIPES = {"idm_ootd_hd": "idm", "idm_ootd_dc": "ootd_dc", "leffa_hd": "hd", "leffa_dc": "dc"}


def masks(path: Path):
    """(parse, joints, category, recipe, mask) of each mask that the file has."""
    with np.load(path) as golden:
        parse = golden["in_atr18" if "in_atr18" in golden else "in_parse_atr"]
        joints = np.zeros((25, 2))
        joints[:8] = golden["in_keypoints"][:8]  # BODY_25 counts these as COCO does
        for name in golden.files:
            theirs = name.removeprefix("out_")
            for category in CATEGORIES:
                recipe = theirs.removesuffix("_" + category)
                if theirs.endswith(category) and not theirs.startswith("catvton"):
                    mask = np.unpackbits(golden[name], axis=1)[:, : parse.shape[1]] > 0
                    yield parse, joints, CATEGORIES[category], RECIPES.get(recipe, recipe), mask


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("*.npz")), ids=lambda path: path.stem)
def test_masks_of_the_originals(path):
    compared = 0
    for parse, joints, category, recipe, expected in masks(path):
        found = small_mask(parse, joints, category, recipe)
        union = np.count_nonzero(found | expected)
        overlap = np.count_nonzero(found & expected) / union if union else 1.0
        assert overlap >= 0.995, (category, recipe, overlap)
        compared += 1
    assert compared in (6, 12)


def standing(skirt=False):
    """A parse of somebody standing, and the pose to it: arms apart, from head to feet."""
    parse = np.zeros((1024, 768), np.uint8)

    def paint(label, top, bottom, left, right):
        parse[top:bottom, left:right] = CIHP[label]

    paint("face", 60, 160, 340, 430)
    paint("neck", 160, 190, 360, 410)
    paint("upper_clothes", 190, 480, 270, 500)
    paint("right_arm", 200, 500, 190, 270)
    paint("left_arm", 200, 500, 500, 580)
    paint("skirt" if skirt else "pants", 480, 700 if skirt else 930, 280, 490)
    if skirt:
        paint("right_leg", 700, 930, 290, 360)
        paint("left_leg", 700, 930, 410, 480)
    paint("right_shoe", 930, 980, 280, 370)
    paint("left_shoe", 930, 980, 400, 490)
    joints = np.zeros((25, 3))
    for name, place in {
        "neck": (385, 195), "right_shoulder": (290, 210), "left_shoulder": (480, 210), "right_elbow": (235, 340),
        "left_elbow": (535, 340), "right_wrist": (225, 470), "left_wrist": (545, 470), "right_hip": (335, 500),
        "left_hip": (435, 500), "right_knee": (330, 720), "left_knee": (440, 720), "right_ankle": (325, 930),
        "left_ankle": (445, 930),
    }.items():  # fmt: skip
        joints[BODY_25[name]] = (*place, 0.9)
    return parse, pose_document(joints[None])


def agnostic(category, skirt=False, recipe="viton_hd", without=(), dressed=False):
    parse, pose = standing(skirt)
    if dressed:
        parse[np.isin(parse, [CIHP["upper_clothes"], CIHP["pants"]])] = CIHP["dress"]
    for name in without:
        pose["people"][0]["pose_keypoints_2d"][3 * BODY_25[name] : 3 * BODY_25[name] + 3] = [0, 0, 0]
    inputs = {"person": np.full((1024, 768, 3), 200, np.uint8), "parse": parse, "pose": pose, "category": category}
    outputs = Engine().run_with({"recipe": recipe}, inputs, lambda code, detail: None)
    assert ((outputs["agnostic"] == 128).all(axis=2) == (outputs["agnostic_mask"] == 255)).all()
    return parse, outputs


def share(mask, parse, label):
    return float((mask[parse == CIHP[label]] == 255).mean())


@pytest.mark.parametrize("skirt", [False, True])
def test_for_trousers_and_skirts_legs_and_what_is_between_them_are_hidden(skirt):
    parse, outputs = agnostic("lower", skirt)
    mask, left = outputs["agnostic_mask"], outputs["parse_agnostic"]
    for label in ("skirt", "right_leg", "left_leg") if skirt else ("pants",):
        assert share(mask, parse, label) == 1 and not (left == CIHP[label]).any()
    assert mask[800, 385] == 255, "between the legs, where a skirt may hang"
    for label in ("face", "neck", "upper_clothes", "right_arm", "left_arm", "right_shoe"):
        assert share(mask, parse, label) == 0 and ((left == CIHP[label]) == (parse == CIHP[label])).all()
    assert not mask[:400].any()


def test_for_dresses_all_that_is_worn_is_hidden_and_head_hands_and_shoes_stay():
    parse, outputs = agnostic("dress", skirt=True)
    mask, left = outputs["agnostic_mask"], outputs["parse_agnostic"]
    for label in ("upper_clothes", "skirt", "right_leg", "left_leg", "neck"):
        assert share(mask, parse, label) > 0.97 and not (left == CIHP[label]).any(), label
    for label in ("face", "right_shoe", "left_shoe"):
        assert share(mask, parse, label) == 0, label
    assert 0.6 < share(mask, parse, "right_arm") < 1, "but the hand"


def test_half_figures_are_hidden_to_the_end_of_the_picture():
    missing = [f"{side}_{joint}" for side in ("right", "left") for joint in ("knee", "ankle")]
    parse, outputs = agnostic("lower", without=missing)
    assert share(outputs["agnostic_mask"], parse, "pants") == 1
    assert outputs["agnostic_mask"][-1, 385] == 255


def test_a_dress_that_is_worn_loses_its_skirt_to_trousers():
    left = agnostic("lower", dressed=True)[1]["parse_agnostic"]
    assert (left[200:490, 385] == CIHP["dress"]).all() and not (left[510:] == CIHP["dress"]).any()


@pytest.mark.parametrize("recipe", ["hd", "dc", "idm", "ootd_dc"])
@pytest.mark.parametrize("category", ["upper", "lower", "dress"])
def test_every_recipe_hides_what_is_worn_and_keeps_the_face(recipe, category):
    worn = {"upper": "upper_clothes", "lower": "pants", "dress": "dress"}[category]
    parse, outputs = agnostic(category, recipe=recipe, dressed=category == "dress")
    assert share(outputs["agnostic_mask"], parse, worn) > 0.9
    assert share(outputs["agnostic_mask"], parse, "face") < 0.05
    assert (outputs["parse_agnostic"] == agnostic(category, dressed=category == "dress")[1]["parse_agnostic"]).all()


def test_other_recipes_are_refused_at_start(monkeypatch):
    monkeypatch.setenv("HOWSFIT_AGNOSTIC_RECIPE", "magic")
    with pytest.raises(ValueError, match="HOWSFIT_AGNOSTIC_RECIPE must be one of viton_hd, hd"):
        Engine()
