"""The published clothing-agnostic representation of VITON-HD, in the version that HR-VITON uses."""

import math
from typing import Any

import stagekit
from services.agnostic.engines.viton_hd.agnostic import Joints, agnostic_image, parse_agnostic
from stagekit.errors import IncompletePose
from stagekit.formats import BODY_25, BODY_25_JOINTS, keypoints

_NEEDED = [BODY_25[name] for name in ("neck", "right_shoulder", "left_shoulder", "right_hip", "left_hip")]
"""Without these the published algorithm has no scale or no torso. Arms may be missing."""

_ADVICE = "Use a photo in which the person faces the camera and can be seen from the head down to the hips."


class Engine(stagekit.Engine):
    """person, parse, pose -> agnostic, parse_agnostic.

    Equal to the published `agnostic-v3.2` and `image-parse-agnostic-v3.2` pixel by pixel, given the same inputs. Uses the
    first person of the pose; joints outside of the picture are fine. A bone of which an end is undetected is skipped, as
    published, and warned about: the sleeve stays visible there.

    Warns: arm-not-hidden. Raises IncompletePose.
    """

    name = "viton_hd"
    version = "1"
    inputs = ("person", "parse", "pose")
    licence = "MIT"
    concurrency = 4

    def run(self, inputs: stagekit.Artifacts, warn: stagekit.Warn) -> stagekit.Artifacts:
        joints = joints_of_first_person(inputs["pose"])
        for side in ("left", "right"):
            if not any(joints[BODY_25[side + "_elbow"]]):
                warn("arm-not-hidden", f"The {side} elbow was not found, so that sleeve may stay visible.")
        parse = inputs["parse"]
        return {
            "agnostic": agnostic_image(inputs["person"], parse, joints),
            "parse_agnostic": parse_agnostic(parse, joints),
        }


def joints_of_first_person(pose: dict[str, Any]) -> Joints:
    """The 25 joints of the first person of a pose document. Raises IncompletePose when the algorithm cannot use them."""
    people = keypoints(pose)
    if not len(people):
        raise IncompletePose("The pose lists nobody. " + _ADVICE)
    joints = [(float(x), float(y)) for x, y in people[0, :, :2]]
    missing = [BODY_25_JOINTS[joint].replace("_", " ") for joint in _NEEDED if not any(joints[joint])]
    if missing:
        raise IncompletePose(f"These joints were not found: {', '.join(missing)}. {_ADVICE}")
    for part in ("shoulder", "hip"):
        if math.dist(joints[BODY_25["right_" + part]], joints[BODY_25["left_" + part]]) == 0:
            raise IncompletePose(f"The right {part} and the left {part} lie on the same point. {_ADVICE}")
    return joints
