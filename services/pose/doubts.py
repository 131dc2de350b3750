"""Is this pose to be believed? Measures of the keypoints alone, whichever engine found them. Runs on Python 3.6 too.

Each limit lies outside of what was measured on the good sample photos, by OpenPose's own keypoints and by BlazePose's
(range in brackets), and within what degraded photos give: turned, squeezed, covered, blurred, cut to the legs. The limits for
who turns aside or sits lie between the samples, PoseNet's joints included, and stick figures of varied build that were turned
in space: of those that turn by 25 degrees 1 % are doubted, by 35 a quarter, by 40 two thirds, by 45 nineteen of twenty.
"""

from typing import List

import numpy as np

from stagekit import Artifacts, Warn
from stagekit.formats import BODY_25, keypoints

_MOST_LEAN = 35.0  # degrees between the trunk and upright [0 to 13]
_NARROWEST = 0.42  # shoulder width per torso length [0.50 to 0.87]; a side view has 0.3 and less
_WIDEST = 1.1
_MOST_FORESHORTENED = 0.77  # shoulder width per width that trunk, head and arms lead to expect [0.81 to 1.10]
_LOWEST_THIGH = 0.58  # rows from hip to knee, in torso lengths [0.69 to 1.03]
_SURE = 0.4  # confidence of a knee; OpenPose guesses knees inside of skirts
_MOST_SKEW = 30.0  # degrees by which shoulders and trunk miss a right angle [0 to 13]
_LONGEST_BONE = 1.0  # of an arm, in torso lengths [0.32 to 0.87]
_LEAST_CONFIDENCE = 0.42  # mean of those below, not found as 0 [OpenPose from 0.52, BlazePose from 0.74]

_TORSO = ("left_shoulder", "right_shoulder", "left_hip", "right_hip")
_SHOULDERS_PER = {"trunk": 0.66, "head": 1.58, "upper arm": 1.08}
"""Shoulder width, between the joints, of somebody who faces the camera: in torso lengths, in distances of the nose from the
middle of the shoulders, in the longer upper arm. Each varies by 7 to 11 % on the samples, their mean by 7 %."""
_ARMS = ("left_elbow", "right_elbow", "left_wrist", "right_wrist")


def warn_of_doubts(inputs: Artifacts, outputs: Artifacts, warn: Warn) -> None:
    """Warn `doubtful-pose`, with what was measured, about the person that is dressed."""
    people = keypoints(outputs["pose"])
    reasons = doubts(people[0]) if len(people) else []
    if reasons:
        warn(
            "doubtful-pose",
            "The pose looks doubtful: %s. The garment may sit wrongly. A photo of one person who stands upright and faces the "
            "camera, arms beside the body, gives a better fit." % "; ".join(reasons),
        )


def doubts(joints: np.ndarray) -> List[str]:
    """What speaks against a pose, each with its measure; an empty list for a good one.

    joints: (25, 3) BODY_25 x, y in pixels and confidence 0..1, undetected joints 0,0,0.
    """
    reasons = _about_what_was_found(joints)
    if all(joints[BODY_25[name], 2] > 0 for name in _TORSO):
        reasons += _about_the_torso(joints)
        reasons += _about_the_arms(joints)
        reasons += _about_the_legs(joints)
    return reasons


def _about_what_was_found(joints: np.ndarray) -> List[str]:
    reasons = []
    missing = [name for name in _TORSO + _ARMS if joints[BODY_25[name], 2] <= 0]
    sides = {name.split("_")[0] for name in missing}
    # One arm behind the back leaves a good pose.
    if len(sides) > 1 or any(name in _TORSO for name in missing):
        reasons.append("not found: " + ", ".join(name.replace("_", " ") for name in missing))
    confidence = float(np.mean([joints[BODY_25[name], 2] for name in _TORSO + _ARMS]))
    if confidence < _LEAST_CONFIDENCE:
        reasons.append(
            "the mean confidence of shoulders, elbows, wrists and hips is %.2f (below %.2f)"
            % (confidence, _LEAST_CONFIDENCE)
        )
    return reasons


