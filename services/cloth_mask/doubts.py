"""Is it cut out well, is it a top, and is nobody in it? Measures of the cut-out garment, whichever engine made it. Runs on
Python 3.6 too.

The limits were found on the garments of VITON-HD's sample photos (all tops; their range in brackets), on the people's photos
sent as garments, and on the 900 garments of Fashion-MNIST's overview picture (Xiao et al., 2017, arXiv:1708.07747). They are
set so that a top is hardly ever called something else: of Fashion-MNIST's 360 tops six are, which at 28 pixels show no more
than a block or are cut out badly; so are all of its trousers, 99 % of its shoes and sandals and half of its dresses. An
outline does not tell bags, hats and wide dresses from tops: most of them pass.

The limits for the cut itself lie between the samples' masks, published ones and grabcut's, and spoilt ones: shifted, grown,
eaten by holes, cut off half way, with a blob of backdrop.
"""

from typing import List, NamedTuple, Optional, Tuple

import numpy as np

from services.cloth_mask.transparency import CUT_OUT, PUNCHED, opaque_share, read_transparency
from stagekit import Artifacts, Warn

_LEGS = 0.2  # share of the height over which the lower end is parted in the middle [0]
_WIDEST_GAP = 0.35  # of the width there; below the hem, long sleeves lie 0.4 and more apart
_LEAST_ALIKE = 0.6  # the narrower leg per wider leg
_TALLEST = 2.3  # height per width [1.2 to 1.7]
_LONGEST_BODY = 2.75  # length per width of the waist [1.9 to 2.53]; asked of what is 1.5 times as high as wide
_LEAST_SYMMETRY = 0.62  # overlap with the mirror image [0.86 to 0.98]
_LEAST_SYMMETRY_LOW = 0.8  # the same for what is less than 0.8 times as high as wide
_FLAT_TOP = 0.9  # share of the uppermost twentieth, as wide as its lower end, that is garment [0.06 to 0.71]
_NO_SHOULDERS = 0.65  # width near the upper end per width a quarter down [0.26 to 1.15, the widest with armholes]
_CONVEX = 0.96  # share of the convex hull that is garment [0.70 to 0.92]

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


class Shape(NamedTuple):
    """Measures of an outline. All are ratios, so the garment's size in its picture does not matter."""

    tall: float
    """Height per width."""
    legs: float
    """Share of the height over which the lower end is parted in the middle by a gap between two legs; 0 without."""
    body: float
    """Length in the middle per width of the waist, sleeves left out."""
    symmetry: float
    """Overlap with the mirror image, 0..1."""
    flat_top: float
    """How much of the uppermost twentieth is garment, as a share of the rectangle as wide as its lower end."""
    shoulders: float
    """Width a twentieth down per width a quarter down: small where shoulders slope from a neckline."""
    convex: float
    """Share of the convex hull that is garment, 0..1."""


def warn_of_doubts(inputs: Artifacts, outputs: Artifacts, warn: Warn) -> None:
    """Warn `doubtful-mask` where the outline follows no edge or is ragged; `garment-worn` where the picture shows a head, else
    `not-a-top` where the outline is that of something else."""
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
    reason = None if face is not None else doubt(measure(mask[garment]))
    if face is not None:
        warn(
            "garment-worn",
            "Somebody seems to wear the garment: its upper end is as narrow as a head, and %.0f %% of that has the colour of "
            "skin (above %.0f %%). Send a picture of the garment alone, laid flat or hung." % (100 * face, 100 * _FACE),
        )
    elif reason is not None:
        warn("not-a-top", "This may be no top: %s. Only garments for the upper body are fitted well." % reason)


def doubt(shape: Shape) -> Optional[str]:
    """What speaks against a top, with its measure; None where nothing does."""
    least_symmetry = _LEAST_SYMMETRY_LOW if shape.tall < 0.8 else _LEAST_SYMMETRY
    if shape.legs > _LEGS:
        return "its lower end is parted like two legs, over %.0f %% of its height (above %.0f %%)" % (
            100 * shape.legs,
            100 * _LEGS,
        )
    if shape.tall > _TALLEST:
        return "it is %.1f times as high as wide (above %.1f), like trousers or a dress" % (shape.tall, _TALLEST)
    if shape.tall > 1.5 and shape.body > _LONGEST_BODY:
        return "it is %.2f times as long as wide at the waist (above %.2f), like a dress" % (shape.body, _LONGEST_BODY)
    if shape.symmetry < least_symmetry:
        return "%.0f %% of it overlap with its mirror image (below %.0f %%), as of a shoe or of what lies crooked" % (
            100 * shape.symmetry,
            100 * least_symmetry,
        )
    if shape.flat_top > _FLAT_TOP and shape.shoulders > _NO_SHOULDERS and shape.convex > _CONVEX:
        return (
            "it has neither neckline, armholes nor sleeves, like a skirt or a bag: it fills %.0f %% of its convex hull"
            % (100 * shape.convex)
        )
    return None


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


