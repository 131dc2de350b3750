"""The ground behind somebody goes on as what shows of it."""

import hashlib
import os
import subprocess
import sys

import numpy as np
import pytest

from services.tryon.engines.tps.ground import continue_ground, is_plain

HEIGHT, WIDTH = 512, 384
HOLE = np.zeros((HEIGHT, WIDTH), bool)
HOLE[130:400, 120:260] = True


def picture(kind: str) -> np.ndarray:
    """uint8 RGB (512, 384, 3): a wall in a gradient, a flag's slanting stripes, bricks in rows."""
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    noise = np.random.default_rng(0).normal(0, 1.5, (HEIGHT, WIDTH))
    if kind == "wall":
        grey = 150 + y / 10 + x / 20
    elif kind == "flag":
        grey = np.where((x + y) % 120 < 60, 60, 200)
    else:
        grey = np.where((y % 24 < 3) | ((x + 20 * (y // 24 % 2)) % 40 < 3), 210, 110)
    return np.clip(grey + noise, 0, 255).astype(np.uint8)[..., None].repeat(3, axis=2)


def filled(kind: str) -> tuple[np.ndarray, np.ndarray]:
    whole = picture(kind)
    spoilt = np.where(HOLE[..., None], np.uint8(255), whole)
    return whole, continue_ground(spoilt, ~HOLE)


@pytest.mark.parametrize("kind", ["wall", "flag", "bricks"])
def test_what_shows_stays_and_of_the_hole_nothing_is_left(kind: str) -> None:
    whole, found = filled(kind)
    assert (found[~HOLE] == whole[~HOLE]).all()
    assert (found[HOLE] > 250).mean() < 0.01
    assert (continue_ground(np.where(HOLE[..., None], np.uint8(0), whole), ~HOLE) == found).all(), (
        "the hole says nothing"
    )


def test_a_wall_goes_on_smoothly() -> None:
    whole, found = filled("wall")
    assert is_plain(whole, ~HOLE)
    assert np.abs(found.astype(int) - whole)[HOLE].mean() < 4


def test_stripes_go_on_as_stripes() -> None:
    whole, found = filled("flag")
    assert not is_plain(whole, ~HOLE)
    rim = HOLE.copy()
    rim[170:360, 160:220] = False  # in the middle nobody knows
    assert (np.abs(found.astype(int) - whole)[rim].mean(axis=-1) < 40).mean() > 0.85
    assert np.abs(found[HOLE].astype(int) - 130).min(axis=-1).mean() > 50, "dark or light, no mean of both"


def test_bricks_keep_their_joints() -> None:
    _, found = filled("bricks")
    inner = found[200:330, 160:220, 0].astype(int)
    assert (inner > 180).mean() > 0.08 and (inner < 140).mean() > 0.5


def test_a_picture_without_any_ground_stays() -> None:
    whole = picture("bricks")
    assert (continue_ground(whole, np.zeros(HOLE.shape, bool)) == whole).all()
    barely = np.zeros(HOLE.shape, bool)
    barely[:, :6] = True
    assert continue_ground(whole, barely).shape == whole.shape


DIGEST = """
import hashlib
from tests.services.test_tryon_tps_ground import filled
print(hashlib.sha256(filled("flag")[1].tobytes()).hexdigest())
"""


def test_as_many_threads_as_there_are_make_the_same_bytes() -> None:
    own = hashlib.sha256(filled("flag")[1].tobytes()).hexdigest()
    for threads in ("1", "2"):
        environment = os.environ | {"OPENBLAS_NUM_THREADS": threads, "PYTHONPATH": os.pathsep.join(sys.path)}
        told = subprocess.run(
            [sys.executable, "-c", DIGEST], env=environment, capture_output=True, text=True, check=True
        )
        assert told.stdout.strip() == own


def test_a_filling_meets_the_ground_without_a_step() -> None:
    """A mottled wall in light that falls off, as pieces from elsewhere are lighter or darker."""
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    mottled = 15 * np.sin(x / 9 + 2 * np.sin(y / 31)) * np.sin(y / 13) + 60 * np.exp(-(((x - 190) / 90) ** 2))
    wall = np.clip(110 + mottled, 0, 255).astype(np.uint8)[..., None].repeat(3, axis=2)
    assert not is_plain(wall, ~HOLE)
    filled = continue_ground(wall, ~HOLE).astype(float).mean(axis=2)
    steps = []
    for row in range(140, 390, 25):
        rows = slice(row, row + 25)
        steps += [filled[rows, 112:120].mean() - filled[rows, 120:128].mean()]
        steps += [filled[rows, 252:260].mean() - filled[rows, 260:268].mean()]
    assert np.abs(steps).mean() < 4, "7.7 without what carries the border's step on"
