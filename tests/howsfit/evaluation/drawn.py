"""Folders of small pictures that are drawn the same everywhere."""

from pathlib import Path

import numpy as np
from PIL import Image


def photo(number: int, size: tuple[int, int] = (96, 128)) -> np.ndarray:
    """H x W x 3, uint8: a person of stripes before a shaded wall. size: width and height."""
    across, down = np.meshgrid(np.arange(size[0]), np.arange(size[1]))
    wall = 120 + 60 * np.sin((across + 7 * number) / 23) + down / 4
    stripes = 90 + 70 * np.sign(np.sin(down / (3 + number % 5)))
    person = (abs(across - size[0] / 2) < 20 + number % 7) & (down > 20)
    grey = np.where(person, stripes, wall)
    return np.stack([grey, grey * 0.8, np.roll(grey, number, axis=1)], axis=-1).clip(0, 255).astype(np.uint8)


def result(number: int, wrong: int, size: tuple[int, int] = (96, 128)) -> np.ndarray:
    """The same, a little wrong: noise of so many levels."""
    noise = np.random.default_rng(number).integers(-wrong, wrong + 1, (size[1], size[0], 3))
    return (photo(number, size) + noise).clip(0, 255).astype(np.uint8)


def write_photos(folder: Path, count: int = 6) -> Path:
    folder.mkdir(parents=True)
    for number in range(count):
        Image.fromarray(photo(number)).save(folder / f"0000{number}_00.png")
    return folder


def write_results(folder: Path, wrong: int, count: int = 6, cloth: str = "0000{}_00") -> Path:
    folder.mkdir(parents=True)
    for number in range(count):
        Image.fromarray(result(number, wrong)).save(folder / f"0000{number}_00_{cloth.format(number)}.png")
    return folder
