"""How well a cloth mask engine finds white garments on grounds that are almost as bright, drawn so that the outline is known.

    python -m bench.white_garments [--engine cutout] [--count 120] [--first 0] [--sheet out/white_garments.png]

Each top differs from its ground by 2 to 12 grey levels, or by its shading alone, and has folds, hems, a collar or the inside
of its back, mostly a print; the light falls from one side, so the rim on that side may show nothing; the ground is lit
unevenly, has a soft shadow, sometimes a strip of another white along one border. All are JPEGs. Counted per contrast: the mean
IoU, masks below 0.9, and those of them that come without a word. On the sheet red is garment that was missed, blue is ground
that was taken. The engine was developed on the first 126; --first 126 gives others.
"""

import argparse
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from PIL import Image, ImageDraw

import stagekit
from services.cloth_mask.stage import STAGE
from stagekit.errors import GarmentNotFound
from stagekit.stage import make_engine

HEIGHT, WIDTH = 1024, 768
GROUNDS = ((246, 246, 246), (240, 240, 240), (236, 228, 222), (232, 226, 212), (228, 230, 234), (238, 233, 226))
PRINTS = ("nothing", "text", "badge", "picture", "flowers", "column")
GOOD = 0.9


class Drawn(NamedTuple):
    """One garment in its picture."""

    name: str
    contrast: int
    """Grey levels between cloth and ground; 0: its shading alone tells it from the ground."""
    rgb: np.ndarray
    """uint8 (1024, 768, 3)."""
    truth: np.ndarray
    """bool (1024, 768)."""


