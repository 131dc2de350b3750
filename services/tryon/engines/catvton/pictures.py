"""Pictures and masks at the size that the network was trained at."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from PIL import Image, ImageFilter


class Form(NamedTuple):
    """How a variant of the weights wants its pictures."""

    height: int
    width: int
    blur: int = 0
    """Of the mask, in pixels: its outline is rounded so far."""


VARIANTS = {
    "mix-48k-1024": Form(1024, 768, blur=9),
    "vitonhd-16k-512": Form(512, 384),
    "dresscode-16k-512": Form(512, 384),
}
"""The published weights; the first ones are those of the authors' demo, whose masks are blurred, the others those of their
evaluations."""


def resized(picture: np.ndarray, form: Form) -> np.ndarray:
    """uint8 (H, W, 3) or (H, W), of the same proportions; the same one where it has this size."""
    if picture.shape[:2] == (form.height, form.width):
        return picture
    return np.asarray(Image.fromarray(picture).resize((form.width, form.height), Image.Resampling.LANCZOS))


def painted(mask: np.ndarray, form: Form) -> np.ndarray:
    """Where the network paints: a grey mask, uint8 (H, W), at the network's size, its outline rounded. Above 127 is painted."""
    small = Image.fromarray(resized(mask, form))
    return np.asarray(small.filter(ImageFilter.GaussianBlur(form.blur)) if form.blur else small)
