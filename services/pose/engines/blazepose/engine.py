"""BlazePose as a stand-in for OpenPose: 33 landmarks turned into BODY_25 keypoints."""

import math
import os
from typing import Any

import numpy as np

import stagekit
from services.pose.engines.blazepose.settings import read_blazepose_settings
from services.pose.engines.blazepose.thunder import Thunder, with_hips
from services.pose.layouts import BLAZEPOSE_33, convert, put_between
from services.pose.skeleton import draw_skeleton
from stagekit.errors import NoPerson
from stagekit.formats import BODY_25, BODY_25_JOINTS, pose_document
from stagekit.weights import folder_with, in_folder, in_package

_LANDMARK = {name: number for number, name in enumerate(BLAZEPOSE_33)}

_NEEDS = {
    "left_ankle": "left_knee", "right_ankle": "right_knee", "left_heel": "left_ankle", "right_heel": "right_ankle",
    "left_big_toe": "left_ankle", "right_big_toe": "right_ankle",
}  # fmt: skip
"""A joint that is believed only where the one before it is."""

_FACE = ("nose", "left_eye", "right_eye")
_VISIBLE = {"elbow": 0.2, "knee": 0.7, "ankle": 0.7, "other": 0.5}
"""Below this visibility a joint counts as undetected. Hidden elbows are kept, as OpenPose does: their estimates are good and
the sleeve has to be hidden. Legs are not: BlazePose squeezes legs that the picture cuts off into it, half sure of them."""

_VISIBLE_AT_BOTTOM = 0.8
_BOTTOM = 1 / 12
"""Ankles need more visibility in this part of the height, into which cut-off legs are squeezed. Measured on 1134 ankles in cuts
of the samples, mirrored too: of the 883 that were cut off one is believed, in a cut from chin to hips, and 15 with 0.7
everywhere; of the 251 in the picture, all of one photo, 125 are believed, and 141 with 0.7 everywhere."""

_GUESSED = 0.3  # confidence of a hip outside of the picture is at most this
_SHORTEST_THIGH = 0.5  # of the torso
_CLEAR_PERSON = 0.4  # a second person counts as clear from this part of the first one's size


_MODELS = (
    "modules/pose_detection/pose_detection.tflite",
    "modules/pose_landmark/pose_landmark_full.tflite",
)
_HAND_MODELS = (
    "modules/palm_detection/palm_detection_full.tflite",
    "modules/hand_landmark/hand_landmark_full.tflite",
)
"""Inside the MediaPipe package."""

MODEL = "movenet_thunder.onnx"


class Engine(stagekit.Engine):
    """person -> pose, pose_image.

    `pose` lists people largest first, at least one. Undetected joints (hidden, or outside of the picture) are 0,0,0, with one
    exception: where both shoulders are seen, hips are kept as BlazePose estimates them even when they are hidden or lie below
    the bottom edge, because the agnostic needs a torso. Hips outside have a confidence of at most 0.3 and are warned about.

    Somebody seen from behind is found too (right shoulder on the right of the picture): nose and eyes are then 0,0,0 and
    the run warns, because a generator trained on front views has not seen backs.

    Where MoveNet Thunder's model is there (`make models`; the engine's image has it), hips that the picture shows are where
    that network sees them if it sees them higher: BlazePose's lie lower than OpenPose's under skirts and long tops.

    With HOWSFIT_POSE_HANDS=1 the document has the fingers of each hand that is found at a detected wrist; hidden ones, in a
    pocket for instance, as estimated.

    Warns: several-people, hips-outside, seen-from-behind. Raises NoPerson.
    """

    name = "blazepose"
    version = "3"
    inputs = ("person",)
    stand_in = True
    licence = "Apache-2.0"

    def __init__(self) -> None:
        self._with_hands = bool(read_blazepose_settings().pose_hands)
        self._thunder: Thunder | None = None

    def load(self) -> None:
        # MediaPipe takes seconds to import.
        from services.pose.engines.blazepose.hands import HandFinder
        from stagekit.people import PeopleFinder

        self._finder = PeopleFinder()
        self._folder = folder_with(MODEL, self.name, os.path.dirname(__file__))
        path = os.path.join(self._folder, MODEL)
        if os.path.isfile(path):
            self._thunder = Thunder(path)
        self._hand_finder = HandFinder() if self._with_hands else None

    def run(self, inputs: stagekit.Artifacts, warn: stagekit.Warn) -> stagekit.Artifacts:
        image = inputs["person"]
        people = self._finder.find(image)
        if not people:
            raise NoPerson("Nobody was found in the picture. Use a photo of one person who faces the camera, head and "
                           "shoulders visible, with good light.")  # fmt: skip
        if len(people) > 1 and people[1].torso_size() > _CLEAR_PERSON * people[0].torso_size():
            warn("several-people", f"{len(people)} people were found; the largest one is dressed.")
        poses = np.stack([body_25(one.landmarks, image.shape[1], image.shape[0]) for one in people])
        if self._thunder is not None:
            poses[0] = with_hips(poses[0], people[0].landmarks, image, self._thunder)
        _warn_about(poses[0], people[0].landmarks, image.shape[0], warn)
        hands = self._hands(image, people, poses)
        return {"pose": pose_document(poses, hands), "pose_image": draw_skeleton(poses, hands)}

    def _hands(self, image: np.ndarray, people: list[Any], poses: np.ndarray) -> np.ndarray | None:
        """(n, 2, 21, 3), or None where they are not asked for."""
        if self._hand_finder is None:
            return None
        seen = poses[:, [BODY_25["left_wrist"], BODY_25["right_wrist"]], 2] > 0
        return np.stack(
            [self._hand_finder.find(image, one.landmarks, wrists) for one, wrists in zip(people, seen, strict=True)]
        )

    def weights(self) -> tuple[dict[str, str], ...]:
        packaged = in_package("mediapipe", "Apache-2.0", *_MODELS, *(_HAND_MODELS if self._with_hands else ()))
        return packaged if self._thunder is None else packaged + in_folder(self._folder, "Apache-2.0", MODEL)

    def runtime(self) -> dict[str, str]:
        import mediapipe

        return {"framework": "mediapipe " + mediapipe.__version__, "device": "cpu"}

    def options(self) -> dict[str, Any]:
        return {
            "visible": _VISIBLE,
            "visible_at_bottom": _VISIBLE_AT_BOTTOM,
            "hands": self._with_hands,
            "hips": "blazepose" if self._thunder is None else "movenet",
        }


