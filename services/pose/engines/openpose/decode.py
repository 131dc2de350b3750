"""From a network's maps to people: peaks of the heat maps, joined along the part-affinity fields.

Written from the papers: Cao et al., "Realtime Multi-Person 2D Pose Estimation using Part Affinity Fields", CVPR 2017 (the
fields and their line integral, section 2.3) and TPAMI 2019 (greedy parsing over redundant fields, section 3.5). Everything
here is in map cells, x to the right and y down, the middle of the first cell at 0, 0.
"""

from typing import NamedTuple

import numpy as np

_LEAST_PEAK = 0.1  # a lower peak of a heat map is noise
_MOST_PEAKS = 32  # of one joint, the highest; bounds the work on a picture full of noise
_SAMPLES = 10  # points along a limb at which the field is read
_LEAST_FIELD = 0.05  # a candidate limb with less field along it is none
_BEYOND = (2.0, 3.0)  # cells from a limb's end at which its field must be over
_OVERSHOOT = 0.5  # weight of a field that goes on there: the limb is longer than the candidate
_LEAST_JOINTS = 4  # of a person; fewer are a fragment
_TRUNK = ("neck", "right_shoulder", "left_shoulder")  # a person has one of these; legs alone are a fragment too
_LEAST_SCORE = 0.2  # mean height of a person's peaks
_MOST_PEOPLE = 32
_NO_FIELD = 0.05  # what a limb without a field counts in the evidence for a joint
_ROUNDS = 3  # in which joints are settled


class Skeleton(NamedTuple):
    """What a network's channels mean."""

    joints: tuple[str, ...]
    """Name of each heat map, but for the last one, the background."""

    limbs: tuple[tuple[str, str], ...]
    """For each pair of affinity maps (x, y) the joints that its field points from and to."""


class _Peaks(NamedTuple):
    joint: np.ndarray
    """(P,) which heat map."""

    place: np.ndarray
    """(P, 2) x, y."""

    score: np.ndarray
    """(P,) height, at most 1."""


class _Links(NamedTuple):
    """Candidate limbs."""

    limb: np.ndarray
    start: np.ndarray
    """(C,) indices of peaks, as is `end`."""

    end: np.ndarray
    score: np.ndarray
    """(C,) mean of the field along the limb, less where it goes on beyond the end; at most 1."""


def decode(heat: np.ndarray, fields: np.ndarray, skeleton: Skeleton) -> np.ndarray:
    """Find everybody: (n, joints, 3) x, y in cells and confidence 0..1, undetected joints 0,0,0; largest person first.

    heat: (joints or more, h, w) confidence that a joint lies in a cell, 0 to about 1; further maps are not looked at.
    fields: (2 * limbs, h, w) x and y of each limb's unit vector on the limb, near 0 elsewhere.
    """
    peaks = find_peaks(heat[: len(skeleton.joints)])
    links = _find_links(peaks, fields, skeleton)
    people = _assemble(peaks, links, skeleton)
    _settle(people, peaks, links, skeleton)
    found = [_joints(person, peaks) for person in people]
    found.sort(key=size, reverse=True)
    return np.array(found[:_MOST_PEOPLE]).reshape(-1, len(skeleton.joints), 3)


def size(person: np.ndarray) -> float:
    """Diagonal of the box around the joints found."""
    found = person[person[:, 2] > 0, :2]
    return float(np.hypot(*np.ptp(found, axis=0)))


def find_peaks(heat: np.ndarray) -> _Peaks:
    """Local maxima of each map, between the cells: where the parabolas through a peak's neighbours have theirs.

    The maps were trained to be Gaussians around the joints, whose logarithm is a parabola.
    """
    _, height, width = heat.shape
    padded = np.pad(heat.astype(np.float64), ((0, 0), (1, 1), (1, 1)), mode="constant", constant_values=-1.0)
    middle = padded[:, 1:-1, 1:-1]
    highest = middle >= _LEAST_PEAK
    for down, right in np.ndindex(3, 3):
        neighbour = padded[:, down : down + height, right : right + width]
        # Of equals that touch, the last one is the peak.
        if (down, right) > (1, 1):
            highest &= middle > neighbour
        elif (down, right) < (1, 1):
            highest &= middle >= neighbour
    joint, y, x = np.nonzero(highest)
    score = middle[joint, y, x]
    kept = _highest_of_each(joint, score)
    joint, y, x, score = joint[kept], y[kept], x[kept], score[kept]
    logs = np.log(np.maximum(padded, 1e-3))
    dx = _summit(logs[joint, y + 1, x], logs[joint, y + 1, x + 1], logs[joint, y + 1, x + 2])
    dy = _summit(logs[joint, y, x + 1], logs[joint, y + 1, x + 1], logs[joint, y + 2, x + 1])
    # Outside of the map nothing is known.
    dx[(x == 0) | (x == width - 1)] = 0
    dy[(y == 0) | (y == height - 1)] = 0
    return _Peaks(joint, np.stack([x + dx, y + dy], axis=1), np.minimum(score, 1.0))


