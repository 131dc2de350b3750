"""Paint body parts, as DensePose numbers them, around a BODY_25 skeleton."""

import cv2
import numpy as np

from stagekit.errors import IncompletePose
from stagekit.formats import BODY_25

_SIDES = ("right", "left")
# Part ids of a person seen from the front, and of one seen from behind. Arms: (the half towards the body's middle, the
# outer half). Ids: Gueler, Neverova and Kokkinos, "DensePose" (2018); which of a limb's ids shows in front was read off
# an example of the data set.
_FRONT: dict[str, int] = {
    "torso": 2, "right_hand": 3, "left_hand": 4, "left_foot": 5, "right_foot": 6,
    "right_thigh": 9, "left_thigh": 10, "right_shin": 13, "left_shin": 14, "head_right": 23, "head_left": 24,
}  # fmt: skip
_BACK = {**_FRONT, "torso": 1, "right_thigh": 7, "left_thigh": 8, "right_shin": 11, "left_shin": 12}
_ARMS_FRONT = {"left_upper_arm": (15, 17), "right_upper_arm": (16, 18), "left_forearm": (19, 21),
               "right_forearm": (20, 22)}  # fmt: skip
_ARMS_BACK = {**_ARMS_FRONT, "left_upper_arm": (17, 17), "right_upper_arm": (18, 18)}

# Radii in shoulder widths (joint to joint), read off a DensePose image of an adult; the silhouette trims them further.
_SHOULDER, _ELBOW, _WRIST, _HAND = 0.145, 0.125, 0.09, 0.16
_THIGH, _KNEE, _ANKLE, _FOOT = 0.36, 0.24, 0.13, 0.13
_NECK, _NECK_BASE, _HEAD_WIDTH, _HEAD_HEIGHT = 0.2, 0.42, 0.33, 0.45
_TORSO_LENGTH, _THIGH_LENGTH, _HAND_LENGTH, _CROTCH = 1.45, 1.5, 0.55, 0.36
_OUTER_FROM = {"upper_arm": 0.15, "forearm": -0.45}  # where the outer half begins, in radii from the bone


