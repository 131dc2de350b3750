"""Human parse without a trained parser: pose-seeded segmentation on the photo's own colours."""

import cv2
import numpy as np

import stagekit
from services.human_parse.engines.posecut.body import Body, Grid, read_body
from services.human_parse.engines.posecut.detectors import Detections, Detectors
from services.human_parse.engines.posecut.filters import GuidedFilter, colour_bins, to_lab
from services.human_parse.engines.posecut.finish import (
    clear_brows,
    enlarge,
    parse_of,
    toes_to_shoes,
    without_stray_hair,
)
from services.human_parse.engines.posecut.priors import Places, fill, head_of
from services.human_parse.engines.posecut.silhouette import keep_first_person, person_probability
from services.human_parse.engines.posecut.solve import solve_parts
from stagekit.errors import IncompletePose, NoPerson
from stagekit.formats import keypoints
from stagekit.weights import in_package

_FACTOR = 0.5  # parts are solved at half size and enlarged along the photo's edges


_MODELS = (
    "modules/selfie_segmentation/selfie_segmentation.tflite",
    "modules/pose_detection/pose_detection.tflite",
    "modules/pose_landmark/pose_landmark_full.tflite",
    "modules/face_detection/face_detection_short_range.tflite",
    "modules/face_landmark/face_landmark.tflite",
    "modules/palm_detection/palm_detection_full.tflite",
    "modules/hand_landmark/hand_landmark_full.tflite",
)
"""Inside the MediaPipe package."""


class Engine(stagekit.Engine):
    """person, pose -> parse.

    `parse` is (1024, 768) uint8 with CIHP ids 0..19 for the first person of the pose; everybody else is background. In
    use are background, hair, upper_clothes, dress, pants, neck (all bare skin of the trunk), skirt, face, arms, legs
    and shoes. What the data set tells apart further is folded in: hats are hair, coats and scarfs are upper_clothes,
    gloves and sunglasses arm and face.

    Steps: MediaPipe finds the person's silhouette, the outline of the face and the hands; the silhouette's edge is
    corrected by local colours; each part gets a place prior from the pose; colours of hair, skin and both garments are
    learnt from the photo in turns with the labelling; cuffs, hem and the lower garment's ends are the best change
    points along arms, trunk and legs; contours are smoothed and enlarged. Rules: what does not part between bare legs
    is a skirt, or a dress where top and skirt have the same colours; where the picture ends near the hips everything
    below the neck is upper_clothes unless its colours change.

    Warns: face-not-found. Raises NoPerson where the pose lists nobody, IncompletePose without both shoulders.
    """

    name = "posecut"
    version = "3"
    inputs = ("person", "pose")
    stand_in = True
    licence = "Apache-2.0"

    def load(self) -> None:
        self._detectors = Detectors()
        self._detectors.detect(np.full((256, 192, 3), 127, np.uint8), (0, 0, 192, 192))

    def run(self, inputs: stagekit.Artifacts, warn: stagekit.Warn) -> stagekit.Artifacts:
        photo = inputs["person"]
        people = keypoints(inputs["pose"])
        if not len(people):
            raise NoPerson("The pose lists nobody. Use a photo of one person who faces the camera.")
        body = read_body(people[0], _FACTOR)
        others = [other for other in map(_read_if_complete, people[1:]) if other is not None]
        seen = self._detectors.detect(photo, _head_box(body, photo.shape))
        if seen.face is None:
            warn("face-not-found", "The face was not recognised, so skin and hair are guessed from the pose. A photo "
                 "with the whole face in it gives a better result.")  # fmt: skip
        return {"parse": self._parse(photo, [body, *others], seen)}

    def weights(self) -> tuple[dict[str, str], ...]:
        return in_package("mediapipe", "Apache-2.0", *_MODELS)

    def runtime(self) -> dict[str, str]:
        import mediapipe

        return {"framework": "mediapipe " + mediapipe.__version__, "device": "cpu"}

    def _parse(self, photo: np.ndarray, people: list[Body], seen: Detections) -> np.ndarray:
        body = people[0]
        size = (int(photo.shape[1] * _FACTOR), int(photo.shape[0] * _FACTOR))
        grid = Grid.of(*size)
        small = cv2.resize(photo, size, interpolation=cv2.INTER_AREA)
        lab = to_lab(small)
        head = head_of(body, None if seen.face is None else seen.face * _FACTOR)
        soft = keep_first_person(cv2.resize(seen.person, size, interpolation=cv2.INTER_AREA), people, grid)
        person = person_probability(lab, soft, body, grid, fill(head.outline, grid))
        places = Places(body, head, [hand * _FACTOR for hand in seen.hands], grid)
        smooth = GuidedFilter(lab / 100, radius=6, eps=1e-3)
        person = np.clip(smooth(person.astype(np.float32)), 0, 1)
        belief = solve_parts(lab, places, person, smooth)
        parts = np.where(person > 0.5, belief.argmax(0), -1)
        parts = without_stray_hair(clear_brows(parts, places.face > 0.5, head.half_width))
        ankles = np.minimum(places.leg_positions["left"], places.leg_positions["right"]) > 2
        parts = toes_to_shoes(parts, ankles)
        return enlarge(parse_of(parts, colour_bins(lab), body, grid), (photo.shape[1], photo.shape[0]))


def _read_if_complete(joints: np.ndarray) -> Body | None:
    try:
        return read_body(joints, _FACTOR)
    except IncompletePose:
        return None


def _head_box(body: Body, shape: tuple[int, ...]) -> tuple[int, int, int, int]:
    """Square around the head in pixels of the photo, with room for hats."""
    centre, half = body.get("nose"), 1.0 * body.scale / _FACTOR
    centre = body.neck - (0, 0.6 * body.scale) if centre is None else centre
    x, y = centre / _FACTOR
    low = np.clip((x - half, y - half), 0, (shape[1], shape[0])).astype(int)
    high = np.clip((x + half, y + half), 0, (shape[1], shape[0])).astype(int)
    return int(low[0]), int(low[1]), int(high[0]), int(high[1])
