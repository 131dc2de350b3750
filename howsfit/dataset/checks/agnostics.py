"""Traps of the agnostic: the person with the garment grey."""

import math

import numpy as np

from howsfit.dataset.checks.labels import GARMENT, LEGS, LOWER
from howsfit.dataset.checks.opened import File
from howsfit.dataset.checks.traps import of_files
from stagekit.formats import BODY_25
from stagekit.kinds import CANVAS, CATEGORIES

_STEP = 4  # pixels; every fourth row and column is looked at
_SAME = 24  # levels that JPEG may change
_GREY, _NEARLY = 128, 10
_LEAST_HIDDEN = 0.8  # of the worn garment [0.998 of the samples]
_LEAST_FILLED, _FILLED = 0.02, 0.8  # of the picture that is hidden, and of that in one colour
_MOST_FOREIGN = 0.05  # of the picture
_LEAST_LIKE = 0.93  # intersection over union with what HR-VITON hides [0.999 of the samples]
_NEEDED = [BODY_25[name] for name in ("neck", "right_shoulder", "left_shoulder", "right_hip", "left_hip")]

_MAKE = "Make it again: howsfit dataset preprocess --only agnostic."


@of_files(
    "agnostic-of-another",
    on=("agnostic",),
    means="Beside what it hides, it is not the photo: it was made of another picture, or of one that was scaled or "
    "cut otherwise.",
    mend=_MAKE,
    last=True,
)
def agnostic_of_another(file: File) -> str | None:
    pair = _pair(file)
    if pair is None:
        return None
    foreign = float((_differs(*pair) & ~_is_grey(pair[1]) & ~_filled(*pair)).mean())
    return f"{foreign:.0%} of it are neither the photo nor hidden" if foreign > _MOST_FOREIGN else None


@of_files(
    "agnostic-garment",
    on=("agnostic",),
    means="The garment that is worn is still to be seen in it: the network learns to copy it.",
    mend=_MAKE,
    last=True,
)
def agnostic_garment(file: File) -> str | None:
    pair, parse = _pair(file), file.sample.labels("parse")
    if pair is None or parse is None:
        return None
    hidden = _hidden(*pair)
    small = parse[::_STEP, ::_STEP]
    # Of a set of trousers and skirts it is those that are hidden.
    groups = [np.isin(small, group) for group in (GARMENT, LOWER + LEGS)]
    shares = [float(hidden[worn].mean()) for worn in groups if worn.any()]
    return (
        f"{1 - max(shares):.0%} of the worn garment are to be seen" if shares and max(shares) < _LEAST_HIDDEN else None
    )


@of_files(
    "agnostic-version",
    on=("agnostic",),
    means="It hides another shape, or in another colour, than HR-VITON does for this pose and parse (agnostic-v3.2). "
    "VITON-HD's "
    "and other models' recipes cannot be exchanged with it.",
    mend=f"Use it with the model that it was made for. {_MAKE}",
    level="warning",
)
def agnostic_version(file: File) -> str | None:
    pair, parse, joints = _pair(file), file.sample.labels("parse"), file.sample.joints()
    if pair is None or parse is None or joints is None or not joints[_NEEDED, :2].any(axis=1).all():
        return None
    if file.sample.size != CANVAS or math.dist(joints[_NEEDED[3], :2], joints[_NEEDED[4], :2]) < 1:
        return None
    grey, found = _is_grey(pair[1]), _hidden(*pair)
    if found.any() and grey[found].mean() < 0.5:
        colour = np.median(pair[1][found], axis=0).astype(int).tolist()
        return f"what is hidden has the colour {tuple(colour)}, not grey (128)"
    like = 0.0
    for category in CATEGORIES:
        like = max(like, _likeness(category, found, parse, joints))
        if like >= _LEAST_LIKE:  # others take longer than all else
            return None
    return f"{like:.0%} like HR-VITON's"


def _likeness(category: str, found: np.ndarray, parse: np.ndarray, joints: np.ndarray) -> float:
    from services.agnostic.engines.viton_hd.below import hidden_by

    places = [(float(x), float(y)) for x, y, _ in joints]
    wanted = hidden_by(category, parse, places)[::_STEP, ::_STEP]
    return float((found & wanted).sum() / max(1, (found | wanted).sum()))


def _pair(file: File) -> tuple[np.ndarray, np.ndarray] | None:
    """Photo and agnostic, every fourth row and column; None where they cannot be compared."""
    person, agnostic = file.sample.rgb("person"), file.sample.rgb("agnostic")
    if person is None or agnostic is None:
        return None
    return person[::_STEP, ::_STEP].astype(np.int16), agnostic[::_STEP, ::_STEP].astype(np.int16)


def _differs(person: np.ndarray, agnostic: np.ndarray) -> np.ndarray:
    return np.asarray(np.abs(person - agnostic).max(axis=2) > _SAME)


def _hidden(person: np.ndarray, agnostic: np.ndarray) -> np.ndarray:
    """What is no longer to be seen. A white garment under white does not differ."""
    return np.asarray(_differs(person, agnostic) | _is_grey(agnostic) | _filled(person, agnostic))


def _is_grey(agnostic: np.ndarray) -> np.ndarray:
    return np.asarray(np.abs(agnostic - _GREY).max(axis=2) <= _NEARLY)


def _filled(person: np.ndarray, agnostic: np.ndarray) -> np.ndarray:
    """What is hidden in some one colour, whichever; nothing where it is not one."""
    differs = _differs(person, agnostic)
    if differs.mean() < _LEAST_FILLED:
        return np.zeros_like(differs)
    like = np.abs(agnostic - np.median(agnostic[differs], axis=0)).max(axis=2) <= _NEARLY
    return np.asarray(like & (like[differs].mean() > _FILLED))
