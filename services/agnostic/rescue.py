"""What stands in for the joints that a pose lacks and the published algorithm cannot do without.

The published code divides by the distance between the hips, and takes a missing shoulder for the picture's corner. These rules
are ours, and change nothing where all joints are there. In this order:

1. neck: half-way between the shoulders.
2. one shoulder: the other one mirrored at the neck.
3. one hip: the other one mirrored at the mid-hip; without a mid-hip, 0.65 shoulder widths from the other one, in the direction
   of the shoulders.
4. both hips: that far apart around the mid-hip, in the direction of the shoulders. Hips on one point count as this point being
   the mid-hip. Without a mid-hip it is assumed 1.5 shoulder widths below the neck, at right angles to the shoulders.
5. elbow: half-way between shoulder and wrist.

Nothing stands in for both shoulders, nor for the neck and a shoulder: then there is no scale. An elbow without a wrist and a
wrist stay missing: the published algorithm leaves out the bones that hang on them.
"""

from services.agnostic.drawing import Point
from services.agnostic.joints import Joints
from stagekit.formats import BODY_25

_TRUNK = 1.5
_HIPS_APART = 0.65
"""Shoulder widths from neck to mid-hip, and from hip to hip: in the samples' keypoints 1.40 to 1.78 and 0.60 to 0.71."""

_NECK, _MID_HIP = BODY_25["neck"], BODY_25["mid_hip"]
_SHOULDERS = _RIGHT_SHOULDER, _LEFT_SHOULDER = BODY_25["right_shoulder"], BODY_25["left_shoulder"]
_HIPS = _RIGHT_HIP, _LEFT_HIP = BODY_25["right_hip"], BODY_25["left_hip"]


def rescue(joints: Joints) -> Joints:
    """The joints with those that the rules above give in addition; what they cannot give stays (0, 0).

    Hips are apart afterwards wherever neck and shoulders are there and the shoulders are apart.
    """
    joints = list(joints)
    _fill(joints, _NECK, _between(joints, *_SHOULDERS))
    for one, other in (_SHOULDERS, _SHOULDERS[::-1]):
        _fill(joints, one, _mirrored(joints, other, _NECK))
    if all(_is_there(joints, joint) for joint in (_NECK, *_SHOULDERS)):
        _find_hips(joints)
    for side in ("right_", "left_"):
        shoulder, elbow, wrist = (BODY_25[side + joint] for joint in ("shoulder", "elbow", "wrist"))
        _fill(joints, elbow, _between(joints, shoulder, wrist))
    return joints


def _find_hips(joints: Joints) -> None:
    """Neck and shoulders are there."""
    x, y = (_HIPS_APART * part for part in _across(joints))
    for one, other in (_HIPS, _HIPS[::-1]):
        _fill(joints, one, _mirrored(joints, other, _MID_HIP))
    if _is_there(joints, _LEFT_HIP):
        _fill(joints, _RIGHT_HIP, (joints[_LEFT_HIP][0] - x, joints[_LEFT_HIP][1] - y))
    if _is_there(joints, _RIGHT_HIP):
        _fill(joints, _LEFT_HIP, (joints[_RIGHT_HIP][0] + x, joints[_RIGHT_HIP][1] + y))
    if joints[_RIGHT_HIP] == joints[_LEFT_HIP]:
        known = next((joints[joint] for joint in (_RIGHT_HIP, _MID_HIP) if _is_there(joints, joint)), None)
        middle = known or _below_neck(joints)
        joints[_RIGHT_HIP] = (middle[0] - x / 2, middle[1] - y / 2)
        joints[_LEFT_HIP] = (middle[0] + x / 2, middle[1] + y / 2)


def _fill(joints: Joints, joint: int, place: Point | None) -> None:
    """Put a joint where a rule says, if it is missing and the rule can tell."""
    if place is not None and not _is_there(joints, joint):
        joints[joint] = place


def _between(joints: Joints, one: int, other: int) -> Point | None:
    if not (_is_there(joints, one) and _is_there(joints, other)):
        return None
    return (joints[one][0] + joints[other][0]) / 2, (joints[one][1] + joints[other][1]) / 2


def _mirrored(joints: Joints, joint: int, at: int) -> Point | None:
    if not (_is_there(joints, joint) and _is_there(joints, at)):
        return None
    return 2 * joints[at][0] - joints[joint][0], 2 * joints[at][1] - joints[joint][1]


def _below_neck(joints: Joints) -> Point:
    (x, y), (across_x, across_y) = joints[_NECK], _across(joints)
    # Of the two ways at right angles the one that goes down; somebody seen from behind has the left shoulder on the left.
    way = _TRUNK if across_x >= 0 else -_TRUNK
    return x - way * across_y, y + way * across_x


def _across(joints: Joints) -> Point:
    """From the right shoulder to the left one."""
    (ax, ay), (bx, by) = joints[_RIGHT_SHOULDER], joints[_LEFT_SHOULDER]
    return bx - ax, by - ay


def _is_there(joints: Joints, joint: int) -> bool:
    return any(joints[joint])
