"""Second thoughts about the parse: parts of the top that were taken for hair, neck or backdrop."""

import cv2
import numpy as np

from services.tryon.engines.tps.body import NECK, UPPER
from services.tryon.engines.tps.curves import box_around, disc, grow, labelled, to_lab, within
from services.tryon.engines.tps.skin import fill_smoothly
from stagekit.formats import CIHP

_FAR = 38.0
"""Lab distance from the head's own hair or skin at which a region below the chin is part of the top."""


_OVERLOOKED = 80
"""Pixels around the top within which parts of it may have been overlooked."""

_DIFFERENT = 2.5
"""Lab distance from the backdrop that is more than its own unevenness."""


def with_overlooked_top(photo: np.ndarray, parse: np.ndarray) -> np.ndarray:
    """A copy of the parse in which what adjoins the top and has its colour, not that of backdrop or hair, is upper_clothes.

    White on white and loose folds are cut short by parsers; lace and straps under hair are given to the hair.
    """
    top = labelled(parse, UPPER)
    if top.sum() < 2000:
        return parse
    box = box_around(top, _OVERLOOKED + 20)
    size = (top[box].shape[1] // 2, top[box].shape[0] // 2)  # half the size does
    lab = to_lab(cv2.resize(photo[box], size, interpolation=cv2.INTER_AREA))
    labels = cv2.resize(parse[box], size, interpolation=cv2.INTER_NEAREST)
    top = labelled(labels, UPPER)
    own = _carried_on(lab, grow(top, -2))
    backdrop = _carried_on(lab, ~within(labels > 0, _OVERLOOKED / 2))
    hair = labels == CIHP["hair"]
    near_hair = hair & grow(top, 7)
    found = within(top, _OVERLOOKED / 2) & (labels == 0) & _nearer(lab, own, backdrop, 0.5)
    found |= grow(grow(near_hair & _nearer(lab, own, _carried_on(lab, hair & ~near_hair), 0.33), -2), 2)
    found = cv2.morphologyEx((found | top).astype(np.uint8), cv2.MORPH_CLOSE, disc(1)) > 0
    # what is not joined to the top is something else
    count, pieces = cv2.connectedComponents(found.astype(np.uint8), connectivity=4)
    joined = np.zeros(count, bool)
    joined[np.unique(pieces[top])] = True
    found = (found & joined[pieces]).astype(np.float32)
    found = cv2.resize(found, parse[box].shape[::-1], interpolation=cv2.INTER_LINEAR) > 0.5
    parse = parse.copy()
    parse[box][found & np.isin(parse[box], (0, CIHP["hair"]))] = CIHP["upper_clothes"]
    return parse


def _carried_on(lab: np.ndarray, known: np.ndarray) -> np.ndarray | None:
    """The colours of a region, carried on smoothly beyond it; None for an empty one."""
    size = (lab.shape[1] // 4, lab.shape[0] // 4)
    seen = cv2.resize(known.astype(np.float32), size, interpolation=cv2.INTER_AREA) > 0.9
    if not seen.any():
        return None
    filled = fill_smoothly(cv2.resize(lab, size, interpolation=cv2.INTER_AREA), seen)
    return cv2.resize(filled, lab.shape[1::-1], interpolation=cv2.INTER_LINEAR)


def _nearer(lab: np.ndarray, one: np.ndarray | None, other: np.ndarray | None, ratio: float) -> np.ndarray:
    """Where colours are much nearer to one than to the other, from which they differ."""
    if one is None or other is None:
        return np.zeros(lab.shape[:2], bool)
    away = np.linalg.norm(lab - other, axis=2)
    return (away > _DIFFERENT) & (np.linalg.norm(lab - one, axis=2) < ratio * away)


def without_mistaken_head(photo: np.ndarray, parse: np.ndarray) -> np.ndarray:
    """A copy of the parse in which regions below the chin that look like neither hair nor skin are upper_clothes."""
    face = parse == CIHP["face"]
    if face.sum() < 400:
        return parse
    chin = int(np.flatnonzero(face.any(axis=1))[-1])
    height = int(np.ptp(np.flatnonzero(face.any(axis=1))))
    below = (np.arange(parse.shape[0]) > chin - 0.35 * height)[:, None]
    smooth = cv2.GaussianBlur(photo, (0, 0), 2)
    parse = parse.copy()
    least = 0.1 * face.sum()  # strands of hair and shadows are small
    hair = parse == CIHP["hair"]
    above_hair = hair & ~below
    if above_hair.sum() > 400 and _give_away(parse, hair & below, smooth, _usual(smooth, above_hair), least):
        # a stiff collar stands around the neck, and its rim is often taken for background
        collar = grow(parse == CIHP["upper_clothes"], int(0.15 * height)) & (parse == 0)
        columns = np.flatnonzero(hair.any(axis=0))
        collar[:, : columns[0] - height // 5] = collar[:, columns[-1] + height // 5 :] = False
        collar[: chin - int(0.5 * height)] = collar[chin + int(0.8 * height) :] = False
        parse[collar] = CIHP["upper_clothes"]
    _give_away(parse, parse == NECK, smooth, _usual(smooth, grow(face, -3)) * (0.8, 1, 1), least)
    return parse


def _usual(photo: np.ndarray, region: np.ndarray) -> np.ndarray:
    return np.median(to_lab(photo[region]), axis=0)


def _give_away(parse: np.ndarray, region: np.ndarray, photo: np.ndarray, usual: np.ndarray, least: float) -> bool:
    """Relabel what is far from the usual colour, if that is a large part of the region."""
    odd = np.zeros_like(region)
    odd[region] = np.linalg.norm(to_lab(photo[region]) - usual.astype(np.float32), axis=1) > _FAR
    odd = grow(grow(odd, -4), 6) & region
    if odd.sum() < max(0.25 * region.sum(), least):
        return False
    parse[grow(odd, 15) & region] = CIHP["upper_clothes"]
    return True
