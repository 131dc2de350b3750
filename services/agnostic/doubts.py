"""Is this parse to be believed, and is the worn garment gone? The parse is held against the pose, and what was taken out of
the photo against the parse, whichever engines made them. Runs on Python 3.6 too.

This is done here and not in human_parse because parsers of research take no pose; this is the first stage that has both.

Each limit lies outside of what was measured on the good sample photos, with the data set's own parses and with posecut's
(range in brackets), and within what degraded photos give: covered by a board, blurred, squeezed, turned, cut to the legs.
"""

from typing import List, Optional, Tuple

import numpy as np

from stagekit import Artifacts, Warn
from stagekit.formats import BODY_25, CIHP, CIHP_LABELS, keypoints

_LEAST_COVER = 0.5  # share of the torso that is upper garment or bare skin, arms in front included [0.85 to 1]
_MOST_AWAY = 0.07  # share of the upper garment beside the body [0 to 0.01; 0.05 in a space suit]
_AWAY = 0.35  # shoulder widths from the nearest bone, from which a pixel lies beside the body
_MOST_BARE = 0.12  # share of the arm bones that lie on background [0]
_MOST_FOREIGN = 0.35  # share of the arm bones on what is neither arm nor upper garment [0 to 0.17]

_MOST_LEFT = 0.08  # share of the worn garment that stays in the picture [0 to 0.002]
_MOST_BELOW = 0.2  # of what is labelled lower garment, in squared shoulder widths [0 to 0.09; a long jersey 0.32]
_LEAST_BEGIN = 0.5  # share of the lower garment's upper end that has the worn top's colour [0 to 0.33; the jersey 0.68]
_END = 0.2  # shoulder widths of that end
_APART = 60.0  # RGB distance of two garments that are told apart

_HAND = (0.3, 0.16)  # its middle beyond the wrist, in forearms; radius of what is looked at, in shoulder widths
_LEAST_HAND = 0.33  # share of it that is arm [31 hands in view 0.43 to 0.85; three in pockets 0.07 to 0.25]
_MOST_CLOTH = 0.4  # that is garment [0 to 0.27; 0.55 to 0.62]

_STEP = 8  # pixels; every eighth row and column is looked at
_GARMENT = [CIHP[name] for name in ("upper_clothes", "dress", "coat", "scarf")]
_LOWER = [CIHP[name] for name in ("pants", "skirt")]
_REPLACED = {"upper": _GARMENT, "lower": _LOWER, "dress": [*_GARMENT, *_LOWER]}
_HANDS = [CIHP[name] for name in ("left_arm", "right_arm", "glove")]
_ON_ARMS = [*_GARMENT, *_HANDS]
_ON_TORSO = [*_ON_ARMS, CIHP["neck"]]  # which is all bare skin of the trunk
_ON_NOSE = [CIHP[name] for name in ("face", "sunglasses", "scarf")]
_ARMS = (
    ("left_shoulder", "left_elbow"), ("left_elbow", "left_wrist"),
    ("right_shoulder", "right_elbow"), ("right_elbow", "right_wrist"),
)  # fmt: skip
_TORSO = ("left_shoulder", "right_shoulder", "right_hip", "left_hip")  # in order around it


def warn_of_doubts(inputs: Artifacts, outputs: Artifacts, warn: Warn) -> None:
    """Warn `doubtful-parse`, `hand-hidden` and `garment-left`, with what was measured, about the person that is dressed."""
    people = keypoints(inputs["pose"])
    if not len(people):
        return
    reasons = doubts(inputs["parse"], people[0])
    if reasons:
        warn(
            "doubtful-parse",
            "The labelling of body and clothes looks doubtful: %s. Parts of the worn garment may stay, or other parts change. "
            "A photo of one person before a plain background, with nothing in front, gives a better result."
            % "; ".join(reasons),
        )
    sides = hidden_hands(inputs["parse"], people[0])
    if sides:
        warn(
            "hand-hidden",
            "The %s cannot be seen, as in a pocket or behind the back. The new garment may cover it or end strangely beside "
            "it. A photo with both hands beside the body gives a better result."
            % (sides[0] + " hand" if len(sides) == 1 else "hands"),
        )
    category = inputs.get("category", "upper")
    reasons = remains(inputs["person"], inputs["parse"], people[0], outputs["agnostic"], category)
    if reasons:
        clothes = "a top that ends at the hips and lies close" if category == "upper" else "clothes that lie close"
        warn(
            "garment-left",
            "Part of the worn garment was not taken out of the photo: %s. It may show beside or below the new one. A photo in "
            "%s gives a better result." % ("; ".join(reasons), clothes),
        )


def doubts(parse: np.ndarray, joints: np.ndarray) -> List[str]:
    """What speaks against a parse, each with its measure; an empty list for a good one.

    parse: (1024, 768) uint8 of CIHP ids; joints: (25, 3) BODY_25 x, y in pixels and confidence 0..1, undetected 0,0,0.
    What needs a joint that was not found is not looked at.
    """
    reasons = _about_the_head(parse, joints) + _about_the_arms(parse, joints)
    if all(_place(joints, name) is not None for name in _TORSO):
        reasons += _about_the_garment(parse, joints)
    return reasons


