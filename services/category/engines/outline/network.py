"""What an outline is of: a small convolutional network on the garment's mask alone, learned from garments that we drew.

scripts/train_category.py draws them, trains, and writes the numbers that are read here.
"""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from PIL import Image

from stagekit.kinds import CATEGORIES

SIDE = 48
"""Pixels of the square that the garment is brought to: its longer side fills it, its upper end and its middle stay."""

CONVOLUTIONS = ("first", "second", "third")
"""Of 5 x 5 pixels in steps of two, each with rectifiers behind it."""

FILE = Path(__file__).parent / "outline.npz"

Network = Mapping[str, np.ndarray]
"""Layer -> its weights, float32: of a convolution (outputs, inputs, 5, 5), of `hidden` and `scores` (outputs, inputs); and
under the name with `_bias` behind it (outputs,)."""


def read_network() -> Network:
    """The one that was trained."""
    with np.load(FILE) as numbers:
        return {name: numbers[name].astype(np.float32) for name in numbers.files}


def likelihood_of(network: Network, mask: np.ndarray) -> dict[str, float]:
    """Category -> how likely it is, 0..1. mask: (H, W), what is not 0 is garment; its mirror image counts as much."""
    picture = brought_to_size(mask)
    both = likelihoods(network, np.stack([picture, picture[:, ::-1]]))
    return dict(zip(CATEGORIES, map(float, both.mean(axis=0)), strict=True))


def likelihoods(network: Network, pictures: np.ndarray) -> np.ndarray:
    """(B, 3) float32, in the order of CATEGORIES; each row sums to 1. pictures: (B, SIDE, SIDE), of `brought_to_size`."""
    values = pictures[:, None]
    for layer in CONVOLUTIONS:
        values = _convolved(values, network[layer], network[layer + "_bias"])
    flat = values.reshape(len(values), -1)
    hidden = np.maximum(flat @ network["hidden"].T + network["hidden_bias"], 0)
    scores = hidden @ network["scores"].T + network["scores_bias"]
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    found: np.ndarray = powers / powers.sum(axis=1, keepdims=True)
    return found


def brought_to_size(mask: np.ndarray) -> np.ndarray:
    """(SIDE, SIDE) float32 from -0.5 (ground) to 0.5 (garment); all ground where the mask is empty."""
    found = np.zeros((SIDE, SIDE), np.float32)
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if len(rows):
        garment = mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1] > 0
        scale = SIDE / max(garment.shape)
        height, width = (max(1, round(scale * length)) for length in garment.shape)
        small = Image.fromarray(garment.astype(np.uint8) * 255).resize((width, height), Image.Resampling.BOX)
        left = (SIDE - width) // 2
        found[:height, left : left + width] = np.asarray(small, np.float32) / 255
    return found - 0.5


def _convolved(values: np.ndarray, weights: np.ndarray, bias: np.ndarray) -> np.ndarray:
    """(B, N, H / 2, W / 2) of (B, C, H, W), with two pixels of zeros around."""
    padded = np.pad(values, ((0, 0), (0, 0), (2, 2), (2, 2)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (5, 5), axis=(2, 3))  # type: ignore[call-overload]
    windows = windows[:, :, ::2, ::2]
    out = np.tensordot(windows, weights, axes=((1, 4, 5), (1, 2, 3))) + bias
    return np.maximum(np.moveaxis(out, 3, 1), 0)
