"""Traps of DensePose pictures: black, with the body's parts in the colours of OpenCV's PARULA map."""

from functools import cache

import numpy as np

from howsfit.dataset.checks.opened import File
from howsfit.dataset.checks.pictures import is_part_map
from howsfit.dataset.checks.rewriting import picture_file
from howsfit.dataset.checks.traps import of_files
from stagekit.densepose import differences
from stagekit.formats import DENSEPOSE_PALETTE

_STEP = 4  # pixels; every fourth row and column is looked at
_OFF = 28  # levels from a colour of the palette that JPEG does not make but along edges
_BLACK = 24
_LEAST_BLACK = 0.5  # of the border
_VIVID = 64  # levels between the channels of a border
_MOST_FOREIGN = 0.25  # of what is not black [0.02 of the sample]
_MOST_BESIDE = 0.4  # of the body, beside what the parse labels [0.03 of the sample]
_BITS = 3  # that a colour may lose when it is looked up


@cache
def _near_palette() -> np.ndarray:
    """(32, 32, 32) bool: whether a colour, in steps of 8 levels, is about one of the palette."""
    axis = np.arange(0, 256, 1 << _BITS) + (1 << _BITS) // 2
    colours = np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), axis=-1)
    return np.asarray(differences(colours).min(axis=-1) <= _OFF)


def painted(file: File) -> bytes | None:
    return picture_file(np.array(DENSEPOSE_PALETTE, np.uint8)[file.pixels], file.path)


@of_files(
    "densepose-ids",
    on=("densepose",),
    means="It holds the parts' numbers instead of their colours: to a network that learned the colours it is black.",
    mend="Paint each part in its colour of the PARULA map.",
    safe=painted,
    last=True,
)
def densepose_ids(file: File) -> str | None:
    return f"values up to {int(file.pixels.max())}" if is_part_map(file) else None


@of_files(
    "densepose-blended",
    on=("densepose",),
    means="The parts are drawn over the photo, as DensePose's own program does by itself. HR-VITON's are opaque, on "
    "black.",
    mend="Make it again with alpha 1 on a black picture (docs/densepose.md): howsfit dataset preprocess --only "
    "densepose.",
    last=True,
)
def densepose_blended(file: File) -> str | None:
    pixels = _seen(file)
    if pixels is None:
        return None
    border = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
    black = float((border.max(axis=1) < _BLACK).mean())
    # Some colour maps paint what is no body, too; photos have no such borders.
    painted_ = np.median(border.max(axis=1) - border.min(axis=1)) > _VIVID
    if black < _LEAST_BLACK and not painted_ and _foreign(pixels) > _MOST_FOREIGN:
        return f"{black:.0%} of its border are black"
    return None


@of_files(
    "densepose-recoloured",
    on=("densepose",),
    means="The parts have other colours than those of the PARULA map: viridis, an IUV picture, or somebody's own.",
    mend="Paint it with cv2.COLORMAP_PARULA, part id * 255 / 24, or make it again.",
    last=True,
)
def densepose_recoloured(file: File) -> str | None:
    pixels = _seen(file)
    foreign = 0.0 if pixels is None else _foreign(pixels)
    return f"{foreign:.0%} of the body are in other colours" if foreign > _MOST_FOREIGN else None


@of_files(
    "densepose-of-another",
    on=("densepose",),
    means="The body lies beside the person that the parse labels: it is another picture's, or was scaled otherwise.",
    mend="Make it again: howsfit dataset preprocess --only densepose.",
    level="warning",
)
def densepose_of_another(file: File) -> str | None:
    densepose, parse = file.sample.rgb("densepose"), file.sample.labels("parse")
    if densepose is None or parse is None:
        return None
    body = densepose[::_STEP, ::_STEP].max(axis=2) > 2 * _BLACK
    beside = float((parse[::_STEP, ::_STEP][body] == 0).mean()) if body.any() else 0.0
    return f"{beside:.0%} of the body lie beside the person" if beside > _MOST_BESIDE else None


def _seen(file: File) -> np.ndarray | None:
    """(h, w, 3), or None of what is no RGB picture."""
    assert file.image is not None
    return file.pixels[::_STEP, ::_STEP] if file.image.mode == "RGB" else None


def _foreign(pixels: np.ndarray) -> float:
    """Share of what is not black that has none of the palette's colours."""
    body = pixels[pixels.max(axis=2) >= 2 * _BLACK] >> _BITS
    return float(1 - _near_palette()[body[:, 0], body[:, 1], body[:, 2]].mean()) if len(body) else 0.0
