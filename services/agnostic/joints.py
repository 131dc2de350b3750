"""The joints of the person who is dressed, and the bones of her arms."""

from itertools import pairwise
from typing import Any

import numpy as np

from services.agnostic.drawing import Point
from stagekit.errors import IncompletePose
from stagekit.formats import BODY_25, keypoints

Joints = list[Point]
"""The 25 joints of one person as x, y in pixels; undetected ones are (0, 0)."""

RIGHT_ARM = tuple(BODY_25["right_" + joint] for joint in ("shoulder", "elbow", "wrist"))
LEFT_ARM = tuple(BODY_25["left_" + joint] for joint in ("shoulder", "elbow", "wrist"))

ADVICE = "Use a photo in which the person faces the camera and can be seen from the head down to the hips."


def joints_of_first_person(pose: dict[str, Any]) -> Joints:
    """The joints of the first person of a pose document. Raises IncompletePose without a person."""
    people: np.ndarray = keypoints(pose)
    if not len(people):
        raise IncompletePose("The pose lists nobody. " + ADVICE)
    return [(float(x), float(y)) for x, y in people[0, :, :2]]


def bones(chain: tuple[int, ...], joints: Joints) -> list[tuple[int, int]]:
    """Successive joints of a chain, both detected."""
    return [(start, end) for start, end in pairwise(chain) if any(joints[start]) and any(joints[end])]
