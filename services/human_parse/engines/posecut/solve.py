"""Assign the silhouette's pixels to parts: colours learnt per photo, pose priors, edge-aware smoothing."""

import numpy as np

from services.human_parse.engines.posecut.borders import first_borders, with_ends
from services.human_parse.engines.posecut.filters import GuidedFilter, colour_bins, colour_density
from services.human_parse.engines.posecut.priors import (
    ARM,
    FACE,
    HAIR,
    LEG,
    LOWER,
    NECK,
    PARTS,
    SHOE,
    UPPER,
    Places,
)  # fmt: skip

_ROUNDS = 4
_COLOUR_WEIGHT = 0.8
_NEIGHBOUR_WEIGHT = 2.5
_LEAST_SCORE = -6.0
# Skin elsewhere is lit otherwise than the face, which changes its lightness most: standard deviations of L, a, b.
_SKIN_LEEWAY = (28.0, 4.0, 5.0)
_LEAST_SKIN = 30  # pixels
_SKIN_IN_TOP = 2.0  # a top half of which may be skin keeps all of its colours


def solve_parts(lab: np.ndarray, places: Places, person: np.ndarray, smooth: GuidedFilter) -> np.ndarray:
    """(8, h, w) probability of each part, given that the pixel shows the person.

    Rounds of colour-mixture estimation: each part's colours are a density of the pixels that are likely to be it; then
    each pixel's probabilities follow from colour, place and neighbours. The hem is found first; after the first round
    cuffs and the lower garment's ends are, and the places made sharper. The neighbours' vote is an edge-aware mean: a
    mean-field step as in Kraehenbuehl and Koltun, "Fully connected CRFs" (2011), with a guided filter in place of their
    bilateral one.
    """
    bins = colour_bins(lab)
    borders = first_borders(places, person, lab)
    priors = places.priors(borders)
    skin_like = _skin_likeness(lab, places, person)
    belief = _seeds(priors, places) * person
    bare_colours = np.exp(skin_like) * (1 - _skin_in_top(places, person, skin_like))
    for round_number in range(_ROUNDS):
        colour = _colour_scores(bins, belief, skin_like, bare_colours)
        if round_number in (1, 2):
            priors = places.priors(with_ends(borders, places, colour, person))
        score = np.log(priors) + _COLOUR_WEIGHT * colour
        if round_number:
            for part in np.flatnonzero(belief.max((1, 2)) > 0.5):  # the others have no votes to give
                score[part] += _NEIGHBOUR_WEIGHT * np.clip(smooth(belief[part]), 0, 1)
        belief = _softmax(score) * person
    return np.asarray(belief)


def _seeds(priors: np.ndarray, places: Places) -> np.ndarray:
    """First beliefs: only where the pose leaves little doubt."""
    sure = np.where(priors > 0.6, priors, 0.0)
    trunk = np.abs(places.torso_x) < 0.9
    sure[UPPER] *= trunk & (places.torso_y > 0.12) & (places.torso_y < 0.55)
    thigh = np.minimum(places.leg_positions["left"], places.leg_positions["right"])
    sure[LOWER] *= (places.torso_y > 1.05) & (thigh < 0.4)
    sure[SHOE] *= places.toes
    return np.asarray(sure)


def _skin_likeness(lab: np.ndarray, places: Places, person: np.ndarray) -> np.ndarray:
    """(h, w) log factor, 0 for colours that the skin of the face, else of the hands, may have in other light, down to -6."""
    cheeks = (places.face > 0.9) & (places.face_y < 0.6) & (person > 0.3)
    hands = (places.hand > 0.9) & (person > 0.8)
    seen = cheeks if cheeks.sum() >= _LEAST_SKIN else hands
    if seen.sum() < _LEAST_SKIN:
        return np.zeros(lab.shape[:2], np.float32)
    colours = lab[seen]
    middle = np.median(colours, axis=0)
    covariance = np.cov(colours[np.abs(colours - middle).sum(1) < 40].T) + np.diag(np.square(_SKIN_LEEWAY))
    off = lab - middle
    squared = np.einsum("ijk,kl,ijl->ij", off, np.linalg.inv(covariance), off, optimize=True)
    return np.asarray(np.clip(-0.5 * (squared - 3), -6, 0), np.float32)


def _skin_in_top(places: Places, person: np.ndarray, skin_like: np.ndarray) -> float:
    """0..1: how much of the top has the skin's colours, by the middle of the trunk, which is bare least of all."""
    middle = (np.abs(places.torso_x) < 0.6) & (np.abs(places.torso_y - 0.5) < 0.15) & (person > 0.5)
    return min(1.0, _SKIN_IN_TOP * float(np.exp(skin_like[middle]).mean())) if middle.any() else 1.0


def _colour_scores(bins: np.ndarray, belief: np.ndarray, skin_like: np.ndarray, bare_colours: np.ndarray) -> np.ndarray:
    """(8, h, w) log density of each pixel's colour in each part. Face, neck, arms and legs share the skin's.

    bare_colours: (h, w) 0..1, colours that the top has not.
    """
    face = belief[FACE]
    elsewhere = (belief[NECK] + belief[ARM] + belief[LEG]) * np.exp(skin_like)
    skin = 0.5 * colour_density(bins, face, (2.0, 1.0)) + 0.5 * colour_density(bins, elsewhere, (2.0, 1.0))
    densities = np.empty((PARTS, skin.size))
    densities[[FACE, NECK, ARM, LEG]] = skin
    for part in (HAIR, UPPER, LOWER):
        densities[part] = colour_density(bins, belief[part] * (1 - bare_colours) if part == UPPER else belief[part])
    densities[SHOE] = colour_density(
        bins, belief[SHOE] * (1 - np.exp(skin_like))
    )  # a foot's place tells skin from shoe badly
    log = np.log(densities).astype(np.float32)
    scores = (log - log.max(0))[:, bins]
    scores[[NECK, ARM, LEG]] += skin_like
    return np.asarray(np.maximum(scores, _LEAST_SCORE))


def _softmax(score: np.ndarray) -> np.ndarray:
    exp = np.exp(score - score.max(0))
    return np.asarray(exp / exp.sum(0))
