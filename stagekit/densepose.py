"""Mistakes in a picture of DensePose's parts that would make what takes it draw nonsense in silence."""

from typing import Tuple

import numpy as np

from stagekit.errors import WrongKind
from stagekit.formats import DENSEPOSE_PALETTE

PARTS = len(DENSEPOSE_PALETTE)
"""With 0, the background."""

_PALETTE = np.array(DENSEPOSE_PALETTE, np.int32)


def check_densepose(image: np.ndarray) -> None:
    """image: uint8 RGB. Raises WrongKind for anything but part colours on black."""
    some = image[::4, ::4].reshape(-1, 3).astype(np.int32)
    painted = some[some.max(axis=1) > 24]
    advice = " Send DensePose's part segmentation (dp_segm), alpha 1, on black."
    if not len(painted):
        raise WrongKind("'densepose' is black: it shows no body part." + advice)
    if (painted.max(axis=1) - painted.min(axis=1)).mean() < 6:
        raise WrongKind(
            "'densepose' is grey: a map of ids or of U/V, where the colours of the parts are wanted." + advice
        )
    if np.median(_distance(painted)) > 12:
        if np.median(_distance(painted[:, ::-1])) <= 12:
            raise WrongKind("'densepose' has red and blue exchanged: it is BGR. Convert it to RGB." + advice)
        raise WrongKind(
            "'densepose' has colours that are no body part's: it is blended over the photo, or painted with another colour "
            "map than PARULA." + advice
        )
    if len(painted) > 0.97 * len(some):
        raise WrongKind("'densepose' has no black background: it is blended over the photo." + advice)


def nearest_parts(image: np.ndarray) -> Tuple[np.ndarray, bool]:
    """The part ids 0..24 whose colours are nearest to a picture's, (h, w, 3) uint8 RGB -> (h, w) uint8, and whether all of them
    are these colours exactly."""
    red, green, blue = np.moveaxis(image.astype(np.int32), -1, 0)
    packed, places = np.unique(red << 16 | green << 8 | blue, return_inverse=True)
    off = differences(np.stack([packed >> 16, packed >> 8 & 255, packed & 255], axis=1))
    parts = off.argmin(axis=1).astype(np.uint8)[places].reshape(image.shape[:2])
    return parts, not off.min(axis=1).any()


def differences(colours: np.ndarray) -> np.ndarray:
    """Largest channel difference of each colour, signed numbers (..., 3), from each part's: (..., 25)."""
    return np.asarray(np.abs(colours[..., None, :] - _PALETTE).max(axis=-1))


def _distance(colours: np.ndarray) -> np.ndarray:
    """From the nearest part's, (n, 3) -> (n,)."""
    return np.asarray(differences(colours)[:, 1:].min(axis=1))
