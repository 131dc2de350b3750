"""What the empty part of a garment picture looks like, learned from its border."""

from dataclasses import dataclass

import cv2
import numpy as np

_RING = 0.02
_ROUNDS = 4
_GATE = 7.0
"""Lab units: border pixels farther than this from the fitted surface are taken for garment."""


@dataclass(frozen=True)
class Background:
    """A smooth backdrop: a quadratic surface per Lab channel, and how noisy it is."""

    colour: np.ndarray
    """(H, W, 3) float32 Lab (OpenCV's float ranges: L 0..100)."""

    noise: float
    """Robust standard deviation of the backdrop around its surface, in Lab units."""

    def distance(self, lab: np.ndarray) -> np.ndarray:
        """(H, W) float32 Lab distance of each pixel from the backdrop."""
        return length(lab - self.colour)


def fit_background(lab: np.ndarray) -> Background:
    """Fit the backdrop of a picture to its border.

    lab: (H, W, 3) float32. The most frequent border colour starts the fit; pixels off the surface (a garment that
    touches the border) are left out round by round.
    """
    height, width = lab.shape[:2]
    rows, columns = np.indices((height, width), dtype=np.float32)
    basis = _quadratic_basis(columns / width * 2 - 1, rows / height * 2 - 1)
    ring = np.zeros((height, width), bool)
    thick = max(2, round(_RING * min(height, width)))
    ring[:thick] = ring[-thick:] = True
    ring[:, :thick] = ring[:, -thick:] = True
    pixels, terms = lab[ring], basis[ring]
    mode = _most_frequent(pixels)
    inlier = np.linalg.norm(pixels - mode, axis=1) < 2 * _GATE
    surface = np.zeros((6, 3), np.float32)
    for round_ in range(_ROUNDS):
        # a plane through few pixels may swing far off where there are none, so the surface grows only with support
        count = 1 if inlier.mean() < 0.25 else 3 if round_ == 0 or inlier.mean() < 0.5 else 6
        surface[:] = 0
        surface[:count] = np.linalg.lstsq(terms[inlier][:, :count], pixels[inlier], rcond=None)[0]
        residual = np.linalg.norm(pixels - terms @ surface, axis=1)
        inlier = residual < _GATE
        if not inlier.any():
            inlier = np.linalg.norm(pixels - mode, axis=1) < 2 * _GATE
    noise = float(np.median(residual[inlier])) / 0.67
    return Background((basis @ surface).astype(np.float32), noise)


def _quadratic_basis(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return np.stack([np.ones_like(x), x, y, x * y, x * x, y * y], axis=-1)


def _most_frequent(pixels: np.ndarray) -> np.ndarray:
    """The mean of the fullest cell of a coarse colour histogram. pixels: (n, 3)."""
    cells = np.floor(pixels / 6).astype(np.int64)
    keys = (cells[:, 0] * 1000 + cells[:, 1] + 100) * 1000 + cells[:, 2] + 100
    values, inverse, counts = np.unique(keys, return_inverse=True, return_counts=True)
    return pixels[inverse == counts.argmax()].mean(axis=0)


def length(vectors: np.ndarray) -> np.ndarray:
    """Euclidean length along the last axis."""
    return np.sqrt(np.einsum("...i,...i", vectors, vectors))


def to_lab(rgb: np.ndarray) -> np.ndarray:
    """uint8 RGB -> float32 Lab (L 0..100)."""
    return cv2.cvtColor(rgb.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
