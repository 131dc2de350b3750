"""Where the dressed person is: MediaPipe's soft mask corrected by the photo's own colours."""

from itertools import pairwise

import cv2
import numpy as np

from services.human_parse.engines.posecut.body import SIDES, Body, Grid

_COLOUR_WEIGHT = 0.5
# Least variance of L, a, b: what JPEG leaves of a plain studio wall, and of plain cloth.
_WALL_NOISE, _CLOTH_NOISE = (1.0, 0.08, 0.08), (4.0, 1.0, 1.0)
# Log density of a colour that the person's sure parts do not have: where the soft mask says no person, and where it says
# person (a sleeve in bright light).
_STRANGE_COLOUR = (-9.0, -4.5)


def person_probability(lab: np.ndarray, soft: np.ndarray, body: Body, grid: Grid, face: np.ndarray) -> np.ndarray:
    """Probability 0..1 that a pixel shows the person.

    lab: (h, w, 3) float32. soft: (h, w) MediaPipe's probability. face: (h, w) bool, surely person.
    Near to the soft mask's edge, and in gaps that it bridges (between arm and waist), a pixel goes to the side whose
    colours nearby it resembles; the inside of the body's bones is never given away.
    """
    soft = np.clip(soft, 0.02, 0.98)
    core = face | near_bones(body, grid, 1.0)
    around = face | near_bones(body, grid, 3.0)
    wall_fit = _local_log_likelihood(lab, _grow(soft > 0.1, 4) == 0, 40.0, _WALL_NOISE)
    inner = _grow(soft <= 0.9, 3) == 0
    person_fit = _local_log_likelihood(lab, inner & (around | (wall_fit < -6)), 12.0, _CLOTH_NOISE)
    strange = np.interp(soft, (0.3, 0.6), _STRANGE_COLOUR)
    odds = np.clip(np.maximum(person_fit, strange) - wall_fit, -14, 6)
    logit = np.log(soft / (1 - soft)) + _COLOUR_WEIGHT * odds + 1.5 * torso_of(body, grid, 1.0, 1.0)
    logit = np.where(core & (soft > 0.3), np.maximum(logit, 3.0), logit)
    return one_piece(1 / (1 + np.exp(-np.clip(logit, -8, 8))), core)


def one_piece(probability: np.ndarray, core: np.ndarray) -> np.ndarray:
    """Drop what hangs on no bone of the person, and fill pinholes."""
    person = (probability > 0.5).astype(np.uint8)
    blobs = cv2.connectedComponents(person)[1]
    kept = np.isin(blobs, np.unique(blobs[core & (person > 0)])) & (person > 0)
    count, holes, stats, _ = cv2.connectedComponentsWithStats((~kept).astype(np.uint8), connectivity=4)
    pinholes = np.flatnonzero(stats[:, cv2.CC_STAT_AREA] < 0.0003 * person.size)
    filled = np.isin(holes, pinholes) & ~kept
    return np.where(filled, 0.9, np.where(kept, probability, np.minimum(probability, 0.2)))


def _grow(mask: np.ndarray, radius: int) -> np.ndarray:
    return np.asarray(cv2.dilate(mask.astype(np.uint8), np.ones((2 * radius + 1, 2 * radius + 1), np.uint8)))


def torso_of(body: Body, grid: Grid, breadth: float, length: float) -> np.ndarray:
    """(h, w) bool: the quadrilateral between shoulders and hips, scaled."""
    shoulders = [body.joints["left_shoulder"] - body.neck, body.joints["right_shoulder"] - body.neck]
    hip = body.neck + length * (body.hip - body.neck)
    quad = np.array([body.neck + breadth * shoulders[0], body.neck + breadth * shoulders[1],
                     hip + breadth * shoulders[1], hip + breadth * shoulders[0]])  # fmt: skip
    mask = np.zeros(grid.x.shape, np.uint8)
    cv2.fillConvexPoly(mask, np.round(quad).astype(np.int32), (1,))
    return mask > 0


def near_bones(body: Body, grid: Grid, thickness: float) -> np.ndarray:
    """(h, w) bool: at thickness 1 so near to the bones that it is body in any clothes."""
    core = torso_of(body, grid, 0.7, 1.0)
    for side in SIDES:
        for limb, radius in ((body.arm(side), 0.04), (body.leg(side), 0.06)):
            for start, end in pairwise(limb):
                core |= grid.distance(start, end)[0] < thickness * radius * body.scale
    return core


def keep_first_person(probability: np.ndarray, people: list[Body], grid: Grid) -> np.ndarray:
    """Give pixels that are nearer to another person's bones (in units of that person's size) to the background."""
    if len(people) < 2:
        return probability
    distances = [_distance_to_bones(body, grid) / body.scale for body in people]
    return np.where(distances[0] <= np.minimum.reduce(distances[1:]), probability, 0.0)


def _distance_to_bones(body: Body, grid: Grid) -> np.ndarray:
    lines = [(body.neck, body.hip)]
    if (nose := body.get("nose")) is not None:
        lines.append((nose, body.neck))
    for side in SIDES:
        for limb in (body.arm(side), body.leg(side)):
            lines += list(pairwise(limb))
    return np.asarray(np.minimum.reduce([grid.distance(start, end)[0] for start, end in lines]))


def _local_log_likelihood(lab: np.ndarray, seeds: np.ndarray, sigma: float,
                          noise: tuple[float, float, float]) -> np.ndarray:  # fmt: skip
    """Log-likelihood (up to a constant) of each pixel under a normal distribution of the seeds' colours around it.

    Sums are taken on a grid four times as coarse: nothing in them is finer than sigma pixels.
    """
    small = lab[::4, ::4]
    weight = seeds[::4, ::4].astype(np.float32)
    stacked = np.concatenate([weight[..., None], small * weight[..., None], small**2 * weight[..., None]], -1)
    near, far = (cv2.GaussianBlur(stacked, (0, 0), s / 4, borderType=cv2.BORDER_REPLICATE) for s in (sigma, 4 * sigma))
    total = near + 0.02 * far + 1e-6 * stacked.mean((0, 1))  # where no seed is near, those farther away count
    mean = total[..., 1:4] / (total[..., :1] + 1e-9)
    variance = np.maximum(total[..., 4:7] / (total[..., :1] + 1e-9) - mean**2, 0) + noise
    size = lab.shape[1::-1]
    mean, variance = (cv2.resize(v, size, interpolation=cv2.INTER_LINEAR) for v in (mean, variance.astype(np.float32)))
    return np.asarray(-0.5 * ((lab - mean) ** 2 / variance + np.log(variance)).sum(-1))
