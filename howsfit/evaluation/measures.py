"""SSIM and PSNR without Torch: the values of torchmetrics in double precision, to which tests hold them."""

import math

import cv2
import numpy as np

_SIGMA, _K1, _K2 = 1.5, 0.01, 0.03
_SIDE = 2 * int(3.5 * _SIGMA + 0.5) + 1
_WINDOW = cv2.getGaussianKernel(_SIDE, _SIGMA, cv2.CV_64F)


def ssim(result: np.ndarray, reference: np.ndarray) -> float:
    """Mean structural similarity of two pictures, H x W x channels of numbers from 0 to 1, each side above 5 pixels.

    1 for equal ones.
    """
    return float(np.mean(ssim_map(result, reference)))


def ssim_map(result: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """The same of each pixel and channel, H x W x channels: with a Gaussian window around it, edges reflected."""
    a, b = result.astype(np.float64), reference.astype(np.float64)
    mean_a, mean_b = _around(a), _around(b)
    variance_a = np.maximum(_around(a * a) - mean_a**2, 0)
    variance_b = np.maximum(_around(b * b) - mean_b**2, 0)
    covariance = _around(a * b) - mean_a * mean_b
    c1, c2 = _K1**2, _K2**2
    similar = (2 * mean_a * mean_b + c1) * (2 * covariance + c2)
    return np.asarray(similar / ((mean_a**2 + mean_b**2 + c1) * (variance_a + variance_b + c2)))


def psnr(result: np.ndarray, reference: np.ndarray) -> float:
    """Peak signal-to-noise ratio in dB of two pictures of numbers from 0 to 1; infinite for equal ones."""
    error = float(np.mean((result.astype(np.float64) - reference.astype(np.float64)) ** 2))
    return math.inf if error == 0 else -10 * math.log10(error)


def _around(values: np.ndarray) -> np.ndarray:
    around: np.ndarray = cv2.sepFilter2D(values, cv2.CV_64F, _WINDOW, _WINDOW, borderType=cv2.BORDER_REFLECT_101)
    return around
