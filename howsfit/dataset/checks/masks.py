"""Traps of masks: of the garment, and of what a model may paint over. White is the garment, or what is painted."""

import numpy as np

from howsfit.dataset.checks.opened import File
from howsfit.dataset.checks.rewriting import picture_file
from howsfit.dataset.checks.traps import of_files

MASKS = ("cloth_mask", "agnostic_mask")

_MIDDLE = slice(24, 232)  # levels that JPEG does not make of black and white
_MOST_GREY = 0.01  # of a mask; the data set's own have 0.002
_LEAST, _MOST = 0.005, 0.98  # share of a picture that a garment, or what is hidden, has
_STEP = 8  # pixels; every eighth row and column is compared
_PLAIN = 24  # levels: a backdrop's border differs less from its median
_SEEN = 48  # levels from the backdrop: surely no backdrop
_LEAST_SEEN = 0.4  # of the mask's area, to tell by
_HIDDEN, _NEARLY = 128, 10  # the grey of what an agnostic hides
_MOST_OUTSIDE = 0.35  # of what is surely no backdrop [0 to 0.02 of the samples]


def binary(grey: np.ndarray) -> np.ndarray:
    """As the published loader does."""
    return np.where(grey >= 128, np.uint8(255), np.uint8(0))


def in_grey(file: File) -> bytes | None:
    assert file.image is not None
    if file.image.mode not in ("RGB", "P", "1", "LA", "RGBA"):
        return None
    pixels = np.asarray(file.image.convert("RGB"))
    if int((pixels.max(axis=2) - pixels.min(axis=2)).max()) > 8:  # coloured: no mask at all
        return None
    return picture_file(pixels[..., 0], file.path)


@of_files(
    "mask-mode",
    on=MASKS,
    means="The mask is no 8-bit grey picture: the loader gets channels too many, or indices instead of black and "
    "white.",
    mend="Convert it to grey.",
    safe=in_grey,
    last=True,
)
def mask_mode(file: File) -> str | None:
    assert file.image is not None
    return None if file.image.mode == "L" else f"mode {file.image.mode}"


def spread(file: File) -> bytes | None:
    used = np.flatnonzero(file.counts)
    return picture_file(np.where(file.pixels > 0, np.uint8(255), np.uint8(0)), file.path) if len(used) == 2 else None


@of_files(
    "mask-faint",
    on=MASKS,
    means="Its white is too dark: loaders take from 128 on for white, and nothing is left. Often 0 and 1 were written.",
    mend="Write 255 for white.",
    safe=spread,
    last=True,
)
def mask_faint(file: File) -> str | None:
    brightest = int(np.flatnonzero(file.counts)[-1])
    return f"its brightest is {brightest} of 255" if 0 < brightest < 128 else None


@of_files(
    "mask-empty",
    on=MASKS,
    means="It is black or white all over: whatever made it found no garment, or nothing but one.",
    mend="Make it again; look at the picture if it stays so.",
    last=True,
)
def mask_empty(file: File) -> str | None:
    share = file.counts[128:].sum() / file.pixels.size
    return None if _LEAST <= share <= _MOST else f"{share:.1%} of it are white"


def thresholded(file: File) -> bytes | None:
    return picture_file(binary(file.pixels), file.path)


@of_files(
    "mask-grey",
    on=MASKS,
    means="It has grey where it should be black or white, more than JPEG makes along edges. Who asks for 255, or for "
    "above 0, "
    "gets another mask than who asks for 128.",
    mend="Make all from 128 on white, as the published loader does, and the rest black.",
    safe=thresholded,
)
def mask_grey(file: File) -> str | None:
    share = file.counts[_MIDDLE].sum() / file.pixels.size
    return f"{share:.1%} of it are grey" if share > _MOST_GREY else None


def inverted(file: File) -> bytes | None:
    return picture_file(255 - file.pixels, file.path) if _surely_inverted(file) else None


@of_files(
    "mask-inverted",
    on=MASKS,
    means="Black and white are exchanged: the backdrop is warped onto the person instead of the garment.",
    mend="Exchange them, once you have looked at it.",
    safe=inverted,
)
def mask_inverted(file: File) -> str | None:
    if not _looks_inverted(file):
        return None
    border = np.concatenate([file.pixels[edge].ravel() for edge in _EDGES]) >= 128
    return f"{border.mean():.0%} of its border are white"


_EDGES = (np.s_[0], np.s_[-1], np.s_[:, 0], np.s_[:, -1])


def _looks_inverted(file: File) -> bool:
    """Of a person's mask the agnostic says so. Garments lie in the middle, and few touch three edges of the picture."""
    agnostic = file.sample.rgb("agnostic") if file.artifact == "agnostic_mask" else None
    if agnostic is not None and agnostic.shape[:2] == file.pixels.shape:
        grey = (np.abs(agnostic[::_STEP, ::_STEP].astype(np.int16) - _HIDDEN) <= _NEARLY).all(axis=2)
        white = file.pixels[::_STEP, ::_STEP] >= 128
        if grey.mean() > _LEAST and white.any() and not white.all():
            return bool(grey[~white].mean() > grey[white].mean())
    height, width = file.pixels.shape
    white_edges = sum(bool((file.pixels[edge] >= 128).mean() > 0.5) for edge in _EDGES)
    middle = (file.pixels[height // 4 : -height // 4 : _STEP, width // 4 : -width // 4 : _STEP] >= 128).mean()
    return white_edges >= 3 and middle < 0.5


def _surely_inverted(file: File) -> bool:
    """The garment's picture says so, too: what is white has the colour of its border. A person's mask has no such "
    "witness."""
    seen = _garment(file)
    if file.artifact != "cloth_mask" or seen is None:
        return file.artifact == "agnostic_mask"
    white = file.pixels[::_STEP, ::_STEP] >= 128
    return bool(seen[~white].mean() > seen[white].mean())


@of_files(
    "mask-of-another",
    on=("cloth_mask",),
    means="Much of the garment lies outside of its mask: it seems to be that of another picture, or of another "
    "version.",
    mend="Make it again: howsfit dataset preprocess --only cloth_mask.",
    level="warning",
)
def mask_of_another(file: File) -> str | None:
    if file.sample.grey("cloth_mask") is None or _looks_inverted(file):
        return None
    seen, white = _garment(file), file.pixels[::_STEP, ::_STEP] >= 128
    # Of a white garment on white little is seen: its print, or its dark inside, which is not in the mask.
    if seen is None or seen.sum() < _LEAST_SEEN * white.sum():
        return None
    outside = 1 - white[seen].mean()
    return f"{outside:.0%} of the garment lie outside" if outside > _MOST_OUTSIDE else None


def _garment(file: File) -> np.ndarray | None:
    """What is surely no backdrop, every eighth row and column: bool. None where the backdrop is not plain."""
    cloth = file.sample.rgb("cloth")
    if cloth is None or cloth.shape[:2] != file.pixels.shape:
        return None
    small = cloth[::_STEP, ::_STEP].astype(np.int16)
    border = np.concatenate([small[edge] for edge in _EDGES])
    backdrop = np.median(border, axis=0)
    if np.mean(np.abs(border - backdrop).max(axis=1) < _PLAIN) < 0.8:
        return None
    return np.asarray(np.abs(small - backdrop).max(axis=2) > _SEEN)
