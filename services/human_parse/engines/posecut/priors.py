"""Where each part may be, from the pose: soft maps that colours then decide between."""

from dataclasses import dataclass, field
from itertools import pairwise

import cv2
import numpy as np

from services.human_parse.engines.posecut.body import SIDES, Body, Grid, Side

HAIR, FACE, NECK, UPPER, LOWER, ARM, LEG, SHOE = range(8)
"""The parts that colours are learnt for. Left and right are told apart afterwards."""

PARTS = 8

_HEM_SOFTNESS = 0.06  # of the way from the shoulders to the hips
_OFF = 0.004  # nothing is impossible
_ARM_RADII, _LEG_RADII = (0.19, 0.17, 0.13), (0.34, 0.26, 0.22, 0.18)  # of the region, in shoulder widths
_THIGH, _SHIN, _FOOT = 1.12, 1.05, 0.35  # lengths in shoulder widths, of legs that the picture cuts off


@dataclass(frozen=True)
class Borders:
    """Where garments end: guessed at first, then found in the photo."""

    hem: float
    """Where the upper garment meets the lower one: 0 on the shoulder line, 1 on the hip line."""

    cuffs: dict[Side, float] = field(default_factory=dict)
    """Where each sleeve ends: 0 at the shoulder, 1 at the elbow, 2 at the wrist. Absent: unknown."""

    ends: dict[Side, float] = field(default_factory=dict)
    """Where the lower garment ends on each leg: 0 at the hip, 1 at the knee, 2 at the ankle. Absent: unknown."""


@dataclass(frozen=True)
class Head:
    """The face's outline and its axes, in pixels of the working grid."""

    outline: np.ndarray
    chin: np.ndarray
    top: np.ndarray
    half_width: float

    faces_camera: bool = True
    """False where neither mesh nor nose was found: a head seen from behind is all hair."""


def head_of(body: Body, outline: np.ndarray | None) -> Head:
    """From the face mesh's outline (36, 2), or an average face where nose, eyes or shoulders suggest it."""
    if outline is not None:
        return Head(outline, outline[18], outline[0], float(np.linalg.norm(outline[9] - outline[27])) / 2)
    nose = body.get("nose")
    centre = body.neck - (0.0, 0.62 * body.scale) if nose is None else nose
    eyes = [body.joints[name] for name in ("left_eye", "right_eye") if name in body.joints]
    up = (np.mean(eyes, axis=0) - centre) if eyes and nose is not None else centre - body.neck
    up = up / max(float(np.linalg.norm(up)), 1e-6)
    half_height, half_width = 0.3 * body.scale, 0.21 * body.scale
    centre = centre + 0.05 * body.scale * up
    angle = np.linspace(0, 2 * np.pi, 36, endpoint=False)[:, None]
    across = np.array([-up[1], up[0]])
    return Head(centre + up * half_height * np.cos(angle) + across * half_width * np.sin(angle),
                centre - up * half_height, centre + up * half_height, half_width, nose is not None)  # fmt: skip


def fill(points: np.ndarray, grid: Grid) -> np.ndarray:
    """(h, w) bool: inside of the polygon."""
    mask = np.zeros(grid.x.shape, np.uint8)
    cv2.fillPoly(mask, [np.round(points).astype(np.int32)], (1,))
    return mask > 0


def inside(distance: np.ndarray, softness: float = 0.12) -> np.ndarray:
    """1 inside of a shape, 0 outside, from distances in units of its radius (1 on its edge)."""
    return 1 / (1 + np.exp(np.clip((distance - 1) / softness, -30, 30)))


