"""The PNG writer, read back with Pillow. Runs on Python 3.6 too."""

import io

import numpy as np
import pytest
from PIL import Image

from stagekit.formats import CIHP_PALETTE
from stagekit.png import write_png


@pytest.mark.parametrize("shape", [(1, 1), (3, 5), (200, 64), (64, 301)])
@pytest.mark.parametrize("channels", [(), (3,)])
def test_every_pixel_comes_back(shape, channels):
    pixels = np.random.RandomState(0).randint(0, 256, shape + channels).astype(np.uint8)
    image = Image.open(io.BytesIO(write_png(pixels)))
    assert image.mode == ("RGB" if channels else "L") and np.array_equal(np.array(image), pixels)


def test_a_palette_goes_along_with_the_indices():
    labels = np.random.RandomState(0).randint(0, 20, (70, 90)).astype(np.uint8)
    image = Image.open(io.BytesIO(write_png(labels, CIHP_PALETTE)))
    assert image.mode == "P" and np.array_equal(np.array(image), labels)
    assert np.array_equal(np.array(image.convert("RGB")), np.array(CIHP_PALETTE, np.uint8)[labels])


def test_views_are_written_as_they_look():
    pixels = np.random.RandomState(0).randint(0, 256, (60, 80, 3)).astype(np.uint8)[::-1, ::2]
    assert np.array_equal(np.array(Image.open(io.BytesIO(write_png(pixels)))), pixels)


def test_flat_pictures_are_small():
    assert len(write_png(np.full((1024, 768, 3), 246, np.uint8))) < 20000