def hidden_hands(parse: np.ndarray, joints: np.ndarray) -> List[str]:
    """The sides, left or right, whose hand should be in the picture and lies behind a garment. parse, joints: as for doubts."""
    if any(_place(joints, name) is None for name in _TORSO):
        return []
    unit = _unit(np.array([joints[BODY_25[name], :2] for name in _TORSO]))
    rows, columns = np.indices(parse.shape, sparse=True)
    sides = []
    for side in ("left", "right"):
        forearm = _bone(joints, side + "_elbow", side + "_wrist")
        if forearm is None:
            continue
        x, y = forearm[1] + _HAND[0] * (forearm[1] - forearm[0])
        labels = parse[np.hypot(columns - x, rows - y) < _HAND[1] * unit]
        if not labels.size or not (0 <= x < parse.shape[1] and 0 <= y < parse.shape[0]):
            continue
        if np.isin(labels, _HANDS).mean() < _LEAST_HAND and np.isin(labels, _GARMENT + _LOWER).mean() > _MOST_CLOTH:
            sides.append(side)
    return sides


def remains(
    person: np.ndarray, parse: np.ndarray, joints: np.ndarray, agnostic: np.ndarray, category: str = "upper"
) -> List[str]:
    """What stays of the worn garment that one of this category takes the place of: labelled so, or, of a top, labelled trousers
    or skirt though it goes on in the top's colour.

    person, agnostic: (1024, 768, 3) uint8; parse, joints: as for doubts. An empty list where nothing was seen to stay.
    """
    stays = (person[::_STEP, ::_STEP] == agnostic[::_STEP, ::_STEP]).all(axis=-1)
    labels = parse[::_STEP, ::_STEP]
    worn = np.isin(labels, _REPLACED[category])
    if not worn.any():
        return []
    reasons = []
    left = float(stays[worn].mean())
    if left > _MOST_LEFT:
        reasons.append("%.0f %% of it stay (above %.0f %%)" % (100 * left, 100 * _MOST_LEFT))
    if category == "upper" and all(_place(joints, name) is not None for name in _TORSO):
        unit = _unit(np.array([joints[BODY_25[name], :2] for name in _TORSO])) / _STEP
        area = _going_on(_colours(person), worn, np.isin(labels, _LOWER) & stays, unit)
        if area > _MOST_BELOW:
            reasons.append(
                "it seems to go on below the hips, where %.2f squared shoulder widths of what is labelled lower garment have "
                "its colour (above %.2f)" % (area, _MOST_BELOW)
            )
    return reasons


def _going_on(colours: np.ndarray, worn: np.ndarray, lower: np.ndarray, unit: float) -> float:
    """How much of the lower garment goes on from its upper end in the worn top's colour, in squared shoulder widths; 0 where
    that is its own colour too.

    colours: (h, w, 3); worn, lower: bool (h, w); unit: shoulder width, in rows.
    """
    if lower.sum() < unit * unit * _MOST_BELOW:
        return 0.0
    rows = np.indices(worn.shape)[0]
    near = np.median(colours[worn & (rows > np.percentile(rows[worn], 75))], axis=0)
    far = np.median(colours[lower & (rows > np.percentile(rows[lower], 60))], axis=0)
    if np.linalg.norm(near - far) < _APART:
        return 0.0
    like = lower & (np.linalg.norm(colours - near, axis=2) < 0.5 * np.linalg.norm(colours - far, axis=2))
    top = lower.argmax(axis=0)
    end = lower & (rows < top + _END * unit)
    if like[end].mean() < _LEAST_BEGIN:
        return 0.0
    unbroken = np.logical_and.accumulate(like | ~lower, axis=0) & lower
    return float(unbroken.sum()) / unit**2


def _colours(picture: np.ndarray) -> np.ndarray:
    """Means of four pixels in each square of _STEP pixels."""
    four = [picture[row::_STEP, column::_STEP].astype(np.float32) for row in (2, 5) for column in (2, 5)]
    return np.asarray(sum(four) / 4)


def _about_the_head(parse: np.ndarray, joints: np.ndarray) -> List[str]:
    nose = _place(joints, "nose")
    labels = _labels_at(parse, nose[None]) if nose is not None else np.zeros(0, int)
    return [
        "the nose lies on what is labelled %s" % CIHP_LABELS[label].replace("_", " ")
        for label in labels
        if label not in _ON_NOSE
    ]


def _about_the_arms(parse: np.ndarray, joints: np.ndarray) -> List[str]:
    bones = [bone for bone in (_bone(joints, *ends) for ends in _ARMS) if bone is not None]
    if not bones:
        return []
    along = np.linspace(0.1, 0.9, 9)[:, None]
    labels = _labels_at(parse, np.concatenate([start + along * (end - start) for start, end in bones]))
    if not labels.size:
        return []
    bare, foreign = float(np.mean(labels == 0)), float(np.mean(~np.isin(labels, _ON_ARMS)))
    if bare > _MOST_BARE:
        return ["%.0f %% of the arms lie on background (above %.0f %%)" % (100 * bare, 100 * _MOST_BARE)]
    if foreign > _MOST_FOREIGN:
        return [
            "%.0f %% of the arms are labelled neither arm nor upper garment (above %.0f %%)"
            % (100 * foreign, 100 * _MOST_FOREIGN)
        ]
    return []


