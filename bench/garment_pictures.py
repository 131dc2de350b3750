"""Pictures of garments whose outline is known: drawn ones, and garments of the data set in other colours and places.

Each is a garment, its alpha and a backdrop, put together as light does: a garment that is thick casts a soft shadow to its
lower right and turns away from the light at its rim, a backdrop is lit from one side, both have the noise of a camera.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from PIL import Image

HEIGHT, WIDTH = 1024, 768

BACKDROPS = {"near-white": (246, 246, 246), "grey": (196, 197, 199), "dark grey": (52, 53, 56), "black": (18, 18, 20),
             "navy": (30, 38, 70), "wood": (88, 62, 44)}  # fmt: skip


class Picture(NamedTuple):
    """One test."""

    group: str
    name: str
    rgb: np.ndarray
    """uint8 (1024, 768, 3)."""
    truth: np.ndarray
    """bool (1024, 768): the garment."""


def data_set(samples: Path) -> Iterator[Picture]:
    """Garments as the data set has them, with its masks."""
    for path in sorted((samples / "cloth").glob("*.jpg")):
        truth = np.array(Image.open(samples / "cloth-mask" / path.name).convert("L")) >= 128
        yield Picture("data set", path.stem, np.array(Image.open(path).convert("RGB")), truth)


def recoloured(samples: Path) -> Iterator[Picture]:
    """The data set's garments in grey and in white, and before dark backdrops; their folds and prints stay."""
    for number, picture in enumerate(map(whole, data_set(samples))):
        alpha = cut_out(picture.truth)
        random = np.random.default_rng(number)
        grey = tinted(picture.rgb, picture.truth, (128, 128, 130), 0.5)
        white = tinted(picture.rgb, picture.truth, (236, 236, 234), 0.12)
        coloured = picture.rgb.astype(np.float32)
        if luminance(picture.rgb)[picture.truth].mean() < 60:  # black on black is nobody's picture
            coloured = tinted(picture.rgb, picture.truth, (205, 70, 60), 0.5)
        for group, garment, backdrop in (
            ("grey", grey, ("near-white", "grey")[number % 2]),
            ("white", white, ("grey", "wood")[number % 2]),
            ("white on white", white, "near-white"),
            ("dark backdrop", coloured, ("dark grey", "navy", "black")[number % 3]),
        ):
            made = put_together(garment, alpha, backdrop, random)
            yield Picture(group, f"{picture.name} on {backdrop}", made, alpha > 0.5)


def panelled(samples: Path) -> Iterator[Picture]:
    """The data set's garments with a side, the shoulders, stripes or a corner in the white of the backdrop behind them."""
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    for number, picture in enumerate(map(whole, data_set(samples))):
        light = luminance(picture.rgb)
        garment = picture.rgb.astype(np.float32)
        if light[picture.truth].mean() > 190:  # nothing of it would differ from the backdrop
            garment = tinted(picture.rgb, picture.truth, (52, 84, 150), 0.5)
        folds = 1 + 0.12 * (light - np.median(light[picture.truth])) / 255
        white = (0.65 + 0.35 * rim(picture.truth)) * folds * BACKDROPS["near-white"][0]
        rows, columns = (np.flatnonzero(picture.truth.any(axis=axis)) for axis in (1, 0))
        down, across = (y - rows[0]) / np.ptp(rows), (x - columns[0]) / np.ptp(columns)
        panels = {
            "side": across < 0.36,
            "shoulders": down < 0.28,
            "stripes": x // 46 % 2 == 0,
            "corner": across + down > 1.15,
        }
        for index, (name, panel) in enumerate(panels.items()):
            if index % 2 == number % 2:
                cloth = np.where(panel[..., None], np.minimum(white, 255)[..., None], garment)
                alpha, random = cut_out(picture.truth), np.random.default_rng(200 + 4 * number + index)
                made = put_together(cloth, alpha, "near-white", random)
                yield Picture("white panels", f"{picture.name}, {name}", made, alpha > 0.5)


def drawn() -> Iterator[Picture]:
    """Tops with straps and open armholes, in plain, striped and knitted cloth."""
    cloths = {"red": (178, 40, 52), "grey": (132, 132, 135), "white": (238, 238, 236), "blue": (52, 84, 150)}
    number = 0
    for shape, outline in (("camisole", camisole()), ("vest", vest()), ("hung", hung())):
        for colour, cloth in cloths.items():
            backdrop = ("near-white", "grey", "dark grey", "wood")[number % 4] if colour != "white" else "wood"
            random = np.random.default_rng(100 + number)
            alpha = cv2.GaussianBlur(outline, (0, 0), 0.8)
            garment = woven(outline, cloth, ("plain", "striped", "knitted")[number % 3], random)
            made = put_together(garment, alpha, backdrop, random)
            yield Picture("straps", f"{shape}, {colour} on {backdrop}", made, alpha > 0.5)
            number += 1


def put_together(garment: np.ndarray, alpha: np.ndarray, backdrop: str, random: np.random.Generator) -> np.ndarray:
    """garment: float (H, W, 3) 0..255; alpha: float (H, W) 0..1. Gives uint8."""
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float32)
    # Before near-white, shops light from all sides, as the data set does.
    falloff, dark = (0.02, 0.06) if backdrop == "near-white" else (0.08, 0.18)
    light = 1 + falloff * (0.5 - x / WIDTH) + falloff * (0.5 - y / HEIGHT)
    behind = np.array(BACKDROPS[backdrop], np.float32) * light[..., None]
    shadow = cv2.GaussianBlur(cv2.warpAffine(alpha, np.float32([[1, 0, 5], [0, 1, 7]]), (WIDTH, HEIGHT)), (0, 0), 9)
    behind *= 1 - dark * shadow[..., None]
    made = garment * alpha[..., None] + behind * (1 - alpha[..., None])
    made += cv2.GaussianBlur(random.normal(0, 2.2, (HEIGHT, WIDTH, 3)).astype(np.float32), (0, 0), 0.7)
    return np.clip(made + 0.5, 0, 255).astype(np.uint8)