class Places:
    """Coordinates of each pixel relative to the body, and the part priors that follow from them.

    `torso_x`, `torso_y`: +-1 at the shoulders' width, 0 on the shoulder line and 1 on the hip line.
    `face_x`, `face_y`: +-1 at the cheeks, 0 at the chin and 1 at the forehead's top.
    `arms`, `legs`: per side, nearness 0..1 to the limb's bones; `arm_positions`: 0 shoulder, 1 elbow, 2 wrist;
    `leg_positions`: 0 hip, 1 knee, 2 ankle, 3 toes. Those that the picture cuts off are guessed.
    """

    def __init__(self, body: Body, head: Head, hands: list[np.ndarray], grid: Grid) -> None:
        """hands: each (21, 2) landmarks."""
        self.body, self.head, self.grid = body, head, grid
        self.torso_y, across = grid.along(body.neck, body.hip)
        self.torso_x = across / (body.scale / 2)
        self.face_y, face_across = grid.along(head.chin, head.top)
        self.face_x = face_across / head.half_width
        self.face = fill(head.outline, grid).astype(np.float32)
        self.face = cv2.GaussianBlur(self.face, (0, 0), 0.05 * head.half_width + 0.5) * head.faces_camera
        self.arms: dict[Side, np.ndarray] = {}
        self.arm_positions: dict[Side, np.ndarray] = {}
        self.legs: dict[Side, np.ndarray] = {}
        self.leg_positions: dict[Side, np.ndarray] = {}
        for side in SIDES:
            self.arms[side], self.arm_positions[side] = _corridor(body.arm(side), _ARM_RADII, body.scale, grid)
            self.legs[side], self.leg_positions[side] = _corridor(_whole_leg(body, side), _LEG_RADII, body.scale, grid)
        self.hand = _hand_region(body, hands, grid)
        self._skin_parts = self._head_priors()
        self._feet, self.toes = self._foot_regions()

    def priors(self, borders: Borders) -> np.ndarray:
        """(8, h, w) float32, summing to 1 per pixel: how likely each part is at each place of the silhouette."""
        priors = np.full((PARTS, *self.grid.x.shape), _OFF, np.float32)
        priors[HAIR], priors[FACE], priors[NECK], throat = self._skin_parts
        below = 1 / (1 + np.exp(-np.clip((self.torso_y - borders.hem) / _HEM_SOFTNESS, -8, 8)))
        body_cloth = 0.9 * (1 - below) * np.clip(0.5 + self.torso_y / 0.16, 0.05, 1)
        sleeve, bare = self._sleeves(borders)
        body_cloth *= 1 - 0.85 * bare * inside(2 - np.abs(self.torso_x) / 1.05)
        above_chin = inside(2 - self.face_y / 0.1) * inside(np.abs(self.face_x) / 2.5)
        priors[UPPER] = np.maximum.reduce([body_cloth, 0.6 * sleeve, 0.2 * throat]) * (1 - 0.97 * above_chin)
        priors[LOWER] = np.maximum(0.9 * below * (1 - 0.6 * sleeve) * (1 - 0.9 * self.hand), _OFF / 4)
        priors[ARM] = np.maximum(0.5 * bare, 0.97 * self.hand) * (1 - 0.95 * above_chin * (1 - self.hand))
        legs, bare_below = self._bare_legs(borders)
        priors[LEG] = np.maximum(legs, _OFF)
        priors[SHOE] = 0.9 * self._feet
        priors[LOWER] *= (1 - 0.7 * self._feet) * (1 - 0.98 * bare_below)
        priors = np.maximum(priors, _OFF / 4)
        return np.asarray(priors / priors.sum(0))

    def _sleeves(self, borders: Borders) -> tuple[np.ndarray, np.ndarray]:
        """Nearness to arms where cloth, and where skin, may be: both all along the arm until its cuff is known."""
        sleeve = np.zeros(self.grid.x.shape, np.float32)
        bare = np.zeros(self.grid.x.shape, np.float32)
        for side in SIDES:
            covered = naked = np.float32(1.0)
            if side in borders.cuffs:
                naked = 1 / (1 + np.exp(-np.clip((self.arm_positions[side] - borders.cuffs[side]) / 0.06, -8, 8)))
                covered = 1 - naked
            sleeve = np.maximum(sleeve, self.arms[side] * (0.04 + 0.96 * covered))
            bare = np.maximum(bare, self.arms[side] * (0.1 + 0.9 * naked))
        return sleeve * (1 - 0.85 * self.hand), bare

    def _bare_legs(self, borders: Borders) -> tuple[np.ndarray, np.ndarray]:
        """How likely bare legs are, and the share 0..1 of being below the lower garment's end; nowhere until it is known."""
        legs = np.zeros(self.grid.x.shape, np.float32)
        below = np.full(self.grid.x.shape, np.float32(borders.ends.keys() >= set(SIDES)))
        for side in SIDES:
            position = self.leg_positions[side]
            naked = 0.25 * np.clip((position - 0.3) / 0.5, 0, 1)
            if side in borders.ends:
                naked = 1 / (1 + np.exp(-np.clip((position - borders.ends[side]) / 0.06, -8, 8)))
                below = np.minimum(below, naked)
            legs = np.maximum(legs, 0.9 * naked * self.legs[side])
        return legs, below

    def _head_priors(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Hair, face, neck, and the nearness to the throat."""
        x, y = np.abs(self.face_x), self.face_y
        forehead = 0.35 * inside(x / 0.95) * inside(np.abs(y - 0.7) / 0.55)
        ears = 0.15 * inside(x / 1.2) * inside(np.abs(y - 0.5) / 0.35)
        face = np.maximum.reduce([0.95 * self.face, forehead, ears]) * self.head.faces_camera
        around = inside(np.hypot(x / 2.2, (y - 0.55) / 1.15), 0.15) * inside(2 - y / 0.05, 0.3)
        beside_chin = np.clip((x - 0.3) / 0.6, 0.08, 1)
        falling = inside(x / 2.2, 0.15) * (y < 0.3) * np.clip(1 + y / 1.9, 0, 1) * beside_chin
        hair = np.maximum(0.9 * around, 0.3 * falling)
        hair *= 1 - self.face * (1 - 0.5 * np.clip((y - 0.45) / 0.4, 0.02, 1))
        below_chin = inside(1 + (y - 0.12) / 0.3)
        torso_x, torso_y = np.abs(self.torso_x), self.torso_y
        throat = inside(torso_x / 0.62) * inside(1 + torso_y / 0.4, 0.1) * below_chin
        chest = inside(torso_x / 0.85) * inside(np.abs(torso_y) / 0.4) * below_chin
        midriff = inside(torso_x / 1.0) * inside(np.abs(torso_y - 0.75) / 0.25)
        beside_neck = (x > 1.05) & (torso_x > 0.42) & (torso_y < -0.06)  # where long hair falls
        neck = np.maximum.reduce([0.8 * throat, 0.45 * chest, 0.15 * midriff]) * np.where(beside_neck, 0.2, 1)
        return np.maximum(hair, _OFF), np.maximum(face, _OFF), np.maximum(neck, _OFF), throat

    def _foot_regions(self) -> tuple[np.ndarray, np.ndarray]:
        """0..1: around the feet that the picture shows; bool: around the toes, which a shoe covers if anything."""
        feet = np.zeros(self.grid.x.shape, np.float32)
        toes = np.zeros(self.grid.x.shape, bool)
        s = self.body.scale
        for side in SIDES:
            ankle = self.body.get(f"{side}_ankle")
            if ankle is None:
                continue
            end = _whole_leg(self.body, side)[3]
            start = ankle + 0.55 * (end - ankle)
            feet = np.maximum(feet, inside(self.grid.capsule(start, end, 0.14 * s, 0.2 * s)))
            toes |= self.grid.distance(end, end)[0] < 0.12 * s
        return feet, toes


def _whole_leg(body: Body, side: Side) -> list[np.ndarray]:
    """Hip, knee, ankle and the foot's end; those that are missing are guessed from the others, straight on."""
    leg = body.leg(side) or [body.hip]
    toe = body.get(f"{side}_big_toe")
    for length in (_THIGH, _SHIN)[len(leg) - 1 :]:
        way = leg[-1] - leg[-2] if len(leg) > 1 else np.array([0.0, 1.0])
        leg.append(leg[-1] + length * body.scale * way / max(float(np.linalg.norm(way)), 1e-6))
    return [*leg, leg[2] + (0.0, _FOOT * body.scale) if toe is None else toe]


def _corridor(
    limb: list[np.ndarray], radii: tuple[float, ...], scale: float, grid: Grid
) -> tuple[np.ndarray, np.ndarray]:
    """Nearness 0..1 to the bones, and the position along them: 0, 1, 2 ... at their joints. radii: at these, in `scale`."""
    corridor = np.zeros(grid.x.shape, np.float32)
    position = np.zeros(grid.x.shape, np.float32)
    nearest = np.full(grid.x.shape, np.inf, np.float32)
    for k, (start, end) in enumerate(pairwise(limb)):
        distance, t = grid.distance(start, end)
        corridor = np.maximum(corridor, inside(distance / (scale * (radii[k] + (radii[k + 1] - radii[k]) * t))))
        position = np.where(distance < nearest, k + t, position)
        nearest = np.minimum(nearest, distance)
    return corridor, position


def _hand_region(body: Body, hands: list[np.ndarray], grid: Grid) -> np.ndarray:
    """0..1: beyond the wrists, and around the hand landmarks."""
    region = np.zeros(grid.x.shape, np.float32)
    s = body.scale
    for side in SIDES:
        arm = body.arm(side)
        if len(arm) == 3:
            direction = (arm[2] - arm[1]) / max(float(np.linalg.norm(arm[2] - arm[1])), 1e-6)
            start, end = arm[2] + 0.1 * s * direction, arm[2] + 0.42 * s * direction
            region = np.maximum(region, 0.9 * inside(grid.capsule(start, end, 0.14 * s, 0.17 * s)))
    for hand in hands:
        palm = float(np.linalg.norm(hand[9] - hand[0]))
        mask = fill(cv2.convexHull(np.round(hand).astype(np.int32))[:, 0], grid).astype(np.uint8)
        size = 2 * int(0.15 * palm + 1) + 1
        wide = cv2.dilate(mask, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size)))
        region = np.maximum(region, cv2.GaussianBlur(wide.astype(np.float32), (0, 0), 0.06 * palm + 0.5))
    return region
