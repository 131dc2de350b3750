"""What is taken for the inside of the back, and for sleeves, on drawn garments (`bench/necklines.py` counts many)."""

import os
from pathlib import Path

import cv2
import numpy as np
import pytest

from bench.necklines import EATEN, MISSED, PARSER, PRINTS, drawn, judged
from services.tryon.engines.tps.garment import read_garment

CASES = (
    Path(os.environ.get("HOWSFIT_CASES", Path(__file__).resolve().parents[2] / ".." / "shared" / "cases")) / "garment"
)
needs_cases = pytest.mark.skipif(not CASES.is_dir(), reason="no cases: set HOWSFIT_CASES to their folder")


def of_print(print_, with_back, count):
    """Garments with this print."""
    numbers = range(PRINTS.index(print_), 10_000, len(PRINTS))
    return list(drawn([n for n in numbers if (n // len(PRINTS) % 3 != 0) == with_back][:count]))


@pytest.mark.parametrize("print_", ["nothing", "text", "head"])
def test_nothing_of_a_front_alone_is_taken_for_a_back(print_):
    for one in of_print(print_, with_back=False, count=6):
        assert judged(one, read_garment(PARSER, one.cloth, one.mask))[0] < EATEN, one.name


def test_the_inside_of_the_back_is_found():
    for one in of_print("text", with_back=True, count=3):
        eaten, found = judged(one, read_garment(PARSER, one.cloth, one.mask))
        assert eaten < EATEN and found > MISSED, one.name


def case(name):
    """(picture, mask) of a garment on near-white."""
    picture = cv2.imread(str(CASES / name))[..., ::-1].copy()
    ground = picture[0, 0].astype(int)
    return picture, np.abs(picture.astype(int) - ground).max(axis=2) > 24


@needs_cases
@pytest.mark.parametrize("name", ["text_015.png", "text_080.png", "text_140.png"])
def test_letters_below_the_collar_stay(name):
    picture, mask = case(name)
    garment = read_garment(PARSER, picture, mask)
    sleeves = np.any([sleeve.mask for sleeve in garment.sleeves], axis=0)
    assert (mask & ~garment.body & ~sleeves).sum() < 0.002 * mask.sum()


@needs_cases
@pytest.mark.parametrize("name", ["sleeve_gap_000.png", "sleeve_gap_020.png", "sleeve_gap_060.png"])
def test_sleeves_are_long_however_wide_the_gap_beside_them_is(name):
    garment = read_garment(PARSER, *case(name))
    assert all(sleeve is not None and sleeve.length > 1.4 * garment.chest for sleeve in garment.sleeves)