def _highest_of_each(joint: np.ndarray, score: np.ndarray) -> np.ndarray:
    """Indices of the _MOST_PEAKS highest of each joint, in their order."""
    order = np.lexsort((-score, joint))
    rank = np.arange(len(order)) - np.searchsorted(joint[order], joint[order])
    return np.sort(order[rank < _MOST_PEAKS])


def _summit(before: np.ndarray, at: np.ndarray, after: np.ndarray) -> np.ndarray:
    """Where a parabola through three neighbours is highest, -0.5 to 0.5 from the middle one."""
    bend = 2 * at - before - after
    return np.clip((after - before) / (2 * np.maximum(bend, 1e-9)), -0.5, 0.5)


def _find_links(peaks: _Peaks, fields: np.ndarray, skeleton: Skeleton) -> _Links:
    """Every pair of peaks along which the limb's field points."""
    limbs, starts, ends = [], [], []
    for number, (start, end) in enumerate(skeleton.limbs):
        of_start = np.nonzero(peaks.joint == skeleton.joints.index(start))[0]
        of_end = np.nonzero(peaks.joint == skeleton.joints.index(end))[0]
        pairs = np.stack(np.meshgrid(of_start, of_end, indexing="ij"), axis=-1).reshape(-1, 2)
        limbs.append(np.full(len(pairs), number))
        starts.append(pairs[:, 0])
        ends.append(pairs[:, 1])
    limb, begin, end_ = np.concatenate(limbs), np.concatenate(starts), np.concatenate(ends)
    start_at, end_at = peaks.place[begin], peaks.place[end_]
    score = _integrate(fields, limb, start_at, end_at)
    score -= _OVERSHOOT * np.maximum(_beyond(fields, limb, start_at, end_at), 0)
    kept = score >= _LEAST_FIELD
    return _Links(limb[kept], begin[kept], end_[kept], np.minimum(score[kept], 1.0))


