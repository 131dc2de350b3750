"""The wearer's body as the garment needs it: shoulder line, trunk outline and arms, from pose and parse."""

from dataclasses import dataclass, replace

import cv2
import numpy as np

from services.tryon.engines.tps.curves import grow, labelled, polygon_mask, resample
from services.tryon.engines.tps.garment import LEFT, RIGHT
from stagekit.errors import IncompletePose
from stagekit.formats import BODY_25, CIHP

UPPER = [CIHP[name] for name in ("upper_clothes", "dress", "coat", "scarf")]
LOWER = [CIHP[name] for name in ("pants", "skirt")]
ARMS = [CIHP[name] for name in ("left_arm", "right_arm", "glove")]
LEGS = [CIHP[name] for name in ("left_leg", "right_leg")]
SHOES = [CIHP[name] for name in ("left_shoe", "right_shoe", "socks")]
HEAD = [CIHP[name] for name in ("hat", "hair", "sunglasses", "face")]
NECK = CIHP["neck"]

SHOULDER_REACH = 0.56
"""Half of the shoulders' width over the bones, in units of the distance between the shoulder joints."""

_TRUNK = 1.45
"""From the shoulders to the hips of an adult seen from the front, in shoulder distances."""

_SHARES = (0.2, 0.4, 0.7, 0.95, 1.12)
_RISE = (0.27, 0.225, 0.17, 0.12, 0.06)
"""Where the shoulders' top is measured (0 nape, 1 outer end), and its usual height, in shoulder distances."""

_LESS, _MORE = 0.07, {2: 0.1, 3: 0.06}
"""How far from that it may be, lower and, by place, higher: what is more is a puffed or padded sleeve."""

_ARM_WIDTH = (
    (0.0, 0.30),
    (0.35, 0.28),
    (0.8, 0.225),
    (1.0, 0.21),
    (1.25, 0.205),
    (1.6, 0.175),
    (2.0, 0.15),
    (2.3, 0.17),
)
"""Width of a bare arm in shoulder distances; 0 is the shoulder, 1 the elbow, 2 the wrist."""


@dataclass(frozen=True)
class Arm:
    """One arm: its mid-line from shoulder (0) over elbow (1) to wrist (2) and a little on, 20 steps a bone, in pixels."""

    line: np.ndarray
    """(n, 2)."""
    normal: np.ndarray
    """(n, 2) unit vectors towards the outer side (away from the trunk when the arm hangs)."""
    half: np.ndarray
    """(n,) half of the bare arm's width."""
    edges: np.ndarray
    """(n, 2) pixels from the mid-line to the outer and to the inner edge of what the photo shows, sleeve or skin; `half`
    where the picture does not tell."""
    old_sleeve: float
    """How far the worn sleeve reaches along the arm; about 1 for an arm that vanishes behind the trunk."""

    def outline(self, start: float = 0.0, stop: float = 2.3, extra: float = 0.0) -> np.ndarray:
        """Closed outline between two places, widened by `extra` pixels a side."""
        first, last = int(round(start * 20)), int(round(stop * 20)) + 1
        wide = (self.half + extra)[first:last, None] * self.normal[first:last]
        line = self.line[first:last]
        return np.vstack([line + wide, (line - wide)[::-1]])


@dataclass(frozen=True)
class Body:
    """Measures in pixels of the 768 x 1024 person; pairs are [left, right] as seen in the picture."""

    shoulder: np.ndarray
    """(2, 2) joints."""
    hip: np.ndarray
    """(2,) middle of the hips."""
    unit: float
    """Distance between the shoulder joints, corrected for a turned trunk."""
    sides: np.ndarray
    """(rows, 2) x of the trunk's outline per row; rows beyond the picture repeat the last."""
    arms: tuple
    """Two of Arm or None."""
    rise: np.ndarray
    """(2, 5) height of the shoulders' top over the line of the joints at the shares `_SHARES`, in `unit`."""

    @property
    def middle(self) -> np.ndarray:
        return self.shoulder.mean(axis=0)

    @property
    def across(self) -> np.ndarray:
        """Unit vector along the shoulders, to the right of the picture."""
        line = self.shoulder[RIGHT] - self.shoulder[LEFT]
        return line / np.linalg.norm(line)

    @property
    def up(self) -> np.ndarray:
        """Unit vector square to the shoulders, upwards."""
        return np.array([self.across[1], -self.across[0]])

    def shoulder_point(self, share: float) -> np.ndarray:
        """A point on top of the shoulders. share: -1 outer end left, 0 nape, 1 outer end right."""
        height = np.interp(abs(share), _SHARES, self.rise[RIGHT if share > 0 else LEFT])
        half = np.linalg.norm(self.shoulder[RIGHT] - self.shoulder[LEFT]) * SHOULDER_REACH
        return self.middle + self.across * share * half + self.up * height * self.unit

    def axis(self, rows: np.ndarray) -> np.ndarray:
        """x of the trunk's mid-line at each row."""
        top, bottom = self.middle, self.hip
        share = (rows - top[1]) / max(bottom[1] - top[1], 1.0)
        return np.asarray(top[0] + np.clip(share, -0.3, 1.4) * (bottom[0] - top[0]))

    def side(self, row: float, which: int) -> float:
        """x of the trunk's outline at a row."""
        return float(self.sides[int(np.clip(row, 0, len(self.sides) - 1)), which])


