"""What is worn below the waist: trousers, a skirt, or the rest of a dress."""

import numpy as np

from services.human_parse.engines.posecut.body import Body
from services.human_parse.engines.posecut.filters import colour_density
from services.human_parse.engines.posecut.priors import LEG, LOWER, UPPER

_LEAST_LEGS = 0.05  # squared shoulder widths; bare ankles below trousers have less
_HEM_RISE = 0.25  # shoulder widths by which the end of trousers lies higher between the legs than on them
_ONE_CLOTH = (
    0.75  # Bhattacharyya coefficient; the halves of one top have 0.82 to 1, a top and a lower garment 0.05 to 0.6
)
_SPREAD = (2.0, 1.0)  # of colours: the same cloth is lit otherwise farther down


def label_below(parts: np.ndarray, bins: np.ndarray, left: np.ndarray, body: Body) -> str:
    """pants, skirt or dress, for the part LOWER. Legs have to be seen below it: else it is taken for trousers.

    parts: (h, w) int of `priors`; bins: (h, w) of `colour_bins`; left: (h, w) bool, nearer to the left leg.
    """
    legs = parts == LEG
    if legs.sum() < _LEAST_LEGS * body.scale**2 or parts_between_legs(parts == LOWER, legs, left, body):
        return "pants"
    upper, lower = (colour_density(bins, (parts == part).astype(np.float32), _SPREAD) for part in (UPPER, LOWER))
    return "dress" if float(np.sqrt(upper * lower).sum()) > _ONE_CLOTH else "skirt"


def parts_between_legs(lower: np.ndarray, legs: np.ndarray, left: np.ndarray, body: Body) -> bool:
    """Whether the lower garment ends higher between the bare legs than on them."""
    rows = np.arange(lower.shape[0])[:, None]
    ends = np.where(lower, rows, -1).max(axis=0)
    middles, hems = [], []
    for leg in (legs & left, legs & ~left):
        columns = np.flatnonzero(leg.any(axis=0) & (ends >= 0))
        if columns.size:
            middles.append(float(np.median(columns)))
            hems.append(float(np.median(ends[columns])))
    if len(hems) < 2:
        return False
    between = int(np.mean(middles))
    return bool(ends[between] < min(hems) - _HEM_RISE * body.scale)
