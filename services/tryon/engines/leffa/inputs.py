"""What Leffa is shown: pictures at the height that it works at, and the body as each of its models was trained to see it."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np

from stagekit import Artifacts
from stagekit.densepose import check_densepose, nearest_parts
from stagekit.errors import WrongKind

Size = tuple[int, int]
"""Height and width."""


class Shown(NamedTuple):
    """uint8, all of one size."""

    person: np.ndarray
    """RGB"""
    mask: np.ndarray
    """Grey: what is to be painted is white."""
    body: np.ndarray
    """Of three channels: see `body_for`."""
    cloth: np.ndarray
    """RGB"""


def prepare(inputs: Artifacts, model: str, size: Size) -> Shown:
    """Raises WrongKind for a densepose that is none, or a mask that shows nothing."""
    check_densepose(inputs["densepose"])
    if not (inputs["agnostic_mask"] >= 128).any():
        raise WrongKind("'agnostic_mask' is black: nothing may be painted. White is where the garment goes.")
    return Shown(
        at_size(inputs["person"], size),
        thinned(inputs["agnostic_mask"], size),
        thinned(body_for(model, inputs["densepose"]), size),
        at_size(inputs["cloth"], size),
    )


def body_for(model: str, densepose: np.ndarray) -> np.ndarray:
    """The model viton_hd was shown DensePose's parts in their colours, dress_code their ids, three times."""
    return densepose if model == "viton_hd" else np.repeat(nearest_parts(densepose)[0][..., None], 3, axis=2)


def at_size(picture: np.ndarray, size: Size) -> np.ndarray:
    """A picture brought to that size."""
    height, width = size
    if picture.shape[:2] == size:
        return picture
    how = cv2.INTER_AREA if height < picture.shape[0] else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(picture, (width, height), interpolation=how))


def thinned(labels: np.ndarray, size: Size) -> np.ndarray:
    """A mask or labels, of which every so manieth pixel is taken."""
    step = labels.shape[0] // size[0]
    return labels[::step, ::step]