def read_body(points: np.ndarray, parse: np.ndarray) -> Body:
    """Measure the wearer. points: (25, 3) BODY_25; parse: uint8 (1024, 768) CIHP ids. Raises IncompletePose."""
    shoulders = [points[BODY_25[name]] for name in ("right_shoulder", "left_shoulder")]
    if any(joint[2] <= 0 for joint in shoulders):
        raise IncompletePose("Both shoulders have to be visible. Send a photo that shows the person from the front.")
    hip = _hip(points, np.array([joint[:2] for joint in shoulders]))
    names = ["right", "left"]
    if shoulders[0][0] > shoulders[1][0]:  # seen from behind
        shoulders, names = shoulders[::-1], names[::-1]
    shoulder = np.array([joint[:2] for joint in shoulders])
    distance = float(np.linalg.norm(shoulder[1] - shoulder[0]))
    trunk = float(np.linalg.norm(hip - shoulder.mean(axis=0)))
    middle, (height, width) = shoulder.mean(axis=0), parse.shape
    if not (0 <= middle[0] < width and 0 <= middle[1] < height) or distance > width:
        raise IncompletePose(
            "The shoulders lie outside of the picture. Send a photo that shows the person from head to hips."
        )
    if distance < 10 or hip[1] <= shoulder[:, 1].mean():
        raise IncompletePose("The shoulders are seen from the side or the person does not stand upright. "
                             "Send a photo of the person standing and facing the camera.")  # fmt: skip
    unit = float(np.clip(distance, trunk / 2.1, trunk / 0.9))
    arms = tuple(_arm(points, parse, name, side, unit) for side, name in enumerate(names))
    body = Body(shoulder, hip, unit, np.zeros((0, 2)), arms, np.array([_RISE, _RISE]))
    return replace(body, sides=_trunk_sides(body, parse), rise=_shoulder_rise(body, parse))


def _shoulder_rise(body: Body, parse: np.ndarray) -> np.ndarray:
    """Measure the top of the shoulders in the silhouette, near the usual height only."""
    own = labelled(parse, UPPER + ARMS + [NECK])
    head = labelled(parse, HEAD)
    rise = np.array([_RISE, _RISE])
    half = np.linalg.norm(body.shoulder[RIGHT] - body.shoulder[LEFT]) * SHOULDER_REACH
    steps = np.arange(0, 0.5, 0.01)
    for side, out in ((LEFT, -1), (RIGHT, 1)):
        for index in (2, 3):
            base = body.middle + body.across * out * _SHARES[index] * half
            line = (base + body.up * (steps * body.unit)[:, None]).round().astype(int)
            columns, rows = np.clip(line[:, 0], 0, parse.shape[1] - 1), np.clip(line[:, 1], 0, parse.shape[0] - 1)
            outside = ~own[rows, columns]
            if outside.any() and outside.argmax() > 0 and not head[rows, columns][outside.argmax()]:
                rise[side, index] = np.clip(steps[outside.argmax()], _RISE[index] - _LESS, _RISE[index] + _MORE[index])
        rise[side, 1] = max(rise[side, 1], rise[side, 2] + 0.02)
        rise[side, 4] = rise[side, 3] - 0.06
    return rise


def _hip(points: np.ndarray, shoulder: np.ndarray) -> np.ndarray:
    """Middle of the hips; where none was found, as of half figures, as far below the shoulders as an adult's are."""
    found = [points[BODY_25[name], :2] for name in ("right_hip", "left_hip") if points[BODY_25[name], 2] > 0]
    if len(found) < 2 and points[BODY_25["mid_hip"], 2] > 0:
        found = [points[BODY_25["mid_hip"], :2]]
    if not found:
        found = [shoulder.mean(axis=0) + (0, _TRUNK * np.linalg.norm(shoulder[1] - shoulder[0]))]
    return np.mean(found, axis=0)


