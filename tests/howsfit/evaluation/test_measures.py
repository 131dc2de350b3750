"""SSIM and PSNR without Torch. test_networks.py makes the numbers below by torchmetrics itself."""

import math

import numpy as np
import pytest

from howsfit.evaluation.measures import psnr, ssim
from tests.howsfit.evaluation.drawn import photo, result

OF_TORCHMETRICS = {
    (0, 3): (0.9682693676440474, 42.12530769487938),
    (1, 20): (0.5410197201188792, 26.666104375334495),
    (2, 90): (0.1705621434650793, 14.292302262012281),
}
"""(number, how wrong) of a drawn result -> SSIM and PSNR by torchmetrics 1.9.0 in double precision."""


@pytest.mark.parametrize(("which", "values"), OF_TORCHMETRICS.items())
def test_they_are_those_of_torchmetrics(which, values):
    made, real = result(*which) / 255, photo(which[0]) / 255
    assert ssim(made, real) == pytest.approx(values[0], abs=1e-12)
    assert psnr(made, real) == pytest.approx(values[1], rel=1e-7), (
        "torchmetrics takes its logarithm in single precision"
    )


def test_equal_pictures_are_as_near_as_can_be():
    real = photo(3) / 255
    assert ssim(real, real) == pytest.approx(1, abs=1e-12) and psnr(real, real) == math.inf
    assert ssim(np.zeros((20, 20, 3)), np.zeros((20, 20, 3))) == 1
