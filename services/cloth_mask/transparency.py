"""A garment that comes cut out: what the transparency of its picture says, and the garment that it leaves.

The limits keep apart what clears the ground around a garment from what clears something else: the rounded corners of a card, a
circle around a portrait, a hole in the middle.
"""

from typing import NamedTuple

import cv2
import numpy as np
from PIL import Image

NONE, EMPTY, CUT_OUT, FRAMED, PUNCHED = "none", "empty", "cut out", "framed", "punched"
"""What transparency says: nothing; that nothing is left; what is garment; only where a picture with a ground of its own ends;
it clears the middle and keeps what is around it."""

BACKDROP = 246
"""Grey level of the backdrop in VITON-HD's cloth images."""

_OPAQUE = 128  # alpha from which a pixel is garment: shadows of cut-outs have less
_CLEAR = 26  # alpha below which a pixel shows what is behind it
_FULL = 250  # alpha from which a pixel's colour is the garment's alone
_SHADOW, _SHADOW_ALPHA = 48, 216
"""What is darker and more transparent than this is a shadow, unless the garment itself is that dark."""

_LEAST_CLEAR = 0.02  # share of the picture
_LEAST_OPAQUE = 0.001  # share of the picture; a tenth of the smallest that is no doubt's business
_BORDER = 0.02  # share of the border that is clear around what is cut out
_LEAST_FRAMED = 0.2  # share of the picture within a frame; a smaller rectangle or oval is a print that was left alone
_FRAME = 0.95  # share of its rectangle that a card fills
_OVAL = 0.985  # overlap of a portrait with the ellipse in its rectangle
_SPECK = 0.0005  # share of the garment up to which a hole is filled

_STEP = 512  # the reading looks at about this many rows and columns
_MOST = 2048  # pixels of the longest side that are worked on: twice what the cloth becomes


class CutOut(NamedTuple):
    """A garment without its ground."""

    rgb: np.ndarray
    """uint8 (H, W, 3), laid on the backdrop; the colours of clear pixels are not in it."""
    mask: np.ndarray
    """bool (H, W)."""