def _arm(points: np.ndarray, parse: np.ndarray, name: str, side: int, unit: float) -> Arm | None:
    shoulder, elbow, wrist = (points[BODY_25[f"{name}_{joint}"]] for joint in ("shoulder", "elbow", "wrist"))
    if elbow[2] <= 0:
        return None
    a, b = shoulder[:2], elbow[:2]
    direction = (b - a) / max(np.linalg.norm(b - a), 1.0)
    c = wrist[:2] if wrist[2] > 0 else b + direction * 0.75 * unit
    raw = np.vstack([resample(np.array([a, b]), 21), resample(np.array([b, c]), 21)[1:]])
    raw = np.vstack([raw, raw[-1] + np.arange(1, 7)[:, None] * (raw[-1] - raw[-2])])  # a sleeve may cover half the hand
    line = raw.copy()
    for _ in range(6):  # round the elbow
        line[1:-1] = (line[:-2] + 2 * line[1:-1] + line[2:]) / 4
    tangent = np.gradient(line, axis=0)
    tangent /= np.maximum(np.linalg.norm(tangent, axis=1, keepdims=True), 1e-6)
    out = 1 if side == LEFT else -1
    normal = np.stack([-tangent[:, 1], tangent[:, 0]], axis=1) * out
    place = np.arange(len(line)) / 20
    width = np.interp(place, *np.array(_ARM_WIDTH).T) * unit
    half = width / 2
    return _centred(parse, Arm(line, normal, half, np.stack([half, half], axis=1), _old_sleeve(parse, line)))


def _old_sleeve(parse: np.ndarray, line: np.ndarray) -> float:
    bare = np.flatnonzero(_under(parse, line, ARMS))
    if not bare.size:
        forearm = _under(parse, line[20:], UPPER)  # a glove, or a hand that is cut off
        return (20 + int(np.append(~forearm, True).argmax()) - 1) / 20 if forearm[0] else 1.0
    return float(bare[bare >= 4][0] if (bare >= 4).any() else 4) / 20


def _under(parse: np.ndarray, line: np.ndarray, labels: list[int]) -> np.ndarray:
    """Which points of a line lie on one of the labels."""
    columns, rows = np.clip(line.round().astype(int), 0, np.array(parse.shape[::-1]) - 1).T
    return labelled(np.ascontiguousarray(parse[rows, columns]), labels)


def _centred(parse: np.ndarray, arm: Arm) -> Arm:
    """Move the mid-line between the edges that the silhouette shows; pose joints lie a little off it."""
    body = labelled(parse, UPPER + ARMS)
    reach = np.arange(0, 2.6, 0.05)
    edges = []
    for sign in (1, -1):
        probe = arm.line[:, None] + sign * reach[None, :, None] * arm.half[:, None, None] * arm.normal[:, None]
        columns = np.clip(probe[..., 0].round().astype(int), 0, parse.shape[1] - 1)
        rows = np.clip(probe[..., 1].round().astype(int), 0, parse.shape[0] - 1)
        outside = ~body[rows, columns]
        edges.append(np.where(outside.any(axis=1), reach[outside.argmax(axis=1)], np.inf))
    outer, inner = edges
    fits_outer = (outer > 0.4) & (outer < 1.7)
    both = fits_outer & (inner > 0.4) & (inner < 1.7)
    outer, inner = np.minimum(outer, 9), np.minimum(inner, 9)
    shift = np.where(both, (outer - inner) / 2, np.where(fits_outer, np.clip(outer - 1.05, -0.5, 0.5), 0.0))
    bare = both & _under(parse, arm.line, ARMS)
    shift = np.where(bare, shift, np.clip(shift, -0.3, 0.3))  # a sleeve may hang off the arm
    # a sleeve hides how thick the arm is: the bare part tells, and most of all the nearest
    half = np.ones(len(shift))
    if bare.sum() > 3:
        wide = _smooth(_nearest(np.clip((outer + inner) / 2, 0.8, 1.3), bare))
        away = np.abs(np.arange(len(bare))[:, None] - np.flatnonzero(bare)).min(axis=1) / 20
        half = np.where(bare, wide, np.interp(away, (0.2, 0.8), (0, 1)) * (np.median(wide[bare]) - wide) + wide)
    shift, half = _smooth(shift), _smooth(half)
    line = arm.line + (shift * arm.half)[:, None] * arm.normal
    seen = [np.where(fits, edge - sign * shift, half)
            for fits, edge, sign in ((fits_outer, outer, 1), (both, inner, -1))]  # fmt: skip
    edges = np.stack([_smooth(np.clip(edge, 0.9 * half, 1.3 * half)) for edge in seen], axis=1)
    return Arm(line, arm.normal, arm.half * half, arm.half[:, None] * edges, arm.old_sleeve)


