"""Keypoints from layout to layout: what both know is kept, what lies between is computed, nothing is made up."""

import itertools
import json
import os
from pathlib import Path

import numpy as np
import pytest

from services.pose.layouts import BLAZEPOSE_33, BODY_25, COCO_17, COCO_18, convert, put_between

ROOT = Path(__file__).resolve().parents[2]
SAMPLES = Path(os.environ.get("HOWSFIT_SAMPLES", ROOT / ".." / "shared" / "samples"))
LAYOUTS = {"COCO_17": COCO_17, "COCO_18": COCO_18, "BODY_25": BODY_25, "BLAZEPOSE_33": BLAZEPOSE_33}
BETWEEN = {"neck": ("left_shoulder", "right_shoulder"), "mid_hip": ("left_hip", "right_hip")}
PAIRS = list(itertools.product(LAYOUTS, repeat=2))


def somebody(layout, seed, people=3, undetected=0.3):
    """Random people; some joints undetected."""
    random = np.random.default_rng(seed)
    joints = random.uniform(1, 700, (people, len(layout), 3))
    joints[..., 2] = random.uniform(0.01, 1, joints.shape[:2])
    joints[random.random(joints.shape[:2]) < undetected] = 0
    return joints


@pytest.mark.parametrize("name, joints", [("COCO_17", 17), ("COCO_18", 18), ("BODY_25", 25), ("BLAZEPOSE_33", 33)])
def test_every_layout_names_each_joint_once_and_both_sides(name, joints):
    layout = LAYOUTS[name]
    assert len(layout) == len(set(layout)) == joints
    for joint in layout:
        swapped = joint.replace("left", "RIGHT").replace("right", "left").replace("RIGHT", "right")
        assert swapped in layout


@pytest.mark.parametrize("source, target", PAIRS)
def test_what_both_know_is_kept_and_comes_back(source, target):
    one, other = LAYOUTS[source], LAYOUTS[target]
    joints = somebody(one, seed=1)
    there = convert(joints, one, other)
    back = convert(there, other, one)
    for name in set(one) & set(other):
        assert np.array_equal(there[:, other.index(name)], joints[:, one.index(name)]), name
        assert np.array_equal(back[:, one.index(name)], joints[:, one.index(name)]), name


@pytest.mark.parametrize("source, target", PAIRS)
def test_the_rest_lies_between_or_is_undetected(source, target):
    one, other = LAYOUTS[source], LAYOUTS[target]
    joints = somebody(one, seed=2)
    there = convert(joints, one, other)
    for name in set(other) - set(one):
        for person, joint in zip(joints, there[:, other.index(name)], strict=True):
            ends = [person[one.index(end)] for end in BETWEEN.get(name, ()) if end in one]
            if len(ends) == 2 and min(end[2] for end in ends) > 0:
                assert np.allclose(joint[:2], (ends[0] + ends[1])[:2] / 2) and joint[2] == min(end[2] for end in ends)
            else:
                assert not joint.any(), name


@pytest.mark.parametrize("source, target", PAIRS)
def test_undetected_people_stay_undetected_and_any_number_goes(source, target):
    one, other = LAYOUTS[source], LAYOUTS[target]
    assert not convert(np.zeros((2, len(one), 3)), one, other).any()
    assert convert(np.zeros((0, len(one), 3)), one, other).shape == (0, len(other), 3)
    joints = somebody(one, seed=3, people=1)
    before = joints.copy()
    assert np.array_equal(convert(joints[0], one, other), convert(joints, one, other)[0])
    assert np.array_equal(joints, before)


def test_hips_of_coco_18_become_hips_and_not_knees():
    joints = np.zeros((18, 3))
    joints[8], joints[9], joints[11] = (300, 600, 0.9), (310, 800, 0.9), (400, 610, 0.5)
    converted = convert(joints, COCO_18, BODY_25)
    assert converted[9].tolist() == [300, 600, 0.9] and converted[12].tolist() == [400, 610, 0.5]
    assert converted[10].tolist() == [310, 800, 0.9] and converted[8].tolist() == [350, 605, 0.5]
    assert np.array_equal(convert(joints, COCO_18, COCO_17)[[12, 14, 11]], joints[[8, 9, 11]])


def test_a_neck_is_not_moved_where_the_source_knows_it():
    joints = np.zeros((25, 3))
    joints[[1, 2, 5]] = (350, 300, 0.8), (250, 310, 0.9), (450, 310, 0.9)
    assert convert(joints, BODY_25, COCO_18)[1].tolist() == [350, 300, 0.8]
    put_between(joints, BODY_25)
    assert joints[1].tolist() == [350, 310, 0.9] and not joints[8].any()


@pytest.mark.skipif(not SAMPLES.is_dir(), reason=f"no sample photographs in {SAMPLES}")
def test_a_coco_18_file_becomes_an_upright_person():
    document = json.loads((SAMPLES / "openpose_json/00006_00_keypoints.json").read_text())
    joints = np.array(document["people"][0]["pose_keypoints_2d"]).reshape(18, 3)
    converted = convert(joints, COCO_18, BODY_25)
    shoulders, hips = converted[[2, 5]], converted[[9, 12]]
    assert hips[:, 1].min() > shoulders[:, 1].max() + 100
    assert hips[0, 0] < hips[1, 0] and shoulders[0, 0] < shoulders[1, 0]