def read_transparency(garment: np.ndarray) -> str:
    """NONE, EMPTY, CUT_OUT, FRAMED or PUNCHED. garment: uint8 (H, W, 3) or, with straight alpha, (H, W, 4)."""
    if garment.shape[2] == 3:
        return NONE
    step = max(1, max(garment.shape[:2]) // _STEP)
    alpha = garment[::step, ::step, 3]
    clear, opaque = alpha < _CLEAR, _largest(alpha >= _OPAQUE)
    if (~clear).mean() < _LEAST_OPAQUE:
        return EMPTY
    if clear.mean() < _LEAST_CLEAR or opaque.mean() < _LEAST_OPAQUE:
        return NONE
    if np.concatenate([clear[0], clear[-1], clear[:, 0], clear[:, -1]]).mean() < _BORDER:
        return PUNCHED
    rows, columns = np.flatnonzero(opaque.any(axis=1)), np.flatnonzero(opaque.any(axis=0))
    within = opaque[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    y, x = (np.linspace(-1, 1, length) for length in within.shape)
    oval = x**2 + y[:, None] ** 2 <= 1
    if opaque.mean() < _LEAST_FRAMED:
        return CUT_OUT
    if within.mean() > _FRAME or (within & oval).sum() > _OVAL * (within | oval).sum():
        return FRAMED
    return CUT_OUT


def opaque_share(garment: np.ndarray) -> float:
    """How much of the picture is opaque, 0..1. garment: uint8 (H, W, 4)."""
    step = max(1, max(garment.shape[:2]) // _STEP)
    return float((garment[::step, ::step, 3] >= _OPAQUE).mean())


def cut_out(garment: np.ndarray, keep_size: bool) -> CutOut:
    """The garment of a picture that was read as CUT_OUT: uint8 (H, W, 4). keep_size: else it is cropped and made smaller."""
    box = _box(garment)
    if not keep_size:
        return _cut_out(_made_smaller(garment[box]), draws_outline=False)
    found = _cut_out(garment[box], draws_outline=True)
    rgb, mask = np.full((*garment.shape[:2], 3), BACKDROP, np.uint8), np.zeros(garment.shape[:2], bool)
    rgb[box], mask[box] = found
    return CutOut(rgb, mask)


def _cut_out(garment: np.ndarray, draws_outline: bool) -> CutOut:
    """draws_outline: the garment is laid on the backdrop by its alpha; else `frame` does it by the mask."""
    alpha = garment[..., 3]
    solid = _without_specks(_largest(_solid(garment)))
    if not solid.any():
        return CutOut(garment[..., :3], solid)
    # Half-clear pixels at the outline hold the old ground, or a darker shade: they get the colour of the cloth beside them.
    rim = 3
    deep = cv2.erode(np.pad(solid, rim).astype(np.uint8), np.ones((2 * rim + 1,) * 2, np.uint8))[rim:-rim, rim:-rim] > 0
    rgb = _spread(garment[..., :3], solid & ((alpha >= _FULL) | (deep & (alpha >= _OPAQUE))))
    near = cv2.dilate(solid.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    weight = np.where(near, alpha, 0).astype(np.float32) / 255
    filled = solid & (alpha < _OPAQUE)
    weight[filled] = 1
    if not draws_outline:
        weight[near & ~deep] = 1
    laid = rgb * weight[..., None] + BACKDROP * (1 - weight[..., None])
    return CutOut(np.clip(laid + 0.5, 0, 255).astype(np.uint8), solid)


def without_clear(garment: np.ndarray) -> CutOut:
    """A picture that was read as FRAMED, (H, W, 4), with its ground drawn on over what is clear; and what was not clear."""
    opaque = garment[..., 3] >= _OPAQUE
    return CutOut(_spread(garment[..., :3], garment[..., 3] >= _FULL), opaque)


def _solid(garment: np.ndarray) -> np.ndarray:
    """Which pixels are garment, not clear and no shadow."""
    alpha = garment[..., 3]
    solid = alpha >= _OPAQUE
    half = solid & (alpha < _SHADOW_ALPHA)
    if not half.any():
        return solid
    dark = garment[..., :3].max(axis=2) < _SHADOW
    full = alpha >= _FULL
    if full.any() and dark[full].mean() < 0.5:
        solid &= ~(half & dark)
    return solid


def _box(garment: np.ndarray) -> tuple[slice, slice]:
    """The opaque part with a margin."""
    opaque = garment[..., 3] >= _OPAQUE
    rows, columns = np.flatnonzero(opaque.any(axis=1)), np.flatnonzero(opaque.any(axis=0))
    margin = max(8, garment.shape[0] // 50)
    return slice(max(0, rows[0] - margin), rows[-1] + margin), slice(max(0, columns[0] - margin), columns[-1] + margin)


def _made_smaller(garment: np.ndarray) -> np.ndarray:
    """At most `_MOST` pixels a side; colours count by their alpha."""
    scale = _MOST / max(garment.shape[:2])
    if scale >= 1:
        return garment
    size = max(1, round(garment.shape[1] * scale)), max(1, round(garment.shape[0] * scale))
    return np.array(Image.fromarray(garment).resize(size, Image.Resampling.BOX))


def _spread(rgb: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Every pixel that is not known in the colour of the nearest that is."""
    if known.all() or not known.any():
        return rgb
    _, nearest = cv2.distanceTransformWithLabels(
        (~known).astype(np.uint8), cv2.DIST_L2, 3, labelType=cv2.DIST_LABEL_PIXEL
    )
    colours = np.zeros((int(nearest.max()) + 1, 3), np.uint8)
    colours[nearest[known]] = rgb[known]
    return colours[nearest]


def _largest(mask: np.ndarray) -> np.ndarray:
    """The largest connected region: beside it lie labels, another view of the garment, what was not rubbed out."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    if count < 2:
        return mask
    return np.asarray(labels == 1 + stats[1:, cv2.CC_STAT_AREA].argmax())


def _without_specks(mask: np.ndarray) -> np.ndarray:
    """Armholes and the like stay open, pinholes do not."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats((~mask).astype(np.uint8), connectivity=4)
    speck = stats[:, cv2.CC_STAT_AREA] < _SPECK * mask.sum()
    speck[0] = False
    return mask | speck[labels]
