"""A picture of DensePose's parts, and what is none."""

import numpy as np
import pytest

from stagekit.densepose import PARTS, check_densepose, nearest_parts
from stagekit.errors import WrongKind
from stagekit.formats import DENSEPOSE_PALETTE


def test_densepose_that_is_not_part_colours_on_black_is_named():
    random = np.random.default_rng(0)
    good = np.zeros((1024, 768, 3), np.uint8)
    good[200:800, 200:560] = DENSEPOSE_PALETTE[2]
    photo = random.integers(0, 255, good.shape, dtype=np.uint8)
    check_densepose(good)
    wrong = {
        "blended": (0.7 * good + 0.3 * photo).astype(np.uint8),
        "black background": np.where(good.any(axis=2, keepdims=True), good, np.uint8(0)) + np.uint8(0),
        "BGR": good[..., ::-1],
        "grey": np.repeat(good[..., 1:2], 3, axis=2),
        "no body part": np.zeros_like(good),
    }
    wrong["black background"][:] = DENSEPOSE_PALETTE[3]
    for match, image in wrong.items():
        with pytest.raises(WrongKind, match=match):
            check_densepose(image)


def test_part_ids_are_read_back_from_their_colours():
    ids = np.arange(PARTS, dtype=np.uint8).reshape(5, 5)
    picture = np.array(DENSEPOSE_PALETTE, np.uint8)[ids]
    parts, exact = nearest_parts(picture)
    assert np.array_equal(parts, ids) and exact
    parts, exact = nearest_parts(picture + np.uint8(1))
    assert np.array_equal(parts, ids) and not exact
