"""The first person's skeleton, and distances to it, on a grid of pixels."""

from dataclasses import dataclass

import numpy as np

from stagekit.errors import IncompletePose
from stagekit.formats import BODY_25

Side = str
SIDES: tuple[Side, Side] = ("left", "right")
"""The person's own left and right."""

_TORSO_LENGTH = 1.45  # shoulder line to hip line, in shoulder widths, of an adult seen from the front


@dataclass(frozen=True)
class Body:
    """Joints in pixels of the working grid. Vectors are (2,) x, y."""

    joints: dict[str, np.ndarray]
    """The detected joints only, by their BODY_25 names."""

    scale: float
    """Shoulder width in pixels; for people turned sideways, what it would be from the front."""

    neck: np.ndarray
    """Middle of the shoulder line."""

    hip: np.ndarray
    """Middle of the hip line, estimated where hips are missing; may lie outside of the picture."""

    def get(self, name: str) -> np.ndarray | None:
        return self.joints.get(name)

    def chain(self, side: Side, *names: str) -> list[np.ndarray]:
        """The joints of a limb, up to the first that is missing."""
        found = []
        for name in names:
            joint = self.joints.get(f"{side}_{name}")
            if joint is None:
                break
            found.append(joint)
        return found

    def arm(self, side: Side) -> list[np.ndarray]:
        return self.chain(side, "shoulder", "elbow", "wrist")

    def leg(self, side: Side) -> list[np.ndarray]:
        return self.chain(side, "hip", "knee", "ankle")


def read_body(keypoints: np.ndarray, factor: float) -> Body:
    """keypoints: (25, 3) in pixels of the picture; factor: working size over picture size.

    Raises IncompletePose without both shoulders.
    """
    joints = {name: keypoints[i, :2] * factor for name, i in BODY_25.items() if keypoints[i, 2] > 0}
    if "left_shoulder" not in joints or "right_shoulder" not in joints:
        raise IncompletePose("Both shoulders must be visible to tell the parts of the body apart. Use a photo that "
                             "shows the person from head to hips, facing the camera.")  # fmt: skip
    left, right = joints["left_shoulder"], joints["right_shoulder"]
    neck, width = (left + right) / 2, float(np.linalg.norm(left - right))
    hips = [joints[name] for name in ("left_hip", "right_hip") if name in joints]
    if len(hips) == 2:
        hip = (hips[0] + hips[1]) / 2
        width = max(width, float(np.linalg.norm(hip - neck)) / (_TORSO_LENGTH * 1.3))
    else:
        hip = neck + (0.0, _TORSO_LENGTH * max(width, 1.0))
    return Body(joints, max(width, 4.0), neck, hip)


@dataclass(frozen=True)
class Grid:
    """Pixel coordinates of the working size."""

    x: np.ndarray
    y: np.ndarray

    @staticmethod
    def of(width: int, height: int) -> "Grid":
        y, x = np.mgrid[:height, :width].astype(np.float32)
        return Grid(x, y)

    def along(self, start: np.ndarray, end: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Position along the line (0 at start, 1 at end, not clipped) and signed distance from it in pixels: positive
        on the picture's right where the line runs down."""
        dx, dy = (float(v) for v in end - start)
        length2 = max(dx * dx + dy * dy, 1e-6)
        px, py = self.x - float(start[0]), self.y - float(start[1])
        return (px * dx + py * dy) / length2, (px * dy - py * dx) / length2**0.5

    def distance(self, start: np.ndarray, end: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Distance in pixels to the segment start-end, and the position 0..1 of the nearest point on it."""
        position, _ = self.along(start, end)
        nearest = np.clip(position, 0, 1)
        dx, dy = (float(v) for v in end - start)
        off_x, off_y = self.x - (float(start[0]) + nearest * dx), self.y - (float(start[1]) + nearest * dy)
        return np.hypot(off_x, off_y), nearest

    def capsule(self, start: np.ndarray, end: np.ndarray, start_radius: float, end_radius: float) -> np.ndarray:
        """Distance to a tapered capsule in units of its local radius: 0 on the axis, 1 on its skin."""
        distance, position = self.distance(start, end)
        return np.asarray(distance / (start_radius + (end_radius - start_radius) * position))
