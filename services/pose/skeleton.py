"""Draw BODY_25 keypoints in the manner of OpenPose's rendering: coloured limbs and joints on black."""

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

_SHIFT = 4  # OpenCV draws in sixteenths of a pixel


def draw_skeleton(people: np.ndarray) -> np.ndarray:
    """people: (n, 25, 3) x, y in pixels and confidence, undetected 0,0,0 -> RGB picture (1024, 768, 3) uint8 on black.

    The first person, the one that is dressed, lies on top.
    """
    canvas = np.zeros((HEIGHT, WIDTH, 3), dtype=np.uint8)
    for joints in people[::-1]:
        _draw_person(canvas, joints)
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
    hue = np.array([[[_HUES[joint] / 2, 255, 255]]]).astype(np.uint8)
    r, g, b = cv2.cvtColor(hue, cv2.COLOR_HSV2RGB)[0, 0]
    return int(r), int(g), int(b)
