"""How much a result is to be believed, as one number: what was doubted about it, each kind of doubt weighed by hand.

It orders results, so that a shop can look at the worst first. It is no probability: nothing was fitted to people's judgement.
"""

from collections.abc import Iterable
from math import prod

KEEPS = {
    "several-people": 0.9,
    "low-resolution": 0.9,
    "seen-from-behind": 0.3,
    "hips-outside": 0.9,
    "doubtful-pose": 0.5,
    "face-not-found": 0.8,
    "joints-guessed": 0.8,
    "arm-not-hidden": 0.7,
    "doubtful-parse": 0.5,
    "hand-hidden": 0.8,
    "garment-left": 0.5,
    "garment-fills-picture": 0.6,
    "print-alone": 0.3,
    "doubtful-mask": 0.5,
    "not-a-top": 0.3,
    "worn-as-top": 0.3,
    "odd-outline": 0.4,
    "doubtful-category": 0.7,
    "garment-worn": 0.5,
    "doubtful-fit": 0.6,
    "result-enlarged": 1.0,
    "not-checked": 0.8,
    "stand-in": 1.0,
    "fallback": 1.0,
}
"""Warning -> the share of the score that it leaves. docs/stage-protocol.md tells them, too."""

OTHERS = 0.8
"""What a warning leaves that is not listed, as an engine of somebody else's may give."""


def score(codes: Iterable[str]) -> float:
    """1 where nothing is doubted, down to nearly 0. Each kind of warning counts once, however often it was told."""
    return round(prod(KEEPS.get(code, OTHERS) for code in set(codes)), 2)
