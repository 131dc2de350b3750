"""PoseNet: small, fast, free to use. Its 17 joints become BODY_25, hips from hips."""

import os
from typing import Any

import cv2
import numpy as np

import stagekit
from services.pose.engines.posenet.decode import decode, size
from services.pose.engines.posenet.network import SIZE, Network
from services.pose.layouts import BODY_25, COCO_17, convert
from services.pose.skeleton import draw_skeleton
from stagekit.errors import NoPerson
from stagekit.formats import pose_document
from stagekit.weights import folder_with, in_folder

MODEL = "posenet.onnx"
_CLEAR_PERSON = 0.4  # a second person counts as clear from this part of the first one's size


class Engine(stagekit.Engine):
    """person -> pose, pose_image.

    `pose` lists people largest first, at least one. Neck and mid-hip lie between shoulders and hips; feet are unknown to this
    network, and what it is not sure of is undetected: 0,0,0.

    Source: Papandreou et al., CVPR 2017 and ECCV 2018. Warns: several-people. Raises NoPerson; at start WeightsMissing.
    """

    name = "posenet"
    version = "1"
    inputs = ("person",)
    licence = "MIT"

    def __init__(self) -> None:
        self._weights: tuple[dict[str, str], ...] = ()

    def load(self) -> None:
        folder = folder_with(MODEL, self.name, os.path.dirname(__file__))
        self._network = Network(os.path.join(folder, MODEL))
        self._weights = in_folder(folder, self.licence, MODEL)

    def run(self, inputs: stagekit.Artifacts, warn: stagekit.Warn) -> stagekit.Artifacts:
        image = inputs["person"]
        people = decode(self._network.look(image))
        if not len(people):
            raise NoPerson("Nobody was found in the picture. Use a photo of one person who faces the camera, head and "
                           "shoulders visible, with good light.")  # fmt: skip
        if len(people) > 1 and size(people[1]) > _CLEAR_PERSON * size(people[0]):
            warn("several-people", f"{len(people)} people were found; the largest one is dressed.")
        poses = convert(in_picture(people, image.shape[:2]), COCO_17, BODY_25)
        return {"pose": pose_document(poses), "pose_image": draw_skeleton(poses)}

    def weights(self) -> tuple[dict[str, str], ...]:
        return self._weights

    def runtime(self) -> dict[str, str]:
        return {"framework": "opencv " + cv2.__version__, "device": "cpu"}

    def options(self) -> dict[str, Any]:
        return {"size": list(SIZE)}


def in_picture(people: np.ndarray, picture: tuple[int, ...]) -> np.ndarray:
    """Places in the network's input as places in a picture of another size; joints beyond its border become undetected.

    people: (n, joints, 3); picture: height and width. Undetected joints stay 0,0,0.
    """
    height, width = picture
    placed = people.copy()
    # OpenCV's resize keeps the borders of pixels in place, not their middles.
    placed[..., :2] = (people[..., :2] + 0.5) * (width / SIZE[1], height / SIZE[0]) - 0.5
    x, y, confidence = placed[..., 0], placed[..., 1], placed[..., 2]
    inside = (x >= 0) & (x <= width - 1) & (y >= 0) & (y <= height - 1) & (confidence > 0)
    return np.where(inside[..., None], placed, 0.0)
