"""OpenPose on any machine: the published networks on OpenCV, people put together by our own decoder."""

from typing import Any

import cv2
import numpy as np

import stagekit
from services.pose.engines.openpose.decode import decode, size
from services.pose.engines.openpose.models import MODELS
from services.pose.engines.openpose.scales import Pyramid
from services.pose.engines.openpose.settings import read_openpose_settings, read_scales
from services.pose.layouts import BODY_25, convert
from services.pose.skeleton import draw_skeleton
from stagekit.errors import NoPerson
from stagekit.formats import pose_document
from stagekit.manifest import read_manifest
from stagekit.weights import require, weights_folder

_CLEAR_PERSON = 0.4  # a second person counts as clear from this part of the first one's size


class Engine(stagekit.Engine):
    """person -> pose, pose_image.

    `pose` lists people largest first, at least one, each with the joints that the network saw; a joint that it did not see,
    or that the COCO models do not know, is 0,0,0. HOWSFIT_OPENPOSE_MODEL chooses the network,
    HOWSFIT_OPENPOSE_SCALES the sizes at which it looks.

    Source: Cao et al., CVPR 2017 and TPAMI 2019. Warns: several-people. Raises NoPerson; at start WeightsMissing.
    """

    name = "openpose"
    version = "1"
    inputs = ("person",)

    def __init__(self) -> None:
        self._chosen = read_openpose_settings().openpose_model
        self._model = MODELS[self._chosen]
        self._scales = read_scales()
        weights = read_manifest()[self._model.weights]
        self.licence, self.commercial = weights.licence, weights.commercial
        self._weights: tuple[dict[str, str], ...] = ()

    def load(self) -> None:
        weights = require(self._model.weights)
        self._pyramid = Pyramid(self._model, weights_folder(self.name), self._scales)
        self._weights = weights

    def run(self, inputs: stagekit.Artifacts, warn: stagekit.Warn) -> stagekit.Artifacts:
        image = inputs["person"]
        heat, fields = self._pyramid.look(image)
        people = decode(heat, fields, self._model.skeleton)
        if not len(people):
            raise NoPerson("Nobody was found in the picture. Use a photo of one person who faces the camera, head and "
                           "shoulders visible, with good light.")  # fmt: skip
        if len(people) > 1 and size(people[1]) > _CLEAR_PERSON * size(people[0]):
            warn("several-people", f"{len(people)} people were found; the largest one is dressed.")
        poses = convert(in_pixels(people, heat.shape[1:], image.shape[:2]), self._model.skeleton.joints, BODY_25)
        return {"pose": pose_document(poses), "pose_image": draw_skeleton(poses)}

    def weights(self) -> tuple[dict[str, str], ...]:
        return self._weights

    def runtime(self) -> dict[str, str]:
        return {"framework": "opencv " + cv2.__version__, "device": "cpu"}

    def options(self) -> dict[str, Any]:
        return {"model": self._chosen, "size": list(self._model.size), "scales": list(self._scales)}


def in_pixels(people: np.ndarray, cells: tuple[int, ...], pixels: tuple[int, ...]) -> np.ndarray:
    """Places in cells as places in pixels; both count from the middle of the first one.

    people: (n, joints, 3); cells, pixels: height and width of maps and picture. Undetected joints stay 0,0,0.
    """
    height, width = pixels[0] / cells[0], pixels[1] / cells[1]
    scaled = (people[..., :2] + 0.5) * (width, height) - 0.5
    return np.concatenate([np.where(people[..., 2:] > 0, scaled, 0), people[..., 2:]], axis=-1)