def measure(mask: np.ndarray) -> Shape:
    """Measures of the outline of a garment. mask: bool (H, W), cut to the garment, at least 8 pixels a side."""
    height, width = mask.shape
    left, right = mask.argmax(axis=1), width - mask[:, ::-1].argmax(axis=1)
    widths = right - left
    top = max(1, height // 20)
    mirrored = mask[:, ::-1]
    return Shape(
        tall=height / width,
        legs=_legs(mask),
        body=_body(mask),
        symmetry=float((mask & mirrored).sum() / (mask | mirrored).sum()),
        flat_top=float(mask[:top].sum() / (top * widths[top])),
        shoulders=float(widths[top] / widths[height // 4]),
        convex=float(mask.sum() / _hull_area(mask, left, right)),
    )


def _legs(mask: np.ndarray) -> float:
    """Depth of the gap between two legs that are about equally wide, as a share of the height; 0 without."""
    height, width = mask.shape
    lowest = np.where(mask.any(axis=0), height - 1 - mask[::-1].argmax(axis=0), 0)
    depth = np.minimum(np.maximum.accumulate(lowest), np.maximum.accumulate(lowest[::-1])[::-1]) - lowest
    first = int(0.3 * width)
    x = first + int(depth[first : int(0.7 * width) + 1].argmax())
    columns = np.flatnonzero(mask[lowest[x] + (depth[x] + 1) // 2])  # of the row half way up the gap
    one, other = columns[columns < x], columns[columns > x]
    if not depth[x] or not len(one) or not len(other):
        return 0.0
    gap = (other[0] - one[-1] - 1) / (columns[-1] - columns[0] + 1)
    alike = min(len(one), len(other)) / max(len(one), len(other))
    return float(depth[x] / height) if gap < _WIDEST_GAP and alike > _LEAST_ALIKE else 0.0


def _body(mask: np.ndarray) -> float:
    """Length in the middle per width of the waist, the narrowest part half way down; 0 where that is a gap."""
    middle = int(np.nonzero(mask)[1].mean())
    length = int(np.flatnonzero(mask[:, middle])[-1]) + 1 if mask[:, middle].any() else 0
    waist = mask[int(0.35 * length) : int(0.6 * length) + 1]
    waist = waist[waist[:, middle]]
    if not len(waist):
        return 0.0
    # From the middle up to the first gap on either side, so that sleeves beside the body do not count.
    to_left = np.pad(waist[:, middle::-1], ((0, 0), (0, 1)), "constant").argmin(axis=1)
    to_right = np.pad(waist[:, middle:], ((0, 0), (0, 1)), "constant").argmin(axis=1)
    return length / float(np.percentile(to_left + to_right - 1, 10))


def _hull_area(mask: np.ndarray, left: np.ndarray, right: np.ndarray) -> float:
    """Area in pixels of the convex hull, between the hulls of the left and of the right edge."""
    rows = np.flatnonzero(mask.any(axis=1))
    edges = [_upper_hull(list(zip(rows.tolist(), edge[rows].tolist()))) for edge in (-left, right)]
    return float(sum(np.interp(rows, *np.array(edge).T).sum() for edge in edges))


def _upper_hull(points: List[Tuple[int, int]]) -> List[Tuple[int, int]]:
    """The convex hull's upper side over points ordered by their first coordinate: Andrew's monotone chain, 1979."""
    hull: List[Tuple[int, int]] = []
    for x, y in points:
        while len(hull) > 1 and (hull[-1][1] - hull[-2][1]) * (x - hull[-2][0]) <= (y - hull[-2][1]) * (
            hull[-1][0] - hull[-2][0]
        ):
            hull.pop()
        hull.append((x, y))
    return hull


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
