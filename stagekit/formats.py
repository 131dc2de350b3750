"""The VITON-HD data set's conventions: sizes, label ids, colours, joints.

Source: the published files of VITON-HD (Choi et al., CVPR 2021) and HR-VITON (Lee et al., ECCV 2022).
"""

from typing import Any, Dict, List, Optional

import numpy as np

from stagekit.kinds import CANVAS

WIDTH, HEIGHT = CANVAS
"""Size in pixels of every image from `person` on."""

CIHP_LABELS = (
    "background", "hat", "hair", "glove", "sunglasses", "upper_clothes", "dress", "coat", "socks", "pants",
    "neck", "scarf", "skirt", "face", "left_arm", "right_arm", "left_leg", "right_leg", "left_shoe", "right_shoe",
)  # fmt: skip
"""Label names of a parse; the id is the position. Left and right are the person's own."""

CIHP = {name: number for number, name in enumerate(CIHP_LABELS)}

CIHP_PALETTE = (
    (0, 0, 0), (128, 0, 0), (254, 0, 0), (0, 85, 0), (169, 0, 51), (254, 85, 0), (0, 0, 85), (0, 119, 220),
    (85, 85, 0), (0, 85, 85), (85, 51, 0), (52, 86, 128), (0, 128, 0), (0, 0, 254), (51, 169, 220), (0, 254, 254),
    (85, 254, 169), (169, 254, 85), (254, 254, 0), (254, 169, 0),
)  # fmt: skip
"""RGB of each label, as in the palette of the data set's own PNGs."""

BODY_25_JOINTS = (
    "nose", "neck", "right_shoulder", "right_elbow", "right_wrist", "left_shoulder", "left_elbow", "left_wrist",
    "mid_hip", "right_hip", "right_knee", "right_ankle", "left_hip", "left_knee", "left_ankle", "right_eye",
    "left_eye", "right_ear", "left_ear", "left_big_toe", "left_small_toe", "left_heel", "right_big_toe",
    "right_small_toe", "right_heel",
)  # fmt: skip
"""Joint names of OpenPose's BODY_25; the index is the position. Left and right are the person's own."""

COCO_18_JOINTS = (
    "nose", "neck", "right_shoulder", "right_elbow", "right_wrist", "left_shoulder", "left_elbow", "left_wrist",
    "right_hip", "right_knee", "right_ankle", "left_hip", "left_knee", "left_ankle", "right_eye", "left_eye",
    "right_ear", "left_ear",
)  # fmt: skip
"""OpenPose's COCO model. Up to the left wrist it agrees with BODY_25; where that has hips, this has knees."""

BODY_25 = {name: number for number, name in enumerate(BODY_25_JOINTS)}

HAND_JOINTS = 21
"""Of one hand: the wrist, then four of each finger from the thumb to the little one, from its root to its tip."""

DENSEPOSE_PALETTE = (
    (0, 0, 0),
    (37, 60, 163), (20, 80, 194), (4, 97, 223), (8, 110, 221), (14, 122, 216), (20, 132, 212), (15, 144, 208),
    (11, 156, 203), (6, 166, 198), (22, 173, 185), (38, 179, 172), (55, 185, 159), (86, 187, 144), (114, 189, 130),
    (145, 191, 116), (170, 189, 105), (192, 188, 96), (216, 186, 86), (228, 192, 74), (240, 199, 60), (252, 206, 46),
    (251, 220, 36), (250, 235, 25), (249, 251, 14),
)  # fmt: skip
"""RGB of DensePose part ids 0 (background) to 24: OpenCV's PARULA map at uint8(id * 255 / 24)."""


FACE_POINTS = 70
"""Of one face: the 68 of iBUG 300-W, then the pupils, right and left."""


def pose_document(
    people: np.ndarray, hands: Optional[np.ndarray] = None, faces: Optional[np.ndarray] = None
) -> Dict[str, Any]:
    """Write keypoints as OpenPose's JSON document (version 1.3).

    people: (n, 25, 3) x, y in pixels of `person` and confidence 0..1; undetected joints are 0, 0, 0.
    hands: (n, 2, 21, 3) of the same, each person's left hand first; None: nobody looked for them.
    faces: (n, 68, 3) or (n, 70, 3) alike; without pupils those are undetected.
    """
    people = np.asarray(people, dtype=np.float64).reshape(-1, 25, 3)
    if hands is None:
        hands = np.zeros((len(people), 2, HAND_JOINTS, 3))
    all_faces = np.zeros((len(people), FACE_POINTS, 3))
    if faces is not None:
        all_faces[:, : faces.shape[1]] = faces
    unused = ("pose_keypoints_3d", "face_keypoints_3d", "hand_left_keypoints_3d", "hand_right_keypoints_3d")
    listed: List[Dict[str, Any]] = []
    for number, person in enumerate(people):
        left, right = hands[number]
        entry = {"person_id": [-1], "pose_keypoints_2d": _flat(person), "face_keypoints_2d": _flat(all_faces[number])}
        entry.update({"hand_left_keypoints_2d": _flat(left), "hand_right_keypoints_2d": _flat(right)})
        entry.update({name: [] for name in unused})
        listed.append(entry)
    return {"version": 1.3, "people": listed}


def _flat(joints: np.ndarray) -> List[float]:
    """Numbers for JSON: 0 where nothing was detected, thousandths elsewhere."""
    return [round(float(value), 3) for value in joints.ravel()] if joints.any() else [0] * joints.size


def keypoints(pose: Dict[str, Any]) -> np.ndarray:
    """Read the keypoints of a pose document: (n, 25, 3) float64, people as listed (largest first)."""
    flat = [person["pose_keypoints_2d"] for person in pose["people"]]
    return np.array(flat, dtype=np.float64).reshape(-1, 25, 3)
