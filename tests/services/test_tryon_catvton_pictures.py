"""What CatVTON's network is shown, and its settings. Without Torch."""

import numpy as np
import pytest
from PIL import Image, ImageFilter

from services.tryon.engines.catvton.pictures import VARIANTS, painted, resized
from services.tryon.engines.catvton.settings import read_catvton_settings

WHOLE, HALF = VARIANTS["mix-48k-1024"], VARIANTS["vitonhd-16k-512"]


@pytest.fixture
def picture():
    return np.random.default_rng(0).integers(0, 256, (1024, 768, 3), dtype=np.uint8)


def test_a_picture_that_has_the_networks_size_stays_as_it_is(picture):
    assert resized(picture, WHOLE) is picture


def test_pictures_are_brought_to_the_networks_size_as_published(picture):
    wanted = Image.fromarray(picture).resize((384, 512), Image.Resampling.LANCZOS)
    assert np.array_equal(resized(picture, HALF), np.asarray(wanted))


def test_the_outline_of_a_mask_is_rounded_for_the_demos_weights_only():
    mask = np.zeros((1024, 768), np.uint8)
    mask[300:700, 200:560] = 255
    wanted = Image.fromarray(mask).filter(ImageFilter.GaussianBlur(9))
    assert np.array_equal(painted(mask, WHOLE), np.asarray(wanted))
    assert not (painted(mask, WHOLE) >= 128)[300, 200] and (painted(mask, WHOLE) >= 128)[500, 201]
    assert np.array_equal(painted(mask, HALF) >= 128, mask[::2, ::2] >= 128)


@pytest.mark.parametrize(
    "setting, value",
    [("CATVTON_VARIANT", "mix"), ("CATVTON_STEPS", "0"), ("CATVTON_BUDGET_S", "-1"), ("PRECISION", "fp8")],
)
def test_settings_that_are_none_are_named(monkeypatch, setting, value):
    monkeypatch.setenv("HOWSFIT_" + setting, value)
    with pytest.raises(ValueError, match="HOWSFIT_" + setting):
        read_catvton_settings()
