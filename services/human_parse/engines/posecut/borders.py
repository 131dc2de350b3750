"""Find where garments end: a cuff per arm, the hem, an end on each leg; each is the best change point of a profile along the
body."""

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


def usual_borders(places: Places) -> Borders:
    """What to expect before anything is known of colours."""
    return Borders(_usual_hem(places), 0.12)


def _usual_hem(places: Places) -> float:
    left_below = float(places.grid.y[-1, 0] - places.body.hip[1]) / places.body.scale
    return _USUAL_HEM if left_below > _CUT_OFF else _CUT_OFF_HEM


def find_borders(places: Places, colour_scores: np.ndarray, person: np.ndarray, lightness: np.ndarray) -> Borders:
    """colour_scores: (8, h, w) log density of each pixel's colour in each part. lightness: (h, w) L of Lab."""
    hem = _find_hem(places, colour_scores, person, lightness)
    open_to = (person > 0.5) & (places.hand < 0.5)
    cuffs = _find_ends(colour_scores[ARM] - colour_scores[UPPER], places.arms, places.arm_positions, open_to)
    ends = _find_ends(colour_scores[LEG] - colour_scores[LOWER], places.legs, places.leg_positions, open_to)
    cuffs = {side: position or _SLEEVELESS for side, position in cuffs.items()}
    return Borders(hem, 0.06, cuffs, ends)


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


def _find_hem(places: Places, colour_scores: np.ndarray, person: np.ndarray, lightness: np.ndarray) -> float:
    """Between colours of the two garments; where these are alike, a seam (a step in lightness) near the waist."""
    usual = _usual_hem(places)
    first, last = 0.4, 1.5
    steps = int(round((last - first) / _HEM_STEP))
    bare = 1 - np.maximum(places.arms["left"], places.arms["right"])
    strip = (np.abs(places.torso_x) < 0.5) & (person > 0.5) & (bare > 0.5) & (places.hand < 0.3)
    strip &= (places.torso_y > first) & (places.torso_y < last)
    if strip.sum() < 50:
        return usual
    position = (places.torso_y[strip] - first) / _HEM_STEP
    odds = _profile(position, np.clip(colour_scores[LOWER] - colour_scores[UPPER], -3, 3)[strip], steps)
    seam = _profile(position, np.abs(cv2.Sobel(lightness, cv2.CV_32F, 0, 1, ksize=3))[strip], steps)
    at = first + _HEM_STEP * np.arange(steps + 1)
    bonus = -1.5 * ((at - usual) / _HEM_SPREAD) ** 2
    bonus[:-1] += _SEAM_WEIGHT * seam / max(float(seam.max()), 1e-6)
    return float(at[np.argmax(change_gain(odds) + bonus)])
