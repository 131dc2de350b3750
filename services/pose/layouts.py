"""The joints of the usual pose networks by name, and keypoints turned from one of these layouts into another."""

from collections.abc import Iterable

import numpy as np

from stagekit.formats import BODY_25_JOINTS, COCO_18_JOINTS

COCO_17 = (
    "nose", "left_eye", "right_eye", "left_ear", "right_ear", "left_shoulder", "right_shoulder", "left_elbow",
    "right_elbow", "left_wrist", "right_wrist", "left_hip", "right_hip", "left_knee", "right_knee", "left_ankle",
    "right_ankle",
)  # fmt: skip
"""The COCO data set's own joints, which PoseNet finds too."""

COCO_18 = COCO_18_JOINTS

BODY_25 = BODY_25_JOINTS

BLAZEPOSE_33 = (
    "nose", "left_eye_inner", "left_eye", "left_eye_outer", "right_eye_inner", "right_eye", "right_eye_outer",
    "left_ear", "right_ear", "mouth_left", "mouth_right", "left_shoulder", "right_shoulder", "left_elbow",
    "right_elbow", "left_wrist", "right_wrist", "left_pinky", "right_pinky", "left_index", "right_index",
    "left_thumb", "right_thumb", "left_hip", "right_hip", "left_knee", "right_knee", "left_ankle", "right_ankle",
    "left_heel", "right_heel", "left_big_toe", "right_big_toe",
)  # fmt: skip
"""MediaPipe's landmarks; its one foot tip goes by the name of the big toe."""

_MEANS = {"neck": ("left_shoulder", "right_shoulder"), "mid_hip": ("left_hip", "right_hip")}


def convert(joints: np.ndarray, source: tuple[str, ...], target: tuple[str, ...]) -> np.ndarray:
    """Keypoints of one layout in another: (..., len(source), 3) -> (..., len(target), 3).

    joints: x, y and confidence, undetected joints 0,0,0. What both layouts know is kept; a neck or mid-hip that only the
    target knows lies between shoulders or hips, as confident as the less confident of them; all else is undetected.
    """
    assert joints.shape[-2:] == (len(source), 3), joints.shape
    converted = np.zeros((*joints.shape[:-2], len(target), 3))
    both = [name for name in target if name in source]
    converted[..., _places(target, both), :] = joints[..., _places(source, both), :]
    put_between(converted, target, [name for name in _MEANS if name not in source])
    return converted


def put_between(joints: np.ndarray, layout: tuple[str, ...], names: Iterable[str] = tuple(_MEANS)) -> None:
    """Put, in place, neck and mid-hip between shoulders and hips where both are detected; elsewhere they are undetected."""
    for name in names:
        if name in layout:
            one, other = (joints[..., layout.index(end), :] for end in _MEANS[name])
            confidence = np.minimum(one[..., 2:], other[..., 2:])
            middle = np.concatenate([(one[..., :2] + other[..., :2]) / 2, confidence], axis=-1)
            joints[..., layout.index(name), :] = np.where(confidence > 0, middle, 0.0)


def _places(layout: tuple[str, ...], names: list[str]) -> list[int]:
    return [layout.index(name) for name in names]
