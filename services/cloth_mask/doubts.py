"""Is it cut out well, does it lie straight, and is nobody in it? Measures of the cut-out garment, whichever engine made it.
Runs on Python 3.6 too.

The limits for the cut itself lie between the samples' masks, published ones and cutout's, and spoilt ones: shifted, grown,
eaten by holes, cut off half way, with a blob of backdrop.
"""

from typing import List, Optional

import numpy as np

from services.cloth_mask.transparency import CUT_OUT, PUNCHED, opaque_share, read_transparency
from stagekit import Artifacts, Warn

_LEAST_SYMMETRY = 0.62  # overlap with the mirror image [0.86 to 0.98]
_LEAST_SYMMETRY_LOW = 0.8  # the same for what is less than 0.8 times as high as wide

_HEAD = 0.7  # height of the narrow upper end per its own width [0.1 to 0.4; people 1.1 and more]
_HEAD_HEIGHT = 0.17  # the same as a share of the whole height [0.01 to 0.14; people 0.22 and more]
_HEAD_WIDTH = 0.65  # of the width below, up to which the upper end counts as narrow
_FACE = 0.5  # share of skin colour in a head
_MORE_SKIN = 0.2  # by which the share in the head is larger than below it; in a beige hoodie it is not
_SKIN_CB, _SKIN_CR = (77, 127), (133, 173)
"""Skin in YCbCr. Source: Chai and Ngan, "Face segmentation using skin-color map in videophone applications", 1999."""

_MOST_UNSEEN = 0.1  # share of the outline where no colour changes [0 to 0.04; spoilt 0.12 and more]
_LEAST_CHANGE = 8  # of 255, in one channel, from which a change of colour is seen
_MOST_RAGGED = 0.25  # of the outline's length, in pixels that smoothing changes [0.03 to 0.16; eaten by holes 0.33]

_LEAST_OPAQUE = 0.03  # share of the picture of a garment that comes cut out

_STEP = 4  # pixels; every fourth row and column is looked at


def warn_of_doubts(inputs: Artifacts, outputs: Artifacts, warn: Warn) -> None:
    """Warn `doubtful-mask` where the outline follows no edge or is ragged; `garment-worn` where the picture shows a head, else
    `odd-outline` where it is lopsided."""
    cloth, mask = outputs["cloth"][::_STEP, ::_STEP], outputs["cloth_mask"][::_STEP, ::_STEP] > 0
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    large_enough = len(rows) >= 8 and len(columns) >= 8
    picture = inputs.get("garment", cloth)
    transparency = read_transparency(picture)
    reasons = doubts_about_transparency(picture, transparency)
    if large_enough:
        reasons += doubts_about_cut(cloth, mask, outline_given=transparency == CUT_OUT)
    if reasons:
        warn(
            "doubtful-mask",
            "The garment may be cut out badly: %s. Send a picture on a plain background that differs from the garment."
            % "; ".join(reasons),
        )
    if not large_enough:
        return
    garment = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
    face = face_share(cloth[garment], mask[garment])
    if face is not None:
        warn(
            "garment-worn",
            "Somebody seems to wear the garment: its upper end is as narrow as a head, and %.0f %% of that has the colour of "
            "skin (above %.0f %%). Send a picture of the garment alone, laid flat or hung." % (100 * face, 100 * _FACE),
        )
        return
    height, width = mask[garment].shape
    symmetry = lopsided(mask[garment])
    if symmetry is not None:
        warn(
            "odd-outline",
            "This may be no garment that can be worn, or it lies crooked: %.0f %% of it overlap with its mirror image (below "
            "%.0f %%), as of a shoe or a bag. Send a picture of it laid straight, seen from the front."
            % (100 * symmetry, 100 * least_symmetry(height / width)),
        )


def lopsided(mask: np.ndarray) -> Optional[float]:
    """How much of a garment overlaps with its mirror image, 0..1, where that is too little. mask: bool (H, W), cut to the
    garment."""
    height, width = mask.shape
    mirrored = mask[:, ::-1]
    symmetry = float((mask & mirrored).sum() / (mask | mirrored).sum())
    return symmetry if symmetry < least_symmetry(height / width) else None


def least_symmetry(tall: float) -> float:
    """Below which an outline is odd. tall: height per width."""
    return _LEAST_SYMMETRY_LOW if tall < 0.8 else _LEAST_SYMMETRY


