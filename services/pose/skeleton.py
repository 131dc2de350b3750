"""Draw BODY_25 keypoints in the manner of OpenPose's rendering: coloured limbs and joints on black."""

from itertools import pairwise

import cv2
import numpy as np

from stagekit.formats import BODY_25, HEIGHT, WIDTH

_TREE = (
    ("neck", "mid_hip"), ("neck", "right_shoulder"), ("neck", "left_shoulder"), ("right_shoulder", "right_elbow"),
    ("right_elbow", "right_wrist"), ("left_shoulder", "left_elbow"), ("left_elbow", "left_wrist"),
    ("mid_hip", "right_hip"), ("right_hip", "right_knee"), ("right_knee", "right_ankle"), ("mid_hip", "left_hip"),
    ("left_hip", "left_knee"), ("left_knee", "left_ankle"), ("neck", "nose"), ("nose", "right_eye"),
    ("right_eye", "right_ear"), ("nose", "left_eye"), ("left_eye", "left_ear"), ("left_ankle", "left_big_toe"),
    ("left_big_toe", "left_small_toe"), ("left_ankle", "left_heel"), ("right_ankle", "right_big_toe"),
    ("right_big_toe", "right_small_toe"), ("right_ankle", "right_heel"),
)  # fmt: skip
"""Limbs as (from, to); each has the colour of its second joint."""

_HUES = {
    "nose": 340, "neck": 0, "right_shoulder": 20, "right_elbow": 40, "right_wrist": 60, "left_shoulder": 80,
    "left_elbow": 100, "left_wrist": 120, "mid_hip": 0, "right_hip": 150, "right_knee": 165, "right_ankle": 180,
    "left_hip": 200, "left_knee": 220, "left_ankle": 240, "right_eye": 320, "left_eye": 280, "right_ear": 300,
    "left_ear": 265, "left_big_toe": 240, "left_small_toe": 240, "left_heel": 240, "right_big_toe": 180,
    "right_small_toe": 180, "right_heel": 180,
}  # fmt: skip
"""Joint -> hue in degrees: once around the colour circle from the neck over the right side to the left."""

_FINGER_HUES = (0, 60, 120, 200, 280)
"""From the thumb to the little finger."""

_SHIFT = 4  # OpenCV draws in sixteenths of a pixel


def draw_skeleton(people: np.ndarray, hands: np.ndarray | None = None) -> np.ndarray:
    """people: (n, 25, 3) x, y in pixels and confidence, undetected 0,0,0 -> RGB picture (1024, 768, 3) uint8 on black.

    hands: (n, 2, 21, 3) of the same, if they were looked for. The first person, the one that is dressed, lies on top.
    """
    canvas = np.zeros((HEIGHT, WIDTH, 3), dtype=np.uint8)
    for number in reversed(range(len(people))):
        _draw_person(canvas, people[number])
        for hand in () if hands is None else hands[number]:
            _draw_hand(canvas, hand)
    return canvas


def _draw_person(canvas: np.ndarray, joints: np.ndarray) -> None:
    seen = joints[:, 2] > 0
    if not seen.any():
        return
    thickness = max(2.0, np.ptp(joints[seen][:, :2], axis=0).max() / 130)
    for start, end in _TREE:
        a, b = BODY_25[start], BODY_25[end]
        if seen[a] and seen[b]:
            _limb(canvas, joints[a, :2], joints[b, :2], thickness, _colour(end))
    for name, joint in BODY_25.items():
        if seen[joint]:
            centre = _fixed(joints[joint, :2])
            cv2.circle(canvas, centre, round(thickness * 1.1 * 2**_SHIFT), _colour(name), -1, cv2.LINE_AA, _SHIFT)


def _draw_hand(canvas: np.ndarray, joints: np.ndarray) -> None:
    """Each finger in a colour of its own, from the wrist to its tip."""
    seen = joints[:, 2] > 0
    if not seen.any():
        return
    thickness = max(1.0, np.ptp(joints[seen, :2], axis=0).max() / 60)
    for finger, hue in enumerate(_FINGER_HUES):
        for start, end in pairwise([0, *range(1 + 4 * finger, 5 + 4 * finger)]):
            if seen[start] and seen[end]:
                _limb(canvas, joints[start, :2], joints[end, :2], thickness, _rgb(hue))


def _limb(
    canvas: np.ndarray, start: np.ndarray, end: np.ndarray, thickness: float, colour: tuple[int, int, int]
) -> None:
    """A slim ellipse from joint to joint."""
    dx, dy = end - start
    angles = np.linspace(0, 2 * np.pi, 60, endpoint=False)[:, None]
    length = max(float(np.hypot(dx, dy)), 1e-6)
    along, across = np.array([dx, dy]) / 2, np.array([-dy, dx]) / length * thickness
    points = (start + end) / 2 + np.cos(angles) * along + np.sin(angles) * across
    cv2.fillConvexPoly(canvas, np.round(points * 2**_SHIFT).astype(np.int32), colour, cv2.LINE_AA, _SHIFT)


def _fixed(point: np.ndarray) -> tuple[int, int]:
    return round(float(point[0]) * 2**_SHIFT), round(float(point[1]) * 2**_SHIFT)


def _colour(joint: str) -> tuple[int, int, int]:
    return _rgb(_HUES[joint])


def _rgb(hue: int) -> tuple[int, int, int]:
    r, g, b = cv2.cvtColor(np.array([[[hue / 2, 255, 255]]]).astype(np.uint8), cv2.COLOR_HSV2RGB)[0, 0]
    return int(r), int(g), int(b)
