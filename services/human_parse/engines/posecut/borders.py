"""Find where garments end: a cuff per arm, the hem, an end on each leg; each is the best change point of a profile along the
body."""

from dataclasses import replace

import cv2
import numpy as np

from services.human_parse.engines.posecut.body import Side
from services.human_parse.engines.posecut.priors import ARM, LEG, LOWER, UPPER, Borders, Places

_STEPS_PER_JOINT = 12
_HEM_STEP = 0.02
_SLEEVELESS = -0.3
_UNLIKE = 2.0  # cost, in units of log-odds, of each step that two cuffs lie apart
_USUAL_HEM, _HEM_SPREAD = 0.85, 0.15  # mean and standard deviation of where tops end, hip line at 1
# Where the picture ends within this many shoulder widths of the hips, most often no lower garment is in it.
_CUT_OFF, _CUT_OFF_HEM = 0.4, 1.4
_SEAM_WEIGHT = 4.0
_HIGHEST_HEM, _LOWEST_HEM = 0.4, 1.5
_CHEST, _THIGHS = 0.15, 2.0  # what is looked at of a trunk; skirts end on the thighs or below
_HEM_BINS = (12.5, 8.0, 8.0)  # of L, a, b
_TWO_CLOTHS_WEIGHT = 4.0


def first_borders(places: Places, person: np.ndarray, lab: np.ndarray) -> Borders:
    """What is known before garments and skin have colours: the hem."""
    return Borders(_find_hem(places, person, lab))


def _usual_hem(places: Places) -> float:
    left_below = float(places.grid.y[-1, 0] - places.body.hip[1]) / places.body.scale
    return _USUAL_HEM if left_below > _CUT_OFF else _CUT_OFF_HEM


def with_ends(borders: Borders, places: Places, colour_scores: np.ndarray, person: np.ndarray) -> Borders:
    """The same with cuffs and the lower garment's ends. colour_scores: (8, h, w) log density of its colour in each part."""
    open_to = (person > 0.5) & (places.hand < 0.5)
    cuffs = _find_ends(colour_scores[ARM] - colour_scores[UPPER], places.arms, places.arm_positions, open_to)
    ends = _find_ends(colour_scores[LEG] - colour_scores[LOWER], places.legs, places.leg_positions, open_to)
    cuffs = {side: position or _SLEEVELESS for side, position in cuffs.items()}
    return replace(borders, cuffs=cuffs, ends=ends)


def _find_ends(
    skin_odds: np.ndarray, limbs: dict[Side, np.ndarray], positions: dict[Side, np.ndarray], open_to: np.ndarray
) -> dict[Side, float]:
    """Where cloth turns to skin along each limb; clothes are mostly alike on both sides, so the clearer one helps the other.

    skin_odds: (h, w) log odds of skin against cloth. open_to: (h, w) bool, what may be looked at.
    """
    skin_odds = np.clip(skin_odds, -3, 3)
    gains = {}
    for side, limb in limbs.items():
        near = (limb > 0.9) & open_to & (positions[side] < 2)
        if near.any():
            position = positions[side][near] * _STEPS_PER_JOINT
            gains[side] = change_gain(_profile(position, skin_odds[near], 2 * _STEPS_PER_JOINT))
    best = [int(gain.argmax()) for gain in gains.values()]
    if len(gains) == 2:
        best = alike_maxima(*gains.values())
    return {side: k / _STEPS_PER_JOINT for side, k in zip(gains, best, strict=True)}


def change_gain(profile: np.ndarray) -> np.ndarray:
    """(len + 1,) how well each step serves as the one change of a profile from negative to positive."""
    total = np.concatenate([[0.0], np.cumsum(profile)])
    return np.asarray(total[-1] - 2 * total)


def alike_maxima(one: np.ndarray, other: np.ndarray) -> list[int]:
    """The best step of each of two gains, where each step that they lie apart costs _UNLIKE."""
    shared = min(len(one), len(other)) - 1
    apart = np.abs(np.minimum(np.arange(len(one)), shared)[:, None] - np.minimum(np.arange(len(other)), shared))
    best = np.argmax(one[:, None] + other - _UNLIKE * apart)
    return [int(k) for k in np.unravel_index(best, apart.shape)]