def _about_the_garment(parse: np.ndarray, joints: np.ndarray) -> List[str]:
    torso = np.array([joints[BODY_25[name], :2] for name in _TORSO])
    small = parse[::_STEP, ::_STEP]
    rows, columns = np.indices(small.shape)
    points = np.stack([columns, rows], axis=-1) * float(_STEP)
    garment = np.isin(small, _GARMENT)
    reasons = []

    middle = _inside(points, _middle_of(torso))
    covered = float(np.isin(small[middle], _ON_TORSO).mean()) if middle.any() else 1.0
    if covered < _LEAST_COVER:
        reasons.append(
            "only %.0f %% of the torso are labelled upper garment or skin (below %.0f %%)"
            % (100 * covered, 100 * _LEAST_COVER)
        )

    # Below the hips skirts of dresses and coats swing free.
    garment &= _before(points, torso[2:].mean(axis=0), torso[:2].mean(axis=0) - torso[2:].mean(axis=0))
    places = points[garment]
    away = float(np.mean(_distance(places, joints, torso) > _AWAY)) if len(places) else 0.0
    if away > _MOST_AWAY:
        reasons.append(
            "%.0f %% of the upper garment lies beside the body (above %.0f %%)" % (100 * away, 100 * _MOST_AWAY)
        )
    return reasons


def _middle_of(torso: np.ndarray) -> np.ndarray:
    """The torso without its rim and its lowest quarter, where high trousers may begin."""
    shoulders, hips = torso[:2], torso[[3, 2]]
    part = np.concatenate([shoulders + 0.1 * (hips - shoulders), (shoulders + 0.75 * (hips - shoulders))[::-1]])
    return np.asarray(part + 0.15 * (part.mean(axis=0) - part))


def _inside(points: np.ndarray, corners: np.ndarray) -> np.ndarray:
    """Which points lie in a convex polygon, whichever way round its corners go."""
    edges = np.roll(corners, -1, axis=0) - corners
    sides = [
        edge[0] * (points[..., 1] - corner[1]) - edge[1] * (points[..., 0] - corner[0])
        for corner, edge in zip(corners, edges)
    ]
    return np.asarray(np.min(sides, axis=0) >= 0) | np.asarray(np.max(sides, axis=0) <= 0)


def _before(points: np.ndarray, place: np.ndarray, direction: np.ndarray) -> np.ndarray:
    """Which points lie from a place on in a direction."""
    return np.asarray((points - place) @ direction >= 0)


def _distance(points: np.ndarray, joints: np.ndarray, torso: np.ndarray) -> np.ndarray:
    """From each point to torso and arms, in shoulder widths (at least half a torso length); 0 inside of the torso."""
    unit = _unit(torso)
    bones = [bone for bone in (_bone(joints, *ends) for ends in _ARMS) if bone is not None]
    bones += list(zip(torso, np.roll(torso, -1, axis=0)))
    nearest = np.min([_distance_to_bone(points, start, end) for start, end in bones], axis=0)
    return np.where(_inside(points, torso), 0.0, nearest / unit)


def _unit(torso: np.ndarray) -> float:
    """Shoulder width in pixels, at least half a torso length. torso: (4, 2), as in _TORSO."""
    length = float(np.hypot(*(torso[2:].mean(axis=0) - torso[:2].mean(axis=0))))
    return max(1.0, float(np.hypot(*(torso[0] - torso[1]))), length / 2)


def _distance_to_bone(points: np.ndarray, start: np.ndarray, end: np.ndarray) -> np.ndarray:
    bone = end - start
    along = np.clip((points - start) @ bone / max(1e-6, float(bone @ bone)), 0, 1)
    return np.asarray(np.hypot(*(points - start - along[:, None] * bone).T))


def _labels_at(parse: np.ndarray, places: np.ndarray) -> np.ndarray:
    """The labels at those of the places that lie in the picture."""
    columns, rows = np.round(places).astype(int).T
    height, width = parse.shape
    inside = (columns >= 0) & (columns < width) & (rows >= 0) & (rows < height)
    return np.asarray(parse[rows[inside], columns[inside]])


def _bone(joints: np.ndarray, start: str, end: str) -> Optional[Tuple[np.ndarray, np.ndarray]]:
    a, b = _place(joints, start), _place(joints, end)
    return None if a is None or b is None else (a, b)


def _place(joints: np.ndarray, name: str) -> Optional[np.ndarray]:
    """x, y of a joint, or None where it was not found."""
    joint = joints[BODY_25[name]]
    return np.asarray(joint[:2]) if joint[2] > 0 else None