def _about_the_torso(joints: np.ndarray) -> List[str]:
    reasons = []
    trunk, across = _trunk(joints), _point(joints, "left_shoulder") - _point(joints, "right_shoulder")
    length, width = max(1.0, float(np.hypot(*trunk))), float(np.hypot(*across))
    lean = float(np.degrees(np.arctan2(abs(trunk[0]), trunk[1])))
    if lean > _MOST_LEAN:
        reasons.append("the trunk leans %.0f degrees from upright (more than %.0f)" % (lean, _MOST_LEAN))
    if width < _NARROWEST * length:
        reasons.append(
            "the shoulders are %.2f torso lengths apart (below %.2f), as in a side view" % (width / length, _NARROWEST)
        )
    else:
        reasons += _about_a_turn(joints, width)
    if width > _WIDEST * length:
        reasons.append("the shoulders are %.2f torso lengths apart (above %.2f)" % (width / length, _WIDEST))
    skew = float(np.degrees(np.arcsin(min(1.0, abs(float(trunk @ across)) / (length * max(1.0, width))))))
    if skew > _MOST_SKEW:
        reasons.append("shoulders and trunk miss a right angle by %.0f degrees (more than %.0f)" % (skew, _MOST_SKEW))
    return reasons


def _about_a_turn(joints: np.ndarray, width: float) -> List[str]:
    """Shoulders are foreshortened by a turn, while trunk, head and hanging arms keep their length."""
    middle = (_point(joints, "left_shoulder") + _point(joints, "right_shoulder")) / 2
    lengths = {"trunk": float(np.hypot(*_trunk(joints)))}
    if joints[BODY_25["nose"], 2] > 0:
        lengths["head"] = float(np.hypot(*(_point(joints, "nose") - middle)))
    arms = [side for side in ("left", "right") if joints[BODY_25[side + "_elbow"], 2] > 0]
    if arms:
        ends = [_point(joints, side + "_elbow") - _point(joints, side + "_shoulder") for side in arms]
        lengths["upper arm"] = float(np.max(np.hypot(*np.transpose(ends))))
    share = float(np.mean([width / max(1.0, _SHOULDERS_PER[part] * length) for part, length in lengths.items()]))
    if share >= _MOST_FORESHORTENED:
        return []
    return [
        "the shoulders are %.2f times as wide as %s lead to expect (below %.2f), as of somebody who turns aside"
        % (share, " and ".join(lengths), _MOST_FORESHORTENED)
    ]


def _about_the_legs(joints: np.ndarray) -> List[str]:
    """Knees near the height of the hips; one raised knee is no seat."""
    length = max(1.0, float(np.hypot(*_trunk(joints))))
    drops = [
        float((_point(joints, side + "_knee") - _point(joints, side + "_hip"))[1]) / length
        for side in ("left", "right")
        if joints[BODY_25[side + "_knee"], 2] >= _SURE
    ]
    if not drops or max(drops) >= _LOWEST_THIGH:
        return []
    return [
        "the knees lie %.2f torso lengths below the hips (less than %.2f), as of somebody seated"
        % (max(drops), _LOWEST_THIGH)
    ]


def _about_the_arms(joints: np.ndarray) -> List[str]:
    length = max(1.0, float(np.hypot(*_trunk(joints))))
    bones = {}
    for side in ("left", "right"):
        for name, start, end in (("upper arm", "shoulder", "elbow"), ("forearm", "elbow", "wrist")):
            a, b = side + "_" + start, side + "_" + end
            if joints[BODY_25[a], 2] > 0 and joints[BODY_25[b], 2] > 0:
                bones[side + " " + name] = float(np.hypot(*(_point(joints, a) - _point(joints, b)))) / length
    return [
        "the %s is %.2f torso lengths long (above %.2f)" % (name, bone, _LONGEST_BONE)
        for name, bone in bones.items()
        if bone > _LONGEST_BONE
    ]


def _trunk(joints: np.ndarray) -> np.ndarray:
    """From the middle of the shoulders to that of the hips, in pixels."""
    shoulders = _point(joints, "left_shoulder") + _point(joints, "right_shoulder")
    hips = _point(joints, "left_hip") + _point(joints, "right_hip")
    return np.asarray((hips - shoulders) / 2)


def _point(joints: np.ndarray, name: str) -> np.ndarray:
    return np.asarray(joints[BODY_25[name], :2])