class PartPainter:
    """Paints the parts of one person, those in front last."""

    def __init__(self, joints: np.ndarray, silhouette: np.ndarray) -> None:
        """joints: (25, 3) BODY_25 keypoints. silhouette: (h, w) uint8, 0 or 1.

        Raises IncompletePose without both shoulders.
        """
        self._joints = {name: joints[i, :2] for name, i in BODY_25.items() if joints[i, 2] > 0}
        if "left_shoulder" not in self._joints or "right_shoulder" not in self._joints:
            raise IncompletePose("Both shoulders must be visible to place the parts of the body. Use a photo that "
                                 "shows the person from head to hips, facing the camera.")  # fmt: skip
        self._silhouette = silhouette
        self.parts = np.zeros(silhouette.shape, np.uint8)
        left, right = self._joints["left_shoulder"], self._joints["right_shoulder"]
        self._neck = (left + right) / 2
        self._from_behind = bool(right[0] > left[0]) and "nose" not in self._joints
        self._ids, self._arm_ids = (_BACK, _ARMS_BACK) if self._from_behind else (_FRONT, _ARMS_FRONT)
        self._hips = self._find_hips(left, right)
        length = float(np.linalg.norm(np.mean(list(self._hips.values()), axis=0) - self._neck))
        # Shoulders look narrower when the body is turned; the torso's length does not.
        self._unit = max(float(np.linalg.norm(left - right)), length / (1.3 * _TORSO_LENGTH), 4.0)
        axis = np.mean(list(self._hips.values()), axis=0) - self._neck
        self._down = axis / max(float(np.linalg.norm(axis)), 1e-6)

    def paint(self) -> np.ndarray:
        """(h, w) uint8 part ids 0..24."""
        for side in _SIDES:
            self._paint_leg(side)
        self._paint_torso()
        self._paint_head()
        for side in _SIDES:
            self._paint_arm(side)
        return self.parts

    def _find_hips(self, left: np.ndarray, right: np.ndarray) -> dict[str, np.ndarray]:
        """Both hips; missing ones as far below the shoulders as an adult's are."""
        if "left_hip" in self._joints and "right_hip" in self._joints:
            return {side: self._joints[side + "_hip"] for side in _SIDES}
        drop = np.array([0.0, _TORSO_LENGTH * max(float(np.linalg.norm(left - right)), 4.0)])
        shoulders = {"left": left, "right": right}
        return {side: self._neck + 0.6 * (shoulders[side] - self._neck) + drop for side in _SIDES}

    def _paint_leg(self, side: str) -> None:
        unit, hip = self._unit, self._hips[side]
        knee = self._joints.get(side + "_knee")
        reach = hip + _THIGH_LENGTH * unit * self._down if knee is None else knee
        thigh = _capsule(hip, reach, _THIGH * unit, _KNEE * unit)
        self._fill(thigh, self._ids[side + "_thigh"], within=self._own_half(side, reach))
        ankle = self._joints.get(side + "_ankle")
        if knee is None or ankle is None:
            return
        self._fill(_capsule(knee, ankle, 0.85 * _KNEE * unit, _ANKLE * unit), self._ids[side + "_shin"])
        toe, heel = (self._joints.get(f"{side}_{name}") for name in ("big_toe", "heel"))
        toe = ankle + 0.35 * unit * self._down if toe is None else toe
        start = ankle + 0.3 * (toe - ankle) if heel is None else heel
        self._fill(_capsule(start, toe, _FOOT * unit, _FOOT * unit), self._ids[side + "_foot"])

    def _own_half(self, side: str, reach: np.ndarray) -> np.ndarray:
        """What lies on the limb's side of the body's middle line: thighs touch there and do not cross it."""
        middle = (self._hips["left"] + self._hips["right"]) / 2
        out = self._outward(self._hips[side], reach)
        line = [middle - 2 * self._unit * self._down, middle + 6 * self._unit * self._down]
        return np.array([*line, line[1] + 9 * self._unit * out, line[0] + 9 * self._unit * out])

    def _paint_torso(self) -> None:
        """From the neck's base over the shoulders to the hips, and down to a point at the crotch."""
        unit, down = self._unit, self._down
        across = {side: self._joints[side + "_shoulder"] - self._neck for side in _SIDES}
        middle = (self._hips["left"] + self._hips["right"]) / 2
        outline = []
        for side in _SIDES:
            outward = across[side] / max(float(np.linalg.norm(across[side])), 1e-6)
            shoulder, hip = self._joints[side + "_shoulder"], self._hips[side]
            ring = [self._neck + 0.45 * _NECK * unit * outward - 0.3 * unit * down,
                    shoulder - 0.2 * unit * down - 0.05 * unit * outward, shoulder + 0.13 * unit * outward,
                    middle + 0.7 * unit * outward - 0.1 * unit * down,
                    hip + 0.35 * unit * outward + 0.03 * unit * down]  # fmt: skip
            outline += ring if side == "right" else ring[::-1]
            if side == "right":
                outline.append(middle + _CROTCH * unit * down)
        self._fill(np.array(outline), self._ids["torso"])

    def _paint_head(self) -> None:
        """Skull and neck, parted by the face's middle line."""
        unit = self._unit
        centre, up = self._head_axis()
        base = self._neck - _NECK_BASE * unit * self._down
        angle = np.linspace(0, 2 * np.pi, 48, endpoint=False)[:, None]
        right = np.array([-up[1], up[0]])  # towards the picture's right when the head is upright
        skull = centre + _HEAD_HEIGHT * unit * np.cos(angle) * up + _HEAD_WIDTH * unit * np.sin(angle) * right
        for outline in (skull, _capsule(centre - 0.2 * unit * up, base, _NECK * unit, 1.15 * _NECK * unit)):
            half = np.array([centre + 3 * unit * up, base - 3 * unit * up, base - 3 * unit * (up - right),
                             centre + 3 * unit * (up + right)])  # fmt: skip
            on_right, on_left = ("head_right", "head_left") if self._from_behind else ("head_left", "head_right")
            self._fill(outline, self._ids[on_left])
            self._fill(outline, self._ids[on_right], within=half)

    def _head_axis(self) -> tuple[np.ndarray, np.ndarray]:
        """The skull's middle and its direction upwards (unit length)."""
        names = ("left_ear", "right_ear", "left_eye", "right_eye")
        ears = [self._joints[name] for name in names if name in self._joints]
        nose = self._joints.get("nose")
        if nose is None and not ears:
            return self._neck - 0.72 * self._unit * self._down, -self._down
        face = nose if nose is not None else np.mean(ears, axis=0)
        middle = (np.mean(ears, axis=0) + face) / 2 if ears else face
        up = middle - (self._neck - 0.2 * self._unit * self._down)
        up = up / max(float(np.linalg.norm(up)), 1e-6)
        return middle + 0.05 * self._unit * up, up

    def _paint_arm(self, side: str) -> None:
        unit = self._unit
        shoulder, elbow, wrist = (self._joints.get(f"{side}_{name}") for name in ("shoulder", "elbow", "wrist"))
        if shoulder is None or elbow is None:
            return
        self._arm_bone(side, "upper_arm", shoulder, elbow, _SHOULDER, _ELBOW)
        if wrist is None:
            return
        along = (wrist - elbow) / max(float(np.linalg.norm(wrist - elbow)), 1e-6)
        cut = wrist - 0.08 * unit * along  # DensePose's hands begin a little above the wrist
        self._arm_bone(side, "forearm", elbow, cut, _ELBOW, _WRIST)
        tip = wrist + (_HAND_LENGTH - _HAND) * unit * along
        hand = _capsule(cut + 0.1 * unit * along, tip, 1.1 * _WRIST * unit, _HAND * unit)
        self._fill(hand, self._ids[side + "_hand"])

    def _arm_bone(
        self, side: str, name: str, start: np.ndarray, end: np.ndarray, radius: float, end_radius: float
    ) -> None:
        """A tapered capsule in its inner half's id, and over it the outer half's."""
        inner, outer = self._arm_ids[f"{side}_{name}"]
        outline = _capsule(start, end, radius * self._unit, end_radius * self._unit)
        out = self._outward(start, end)
        line = (start - (end - start), end + (end - start))
        shift = _OUTER_FROM[name] * radius * self._unit
        near, far = ([point + d * out for point in line] for d in (shift, 4 * radius * self._unit))
        self._fill(outline, inner)
        self._fill(outline, outer, within=np.array([*near, *far[::-1]]))

    def _outward(self, start: np.ndarray, end: np.ndarray) -> np.ndarray:
        """Unit vector across the bone, away from the body's middle line."""
        along = (end - start) / max(float(np.linalg.norm(end - start)), 1e-6)
        across = np.array([along[1], -along[0]])
        off = (start + end) / 2 - self._neck
        outwards = off - self._down * float(np.dot(off, self._down))
        return across if float(np.dot(across, outwards)) >= 0 else -across

    def _fill(self, outline: np.ndarray, part: int, within: np.ndarray | None = None) -> None:
        mask = self._silhouette * _polygon(outline, self.parts.shape)
        if within is not None:
            mask &= _polygon(within, self.parts.shape)
        self.parts[mask > 0] = part


