"""How sure a mean is, and whether two differ."""

from typing import NamedTuple

import numpy as np

RESAMPLES, SEED, CONFIDENCE = 1000, 0, 0.95


class Interval(NamedTuple):
    low: float
    high: float


class Difference(NamedTuple):
    """Of numbers of the same pictures in two evaluations: the second's minus the first's."""

    mean: float
    interval: Interval
    p: float
    """Of Wilcoxon's signed-rank test: how likely differences as these are where none was meant."""


def interval(values: np.ndarray) -> Interval:
    """The bootstrap's interval of the mean: percentiles of the means of as many values drawn with replacement, seeded."""
    random = np.random.default_rng(SEED)
    # One after the other: a matrix of all draws of a large set would take gigabytes.
    means = [values[random.integers(0, len(values), len(values))].mean() for _ in range(RESAMPLES)]
    tail = (1 - CONFIDENCE) / 2
    # Between two means nothing is interpolated, since they may be infinite.
    low, high = np.quantile(means, [tail, 1 - tail], method="nearest")
    return Interval(float(low), float(high))


def difference(before: np.ndarray, after: np.ndarray) -> Difference:
    """Of values in the same order. Equal infinite ones do not differ."""
    from scipy.stats import wilcoxon  # not in the environment of `make demo`

    with np.errstate(invalid="ignore"):
        differences = np.where(before == after, 0.0, after - before)
    p = float(wilcoxon(differences).pvalue) if differences.any() else 1.0
    return Difference(float(differences.mean()), interval(differences), p)