def doubts_about_transparency(picture: np.ndarray, transparency: str) -> List[str]:
    """What speaks against the transparency that a garment's picture came with, as `read_transparency` read it."""
    if transparency == PUNCHED:
        return ["its picture is clear in the middle and opaque around that"]
    share = opaque_share(picture) if transparency == CUT_OUT else 1.0
    if share < _LEAST_OPAQUE:
        return ["all but %.1f %% of its picture is transparent (below %.0f %%)" % (100 * share, 100 * _LEAST_OPAQUE)]
    return []


def doubts_about_cut(cloth: np.ndarray, mask: np.ndarray, outline_given: bool = False) -> List[str]:
    """What speaks against a mask, each with its measure. cloth: (H, W, 3) uint8 RGB; mask: bool (H, W).

    outline_given: by the picture's transparency, so that the colours need not show it.
    """
    ragged = raggedness(mask)
    unseen = 0.0 if outline_given else unseen_share(cloth, mask)
    reasons = []
    if unseen > _MOST_UNSEEN:
        reasons.append(
            "along %.0f %% of its outline no colour changes (above %.0f %%)" % (100 * unseen, 100 * _MOST_UNSEEN)
        )
    if ragged > _MOST_RAGGED:
        reasons.append(
            "its outline is ragged: smoothing changes %.2f pixels for each of its length (above %.2f)"
            % (ragged, _MOST_RAGGED)
        )
    return reasons


def raggedness(mask: np.ndarray) -> float:
    """Pixels that a vote among neighbours (the wider, the higher the garment) changes, per pixel of the outline's length."""
    reach = max(1, int(mask.any(axis=1).sum()) // 64)
    smooth = _mean_around(mask, reach) > 0.5
    steps = np.count_nonzero(mask[1:] != mask[:-1]) + np.count_nonzero(mask[:, 1:] != mask[:, :-1])
    return float(np.count_nonzero(mask != smooth) / max(1, steps))


def unseen_share(cloth: np.ndarray, mask: np.ndarray) -> float:
    """Share of the outline, 0..1, on whose two sides the picture has the same colour; 0 for a mask without an outline."""
    near = _mean_around(mask, 1)
    inside, outside = mask & (near > 0.99), ~mask & (near < 0.01)
    means, masses = [], []
    for side in (inside, outside):
        mass = _mean_around(side, 3)
        masses.append(mass)
        colours = [_mean_around(side * cloth[..., channel], 3) / np.maximum(mass, 1e-6) for channel in range(3)]
        means.append(np.stack(colours, axis=-1))
    line = (near > 0.01) & (near < 0.99) & (masses[0] > 0.05) & (masses[1] > 0.05)
    change = np.abs(means[0] - means[1]).max(axis=-1)[line]
    return float(np.mean(change < _LEAST_CHANGE)) if len(change) else 0.0


def _mean_around(values: np.ndarray, reach: int) -> np.ndarray:
    """Mean over the square of 2 * reach + 1 pixels around each pixel; the border is repeated."""
    size = 2 * reach + 1
    sums = np.pad(values.astype(np.float64), reach, "edge").cumsum(axis=0).cumsum(axis=1)
    sums = np.pad(sums, ((1, 0), (1, 0)), "constant")
    return np.asarray(sums[size:, size:] - sums[:-size, size:] - sums[size:, :-size] + sums[:-size, :-size]) / size**2


def face_share(cloth: np.ndarray, mask: np.ndarray) -> Optional[float]:
    """How much of the head above the garment has the colour of skin, 0..1; None where the picture shows no head.

    cloth: (H, W, 3) uint8 RGB and mask: bool (H, W), both cut to the garment.
    """
    height, width = mask.shape
    widths = width - mask[:, ::-1].argmax(axis=1) - mask.argmax(axis=1)
    narrow = widths <= _HEAD_WIDTH * widths[: max(1, height // 2)].max()
    head = int(narrow.argmin())  # rows down to the shoulders
    if head < _HEAD_HEIGHT * height or head < _HEAD * float(np.median(widths[head // 2 : head])):
        return None
    skin = _is_skin(cloth) & mask
    above, below = (float(skin[rows].sum() / mask[rows].sum()) for rows in (slice(0, head), slice(head, None)))
    return above if above > _FACE and above - below > _MORE_SKIN else None


def _is_skin(rgb: np.ndarray) -> np.ndarray:
    red, green, blue = np.moveaxis(rgb.astype(np.float32), 2, 0)
    cb = 128 - 0.168736 * red - 0.331264 * green + 0.5 * blue
    cr = 128 + 0.5 * red - 0.418688 * green - 0.081312 * blue
    return np.asarray((cb >= _SKIN_CB[0]) & (cb <= _SKIN_CB[1]) & (cr >= _SKIN_CR[0]) & (cr <= _SKIN_CR[1]))
