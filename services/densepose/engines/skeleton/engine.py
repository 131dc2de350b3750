"""A stand-in for DensePose: body parts painted from pose and silhouette."""

import cv2
import numpy as np

import stagekit
from services.densepose.engines.skeleton.parts import PartPainter, skeleton_core
from stagekit.errors import NoPerson
from stagekit.formats import DENSEPOSE_PALETTE, keypoints
from stagekit.weights import in_package

_PERSON = 0.5  # selfie segmentation's probability from which a pixel counts as person
_SMOOTHING = 4.0  # pixels: body contours have no crumbs
_PALETTE = np.array(DENSEPOSE_PALETTE, np.uint8)


_MODELS = ("modules/selfie_segmentation/selfie_segmentation.tflite",)
"""Inside the MediaPipe package."""


class Engine(stagekit.Engine):
    """person, pose -> densepose.

    `densepose` is (1024, 768, 3) uint8 RGB: each pixel of the first person has the colour of its part
    (DENSEPOSE_PALETTE), the rest is black. Parts are limbs and a trunk of an adult's breadth around the joints, cut to
    the person's silhouette: like DensePose's they follow the body under loose clothes and hair. Limbs are painted over
    the trunk, so arms behind the back come out in front. Missing hips are placed below the shoulders, missing knees
    below the hips.

    Raises NoPerson where the pose lists nobody, IncompletePose without both shoulders.
    """

    name = "skeleton"
    version = "2"
    inputs = ("person", "pose")
    stand_in = True
    licence = "Apache-2.0"

    def load(self) -> None:
        from mediapipe.python.solutions.selfie_segmentation import SelfieSegmentation  # takes seconds to import

        self._segmentation = SelfieSegmentation(model_selection=0)
        self._segmentation.process(np.zeros((64, 48, 3), np.uint8))

    def run(self, inputs: stagekit.Artifacts, warn: stagekit.Warn) -> stagekit.Artifacts:
        photo, people = inputs["person"], keypoints(inputs["pose"])
        if not len(people):
            raise NoPerson("The pose lists nobody. Use a photo of one person who faces the camera.")
        probability = cv2.GaussianBlur(self._segmentation.process(photo).segmentation_mask, (0, 0), _SMOOTHING)
        silhouette = (probability > _PERSON).astype(np.uint8) | skeleton_core(people[0], photo.shape[:2])
        return {"densepose": _PALETTE[PartPainter(people[0], silhouette).paint()]}

    def weights(self) -> tuple[dict[str, str], ...]:
        return in_package("mediapipe", "Apache-2.0", *_MODELS)

    def runtime(self) -> dict[str, str]:
        import mediapipe

        return {"framework": "mediapipe " + mediapipe.__version__, "device": "cpu"}