def _integrate(fields: np.ndarray, limb: np.ndarray, start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """(C,) the line integral of each limb's field from start to end, per length (CVPR 2017, eq. 10).

    limb: (C,), start and end: (C, 2).
    """
    part = np.linspace(0, 1, _SAMPLES)[:, None]
    points = start[:, None] + (end - start)[:, None] * part
    return np.asarray(_project(fields, limb, start, end, points).mean(axis=1))


def _beyond(fields: np.ndarray, limb: np.ndarray, start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """(C,) the field behind each limb's end, in its direction: near 0 where the limb ends there.

    Ours: on sleeves, networks see elbows half-way down the arm, and the mean along such a stump is as good as along the arm.
    """
    points = end[:, None] + _directions(start, end)[:, None] * np.array(_BEYOND)[:, None]
    return np.asarray(_project(fields, limb, start, end, points).mean(axis=1))


def _project(
    fields: np.ndarray, limb: np.ndarray, start: np.ndarray, end: np.ndarray, points: np.ndarray
) -> np.ndarray:
    """(C, points) each limb's field at the points (C, points, 2), in the direction from start to end."""
    x, y, channel, way = points[..., 0], points[..., 1], 2 * limb[:, None], _directions(start, end)[:, None]
    return np.asarray(
        _between_cells(fields, channel, x, y) * way[..., 0] + _between_cells(fields, channel + 1, x, y) * way[..., 1]
    )


def _directions(start: np.ndarray, end: np.ndarray) -> np.ndarray:
    way = end - start
    return np.asarray(way / np.maximum(np.hypot(way[:, 0], way[:, 1]), 1e-6)[:, None])


def _between_cells(maps: np.ndarray, channel: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Bilinear; outside of the map as at its border."""
    height, width = maps.shape[1:]
    x, y = np.clip(x, 0, width - 1), np.clip(y, 0, height - 1)
    left, top = np.clip(x.astype(int), 0, width - 2), np.clip(y.astype(int), 0, height - 2)
    right, low = x - left, y - top
    above = maps[channel, top, left] * (1 - right) + maps[channel, top, left + 1] * right
    below = maps[channel, top + 1, left] * (1 - right) + maps[channel, top + 1, left + 1] * right
    return np.asarray(above * (1 - low) + below * low)


def _assemble(peaks: _Peaks, links: _Links, skeleton: Skeleton) -> list[np.ndarray]:
    """Join peaks into people, the surest limb first; for each, (joints,) indices of peaks, -1 for a joint not found.

    Greedy parsing (TPAMI 2019, section 3.5): a limb that would give somebody two of a joint contradicts surer ones and is
    dropped. Limbs beyond a tree, from shoulder to ear for instance, keep together whom a missing joint would part.
    Ours: how sure a limb is counts its peaks too.
    """
    sureness = links.score * np.sqrt(peaks.score[links.start] * peaks.score[links.end])
    group = np.arange(len(peaks.joint))
    has = np.zeros((len(group), len(skeleton.joints)), dtype=bool)
    has[group, peaks.joint] = True
    taken: set[tuple[int, int]] = set()
    for link in np.argsort(-sureness, kind="stable"):
        limb, start, end = int(links.limb[link]), int(links.start[link]), int(links.end[link])
        one, other = group[start], group[end]
        if (limb, start) in taken or (limb, end) in taken or (one != other and (has[one] & has[other]).any()):
            continue
        if one != other:
            group[group == other] = one
            has[one] |= has[other]
        taken |= {(limb, start), (limb, end)}
    trunk = [skeleton.joints.index(name) for name in _TRUNK]
    people = []
    for number in np.unique(group):
        members = np.nonzero(group == number)[0]
        person = np.full(len(skeleton.joints), -1)
        person[peaks.joint[members]] = members
        is_whole = len(members) >= _LEAST_JOINTS and (person[trunk] >= 0).any()
        if is_whole and peaks.score[members].mean() >= _LEAST_SCORE:
            people.append(person)
    return people


def _settle(people: list[np.ndarray], peaks: _Peaks, links: _Links, skeleton: Skeleton) -> None:
    """Give, in place, each person's joints the peaks with the best evidence among their own and those that nobody has.

    Ours: the surest limb first is blind to the limbs that follow from it. The evidence for a peak is its height times the
    fields of all limbs that it would have, so a shoulder agrees with neck, ear and elbow, or gives way to a peak that does.
    Joints that a false peak had caught in a fragment come back to their person here.
    """
    scores = {
        (int(limb), int(start), int(end)): float(score)
        for limb, start, end, score in zip(links.limb, links.start, links.end, links.score, strict=True)
    }
    limbs_of: list[list[tuple[int, int, bool]]] = [[] for _ in skeleton.joints]
    for limb, (start, end) in enumerate(skeleton.limbs):
        one, other = skeleton.joints.index(start), skeleton.joints.index(end)
        limbs_of[one].append((limb, other, True))
        limbs_of[other].append((limb, one, False))
    free = set(range(len(peaks.joint))) - {int(peak) for person in people for peak in person}

    def evidence(person: np.ndarray, joint: int, peak: int) -> tuple[bool, float]:
        fields = []
        for limb, neighbour, is_start in limbs_of[joint]:
            other = int(person[neighbour])
            if other >= 0:
                fields.append(scores.get((limb, peak, other) if is_start else (limb, other, peak), 0.0))
        return any(fields), float(peaks.score[peak] * np.prod(np.maximum(fields, _NO_FIELD)))

    for _ in range(_ROUNDS):
        for person in people:
            for joint in range(len(skeleton.joints)):
                own = int(person[joint])
                candidates = [own] if own >= 0 else []
                candidates += sorted(peak for peak in free if peaks.joint[peak] == joint)
                if not candidates:
                    continue
                best = max(candidates, key=lambda peak: evidence(person, joint, peak))
                if best != own and evidence(person, joint, best)[0]:
                    free = free - {best} | ({own} if own >= 0 else set())
                    person[joint] = best


def _joints(person: np.ndarray, peaks: _Peaks) -> np.ndarray:
    joints = np.zeros((len(person), 3))
    found = person >= 0
    joints[found, :2] = peaks.place[person[found]]
    joints[found, 2] = peaks.score[person[found]]
    return joints
