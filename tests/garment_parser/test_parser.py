"""The garment parser on drawn garments that it did not learn from, and the drawings themselves."""

import numpy as np
import pytest

from garment_parser.parser import GarmentParser
from garment_parser.parts import CATEGORIES, HEIGHT, LANDMARKS, PARTS, SLEEVES, WIDTH
from scripts.garment_pictures import draw

FIRST = 200_000_000
"""Seed of the first: training drew from others."""


@pytest.fixture(scope="module")
def parser():
    return GarmentParser()


@pytest.fixture(scope="module")
def samples():
    return [draw(FIRST + number) for number in range(60)]


@pytest.fixture(scope="module")
def readings(parser, samples):
    return [parser.read(sample.picture, sample.mask > 0) for sample in samples]


def test_a_drawing_fits_its_labels(samples):
    for sample in samples:
        assert sample.picture.shape == (HEIGHT, WIDTH, 3) and sample.mask.shape == sample.parts.shape == (HEIGHT, WIDTH)
        garment = sample.parts > 0
        assert (garment & (sample.mask > 0)).sum() > 0.8 * garment.sum(), "the mask is that of the garment"
        legs = np.isin(sample.parts, [PARTS.index("left_leg"), PARTS.index("right_leg")]).any()
        assert not legs or CATEGORIES[sample.category] == "lower"
        for (x, y, there), name in zip(sample.landmarks, LANDMARKS, strict=True):
            if there and name.endswith(("hem", "shoulder")):
                near = garment[max(int(y) - 6, 0) : int(y) + 7, max(int(x) - 6, 0) : int(x) + 7]
                assert near.any(), f"{name} lies on the garment"


def test_the_same_seed_draws_the_same_garment(samples):
    again = draw(FIRST)
    assert np.array_equal(again.picture, samples[0].picture) and np.array_equal(again.landmarks, samples[0].landmarks)


def test_parts_are_found(samples, readings):
    for part, least in (
        ("trunk", 0.9),
        ("left_sleeve", 0.85),
        ("right_sleeve", 0.85),
        ("skirt", 0.85),
        ("left_leg", 0.9),
    ):
        index = PARTS.index(part)
        both = sum(
            ((reading.parts == index) & (sample.parts == index)).sum()
            for sample, reading in zip(samples, readings, strict=True)
        )
        either = sum(
            ((reading.parts == index) | (sample.parts == index)).sum()
            for sample, reading in zip(samples, readings, strict=True)
        )
        assert both / either > least, part


def test_landmarks_are_found(samples, readings):
    away, told = [], []
    for sample, reading in zip(samples, readings, strict=True):
        for (x, y, there), name in zip(sample.landmarks, LANDMARKS, strict=True):
            told.append((reading.there[name] > 0.5) == (there > 0))
            if there:
                away.append(np.hypot(*(reading.landmarks[name] - (x, y))))
    assert np.mean(told) > 0.98 and np.median(away) < 1.5 and np.percentile(away, 90) < 6


def test_category_and_sleeves_are_told(samples, readings):
    pairs = list(zip(samples, readings, strict=True))
    right = [
        max(reading.category, key=reading.category.get) == CATEGORIES[sample.category] for sample, reading in pairs
    ]
    sleeves = [max(r.sleeves, key=r.sleeves.get) == SLEEVES[s.sleeves] for s, r in pairs if s.sleeves >= 0]
    assert np.mean(right) > 0.95 and np.mean(sleeves) > 0.9


def test_a_mirror_image_is_read_alike(parser, samples):
    sample = next(sample for sample in samples if SLEEVES[sample.sleeves] == "long" and sample.category == 0)
    mask = sample.mask > 0
    one, other = parser.read(sample.picture, mask), parser.read(sample.picture[:, ::-1].copy(), mask[:, ::-1].copy())
    assert (one.part("left_sleeve") == other.part("right_sleeve")[:, ::-1]).mean() > 0.99
    x, y = one.landmarks["left_cuff_outer"]
    assert np.hypot(*(other.landmarks["right_cuff_outer"] - (WIDTH - 1 - x, y))) < 2
