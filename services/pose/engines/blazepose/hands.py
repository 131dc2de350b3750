"""Find the fingers with MediaPipe's hand models, at the wrists that BlazePose found.

In a picture of a whole person hands are too small for MediaPipe's palm detector, so it looks at the square around each hand, as
MediaPipe's own holistic pipeline does.
"""

import math

import cv2
import numpy as np
from mediapipe.python.solutions.hands import Hands

from services.pose.layouts import BLAZEPOSE_33
from stagekit.formats import HAND_JOINTS

SIDES = ("left", "right")

_SIDE = 5.0  # of the square around the knuckles, in distances from there to the wrist
_SHORTEST = 0.15  # this distance is taken for at least this part of the forearm: a hand may point at the camera
_PIXELS = 320  # per side of what the detector sees
_SAME = 0.3  # wrists farther apart than this part of the square are of two hands


class HandFinder:
    """Not for several threads at a time."""

    def __init__(self) -> None:
        self._hands = Hands(static_image_mode=True, max_num_hands=2)

    def find(self, image: np.ndarray, landmarks: np.ndarray, wrists: np.ndarray) -> np.ndarray:
        """The hands of one person: (2, 21, 3), left first: x, y in pixels and confidence 0..1.

        A hand that was not found is 0, and so are joints outside of the picture; hidden ones are estimates.

        image: RGB (H, W, 3) uint8; landmarks: (33, 4) of BlazePose in its pixels; wrists: (2,) whether they were found.
        """
        height, width = image.shape[:2]
        hands = np.zeros((len(SIDES), HAND_JOINTS, 3))
        for number, side in enumerate(SIDES):
            if wrists[number]:
                hands[number] = self._find_at(image, *_square(landmarks, side), _place(landmarks, side + "_wrist"))
        inside = (hands[..., :2] >= 0).all(axis=-1) & (hands[..., :2] <= (width - 1, height - 1)).all(axis=-1)
        return np.where(inside[..., None], hands, 0.0)

    def _find_at(self, image: np.ndarray, middle: np.ndarray, length: float, wrist: np.ndarray) -> np.ndarray:
        """The hand whose wrist is nearest to the given one, in a square of the picture."""
        scale = _PIXELS / length
        corner = middle - length / 2
        crop = cv2.warpAffine(
            image,
            np.array([[scale, 0, -scale * corner[0]], [0, scale, -scale * corner[1]]]),
            (_PIXELS, _PIXELS),
            flags=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        )
        found = self._hands.process(crop)
        best, nearest = np.zeros((HAND_JOINTS, 3)), _SAME * length
        for points, handedness in zip(found.multi_hand_landmarks or (), found.multi_handedness or (), strict=True):
            places = corner + length * np.array([(point.x, point.y) for point in points.landmark])
            away = math.dist(places[0], wrist)
            if away < nearest:
                score = np.full((HAND_JOINTS, 1), handedness.classification[0].score)
                best, nearest = np.concatenate([places, score], axis=1), away
        return best


def _square(landmarks: np.ndarray, side: str) -> tuple[np.ndarray, float]:
    """Middle and length of the square around a hand."""
    joints = ("elbow", "wrist", "index", "pinky")
    elbow, wrist, index, pinky = (_place(landmarks, f"{side}_{joint}") for joint in joints)
    way = (index + pinky) / 2 - wrist
    palm = max(math.hypot(*way), _SHORTEST * math.dist(elbow, wrist), 1.0)
    return wrist + way, _SIDE * palm


def _place(landmarks: np.ndarray, name: str) -> np.ndarray:
    place: np.ndarray = landmarks[BLAZEPOSE_33.index(name), :2]
    return place