def _profile(position: np.ndarray, values: np.ndarray, steps: int) -> np.ndarray:
    """(steps,) mean of the values whose position falls in each step, 0 where there are none."""
    step = np.clip(position.astype(np.int32), 0, steps - 1)
    count = np.bincount(step, minlength=steps)
    return np.asarray(np.bincount(step, values, steps) / np.maximum(count, 1))


def _find_hem(places: Places, person: np.ndarray, lab: np.ndarray) -> float:
    """Where the trunk's colours change most, or, where they hardly do, a seam (a step in lightness) near the waist."""
    usual = _usual_hem(places)
    bare = 1 - np.maximum(places.arms["left"], places.arms["right"])
    middle = (np.abs(places.torso_x) < 0.5) & (person > 0.5) & (bare > 0.5) & (places.hand < 0.3)
    strip = middle & (places.torso_y > _HIGHEST_HEM) & (places.torso_y < _LOWEST_HEM)
    if strip.sum() < 50:
        return usual
    steps = int(round((_LOWEST_HEM - _HIGHEST_HEM) / _HEM_STEP))
    position = (places.torso_y[strip] - _HIGHEST_HEM) / _HEM_STEP
    seam = _profile(position, np.abs(cv2.Sobel(lab[..., 0], cv2.CV_32F, 0, 1, ksize=3))[strip], steps)
    at = _HIGHEST_HEM + _HEM_STEP * np.arange(steps + 1)
    bonus = -1.5 * ((at - usual) / _HEM_SPREAD) ** 2
    bonus[:-1] += _SEAM_WEIGHT * seam / max(float(seam.max()), 1e-6)
    return float(at[np.argmax(_TWO_CLOTHS_WEIGHT * two_cloths(places.torso_y[middle], lab[middle], at) + bonus)])


def two_cloths(heights: np.ndarray, lab: np.ndarray, hems: np.ndarray) -> np.ndarray:
    """(hems,) log-likelihood, in rows, of two cloths that meet at each hem, over one cloth.

    Legs may follow below. Cloths are histograms of colours; every row of pixels counts as one, however many it has.
    heights: (n,) of the pixels, as hems 0 on the shoulder line and 1 on the hip line; lab: (n, 3).
    """
    counts = _histograms(np.floor((heights - _CHEST) / _HEM_STEP).astype(np.int32), lab)
    shares = counts / np.maximum(counts.sum(1, keepdims=True), 1)
    below = np.concatenate([np.zeros((1, shares.shape[1])), np.cumsum(shares, axis=0)])
    last = int(np.flatnonzero(counts.any(axis=1)).max(initial=0)) + 1

    def fit(first: int, end: int) -> float:
        cloth = below[end] - below[first]
        return float((cloth * np.log(np.maximum(cloth, 1e-9) / max(cloth.sum(), 1e-9))).sum())

    legs = [*range(_step(_LOWEST_HEM) + 3, last, 2), last]  # where they may begin
    hem_steps = [min(_step(hem), last) for hem in hems]
    return np.array([fit(0, hem) + max(fit(hem, end) + fit(end, last) for end in legs) for hem in hem_steps]) - fit(
        0, last
    )


def _step(height: float) -> int:
    return int(round((height - _CHEST) / _HEM_STEP))


def _histograms(rows: np.ndarray, lab: np.ndarray) -> np.ndarray:
    """(rows, colours) number of pixels, of the colours that there are, coarsely. rows: (n,), which may lie outside."""
    wanted = (rows >= 0) & (rows < _step(_THIGHS))
    bins = np.floor(lab[wanted] / _HEM_BINS).astype(np.int32)
    names, colours = np.unique(bins, axis=0, return_inverse=True)
    counts = np.bincount(rows[wanted] * len(names) + colours.ravel(), minlength=_step(_THIGHS) * len(names))
    return counts.reshape(_step(_THIGHS), len(names))
