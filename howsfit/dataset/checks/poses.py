"""Traps of OpenPose's JSON."""

import json
import math

import numpy as np

from howsfit.dataset.checks.opened import File
from howsfit.dataset.checks.traps import of_files
from stagekit.formats import BODY_25, BODY_25_JOINTS

_COCO_18 = 18
_NORMALISED = 2.0  # no body lies within two pixels
_TORSO = ("neck", "right_shoulder", "left_shoulder", "right_hip", "left_hip")
_HIPS = ("right_hip", "left_hip")
_BESIDE = 0.4  # trunks from the middle of the hips; knees are farther
_MOST_OUTSIDE = 0.5  # of the joints; a few may lie beside the picture
_ON_PERSON, _OFF_PERSON = 0.8, 0.5  # share of the joints on what the parse labels: of a pose of it, and of another
_LEAST_JOINTS = 6  # to tell of a pose that it is not where the person is
_SCALES = (1 / 4, 1 / 3, 3 / 8, 1 / 2, 2 / 3, 3 / 4, 4 / 3, 3 / 2, 2, 8 / 3, 3, 4)


def alone(file: File) -> bytes | None:
    """The document of a list that holds one only, as ComfyUI saves them."""
    document = file.document
    if isinstance(document, list) and len(document) == 1 and isinstance(document[0], dict) and "people" in document[0]:
        return json.dumps(document[0]).encode()
    return None


@of_files(
    "pose-form",
    on=("pose",),
    means="It is no OpenPose document: the loader reads people[0]['pose_keypoints_2d'], a flat list of x, y and "
    "confidence.",
    mend="Write it in OpenPose's form. Of a list that holds the document, take it out of the list.",
    safe=alone,
    last=True,
)
def pose_form(file: File) -> str | None:
    if file.people is not None:
        return None
    return "a list around the document" if isinstance(file.document, list) else "no such list of numbers"


@of_files(
    "pose-empty",
    on=("pose",),
    means="Nobody is in it: the loader stops at people[0], or takes all joints for (0, 0).",
    mend="Find the pose again with another engine, or take the sample out.",
    last=True,
)
def pose_empty(file: File) -> str | None:
    if not file.people:
        return "no people"
    return None if len(file.found_joints()) else "the first person has no joint"


def as_body_25(file: File) -> bytes | None:
    """Exact: joints keep their places; the middle of the hips lies between them, feet are not there."""
    from services.pose.layouts import BODY_25, COCO_18, convert

    if not file.people or any(len(joints) != _COCO_18 for joints in file.people):
        return None
    for person, joints in zip(file.document["people"], file.people, strict=True):
        person["pose_keypoints_2d"] = [round(float(value), 3) for value in convert(joints, COCO_18, BODY_25).ravel()]
    return json.dumps({**file.document, "version": 1.3}).encode()


@of_files(
    "pose-coco",
    on=("pose",),
    means="It has COCO's 18 joints for BODY_25's 25. Where loaders look for the hips are knees: the agnostic is grey "
    "down to them.",
    mend="Put the joints in BODY_25's order.",
    safe=as_body_25,
    last=True,
)
def pose_coco(file: File) -> str | None:
    return f"{3 * _COCO_18} numbers" if file.people and len(file.people[0]) == _COCO_18 else None


@of_files(
    "pose-joints",
    on=("pose",),
    means="It has another number of joints than BODY_25: each is taken for another.",
    mend="Find the pose again with BODY_25, or put the joints in its order.",
    last=True,
)
def pose_joints(file: File) -> str | None:
    assert file.people
    number = file.people[0].size
    return None if number == 3 * len(BODY_25_JOINTS) else f"{number} numbers; BODY_25 has 75"


@of_files(
    "pose-coco-order",
    on=("pose",),
    means="25 joints in COCO's order: where BODY_25 has the left ankle is an eye, and where it has the hips are knees.",
    mend="Put the joints in BODY_25's order.",
    last=True,
)
def pose_coco_order(file: File) -> str | None:
    assert file.joints is not None
    at = {name: file.joints[BODY_25[name], :2] for name in (*_TORSO, "mid_hip", "nose", "left_ankle")}
    there = {name for name, place in at.items() if place.any()}
    if {"nose", "left_ankle", "right_shoulder", "left_shoulder"} <= there:
        width = math.dist(at["right_shoulder"], at["left_shoulder"])
        if math.dist(at["left_ankle"], at["nose"]) < width:
            return "joint 14, the left ankle, is beside the nose"
    if {"neck", "mid_hip", "right_hip", "left_hip"} <= there:
        middle = (at["right_hip"] + at["left_hip"]) / 2
        if math.dist(middle, at["mid_hip"]) > _BESIDE * math.dist(at["neck"], at["mid_hip"]):
            return "joint 8, the middle of the hips, is not between joints 9 and 12, the hips"
    return None


