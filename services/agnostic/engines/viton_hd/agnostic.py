"""What HR-VITON's published preprocessing hides of a person.

Source: Lee et al., "High-Resolution Virtual Try-On with Misalignment and Occlusion-Handled Conditions" (HR-VITON), ECCV 2022,
after Choi et al., "VITON-HD", CVPR 2021, section 3.1. Sizes are those of the published `agnostic-v3.2` files;
tests compare with them pixel by pixel.
"""

import math
from collections.abc import Sequence

import numpy as np

from services.agnostic.drawing import Mask, Point
from services.agnostic.joints import LEFT_ARM, RIGHT_ARM, Joints, bones
from stagekit.formats import CIHP

_ARMS = ((CIHP["left_arm"], LEFT_ARM), (CIHP["right_arm"], RIGHT_ARM))

_HEAD_AND_LOWER = [
    CIHP[label]
    for label in ("sunglasses", "face", "pants", "skirt", "left_leg", "right_leg", "left_shoe", "right_shoe")
]


def hidden(parse: np.ndarray, joints: Joints, kept_labels: Sequence[int] = _HEAD_AND_LOWER) -> np.ndarray:
    """Torso, neck and arms, less hands, head and lower body: (1024, 768) bool, from a parse of CIHP ids of that size.

    joints: shoulders, hips and neck must be detected, shoulders apart and hips apart. kept_labels: of head and lower body.
    """
    unit = unit_of(joints)
    painted = Mask()
    _draw_torso(painted, joints, unit)
    for arm in (RIGHT_ARM, LEFT_ARM):
        for start, end in bones(arm, joints):
            painted.line(joints[start], joints[end], 10 * unit)
            painted.disc(joints[end], 5 * unit)
    kept = np.isin(parse, kept_labels)
    for label, arm in _ARMS:
        kept |= (parse == label) & ~_arm_without_hand(arm, joints, unit)
    return np.asarray(painted.drawn() & ~kept)


def unit_of(joints: Joints) -> int:
    """In pixels: what the lengths are multiples of, about a sixteenth of the shoulder width."""
    return int(math.dist(joints[2], joints[5]) / 16) + 1


def _draw_torso(mask: Mask, joints: Joints, unit: int) -> None:
    """Torso between shoulders and hips, the hips moved apart to shoulder width; neck; shoulders."""
    neck, right_shoulder, left_shoulder = joints[1], joints[2], joints[5]
    right_hip, left_hip = _hips_at_shoulder_width(joints)
    for hip in (right_hip, left_hip):
        mask.ellipse(hip, 3 * unit, 6 * unit)
    mask.line(right_shoulder, right_hip, 6 * unit)
    mask.line(left_shoulder, left_hip, 6 * unit)
    mask.line(right_hip, left_hip, 12 * unit)
    mask.polygon((right_shoulder, left_shoulder, left_hip, right_hip))
    mask.rectangle(neck[0] - 5 * unit, neck[1] - 9 * unit, neck[0] + 5 * unit, neck[1])
    mask.line(right_shoulder, left_shoulder, 12 * unit)
    for shoulder in (right_shoulder, left_shoulder):
        mask.ellipse(shoulder, 5 * unit, 6 * unit)


def _hips_at_shoulder_width(joints: Joints) -> tuple[Point, Point]:
    right, left = np.array(joints[9]), np.array(joints[12])
    shoulder_width = np.linalg.norm(np.array(joints[5]) - np.array(joints[2]))
    hip_width = np.linalg.norm(left - right)
    middle = (right + left) / 2
    right, left = (middle + (hip - middle) / hip_width * shoulder_width for hip in (right, left))
    return (float(right[0]), float(right[1])), (float(left[0]), float(left[1]))


def _arm_without_hand(arm: tuple[int, ...], joints: Joints, unit: int) -> np.ndarray:
    """Where an arm label is the arm, not the hand: (1024, 768) bool."""
    mask = Mask()
    mask.ellipse(joints[arm[0]], 5 * unit, 6 * unit)
    for start, end in bones(arm, joints):
        mask.line(joints[start], joints[end], 10 * unit)
        mask.disc(joints[end], (4 if end == arm[-1] else 5) * unit)
    return mask.drawn()
