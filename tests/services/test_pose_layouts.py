"""Keypoints from layout to layout: what both know is kept, what lies between is computed, nothing is made up."""

import itertools
import json
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.pose.layouts import BLAZEPOSE_33, BODY_25, COCO_17, COCO_18, convert, put_between

ROOT = Path(__file__).resolve().parents[2]
SAMPLES = Path(os.environ.get("HOWSFIT_SAMPLES", ROOT / ".." / "shared" / "samples"))
LAYOUTS = {"COCO_17": COCO_17, "COCO_18": COCO_18, "BODY_25": BODY_25, "BLAZEPOSE_33": BLAZEPOSE_33}
BETWEEN = {"neck": ("left_shoulder", "right_shoulder"), "mid_hip": ("left_hip", "right_hip")}
PAIRS = list(itertools.product(LAYOUTS, repeat=2))


PLACE = st.tuples(st.integers(-800, 1600), st.integers(-800, 1600), st.integers(1, 100).map(lambda c: c / 100))


@st.composite
def somebody(draw, pairs=PAIRS):
    """Two layouts and a person in the first, each joint anywhere or undetected."""
    source, target = (LAYOUTS[name] for name in draw(st.sampled_from(pairs)))
    joints = draw(st.lists(st.just((0, 0, 0)) | PLACE, min_size=len(source), max_size=len(source)))
    return source, target, np.array(joints, dtype=float)


@pytest.mark.parametrize("name, joints", [("COCO_17", 17), ("COCO_18", 18), ("BODY_25", 25), ("BLAZEPOSE_33", 33)])
def test_every_layout_names_each_joint_once_and_both_sides(name, joints):
    layout = LAYOUTS[name]
    assert len(layout) == len(set(layout)) == joints
    assert all(other_side(joint) in layout for joint in layout)


def other_side(joint):
    return joint.replace("left", "RIGHT").replace("right", "left").replace("RIGHT", "right")


@settings(max_examples=40)
@given(somebody())
def test_what_both_know_is_kept_and_comes_back(person):
    one, other, joints = person
    before = joints.copy()
    there = convert(joints, one, other)
    back = convert(there, other, one)
    for name in set(one) & set(other):
        assert np.array_equal(there[other.index(name)], joints[one.index(name)]), name
        assert np.array_equal(back[one.index(name)], joints[one.index(name)]), name
    assert np.array_equal(joints, before)


@settings(max_examples=40)
@given(somebody())
def test_the_rest_lies_between_or_is_undetected(person):
    one, other, joints = person
    there = convert(joints, one, other)
    for name in set(other) - set(one):
        joint = there[other.index(name)]
        ends = [joints[one.index(end)] for end in BETWEEN.get(name, ()) if end in one]
        if len(ends) == 2 and min(end[2] for end in ends) > 0:
            assert np.allclose(joint[:2], (ends[0] + ends[1])[:2] / 2) and joint[2] == min(end[2] for end in ends)
        else:
            assert not joint.any(), name


@settings(max_examples=40)
@given(somebody(), st.integers(-500, 500), st.sampled_from([0.25, 0.5, 2]))
def test_people_may_be_moved_and_scaled_before_or_after(person, shift, scale):
    one, other, joints = person

    def moved(joints):
        return np.where(joints[:, 2:] > 0, joints * (scale, scale, 1) + (shift, -shift, 0), 0)

    assert np.allclose(convert(moved(joints), one, other), moved(convert(joints, one, other)))


@settings(max_examples=40)
@given(somebody())
def test_mirrored_people_stay_mirrored(person):
    one, other, joints = person

    def mirrored(joints, layout):
        partner = [layout.index(other_side(name)) for name in layout]
        return np.where(joints[:, 2:] > 0, joints * (-1, 1, 1) + (767, 0, 0), 0)[partner]

    assert np.allclose(convert(mirrored(joints, one), one, other), mirrored(convert(joints, one, other), other))


@settings(max_examples=40)
@given(somebody([("COCO_17", "BODY_25"), ("COCO_17", "COCO_18"), ("COCO_18", "BODY_25")]))
def test_what_the_larger_layout_adds_is_lost_on_the_way_back_and_nothing_else(person):
    one, other, joints = person
    assert np.array_equal(convert(convert(joints, one, other), other, one), joints)


@settings(max_examples=40)
@given(somebody(), st.integers(0, 3))
def test_any_number_of_people_is_converted_alike(person, count):
    one, other, joints = person
    several = convert(np.array([joints] * count).reshape(-1, *joints.shape), one, other)
    assert several.shape == (count, len(other), 3)
    assert (several == convert(joints, one, other)).all()


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


@pytest.mark.skipif(not SAMPLES.is_dir(), reason="no sample photographs: set HOWSFIT_SAMPLES to their folder")
def test_a_coco_18_file_becomes_an_upright_person():
    document = json.loads((SAMPLES / "openpose_json/00006_00_keypoints.json").read_text())
    joints = np.array(document["people"][0]["pose_keypoints_2d"]).reshape(18, 3)
    converted = convert(joints, COCO_18, BODY_25)
    shoulders, hips = converted[[2, 5]], converted[[9, 12]]
    assert hips[:, 1].min() > shoulders[:, 1].max() + 100
    assert hips[0, 0] < hips[1, 0] and shoulders[0, 0] < shoulders[1, 0]