def in_pixels(file: File) -> bytes | None:
    width, height = file.sample.size
    keys = ("pose_keypoints_2d", "face_keypoints_2d", "hand_left_keypoints_2d", "hand_right_keypoints_2d")
    for person in file.document["people"]:
        for key in keys:
            flat = person.get(key)
            if isinstance(flat, list) and flat and len(flat) % 3 == 0:
                scaled = np.array(flat, np.float64).reshape(-1, 3) * (width, height, 1)
                person[key] = [round(float(value), 3) for value in scaled.ravel()]
    return json.dumps(file.document).encode()


@of_files(
    "pose-normalised",
    on=("pose",),
    means="Its places go from 0 to 1 instead of in pixels: all joints lie in the picture's corner.",
    mend="Multiply x by the picture's width, y by its height.",
    safe=in_pixels,
    last=True,
)
def pose_normalised(file: File) -> str | None:
    farthest = float(np.abs(file.found_joints()[:, :2]).max())
    return f"no place above {farthest:.2f}" if farthest <= _NORMALISED else None


@of_files(
    "pose-other-size",
    on=("pose",),
    means="Its places are those of a picture of another size: the joints do not lie on the person.",
    mend="Multiply them by the picture's size over that which the pose was found in, or find it again.",
    last=True,
)
def pose_other_size(file: File) -> str | None:
    width, height = file.sample.size
    places = file.found_joints()[:, :2]
    inside = ((places >= 0) & (places < (width, height))).all(axis=1)
    if inside.mean() < _MOST_OUTSIDE:
        return f"{len(places) - int(inside.sum())} of {len(places)} joints lie beside the picture"
    parse = file.sample.labels("parse")
    if parse is None or len(places) < _LEAST_JOINTS:
        return None
    now = _on_person(places, parse)
    if now > _OFF_PERSON:
        return None
    scale, then = max(((by, _on_person(places * by, parse)) for by in _SCALES), key=lambda each: each[1])
    return f"{now:.0%} of the joints lie on the person, {then:.0%} at {scale:g} times" if then > _ON_PERSON else None


def _on_person(places: np.ndarray, parse: np.ndarray) -> float:
    columns, rows = np.rint(places).astype(int).T
    inside = (columns >= 0) & (rows >= 0) & (columns < parse.shape[1]) & (rows < parse.shape[0])
    return float(np.count_nonzero(parse[rows[inside], columns[inside]])) / len(places)


@of_files(
    "pose-no-hips",
    on=("pose",),
    means="It has no hips, or both in one place: the agnostic's algorithm divides by their distance.",
    mend="Find the pose again; our agnostic guesses hips, the published one does not. A picture without hips has to "
    "go.",
)
def pose_no_hips(file: File) -> str | None:
    assert file.joints is not None
    hips = file.joints[[BODY_25[name] for name in _HIPS], :2]
    if not hips.any():
        return "both hips were not found"
    return "both hips are in one place" if math.dist(*hips) < 1 else None


@of_files(
    "pose-no-torso",
    on=("pose",),
    means="A joint is missing by which the agnostic measures the person: what it hides is too much or too little.",
    mend="Find the pose again, or look at the agnostic.",
    level="warning",
)
def pose_no_torso(file: File) -> str | None:
    assert file.joints is not None
    missing = [name for name in _TORSO if not file.joints[BODY_25[name], :2].any()]
    if not missing or set(missing) >= set(_HIPS):
        return None
    return f"no {', no '.join(name.replace('_', ' ') for name in missing)}"


@of_files(
    "pose-other-person",
    on=("pose",),
    means="The first of several people is not the largest, and loaders read only the first: the pose may be a "
    "bystander's.",
    mend="Put the person of the photo first.",
    level="warning",
)
def pose_other_person(file: File) -> str | None:
    assert file.people
    sizes = [_height(joints) for joints in file.people]
    return (
        f"{len(sizes)} people, of whom the first is {sizes[0] / max(sizes):.0%} as high as the largest"
        if (sizes[0] < 0.8 * max(sizes))
        else None
    )


def _height(joints: np.ndarray) -> float:
    rows = joints[joints[:, :2].any(axis=1), 1]
    return float(rows.ptp()) if len(rows) else 0.0
