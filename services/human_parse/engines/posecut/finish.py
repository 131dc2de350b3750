"""From part probabilities to a parse: CIHP ids, left and right, no speckles."""

from itertools import pairwise

import cv2
import numpy as np

from services.human_parse.engines.posecut.body import Body, Grid
from services.human_parse.engines.posecut.priors import ARM, FACE, HAIR, LEG, LOWER, NECK, SHOE, UPPER
from services.human_parse.engines.posecut.worn import label_below
from stagekit.formats import CIHP

_IDS = {HAIR: "hair", FACE: "face", NECK: "neck", UPPER: "upper_clothes"}
_CONTOUR_BLUR = 2.0  # pixels of the working size
_SPECKLE = 0.0008  # of the picture's area


def clear_brows(parts: np.ndarray, face: np.ndarray, half_width: float) -> np.ndarray:
    """Give hair that is thin and lies in the face (brows, lashes; a fringe is thick) to the face.

    face: (h, w) bool. half_width: of the face, in pixels.
    """
    size = 2 * int(round(0.11 * half_width)) + 1
    hair = parts == HAIR
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))
    thick = cv2.morphologyEx(hair.astype(np.uint8), cv2.MORPH_OPEN, disc) > 0
    return np.where(hair & ~thick & face, FACE, parts)


def without_stray_hair(parts: np.ndarray) -> np.ndarray:
    """Give hair that is joined neither to the face nor to the most of the hair to the part that surrounds it most."""
    head = np.isin(parts, (HAIR, FACE)).astype(np.uint8)
    count, blobs, stats, _ = cv2.connectedComponentsWithStats(head, connectivity=8)
    parts = parts.copy()
    if count > 2:
        sizes = stats[1:, cv2.CC_STAT_AREA]
        for blob in np.flatnonzero(sizes < sizes.max()) + 1:
            stray = blobs == blob
            if not (parts[stray] == FACE).any():
                _give_away(parts, stray, stats[blob])
    return parts


def toes_to_shoes(parts: np.ndarray, beyond_ankles: np.ndarray) -> np.ndarray:
    """Give bare skin of the feet that a shoe parts from the legs to the shoe.

    beyond_ankles: (h, w) bool.
    """
    _, pieces = cv2.connectedComponents((parts == LEG).astype(np.uint8), connectivity=4)
    on_legs = np.unique(pieces[~beyond_ankles])
    return np.where((parts == LEG) & ~np.isin(pieces, on_legs) & (parts == SHOE).any(), SHOE, parts)


def parse_of(parts: np.ndarray, bins: np.ndarray, body: Body, grid: Grid) -> np.ndarray:
    """parts: (h, w) int, -1 background or a part of `priors`; bins: of `colour_bins`. Returns (h, w) uint8 CIHP ids."""
    parts = remove_speckles(parts)
    parse = np.zeros(parts.shape, np.uint8)
    for part, name in _IDS.items():
        parse[parts == part] = CIHP[name]
    nearer_left = {
        "arm": _nearer_left(body.arm("left"), body.arm("right"), grid),
        "leg": _nearer_left(body.leg("left"), body.leg("right"), grid),
    }
    below = label_below(parts, bins, nearer_left["leg"], body)
    parse[np.isin(parts, (UPPER, LOWER) if below == "dress" else (LOWER,))] = CIHP[below]
    for part, name, by in ((ARM, "arm", "arm"), (LEG, "leg", "leg"), (SHOE, "shoe", "leg")):
        side = majority_by_blob(parts == part, nearer_left[by])
        parse[(parts == part) & side] = CIHP["left_" + name]
        parse[(parts == part) & ~side] = CIHP["right_" + name]
    return parse


def remove_speckles(parts: np.ndarray) -> np.ndarray:
    """Give islands of a part, and holes in the person, to the part that surrounds them most."""
    parts = parts.copy()
    least = _SPECKLE * parts.size
    for part in np.unique(parts):
        count, blobs, stats, _ = cv2.connectedComponentsWithStats((parts == part).astype(np.uint8), connectivity=4)
        for blob in range(1, count):
            if stats[blob, cv2.CC_STAT_AREA] < least:
                _give_away(parts, blobs == blob, stats[blob])
    return parts


def _give_away(parts: np.ndarray, island: np.ndarray, stats: np.ndarray) -> None:
    x, y, w, h = stats[:4]
    window = np.s_[max(y - 2, 0) : y + h + 2, max(x - 2, 0) : x + w + 2]
    here = island[window]
    ring = (cv2.dilate(here.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0) & ~here
    if ring.any():
        values, counts = np.unique(parts[window][ring], return_counts=True)
        parts[window][here] = values[counts.argmax()]


def _nearer_left(left: list[np.ndarray], right: list[np.ndarray], grid: Grid) -> np.ndarray:
    """(h, w) bool: nearer to the left limb than to the right one. A limb beyond its last joint goes on straight."""
    fields = [np.full(grid.x.shape, np.inf, np.float32), np.full(grid.x.shape, np.inf, np.float32)]
    for k, limb in enumerate((left, right)):
        if len(limb) >= 2:
            limb = [*limb, limb[-1] + 0.5 * (limb[-1] - limb[-2])]
        for start, end in pairwise(limb):
            fields[k] = np.minimum(fields[k], grid.distance(start, end)[0])
        if len(limb) == 1:
            fields[k] = np.hypot(grid.x - limb[0][0], grid.y - limb[0][1])
    return np.asarray(fields[0] < fields[1])


def majority_by_blob(mask: np.ndarray, side: np.ndarray) -> np.ndarray:
    """Make `side` whole on every connected piece of `mask` that lies mostly (85 %) on one side."""
    side = side.copy()
    count, blobs = cv2.connectedComponents(mask.astype(np.uint8), connectivity=4)
    for blob in range(1, count):
        here = blobs == blob
        share = side[here].mean()
        if share > 0.85 or share < 0.15:
            side[here] = share > 0.5
    return side


def enlarge(parse: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Enlarge label ids to `size` (width, height) with smooth contours: the largest of the blurred masks wins."""
    best = np.full(size[::-1], -1.0, np.float32)
    out = np.zeros(size[::-1], np.uint8)
    for label in np.unique(parse):
        soft = cv2.GaussianBlur((parse == label).astype(np.float32), (0, 0), _CONTOUR_BLUR)
        soft = cv2.resize(soft, size, interpolation=cv2.INTER_LINEAR)
        better = soft > best
        out[better] = label
        np.maximum(best, soft, out=best)
    return out
