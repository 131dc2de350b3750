"""The MediaPipe models that posecut uses. Their weights are inside the MediaPipe package (Apache-2.0)."""

from dataclasses import dataclass

import numpy as np

_OVAL = (10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377, 152, 148, 176, 149,
         150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109)  # fmt: skip
"""Face mesh landmarks around the face, clockwise from the top of the forehead; the chin is at half of the list."""


@dataclass(frozen=True)
class Detections:
    """What the models see in one picture, in its pixels."""

    person: np.ndarray
    """(H, W) float32 0..1: probability that a pixel shows a person."""

    face: np.ndarray | None
    """(36, 2) outline of the face from the forehead clockwise, or None."""

    hands: list[np.ndarray]
    """Each (21, 2) hand landmarks, wrist first."""


class Detectors:
    """Person segmentation (twice: selfie and pose model), face mesh and hand landmarks."""

    def __init__(self) -> None:
        from mediapipe.python.solutions import face_mesh, hands, pose, selfie_segmentation  # seconds to import

        self._selfie = selfie_segmentation.SelfieSegmentation(model_selection=0)
        self._pose = pose.Pose(static_image_mode=True, model_complexity=1, enable_segmentation=True)
        self._face = face_mesh.FaceMesh(static_image_mode=True, max_num_faces=1, min_detection_confidence=0.3)
        self._hands = hands.Hands(static_image_mode=True, max_num_hands=4, model_complexity=1,
                                  min_detection_confidence=0.3)  # fmt: skip

    def detect(self, image: np.ndarray, head_box: tuple[int, int, int, int]) -> Detections:
        """image: (H, W, 3) uint8 RGB. head_box: x0, y0, x1, y1 in which the face is looked for (small faces get lost
        in the whole picture)."""
        return Detections(self._person(image), self._face_outline(image, head_box), self._hand_points(image))

    def _person(self, image: np.ndarray) -> np.ndarray:
        """The selfie model knows hair and bags, the pose model the gaps between arms and body: their mean."""
        selfie = self._selfie.process(image).segmentation_mask
        body = self._pose.process(image).segmentation_mask
        return np.array(selfie if body is None else (selfie + body) / 2, np.float32)

    def _face_outline(self, image: np.ndarray, box: tuple[int, int, int, int]) -> np.ndarray | None:
        x0, y0, x1, y1 = box
        if x1 - x0 < 16 or y1 - y0 < 16:
            return None
        found = self._face.process(np.ascontiguousarray(image[y0:y1, x0:x1])).multi_face_landmarks
        if not found:
            return None
        points = np.array([(found[0].landmark[i].x, found[0].landmark[i].y) for i in _OVAL])
        return points * (x1 - x0, y1 - y0) + (x0, y0)

    def _hand_points(self, image: np.ndarray) -> list[np.ndarray]:
        height, width = image.shape[:2]
        found = self._hands.process(image).multi_hand_landmarks or []
        return [np.array([(p.x * width, p.y * height) for p in hand.landmark]) for hand in found]
