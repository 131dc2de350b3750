"""DWPose: body, feet, hands and face of a person, as FASHN VTON's network was trained to see her."""

import cv2
import numpy as np
import onnxruntime

import stagekit
from services.pose.engines.dwpose.networks import Network, find_people, find_points
from services.pose.engines.dwpose.people import people_of, sizes
from services.pose.skeleton import draw_skeleton
from stagekit.errors import NoPerson
from stagekit.formats import pose_document
from stagekit.weights import require, weights_folder

DETECTOR, POINTS = "yolox_l.onnx", "dw-ll_ucoco_384.onnx"
_CLEAR_PERSON = 0.4  # a second person counts as clear from this part of the first one's size


class Engine(stagekit.Engine):
    """person -> pose, pose_image.

    `pose` lists people, the one to dress first, each with hands and face; neck and mid-hip lie between shoulders and hips, and
    what the network is not sure of is undetected: 0,0,0. The networks are the published ones, YOLOX-L to find people and
    dw-ll_ucoco_384 for 133 points of each.

    Source: Yang et al., "Effective Whole-body Pose Estimation with Two-stages Distillation", ICCV workshops 2023. Warns:
    several-people. Raises NoPerson; at start WeightsMissing.
    """

    name = "dwpose"
    version = "1"
    inputs = ("person",)
    licence = "Apache-2.0"
    commercial = "yes"

    def __init__(self) -> None:
        self._weights: tuple[dict[str, str], ...] = ()

    def load(self) -> None:
        weights = require(self.name)
        folder = weights_folder(self.name)
        self._detector, self._points = Network(folder, DETECTOR, 1), Network(folder, POINTS, 2)
        self._weights = weights

    def run(self, inputs: stagekit.Artifacts, warn: stagekit.Warn) -> stagekit.Artifacts:
        image = cv2.cvtColor(inputs["person"], cv2.COLOR_RGB2BGR)
        boxes = find_people(self._detector, image)
        points = np.stack([find_points(self._points, image, box) for box in boxes])
        people = people_of(points)
        if not people.bodies[0].any():
            raise NoPerson("Nobody was found in the picture. Use a photo of one person who faces the camera, head and "
                           "shoulders visible, with good light.")  # fmt: skip
        largest = np.sort(sizes(points))[::-1]
        if len(largest) > 1 and largest[1] > _CLEAR_PERSON * largest[0]:
            warn("several-people", f"{len(largest)} people were found; the largest one is dressed.")
        return {
            "pose": pose_document(people.bodies, people.hands, people.faces),
            "pose_image": draw_skeleton(people.bodies),
        }

    def weights(self) -> tuple[dict[str, str], ...]:
        return self._weights

    def runtime(self) -> dict[str, str]:
        return {"framework": "onnxruntime " + onnxruntime.__version__, "device": "cpu"}