def body_25(landmarks: np.ndarray, width: int, height: int) -> np.ndarray:
    """BlazePose landmarks (33, 4) in pixels -> (25, 3) x, y and confidence 0..1, undetected joints 0,0,0."""
    joints = convert(landmarks[:, [0, 1, 3]], BLAZEPOSE_33, BODY_25_JOINTS)
    x, y, confidence = joints.T
    inside = (x >= 0) & (x <= width - 1) & (y >= 0) & (y <= height - 1)
    needed = np.array([_VISIBLE.get(name.rsplit("_")[-1], _VISIBLE["other"]) for name in BODY_25_JOINTS])
    for ankle in (BODY_25["left_ankle"], BODY_25["right_ankle"]):
        if y[ankle] > (1 - _BOTTOM) * height:
            needed[ankle] = _VISIBLE_AT_BOTTOM
    detected = inside & (confidence >= needed)
    if detected[BODY_25["left_shoulder"]] and detected[BODY_25["right_shoulder"]]:
        for hip in (BODY_25["left_hip"], BODY_25["right_hip"]):
            _keep_hip(joints, hip, detected, bool(inside[hip]), height)
    for side in ("left_", "right_"):
        detected[BODY_25[side + "knee"]] &= _is_believable_knee(joints, detected, side)
    for joint, previous in _NEEDS.items():
        detected[BODY_25[joint]] &= detected[BODY_25[previous]]
    if is_from_behind(landmarks):
        detected[[BODY_25[name] for name in _FACE]] = False
    joints[~detected] = 0
    put_between(joints, BODY_25_JOINTS)
    return joints


def _keep_hip(joints: np.ndarray, hip: int, detected: np.ndarray, inside: bool, height: int) -> None:
    """Believe a hip that is hidden in the picture or below its bottom edge; one beside or above it is no hip."""
    below = joints[hip, 1] > height - 1
    detected[hip] = inside or below
    if below:
        joints[hip, 2] = np.clip(joints[hip, 2], 0.01, _GUESSED)
    elif inside:
        joints[hip, 2] = max(joints[hip, 2], 0.01)


def _is_believable_knee(joints: np.ndarray, detected: np.ndarray, side: str) -> bool:
    """Not when the ankle is missing too and the thigh is short: such a leg was squeezed into the picture."""
    if detected[BODY_25[side + "ankle"]]:
        return True
    shoulder, hip, knee = (joints[BODY_25[side + joint], :2] for joint in ("shoulder", "hip", "knee"))
    return math.dist(hip, knee) >= _SHORTEST_THIGH * math.dist(shoulder, hip)


def is_from_behind(landmarks: np.ndarray) -> bool:
    """Whether a person turns the back to the camera: shoulders swapped in the picture and the nose behind the ears."""
    left, right = landmarks[_LANDMARK["left_shoulder"]], landmarks[_LANDMARK["right_shoulder"]]
    ears = landmarks[[_LANDMARK["left_ear"], _LANDMARK["right_ear"]]]
    return bool(right[0] > left[0] and landmarks[_LANDMARK["nose"], 2] > ears[:, 2].mean())


def _warn_about(joints: np.ndarray, landmarks: np.ndarray, height: int, warn: stagekit.Warn) -> None:
    """Tell what makes the first person hard to dress."""
    if is_from_behind(landmarks):
        warn("seen-from-behind", "The person seems to be seen from behind; garments are made for front views, so the "
             "result will look wrong.")  # fmt: skip
    hips = joints[[BODY_25["left_hip"], BODY_25["right_hip"]]]
    if (hips[:, 1] > height - 1).any():
        warn("hips-outside", "The hips are outside of the picture; their position is a guess. A photo down to the hips "
             "or farther gives a better fit.")  # fmt: skip
