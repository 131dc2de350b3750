"""From PoseNet's maps to people.

Written from the papers: Papandreou et al., "Towards Accurate Multi-person Pose Estimation in the Wild", CVPR 2017 (heat maps
with offsets), and "PersonLab", ECCV 2018, section 3.1 (mid-range offsets along a tree of joints, refined by the offsets; people
grown greedily from their surest joints). Places are x, y in pixels of the network's input.
"""

from typing import NamedTuple

import numpy as np

from services.pose.layouts import COCO_17

STRIDE = 16
"""Pixels of the input per cell; the middle of cell i lies at pixel 16 i."""

EDGES = (
    ("nose", "left_eye"), ("left_eye", "left_ear"), ("nose", "right_eye"), ("right_eye", "right_ear"),
    ("nose", "left_shoulder"), ("left_shoulder", "left_elbow"), ("left_elbow", "left_wrist"),
    ("left_shoulder", "left_hip"), ("left_hip", "left_knee"), ("left_knee", "left_ankle"),
    ("nose", "right_shoulder"), ("right_shoulder", "right_elbow"), ("right_elbow", "right_wrist"),
    ("right_shoulder", "right_hip"), ("right_hip", "right_knee"), ("right_knee", "right_ankle"),
)  # fmt: skip
"""The tree: for each pair of displacement maps the joints that it leads from and to, forward; backward it leads back."""

_TREE = [(COCO_17.index(start), COCO_17.index(end)) for start, end in EDGES]
_LEAST_ROOT = 0.5  # a person grows from a joint at least this sure
_LEAST_JOINT = 0.3  # one less sure was not found; the surest of 194 ankles cut off in crops of the samples had 0.26
_LEAST_PERSON = 0.15  # mean over all joints
_SAME = 20.0  # pixels within which two people's joints are the same one
_MOST_PEOPLE = 32
_ROUNDS = 2  # of reading the offset where the last one led to


class Maps(NamedTuple):
    """What the network gives, of one height and width in cells. Vectors are in pixels, all y before all x."""

    heat: np.ndarray
    """(17, h, w) confidence 0..1 that the joint lies in the cell or near it."""

    offsets: np.ndarray
    """(34, h, w) from the middle of a cell to the joint near it."""

    forward: np.ndarray
    """(32, h, w) from the first joint of an edge to the second."""

    backward: np.ndarray
    """(32, h, w) from the second joint of an edge to the first."""


def decode(maps: Maps) -> np.ndarray:
    """Find everybody: (n, 17, 3) x, y and confidence 0..1, undetected joints 0,0,0; largest person first."""
    people: list[np.ndarray] = []
    for joint, place in _roots(maps):
        if len(people) < _MOST_PEOPLE and not _is_taken(people, joint, place):
            person = _grow(maps, joint, place)
            fresh = [not _is_taken(people, number, found[:2]) for number, found in enumerate(person)]
            if (person[:, 2] * fresh).mean() >= _LEAST_PERSON:
                people.append(person)
    found = np.array(people).reshape(-1, len(COCO_17), 3)
    found[found[..., 2] < _LEAST_JOINT] = 0
    return np.array(sorted(found, key=size, reverse=True)).reshape(found.shape)


def size(person: np.ndarray) -> float:
    """Diagonal of the box around the joints found, of which there is one at least."""
    found = person[person[:, 2] > 0, :2]
    return float(np.hypot(*np.ptp(found, axis=0)))


def _roots(maps: Maps) -> list[tuple[int, np.ndarray]]:
    """Joint and place of the heat maps' peaks, the surest first."""
    _, height, width = maps.heat.shape
    padded = np.pad(maps.heat, ((0, 0), (1, 1), (1, 1)))
    highest = maps.heat >= _LEAST_ROOT
    for down, right in np.ndindex(3, 3):
        highest &= maps.heat >= padded[:, down : down + height, right : right + width]
    order = np.argsort(-maps.heat[highest], kind="stable")
    return [(int(joint), _near(maps, joint, (row, column))) for joint, row, column in np.argwhere(highest)[order]]


def _is_taken(people: list[np.ndarray], joint: int, place: np.ndarray) -> bool:
    return any(np.hypot(*(person[joint, :2] - place)) <= _SAME for person in people)


def _grow(maps: Maps, root: int, place: np.ndarray) -> np.ndarray:
    """(17, 3): from one joint along the tree to all others, each with the confidence where it ends up."""
    person = np.zeros((len(COCO_17), 3))
    person[root] = *place, maps.heat[root][_cell(maps, place)]
    reached = {root}
    while len(reached) < len(COCO_17):
        for edge, (start, end) in enumerate(_TREE):
            for one, other, vectors in ((start, end, maps.forward), (end, start, maps.backward)):
                if one in reached and other not in reached:
                    place = person[one, :2] + _vector(vectors, edge, _cell(maps, person[one, :2]))
                    for _ in range(_ROUNDS):
                        place = _near(maps, other, _cell(maps, place))
                    person[other] = *place, maps.heat[other][_cell(maps, place)]
                    reached.add(other)
    return person


def _near(maps: Maps, joint: int, cell: tuple[int, int]) -> np.ndarray:
    """Where a joint lies, by the offset of a cell near it."""
    row, column = cell
    return np.array([column, row]) * STRIDE + _vector(maps.offsets, joint, cell)


def _vector(vectors: np.ndarray, number: int, cell: tuple[int, int]) -> np.ndarray:
    """x, y of a vector in a cell, out of maps with all y before all x."""
    return vectors[[number + len(vectors) // 2, number], cell[0], cell[1]]


def _cell(maps: Maps, place: np.ndarray) -> tuple[int, int]:
    """Row and column of the cell that is nearest to a place."""
    _, height, width = maps.heat.shape
    column, row = np.clip(np.round(place / STRIDE), 0, (width - 1, height - 1)).astype(int)
    return int(row), int(column)
