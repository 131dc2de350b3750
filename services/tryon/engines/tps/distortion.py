"""How much the warp bends the garment: the measure behind the warning `doubtful-fit`."""

import numpy as np

from services.tryon.engines.tps.curves import polygon_mask
from services.tryon.engines.tps.fit import Part
from services.tryon.engines.tps.spline import fit_spline

_STEP = 20
"""Pixels between the points where the warp is looked at."""

_WORST = 2.0
"""The larger stretch per the smaller one, from which a print looks wrong."""


def distorted_share(part: Part, shape: tuple) -> float:
    """Share of a part, 0..1, that is folded or stretched more than twice as far one way as the other.

    The two stretches are the singular values of the map's derivative; a print looks wrong where they differ much.
    """
    left, top = np.clip(part.outline.min(axis=0), 0, None)
    right, bottom = np.clip(part.outline.max(axis=0), None, shape[1::-1])
    columns, rows = np.arange(left, right, _STEP), np.arange(top, bottom, _STEP)
    if len(columns) < 3 or len(rows) < 3:
        return 1.0
    grid = np.stack(np.meshgrid(columns, rows), axis=-1)
    source = fit_spline(part.target, part.source, stiffness=1e-4)(grid.reshape(-1, 2)).reshape(grid.shape)
    down, across = (np.gradient(source, _STEP, axis=axis) for axis in (0, 1))
    size, area = (down**2 + across**2).sum(axis=2), across[..., 0] * down[..., 1] - across[..., 1] * down[..., 0]
    # both singular values a >= b follow from a^2 + b^2 = size and a b = area
    bad = (area <= 0) | (size > (_WORST + 1 / _WORST) * area)
    places = grid.reshape(-1, 2).round().astype(int)
    inside = polygon_mask(part.outline, shape)[
        np.minimum(places[:, 1], shape[0] - 1), np.minimum(places[:, 0], shape[1] - 1)
    ]
    return float(bad.ravel()[inside].mean()) if inside.any() else 1.0