def _nearest(values: np.ndarray, good: np.ndarray) -> np.ndarray:
    """Each value that is not good becomes the nearest good one."""
    places, everywhere = np.flatnonzero(good), np.arange(len(values))
    after = places[np.minimum(np.searchsorted(places, everywhere), len(places) - 1)]
    before = places[np.maximum(np.searchsorted(places, everywhere, side="right") - 1, 0)]
    return values[np.where(np.abs(after - everywhere) < np.abs(before - everywhere), after, before)]


def _smooth(values: np.ndarray) -> np.ndarray:
    padded = np.pad(values, 4, mode="edge")
    padded = np.median(np.lib.stride_tricks.sliding_window_view(padded, 5), axis=1)
    return np.convolve(padded, np.ones(5) / 5, mode="valid")


def _trunk_sides(body: Body, parse: np.ndarray) -> np.ndarray:
    """x of the trunk's left and right outline per row."""
    height, width = parse.shape
    trunk = labelled(parse, UPPER + LOWER + [NECK])
    lower = labelled(parse, LOWER)
    passing = trunk | labelled(parse, ARMS + HEAD)
    ribbons = [np.zeros(parse.shape, bool) if arm is None else
               polygon_mask(arm.outline(0.1, arm.old_sleeve), parse.shape) & ~lower for arm in body.arms]  # fmt: skip
    top = int(np.clip(body.middle[1] + 0.2 * body.unit, 0, height - 1))
    rows = np.arange(height)
    share = (rows - body.middle[1]) / (body.hip[1] - body.middle[1])
    least = np.interp(share, (0.2, 0.6, 1.0), (0.42, 0.36, 0.42)) * body.unit
    most = np.interp(share, (0.2, 0.6, 1.0, 1.3), (0.58, 0.56, 0.8, 0.85)) * body.unit
    axis = body.axis(rows)
    centre = np.clip(np.round(axis), 0, width - 1).astype(int)
    speck = int(0.03 * body.unit)
    trunk = grow(grow(trunk, -speck), speck)  # without those on the arms
    sides = np.zeros((height, 2))
    for side in (LEFT, RIGHT):
        out = -1 if side == LEFT else 1
        half = np.zeros(height)
        half[top:] = _reach(trunk[top:], passing[top:], ribbons[side][top:], centre[top:], out, body.unit)
        half[:top] = half[top]
        seen = half > 0.3 * body.unit  # between the legs there is no outline
        half = _nearest(half, seen) if seen.any() else half
        half = np.clip(half, least, most)
        kernel = int(0.12 * body.unit) * 2 + 1
        half = cv2.medianBlur(half.astype(np.float32)[:, None], 5)[:, 0]
        # what hangs over the hips covers their widest place
        widest = cv2.dilate(half[:, None], np.ones((kernel // 2, 1), np.uint8))[:, 0]
        half = np.where(share > 0.75, widest, half)
        half = cv2.GaussianBlur(half[:, None], (1, kernel), 0, borderType=cv2.BORDER_REPLICATE)[:, 0]
        sides[:, side] = axis + out * half
    return sides


def _reach(
    trunk: np.ndarray, passing: np.ndarray, ribbon: np.ndarray, centre: np.ndarray, out: int, unit: float
) -> np.ndarray:
    """Pixels from the mid-line to the outline per row, at most one `unit`.

    Crossing arms are passed; a sleeve that hangs beside the trunk ends it, and so does the picture.
    """
    sure, rows = int(0.3 * unit), np.arange(len(trunk))[:, None]
    columns = centre[:, None] + out * np.arange(int(unit) + 1)
    beyond = (columns < 0) | (columns >= trunk.shape[1])
    columns = np.clip(columns, 0, trunk.shape[1] - 1)
    stop = ~passing[rows, columns] | beyond
    stop[:, sure:] |= ribbon[rows, columns[:, sure:]]
    stop[:, -1] = True
    before = np.arange(stop.shape[1]) < stop.argmax(axis=1)[:, None]
    trunk = trunk[rows, columns] & before
    return np.where(trunk.any(axis=1), stop.shape[1] - trunk[:, ::-1].argmax(axis=1), 0)
