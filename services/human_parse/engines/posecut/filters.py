"""Edge-aware smoothing and per-photo colour models."""

import cv2
import numpy as np

_BINS = 32
_AB_RANGE = 64.0  # a* and b* beyond +-64 share the outer bins


def box(values: np.ndarray, radius: int) -> np.ndarray:
    """Mean over a square window of the given radius; any number of channels."""
    return np.asarray(cv2.blur(values, (2 * radius + 1, 2 * radius + 1)))


class GuidedFilter:
    """He, Sun and Tang, "Guided image filtering" (2013), with a colour guide."""

    def __init__(self, guide: np.ndarray, radius: int, eps: float) -> None:
        """guide: (h, w, 3) float32, about 0..1."""
        self._guide, self._radius = guide, radius
        self._mean = box(guide, radius)
        pairs = ((0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2))
        products = np.stack([guide[..., i] * guide[..., j] for i, j in pairs[:3]], -1), \
            np.stack([guide[..., i] * guide[..., j] for i, j in pairs[3:]], -1)  # fmt: skip
        second = np.concatenate([box(p, radius) for p in products], -1)
        rr, rg, rb, gg, gb, bb = (second[..., k] - self._mean[..., i] * self._mean[..., j]
                                  for k, (i, j) in enumerate(pairs))  # fmt: skip
        rr, gg, bb = rr + eps, gg + eps, bb + eps
        inverse = gg * bb - gb * gb, gb * rb - rg * bb, rg * gb - gg * rb, rr * bb - rb * rb, rb * rg - rr * gb, \
            rr * gg - rg * rg  # fmt: skip
        determinant = rr * inverse[0] + rg * inverse[1] + rb * inverse[2]
        self._inverse = [part / determinant for part in inverse]

    def __call__(self, values: np.ndarray) -> np.ndarray:
        """Smooth (h, w) float32 values along the guide's edges."""
        mean = box(values, self._radius)
        cov = box(self._guide * values[..., None], self._radius) - self._mean * mean[..., None]
        r, g, b = cov[..., 0], cov[..., 1], cov[..., 2]
        i_rr, i_rg, i_rb, i_gg, i_gb, i_bb = self._inverse
        slopes = np.stack([i_rr * r + i_rg * g + i_rb * b, i_rg * r + i_gg * g + i_gb * b,
                           i_rb * r + i_gb * g + i_bb * b], -1)  # fmt: skip
        offset = mean - np.einsum("ijk,ijk->ij", slopes, self._mean)
        smooth = np.einsum("ijk,ijk->ij", box(slopes, self._radius), self._guide) + box(offset, self._radius)
        return np.asarray(smooth)


def to_lab(image: np.ndarray) -> np.ndarray:
    """uint8 RGB to float32 CIE Lab, L 0..100."""
    return np.asarray(cv2.cvtColor(image.astype(np.float32) / 255, cv2.COLOR_RGB2LAB))


def colour_bins(lab: np.ndarray) -> np.ndarray:
    """(h, w) number of each pixel's colour bin: 32 steps for L and, 4 units each, for a and b."""
    lightness = lab[..., 0] * (_BINS / 100.0)
    ab = (lab[..., 1:] + _AB_RANGE) * (_BINS / (2 * _AB_RANGE))
    steps = [np.clip(v, 0, _BINS - 1).astype(np.int32) for v in (lightness, ab[..., 0], ab[..., 1])]
    return np.asarray((steps[0] * _BINS + steps[1]) * _BINS + steps[2])


def colour_density(bins: np.ndarray, weights: np.ndarray, spread: tuple[float, float] = (1.0, 0.7)) -> np.ndarray:
    """A kernel density of colours: weighted 3-D histogram, blurred by `spread` bins in (L, ab).

    Returns (32768,) probabilities with a small floor, so that no colour is impossible. Without weight: uniform.
    """
    total = float(weights.sum())
    uniform = 1.0 / _BINS**3
    if total < 20:
        return np.full(_BINS**3, uniform)
    counts = np.bincount(bins.ravel(), weights.ravel(), _BINS**3).reshape(_BINS, _BINS * _BINS)
    counts = _blur(counts, spread)
    return 0.98 * counts.ravel() / total + 0.02 * uniform


def _blur(counts: np.ndarray, spread: tuple[float, float]) -> np.ndarray:
    """Blur a (L, a*b) histogram along its three axes."""
    kernels = [cv2.getGaussianKernel(2 * int(np.ceil(3 * s)) + 1, s) for s in spread]
    one = np.ones((1, 1))
    along_l = cv2.sepFilter2D(counts, -1, one, kernels[0], borderType=cv2.BORDER_REPLICATE)
    planes = along_l.reshape(_BINS, _BINS, _BINS)
    return np.stack([cv2.sepFilter2D(p, -1, kernels[1], kernels[1], borderType=cv2.BORDER_REPLICATE) for p in planes])
