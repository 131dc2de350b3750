"""From the network's scores to the garment: one region with a fine outline, without the gaps that the network takes along."""

from typing import NamedTuple

import cv2
import numpy as np

from services.cloth_mask.engines.cutout.background import to_lab
from services.cloth_mask.engines.cutout.guided import sharpened
from services.cloth_mask.engines.cutout.segmentation import disc, largest
from services.cloth_mask.hanger import garment_top

_MOST = 1024  # pixels of the longest side at which the outline is drawn: as high as the cloth becomes
_HANGER_SIDE = 512  # pixels at which a hanger is looked for
_HALF_SURE = (0.1, 0.9)  # scores

_SIDE = 256  # pixels of the longest side at which colours are told apart; what follows is measured there
_ROUNDS = 3  # of GrabCut
_ROOM = 6  # pixels outside of the network's outline in which colour may find garment
_FEWEST = 60  # pixels of either, from which their colours can be told
_LEAST_GAP = 60  # pixels
_ALIKE = 4.0  # Lab units from a gap to the ground beside it [gaps 0 to 3, parts of garments 5 and more]
_BESIDE = (8, 16, 32, 64)  # how far off ground is looked for


class Region(NamedTuple):
    """A garment."""

    mask: np.ndarray
    """bool (H, W), one region; all False where the network sees nothing."""
    unsure: float
    """Where the network is half sure, as a share of the garment."""
    agreement: float
    """Overlap of what the network finds with what its colours alone make of it, 0..1."""


def garment_region(rgb: np.ndarray, scores: np.ndarray) -> Region:
    """rgb: uint8 (H, W, 3); scores: float32 of any size, 0..1, the network's of that picture."""
    picture = _shrunk(rgb, _MOST)
    likely = sharpened(scores, picture)
    found = largest(likely > 0.5)
    gaps, agreement = _gaps(picture, found)
    found = largest(found & ~gaps)
    if found.any():
        found[: _top(picture, found)] = False
    mask = found
    if rgb.shape != picture.shape:
        mask = cv2.resize(np.where(found, likely, 0), rgb.shape[1::-1]) > 0.5
    half_sure = (scores > _HALF_SURE[0]) & (scores < _HALF_SURE[1])
    return Region(largest(mask), float(half_sure.sum() / max(1, (scores > 0.5).sum())), agreement)


def _gaps(rgb: np.ndarray, found: np.ndarray) -> tuple[np.ndarray, float]:
    """Ground that was found for garment, as between a sleeve and the trunk: bool (H, W); and `agreement`.

    What GrabCut gives to the ground, starting from what was found, is such a gap if it is open to the ground beside it and has
    its colour: prints and stripes are closed or differ.
    """
    small, inside = _shrunk(rgb, _SIDE), _shrunk(found.astype(np.uint8) * 255, _SIDE) > 127
    if min(inside.sum(), (~inside).sum()) < _FEWEST:
        return np.zeros_like(found), 0.0
    by_colour = _by_colour(small, inside)
    lab = to_lab(small)
    outside = ~_grown(inside, 2)
    gaps = np.zeros_like(inside)
    given = cv2.morphologyEx((inside & ~by_colour).astype(np.uint8), cv2.MORPH_OPEN, disc(2))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(given, connectivity=4)
    for label in range(1, count):
        piece = labels == label
        if stats[label, cv2.CC_STAT_AREA] >= _LEAST_GAP and _is_open_and_alike(lab, piece, inside, outside):
            gaps |= piece
    left = inside & ~gaps
    full = cv2.resize(gaps.astype(np.float32), found.shape[::-1]) > 0.5
    return full, float((left & by_colour).sum() / max(1, (left | by_colour).sum()))


def _by_colour(rgb: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """What GrabCut makes of a first guess."""
    marks = np.where(inside, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
    marks[~_grown(inside, _ROOM)] = cv2.GC_BGD
    cv2.setRNGSeed(0)
    cv2.grabCut(rgb, marks, None, np.zeros((1, 65)), np.zeros((1, 65)), _ROUNDS, cv2.GC_INIT_WITH_MASK)
    return np.isin(marks, (cv2.GC_FGD, cv2.GC_PR_FGD))


def _is_open_and_alike(lab: np.ndarray, piece: np.ndarray, inside: np.ndarray, outside: np.ndarray) -> bool:
    mouth = _grown(piece, 2) & ~inside
    if not mouth.any():
        return False
    beside = next((near for reach in _BESIDE if (near := _grown(piece, reach) & outside).sum() > _FEWEST), None)
    if beside is None:
        return False
    behind = piece & _grown(mouth, 10)
    return bool(np.linalg.norm(np.median(lab[behind], axis=0) - np.median(lab[beside], axis=0)) < _ALIKE)


def _top(rgb: np.ndarray, found: np.ndarray) -> int:
    """The first row below a hanger."""
    small, inside = _shrunk(rgb, _HANGER_SIDE), _shrunk(found.astype(np.uint8) * 255, _HANGER_SIDE) > 127
    return round(garment_top(inside, to_lab(small)) * len(found) / len(inside)) if inside.any() else 0


def _shrunk(picture: np.ndarray, most: int) -> np.ndarray:
    """At most so many pixels on the longest side."""
    scale = most / max(picture.shape[:2])
    size = max(1, round(picture.shape[1] * scale)), max(1, round(picture.shape[0] * scale))
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA)) if scale < 1 else picture


def _grown(mask: np.ndarray, radius: int) -> np.ndarray:
    return np.asarray(cv2.dilate(mask.astype(np.uint8), disc(radius)) > 0)