def whole(picture: Picture) -> Picture:
    """A garment that its picture cuts off, made smaller, so that there is backdrop around it."""
    if not (picture.truth[:, [0, -1]].any() or picture.truth[[0, -1]].any()):
        return picture
    matrix = np.float32([[0.84, 0, 0.08 * WIDTH], [0, 0.84, 0.08 * HEIGHT]])
    rgb = cv2.warpAffine(picture.rgb, matrix, (WIDTH, HEIGHT), flags=cv2.INTER_AREA)
    truth = cv2.warpAffine(picture.truth.astype(np.float32), matrix, (WIDTH, HEIGHT)) > 0.5
    return picture._replace(rgb=rgb, truth=truth)


def cut_out(truth: np.ndarray) -> np.ndarray:
    """Alpha of a garment, a little inside its mask, so that nothing of its old backdrop is left at the rim."""
    inner = cv2.erode(np.pad(truth, 4).astype(np.uint8), np.ones((5, 5), np.uint8))[4:-4, 4:-4]
    return cv2.GaussianBlur(inner.astype(np.float32), (0, 0), 0.9)


def tinted(rgb: np.ndarray, truth: np.ndarray, colour: tuple[int, int, int], contrast: float) -> np.ndarray:
    """The garment in one colour: its light and dark, made `contrast` times as strong, times the colour. Float 0..255."""
    light = luminance(rgb)
    relative = (light - np.median(light[truth])) / 255
    shade = (1 + contrast * relative) * rim(truth)
    return np.clip(np.array(colour, np.float32) * shade[..., None], 0, 255).astype(np.float32)


def rim(outline: np.ndarray) -> np.ndarray:
    """How much light cloth gets: it bends away over the last fourteen pixels. outline: bool (H, W); float 0.86..1."""
    return 0.86 + 0.14 * np.minimum(cv2.distanceTransform(outline.astype(np.uint8), cv2.DIST_L2, 5), 14) / 14


def luminance(rgb: np.ndarray) -> np.ndarray:
    return rgb.astype(np.float32) @ np.array([0.299, 0.587, 0.114], np.float32)


def woven(outline: np.ndarray, colour: tuple[int, int, int], pattern: str, random: np.random.Generator) -> np.ndarray:
    """Cloth with folds, darker towards its rim. Float (H, W, 3) 0..255."""
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float32)
    folds = cv2.GaussianBlur(random.normal(0, 1, (HEIGHT, WIDTH)).astype(np.float32), (0, 0), 26)
    shade = 1 + 0.07 * folds / folds.std()
    shade *= rim(outline > 0.5)
    cloth = np.array(colour, np.float32) * shade[..., None]
    if pattern == "striped":
        cloth[(y // 34).astype(int) % 2 == 0] *= 0.82
    elif pattern == "knitted":
        cloth *= 1 + 0.05 * (np.sin(x * 1.3) * np.sin(y * 0.9))[..., None]
    return np.clip(cloth, 0, 255)


def camisole() -> np.ndarray:
    """Two straps of eleven pixels, a deep neckline. Float mask (H, W)."""
    body = [(226, 330), (262, 268), (330, 352), (384, 372), (438, 352), (506, 268), (542, 330), (560, 520), (590, 900),
            (178, 900), (208, 520)]  # fmt: skip
    mask = filled(body)
    for side in (1, -1):
        strap = [(384 + side * dx, y) for dx, y in ((118, 274), (96, 190), (60, 128), (36, 120))]
        cv2.polylines(mask, [np.array(strap, np.int32)], False, 1.0, 11, cv2.LINE_AA)
    return mask


def vest() -> np.ndarray:
    """Wide straps that meet behind the neck: the armholes and the neckline are open. Float mask (H, W)."""
    mask = filled([(214, 380), (232, 250), (290, 118), (478, 118), (536, 250), (554, 380), (576, 910), (192, 910)])
    cv2.ellipse(mask, (384, 170), (74, 96), 0, 0, 360, 0.0, -1, cv2.LINE_AA)  # the neckline, closed above by its back
    for x in (268, 500):
        cv2.ellipse(mask, (x, 300), (22, 62), 0, 0, 360, 0.0, -1, cv2.LINE_AA)  # armholes with a band around them
    return mask


def hung() -> np.ndarray:
    """A top whose sleeves hang close to its body, with a slit of backdrop between. Float mask (H, W)."""
    mask = filled(
        [(256, 170), (330, 140), (384, 176), (438, 140), (512, 170), (560, 250), (556, 880), (212, 880), (208, 250)]
    )
    for side in (1, -1):
        sleeve = [(384 + side * dx, y) for dx, y in ((128, 172), (210, 236), (262, 660), (208, 668), (172, 330))]
        cv2.fillPoly(mask, [np.array(sleeve, np.int32)], 1.0, cv2.LINE_AA)
    for side in (1, -1):
        slit = [(384 + side * dx, y) for dx, y in ((176, 360), (188, 360), (206, 700), (178, 700))]
        cv2.fillPoly(mask, [np.array(slit, np.int32)], 0.0, cv2.LINE_AA)
    return mask


def filled(outline: list[tuple[int, int]]) -> np.ndarray:
    mask = np.zeros((HEIGHT, WIDTH), np.float32)
    cv2.fillPoly(mask, [np.array(outline, np.int32)], 1.0, cv2.LINE_AA)
    return mask