def skeleton_core(joints: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """(h, w) uint8 0/1: thin lines along the bones, body whatever the segmentation says."""
    core = np.zeros(shape, np.uint8)
    shoulders = joints[BODY_25["left_shoulder"], :2] - joints[BODY_25["right_shoulder"], :2]
    thickness = max(2, int(0.14 * np.linalg.norm(shoulders)))
    bones = [("neck", "mid_hip"), ("nose", "neck")]
    for side in _SIDES:
        bones += [(f"{side}_{a}", f"{side}_{b}") for a, b in
                  (("shoulder", "elbow"), ("elbow", "wrist"), ("hip", "knee"), ("knee", "ankle"))]  # fmt: skip
    for a, b in bones:
        start, end = joints[BODY_25[a]], joints[BODY_25[b]]
        if start[2] > 0 and end[2] > 0:
            points = [(round(float(p[0])), round(float(p[1]))) for p in (start, end)]
            cv2.line(core, points[0], points[1], (1,), thickness)
    return core


def _capsule(start: np.ndarray, end: np.ndarray, start_radius: float, end_radius: float) -> np.ndarray:
    """(n, 2) outline of the hull of two discs."""
    angle = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    disc = np.stack([np.cos(angle), np.sin(angle)], 1)
    points = np.concatenate([start + start_radius * disc, end + end_radius * disc]).astype(np.float32)
    return np.asarray(cv2.convexHull(points)[:, 0])


def _polygon(points: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    mask = np.zeros(shape, np.uint8)
    cv2.fillPoly(mask, [np.round(points).astype(np.int32)], (1,))
    return mask