def drawn(numbers: Iterable[int]) -> Iterator[Drawn]:
    """The garments of these numbers; each is the same at every call."""
    for number in numbers:
        yield garment(
            (12, 8, 6, 4, 3, 2, 0)[number % 7], PRINTS[number // 7 % len(PRINTS)], np.random.default_rng(number)
        )


def garment(contrast: int, print_: str, random: np.random.Generator) -> Drawn:
    """A white top that is lighter than its ground by `contrast`, or darker where the ground is too bright for that."""
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float32)
    ground = np.array(GROUNDS[int(random.integers(len(GROUNDS)))], np.float32)
    lighter = ground.max() + contrast <= 253 and random.random() < 0.7
    tint = random.uniform(-1, 1, 3) * (1.5 if contrast else 0.0)
    colour = ground + (contrast if lighter else -contrast) + tint
    outline, neck = _outline(random)
    inside = outline > 0.5

    falloff = random.uniform(-0.02, 0.02, 3)
    behind = ground * (1 + falloff[0] * (x / WIDTH - 0.5) + falloff[1] * (y / HEIGHT - 0.5))[..., None]
    vignette = ((x / WIDTH - 0.5) ** 2 + (y / HEIGHT - 0.5) ** 2) * abs(falloff[2])
    uneven = cv2.GaussianBlur(random.normal(0, 1, (HEIGHT // 16, WIDTH // 16)).astype(np.float32), (0, 0), 9)
    behind *= (1 - vignette + 0.003 * cv2.resize(uneven / uneven.std(), (WIDTH, HEIGHT)))[..., None]
    shift = np.array([[1, 0, random.uniform(-6, 8)], [0, 1, random.uniform(0, 10)]], np.float32)
    depth = cv2.GaussianBlur(cv2.warpAffine(outline, shift, (WIDTH, HEIGHT)), (0, 0), random.uniform(5, 14))
    behind *= 1 - float(random.choice([0, 0.015, 0.03, 0.06])) * depth[..., None]

    light = _light(inside, random, least=0.012 if contrast > 2 else 0.03)
    cloth = colour * light[..., None]
    _hems(cloth, inside, random)
    _neck(cloth, neck, colour, random)
    _print_on(cloth, print_, neck, random)
    alpha = cv2.GaussianBlur(outline, (0, 0), 0.8)[..., None]
    made = cloth * alpha + behind * (1 - alpha)
    strip = random.random() < 0.15
    if strip:
        side, thick = int(random.integers(4)), int(random.integers(4, 26))
        np.rot90(made, side)[:thick] = random.choice([255, 250, 225])
    made += cv2.GaussianBlur(random.normal(0, random.uniform(0.4, 2.2), made.shape).astype(np.float32), (0, 0), 0.7)
    quality = int(random.integers(60, 96))
    coded = cv2.imencode(".jpg", np.clip(made + 0.5, 0, 255).astype(np.uint8), [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    name = f"{contrast}, {print_}, quality {quality}{', strip' if strip else ''}"
    return Drawn(name, contrast, cv2.imdecode(coded, 1), inside)


def _outline(random: np.random.Generator) -> tuple[np.ndarray, tuple[int, int, int]]:
    """Float mask of a top with or without sleeves; its neck as left, right and top."""
    neck, top = float(random.uniform(60, 105)), float(random.uniform(110, 200))
    side, hem = float(random.uniform(140, 195)), float(random.uniform(760, 920))
    drop = top + float(random.uniform(25, 60))
    flare = side + float(random.uniform(-10, 45))
    armpit = top + float(random.uniform(190, 240))
    sleeve = str(random.choice(["none", "short", "long"], p=[0.2, 0.55, 0.25]))
    half = [(neck, top), (side + 30, drop)]
    if sleeve == "short":
        reach = float(random.uniform(290, 340))
        half += [(reach, armpit + 40), (reach - 85, armpit + 85), (side, armpit)]
    elif sleeve == "long":
        half += [(300, armpit + 120), (340, hem - 60), (268, hem - 50), (225, armpit + 150), (side, armpit)]
    else:
        half[1] = (side - 30, drop)
        half += [(side - 25, armpit - 60), (side, armpit)]
    half += [(side - float(random.uniform(0, 25)), (armpit + hem) / 2), (flare, hem)]
    points = [(WIDTH / 2 + dx, dy) for dx, dy in half] + [(WIDTH / 2 - dx, dy) for dx, dy in half[::-1]]
    mask = np.zeros((HEIGHT, WIDTH), np.float32)
    cv2.fillPoly(mask, [np.array(points, np.int32)], 1.0)
    if sleeve == "none":
        cv2.ellipse(mask, (WIDTH // 2, int(top)), (int(neck), int(random.uniform(60, 130))), 0, 0, 360, 0.0, -1)
    mask = (cv2.GaussianBlur(mask, (0, 0), float(random.uniform(2, 6))) > 0.5).astype(np.float32)
    turn = cv2.getRotationMatrix2D((WIDTH / 2, HEIGHT / 2), float(random.uniform(-3, 3)), float(random.uniform(0.8, 1)))
    return cv2.warpAffine(mask, turn, (WIDTH, HEIGHT)), (int(WIDTH / 2 - neck), int(WIDTH / 2 + neck), int(top + 12))


def _light(inside: np.ndarray, random: np.random.Generator, least: float) -> np.ndarray:
    """Folds, and a rim that bends away from a light that stands to one side. Float (H, W) about 1."""
    depth = cv2.distanceTransform(np.pad(inside, 1).astype(np.uint8), cv2.DIST_L2, 5)[1:-1, 1:-1]
    width = float(random.uniform(8, 26))
    rim = np.clip(1 - depth / width, 0, 1) ** 1.5
    away = np.stack(np.gradient(cv2.GaussianBlur(depth, (0, 0), 6)), axis=-1)
    angle = float(random.uniform(0, 2 * np.pi))
    facing = away @ np.array([np.sin(angle), np.cos(angle)], np.float32)
    rim *= float(random.uniform(least, 0.09)) * (1 + float(random.uniform(0, 0.8)) * np.clip(facing, -1, 1))
    folds = cv2.GaussianBlur(random.normal(0, 1, (HEIGHT // 4, WIDTH // 4)).astype(np.float32), (0, 0), 6, sigmaY=14)
    folds = cv2.resize(folds / folds.std(), (WIDTH, HEIGHT))
    return np.asarray(1 - rim + float(random.uniform(0.002, 0.012)) * folds)


def _hems(cloth: np.ndarray, inside: np.ndarray, random: np.random.Generator) -> None:
    """A seam along the outline, a little inside of it."""
    depth = cv2.distanceTransform(inside.astype(np.uint8), cv2.DIST_L2, 5)
    at = float(random.uniform(12, 24))
    cloth[np.abs(depth - at) < 1] *= 1 - float(random.uniform(0, 0.02))


def _neck(cloth: np.ndarray, neck: tuple[int, int, int], colour: np.ndarray, random: np.random.Generator) -> None:
    """A ribbed collar, a shirt's collar with its row of buttons, or a darker inside of the back with a label."""
    left, right, top = neck
    middle, half = WIDTH // 2, (right - left) // 2
    kind = str(random.choice(["plain", "collar", "back", "trim"]))
    shade = tuple(map(float, colour * random.uniform(0.9, 0.97)))
    if kind == "collar":
        corners = [(left, top), (middle, top + 70), (left + half // 2, top + 110), (left - 15, top + 30)]
        for flip in (1, -1):
            points = np.array([(middle + flip * (px - middle), py) for px, py in corners], np.int32)
            cv2.polylines(cloth, [points], True, shade, 2, cv2.LINE_AA)
        for row in range(top + 110, 760, 90):
            cv2.circle(cloth, (middle, row), 7, shade, -1, cv2.LINE_AA)
        cv2.line(cloth, (middle - 18, top + 80), (middle - 18, 760), shade, 2, cv2.LINE_AA)
    elif kind == "back":
        cv2.ellipse(cloth, (middle, top), (half, 55), 0, 0, 180, shade, -1, cv2.LINE_AA)
        cv2.rectangle(cloth, (middle - 18, top + 12), (middle + 18, top + 30), (70.0, 70.0, 75.0), -1)
    elif kind == "trim":
        dark = tuple(map(float, random.uniform(20, 180, 3)))
        cv2.ellipse(cloth, (middle, top - 8), (half, 60), 0, 0, 180, dark, int(random.integers(4, 12)), cv2.LINE_AA)


def _print_on(cloth: np.ndarray, print_: str, neck: tuple[int, int, int], random: np.random.Generator) -> None:
    middle, top = WIDTH // 2, neck[2] + int(random.uniform(110, 220))
    ink = tuple(map(float, random.uniform(10, 190, 3)))
    if print_ == "text":
        for line in range(int(random.integers(1, 4))):
            cv2.putText(cloth, "HOWSFIT"[: int(random.integers(4, 8))], (middle - 130, top + 80 * line + 60),
                        cv2.FONT_HERSHEY_DUPLEX, 2.3, ink, 7, cv2.LINE_AA)  # fmt: skip
    elif print_ == "badge":
        cv2.circle(cloth, (middle + int(random.uniform(-60, 60)), top + 60), int(random.uniform(25, 90)), ink, -1)
    elif print_ == "picture":
        high, wide = int(random.uniform(150, 320)), int(random.uniform(140, 240))
        photo = cv2.GaussianBlur(random.normal(0, 1, (high, wide, 3)).astype(np.float32), (0, 0), wide / 14)
        cloth[top : top + high, middle - wide // 2 : middle - wide // 2 + wide] = 140 + 45 * photo / photo.std()
    elif print_ == "flowers":
        for _ in range(int(random.integers(8, 26))):
            petal = tuple(map(float, random.uniform(30, 230, 3)))
            at = middle + int(random.normal(0, 90)), top + int(random.uniform(-60, 260))
            cv2.circle(cloth, at, int(random.uniform(8, 34)), petal, -1, cv2.LINE_AA)
    elif print_ == "column":
        for row in range(top, top + 400, 52):
            cv2.rectangle(cloth, (middle - 90, row), (middle + int(random.uniform(-40, 80)), row + 34), ink, -1)


def scored(engine_name: str, pictures: Iterable[Drawn]) -> Iterator[tuple[Drawn, float, float, list[str], np.ndarray]]:
    """Each picture, its IoU, its milliseconds, the codes of its warnings, and its mask."""
    engine = make_engine(STAGE, engine_name)
    engine.load()
    for one in pictures:
        codes: list[str] = []
        warn = _into(codes)
        began = time.perf_counter()
        try:
            outputs = engine.run({"garment": one.rgb}, warn)
            mask = outputs["cloth_mask"] > 0
            STAGE.check({"garment": one.rgb}, outputs, warn)
        except GarmentNotFound as error:
            codes.append(error.code)
            mask = np.zeros_like(one.truth)
        ms = 1000 * (time.perf_counter() - began)
        yield one, float((mask & one.truth).sum() / (mask | one.truth).sum()), ms, codes, mask


def _into(codes: list[str]) -> stagekit.Warn:
    return lambda code, _: codes.append(code)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--engine", default=STAGE.default_engine)
    parser.add_argument("--count", type=int, default=126, help="garments to draw")
    parser.add_argument("--first", type=int, default=0, help="number of the first")
    parser.add_argument("--sheet", type=Path, default=Path("out/white_garments.png"), help="contact sheet, worst first")
    arguments = parser.parse_args()
    pictures = drawn(range(arguments.first, arguments.first + arguments.count))
    rows = list(scored(arguments.engine, pictures))
    print(
        f"{'contrast':>8}{'pictures':>10}{'mean IoU':>10}{'below 0.9':>11}{'in silence':>12}{'odd-outline':>11}{'ms':>6}"
    )
    for contrast in sorted({row[0].contrast for row in rows}, reverse=True) + [None]:
        group = [row for row in rows if contrast in (None, row[0].contrast)]
        bad = [row for row in group if row[1] < GOOD]
        print(f"{'all' if contrast is None else contrast:>8}{len(group):>10}{np.mean([row[1] for row in group]):>10.3f}"
              f"{len(bad):>11}{sum(not row[3] for row in bad):>12}"
              f"{sum('odd-outline' in row[3] for row in group):>11}{np.median([row[2] for row in group]):>6.0f}")  # fmt: skip
    _sheet(sorted(rows, key=lambda row: row[1]), arguments.sheet)
    print(arguments.sheet)
    return 0


def _sheet(rows: list[tuple[Drawn, float, float, list[str], np.ndarray]], path: Path) -> None:
    columns, wide, high = 14, 132, 176
    canvas = Image.new("RGB", (columns * wide, -(-len(rows) // columns) * (high + 24)), "white")
    write = ImageDraw.Draw(canvas)
    for number, (one, iou, _, codes, mask) in enumerate(rows):
        painted = one.rgb.copy()
        painted[one.truth & ~mask] = (255, 0, 0)
        painted[mask & ~one.truth] = (0, 80, 255)
        painted[cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_GRADIENT, np.ones((5, 5), np.uint8)) > 0] = (
            0,
            160,
            70,
        )
        x, y = number % columns * wide, number // columns * (high + 24)
        canvas.paste(Image.fromarray(painted).resize((wide, high), Image.Resampling.BOX), (x, y))
        write.text((x + 2, y + high), f"{iou:.3f}: {one.name[:14]}", "black")
        write.text((x + 2, y + high + 11), ",".join(codes)[:24], "black")
    path.parent.mkdir(parents=True, exist_ok=True)
    canvas.save(path)


if __name__ == "__main__":
    raise SystemExit(main())
