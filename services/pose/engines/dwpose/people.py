"""133 points of each person, as COCO-WholeBody numbers them, sorted and split into body, hands and face."""

from typing import NamedTuple

import numpy as np

from services.pose.layouts import BODY_25, COCO_17, COCO_18, convert

SEEN = 0.3
"""How sure the network must be of a point."""

_FEET = ("left_big_toe", "left_small_toe", "left_heel", "right_big_toe", "right_small_toe", "right_heel")
_BODY = COCO_17 + _FEET
_SHOULDERS = [COCO_17.index(f"{side}_shoulder") for side in ("left", "right")]
_FACE, _LEFT_HAND, _RIGHT_HAND = slice(23, 91), slice(91, 112), slice(112, 133)

_TOLD_BY = COCO_18[1:14]
"""The joints that a person's size is told by: neck to left ankle."""


class People(NamedTuple):
    """x, y in pixels and how sure, at most 1; points that were not seen are 0, 0, 0. The one to dress comes first."""

    bodies: np.ndarray
    """(n, 25, 3), BODY_25"""
    hands: np.ndarray
    """(n, 2, 21, 3), the left one first"""
    faces: np.ndarray
    """(n, 68, 3)"""


def people_of(points: np.ndarray) -> People:
    """points: (n, 133, 3) of n people."""
    ordered = points[np.argsort(-sizes(points), kind="stable")]
    bodies = convert(_seen(ordered[:, : len(_BODY)], ordered[:, : len(_BODY), 2] > SEEN), _BODY, BODY_25)
    rest = _seen(ordered, ordered[..., 2] >= SEEN)
    hands = np.stack([rest[:, _LEFT_HAND], rest[:, _RIGHT_HAND]], axis=1)
    return People(bodies, hands, rest[:, _FACE])


def sizes(points: np.ndarray) -> np.ndarray:
    """How large and sure each of n people is, to tell who is dressed: (n). points: as above.

    As published, the first one's joints that were seen are those that make up everybody's extent.
    """
    sure = np.stack([_sure_of(name, points) for name in _TOLD_BY], axis=1)
    places = np.stack([_place_of(name, points) for name in _TOLD_BY], axis=1)[:, sure[0] > SEEN]
    certain = np.where(sure > SEEN, sure, 0).sum(axis=1)
    area = np.array([np.prod([_extent(along[along > 0]) for along in each.T]) for each in places])
    return certain * area if (certain * area).any() else certain


def _sure_of(name: str, points: np.ndarray) -> np.ndarray:
    if name == "neck":
        return (points[:, _SHOULDERS, 2] > SEEN).all(axis=1).astype(float)
    return points[:, COCO_17.index(name), 2]


def _place_of(name: str, points: np.ndarray) -> np.ndarray:
    return points[:, _SHOULDERS if name == "neck" else [COCO_17.index(name)], :2].mean(axis=1)


def _extent(along: np.ndarray) -> float:
    return float(np.ptp(along)) if len(along) else 0.0


def _seen(points: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """The points with 0, 0, 0 for those that were not seen."""
    limited = np.concatenate([points[..., :2], points[..., 2:].clip(max=1)], axis=-1)
    return np.where(seen[..., None], limited, 0.0)
