"""A person's pose as the network was trained to see it: a grey drawing of COCO's 18 joints."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import cv2
import numpy as np

from stagekit.formats import BODY_25, COCO_18_JOINTS, FACE_POINTS, HAND_JOINTS

_FROM_BODY_25 = [BODY_25[name] for name in COCO_18_JOINTS]

_LIMBS = (
    (1, 2), (1, 5), (2, 3), (3, 4), (5, 6), (6, 7), (1, 8), (8, 9), (9, 10), (1, 11), (11, 12), (12, 13), (1, 0), (0, 14),
    (14, 16), (0, 15), (15, 17),
)  # fmt: skip
_LIMB_GREYS = (20, 32, 45, 58, 71, 84, 97, 110, 123, 136, 149, 162, 175, 188, 201, 214, 227)
_LIMB_LIGHT = 0.6
_JOINT_GREYS = [
    min(255, int(1.3 * next(g for g, limb in zip(_LIMB_GREYS, _LIMBS, strict=True) if joint in limb)))
    for joint in range(18)
]

_FINGERS = [pair for root in range(1, 21, 4) for pair in ((0, root), *((i, i + 1) for i in range(root, root + 3)))]
_FINGER_GREYS = (
    160, 163, 166, 169, 172, 175, 178, 182, 185, 188, 191, 194, 197, 201, 204, 207, 210, 213, 216, 220
)  # fmt: skip
_HAND_GREY, _FACE_GREY = 240, 200
_DRAWN_FACE = 68  # points, without pupils


class Body(NamedTuple):
    """One person. Places are shares of the picture's width and height."""

    joints: np.ndarray
    """(18, 2)"""
    seen: np.ndarray
    """bool (18)"""
    hands: np.ndarray
    """(n, 21, 2), of each joint that is not seen -1, -1."""
    face: np.ndarray
    """(68, 2) likewise."""


def of_document(pose: dict[str, Any], size: tuple[int, int]) -> Body:
    """The first person of a pose document, with hands and face where somebody looked for them. size: width, height."""
    first = pose["people"][0]

    def places(part: str, count: int) -> np.ndarray:
        flat = first.get(part + "_keypoints_2d", ())
        points = np.array(flat if len(flat) == 3 * count else np.zeros(3 * count), np.float64).reshape(count, 3)
        return np.where(points[:, 2:] > 0, points[:, :2] / size, -1)

    body = np.array(first["pose_keypoints_2d"], np.float64).reshape(len(BODY_25), 3)[_FROM_BODY_25]
    hands = np.stack([places(f"hand_{side}", HAND_JOINTS) for side in ("left", "right")])
    return Body(body[:, :2] / size, body[:, 2] > 0, hands, places("face", FACE_POINTS)[:_DRAWN_FACE])


def draw(body: Body, height: int, width: int) -> np.ndarray:
    """uint8 (height, width), black where nothing is."""
    canvas = np.zeros((height, width), np.uint8)
    joints = _pixels(body.joints, height, width)
    _draw_limbs(canvas, joints, body.seen)
    canvas = (canvas * _LIMB_LIGHT).astype(np.uint8)
    for joint, grey, seen in zip(joints, _JOINT_GREYS, body.seen, strict=True):
        if seen:
            cv2.circle(canvas, joint, 4, grey, -1)
    for hand in body.hands:
        _draw_hand(canvas, _pixels(hand, height, width))
    for point in _pixels(body.face, height, width):
        if min(point) >= 1:
            cv2.circle(canvas, point, 3, _FACE_GREY, -1)
    return canvas


def _draw_limbs(canvas: np.ndarray, joints: list[tuple[int, int]], seen: np.ndarray) -> None:
    for (a, b), grey in zip(_LIMBS, _LIMB_GREYS, strict=True):
        if not (seen[a] and seen[b]):
            continue
        (ax, ay), (bx, by) = joints[a], joints[b]
        half = int(math.hypot(ax - bx, ay - by)) // 2
        angle = int(math.degrees(math.atan2(ay - by, ax - bx)))
        outline = cv2.ellipse2Poly(((ax + bx) // 2, (ay + by) // 2), (half, 4), angle, 0, 360, 1)
        cv2.fillConvexPoly(canvas, outline, grey)


def _draw_hand(canvas: np.ndarray, joints: list[tuple[int, int]]) -> None:
    for (a, b), grey in zip(_FINGERS, _FINGER_GREYS, strict=True):
        if min(*joints[a], *joints[b]) >= 1:
            cv2.line(canvas, joints[a], joints[b], grey, 2)
    for joint in joints:
        if min(joint) >= 1:
            cv2.circle(canvas, joint, 4, _HAND_GREY, -1)


def _pixels(places: np.ndarray, height: int, width: int) -> list[tuple[int, int]]:
    return [(int(x * width), int(y * height)) for x, y in places]
