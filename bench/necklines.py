"""How well `tps` tells the inside of a garment's back from a print below its collar, on drawn garments.

    python -m bench.necklines [--count 240] [--first 0] [--sheet out/necklines.png]

Each garment is drawn with or without an inside of the back that shows above the front's edge, and with one print (or none):
text, a head, a picture, stripes, colour blocks, a pocket, an all-over pattern, at any height below the collar. Counted are
garments of which cloth is taken for the inside of the back (`eaten`), those whose inside of the back stays (`missed`), and
pictures. The mask is the true one, so that nothing but the neckline is measured.
"""

import argparse
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from PIL import Image

from garment_parser.parser import GarmentParser
from services.tryon.engines.tps.garment import Garment, read_garment

HEIGHT, WIDTH = 1024, 768
PRINTS = ("nothing", "text", "head", "picture", "stripes", "block", "pocket", "pattern", "badge")
CLOTHS = ((24, 24, 27), (236, 235, 232), (178, 40, 52), (52, 84, 150), (128, 130, 133), (226, 198, 120), (42, 70, 52),
          (232, 190, 200), (60, 44, 38), (30, 36, 66), (214, 206, 190), (120, 30, 60))  # fmt: skip
PARSER = GarmentParser()

EATEN = 0.06  # share of the neck opening's square that may be cut wrongly
MISSED = 0.6  # share of the inside of the back that has to be cut


class Drawn(NamedTuple):
    """One garment."""

    name: str
    cloth: np.ndarray
    """uint8 (1024, 768, 3)."""
    mask: np.ndarray
    """bool (1024, 768)."""
    back: np.ndarray
    """bool: the inside of the back."""
    neck: float
    """Width of the neck in pixels."""


def drawn(numbers: Iterable[int]) -> Iterator[Drawn]:
    """The garments of these numbers; each is the same at every call."""
    for number in numbers:
        yield garment(PRINTS[number % len(PRINTS)], number // len(PRINTS) % 3 != 0, np.random.default_rng(number))


def garment(print_: str, with_back: bool, random: np.random.Generator) -> Drawn:
    """A top on a near-white backdrop. with_back: the inside of its back shows above the front's edge."""
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float32)
    neck, top = float(random.uniform(150, 260)), float(random.uniform(110, 190))
    shape = str(random.choice(["crew", "scoop", "V"], p=[0.5, 0.3, 0.2]))
    depth = neck * float(random.uniform(*{"crew": (0.25, 0.5), "scoop": (0.5, 0.95), "V": (0.5, 0.95)}[shape]))
    power = {"crew": 2.6, "scoop": 2.0, "V": 1.0}[shape] * float(random.uniform(0.9, 1.15))
    across = np.clip(np.abs(x - WIDTH / 2) / (neck / 2), 0, 1)
    front = top + depth * (1 - across**power)
    lower = top + neck * float(random.uniform(0.04, 0.14)) * (1 - across**2)
    outline = _outline(neck, top, random) & (y > (lower if with_back else front))
    opening = outline & (y < front) & (across < 1)
    colour = np.array(CLOTHS[int(random.integers(len(CLOTHS)))], np.float32)
    pixels = np.ones((HEIGHT, WIDTH, 3), np.float32) * colour
    _print_on(pixels, print_, front, top, neck, depth, colour, random)
    edge = (y >= front) & (y < front + random.uniform(8, 22)) & (across < 1)
    band = str(random.choice(["none", "rib", "contrast"], p=[0.35, 0.45, 0.2]))
    if band == "rib":
        pixels[edge] = colour * float(random.uniform(0.94, 1.05))
    elif band == "contrast":
        pixels[edge] = CLOTHS[int(random.integers(len(CLOTHS)))]
    if with_back:
        shade = float(random.uniform(0.6, 0.9)) if colour.max() > 60 else float(random.uniform(1.3, 1.7))
        light = shade * (1 - 0.12 * np.clip((front - y) / max(depth, 1), 0, 1))
        inner = colour * light[..., None]
        if random.random() < 0.7:
            _label(inner, top + neck * 0.16, neck, random)
        pixels = np.where(opening[..., None], inner, pixels)
        shadow = np.exp(-np.maximum(front - y, 0) / 7) * opening * 0.15
        pixels *= 1 - shadow[..., None]
    folds = cv2.GaussianBlur(random.normal(0, 1, (HEIGHT // 4, WIDTH // 4)).astype(np.float32), (0, 0), 7)
    folds = cv2.resize(folds / folds.std(), (WIDTH, HEIGHT))
    pixels *= 1 + 0.03 * folds[..., None]
    alpha = cv2.GaussianBlur(outline.astype(np.float32), (0, 0), 0.8)[..., None]
    pixels = pixels * alpha + 246 * (1 - alpha)
    pixels = cv2.GaussianBlur(pixels, (0, 0), 0.7) + random.normal(0, 1.2, pixels.shape)
    made = cv2.imdecode(
        cv2.imencode(".jpg", np.clip(pixels, 0, 255).astype(np.uint8), [cv2.IMWRITE_JPEG_QUALITY, 90])[1], 1
    )
    back = "with its back" if with_back else "front alone"
    return Drawn(f"{print_}, {shape}, {band} band, {back}", made, outline, opening, neck)


def judged(one: Drawn, read: Garment) -> tuple[float, float]:
    """Cloth taken for the inside of the back, per square of the neck; and the share of that inside which was found."""
    rows = np.arange(HEIGHT)[:, None]
    cut = read.mask & ~read.body & (rows < read.neckline[:, 1].max() + 1)
    columns = np.arange(WIDTH)
    cut &= (columns > read.collar[0, 0]) & (columns < read.collar[1, 0])
    eaten = float((cut & ~one.back).sum() / one.neck**2)
    return eaten, float((cut & one.back).sum() / max(1, one.back.sum()))


def _outline(neck: float, top: float, random: np.random.Generator) -> np.ndarray:
    side, shoulder = float(random.uniform(160, 200)), float(random.uniform(24, 60))
    half = [(neck / 2, top), (side + 30, top + shoulder), (330, top + 260), (250, top + 310), (side, top + 220),
            (side + 6, 930)]  # fmt: skip
    points = [(WIDTH / 2 + dx, dy) for dx, dy in half] + [(WIDTH / 2 - dx, dy) for dx, dy in half[::-1]]
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    cv2.fillPoly(mask, [np.array(points, np.int32)], 1)
    return mask > 0


def _print_on(
    pixels: np.ndarray,
    print_: str,
    front: np.ndarray,
    top: float,
    neck: float,
    depth: float,
    cloth: np.ndarray,
    random: np.random.Generator,
) -> None:
    """Draw a print whose upper end lies a little below the front's edge, or farther down."""
    middle = WIDTH // 2
    first = int(top + depth + random.choice([4, 12, 25, 45, 80]) + random.uniform(0, 8))
    ink = np.array(CLOTHS[int(random.integers(len(CLOTHS)))], np.float32)
    if np.abs(ink - cloth).max() < 60:
        ink = 255 - cloth
    colour = tuple(map(float, ink))
    width = int(random.uniform(0.6, 1.6) * neck)
    if print_ == "text":
        size = random.uniform(1.2, 3.0)
        for line, words in enumerate(("I DO NOT CARE", "HOWSFIT")[int(random.integers(2)) :]):
            (wide, high), _ = cv2.getTextSize(words, cv2.FONT_HERSHEY_DUPLEX, size, int(2 + size * 2))
            at = middle - wide // 2, first + (line + 1) * int(high * 1.5)
            cv2.putText(pixels, words, at, cv2.FONT_HERSHEY_DUPLEX, size, colour, int(2 + size * 2), cv2.LINE_AA)
    elif print_ == "head":
        high = int(width * 0.65)
        cv2.ellipse(pixels, (middle, first + high), (width // 2, high), 0, 0, 360, colour, -1, cv2.LINE_AA)
        skin = (222.0, 178.0, 150.0)
        cv2.ellipse(
            pixels, (middle, first + high + 8), (width // 3, int(high * 0.75)), 0, 0, 360, skin, -1, cv2.LINE_AA
        )
        for side in (-1, 1):
            cv2.circle(pixels, (middle + side * width // 8, first + high), max(3, width // 30), (40, 30, 30), -1)
    elif print_ == "picture":
        photo = cv2.GaussianBlur(random.normal(0, 1, (width, width, 3)).astype(np.float32), (0, 0), width / 18)
        photo = np.clip(ink + 60 * photo / photo.std(), 0, 255)
        left, last = middle - width // 2, min(HEIGHT, first + width)
        pixels[first:last, left : left + width] = photo[: last - first]
    elif print_ == "stripes":
        step = int(random.uniform(14, 70))
        rows = np.arange(HEIGHT)
        pixels[(rows - int(random.integers(step))) // step % 2 == 0] = colour
    elif print_ == "block":
        if random.random() < 0.5:
            pixels[first:] = colour
        else:
            pixels[: first + 40] = colour  # a yoke: the shoulders have it too
    elif print_ == "pocket":
        left = middle + int(random.choice([-1, 1]) * random.uniform(0.1, 0.7) * neck) - 50
        shade = tuple(map(float, cloth * 0.8 + 8))
        cv2.rectangle(pixels, (left, first), (left + 100, first + 120), shade, 4)
    elif print_ == "pattern":
        for _ in range(260):
            at = int(random.integers(WIDTH)), int(random.integers(HEIGHT))
            spot = CLOTHS[int(random.integers(len(CLOTHS)))]
            cv2.circle(pixels, at, int(random.uniform(8, 40)), tuple(map(float, spot)), -1, cv2.LINE_AA)
    elif print_ == "badge":
        cv2.circle(pixels, (middle, first + width // 4), width // 4, colour, -1, cv2.LINE_AA)


def _label(inner: np.ndarray, first: float, neck: float, random: np.random.Generator) -> None:
    wide, high = neck * random.uniform(0.15, 0.3), neck * random.uniform(0.08, 0.16)
    corners = (int(WIDTH / 2 - wide / 2), int(first)), (int(WIDTH / 2 + wide / 2), int(first + high))
    cv2.rectangle(inner, *corners, (235, 235, 235) if random.random() < 0.6 else (30, 30, 30), -1)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=270, help="garments to draw")
    parser.add_argument("--first", type=int, default=0, help="number of the first")
    parser.add_argument("--sheet", type=Path, default=Path("out/necklines.png"), help="contact sheet of the mistakes")
    arguments = parser.parse_args()
    rows: dict[tuple[str, bool], list[tuple[bool, bool]]] = {}
    cells = []
    for one in drawn(range(arguments.first, arguments.first + arguments.count)):
        read = read_garment(PARSER, one.cloth, one.mask)
        eaten, found = judged(one, read)
        with_back = bool(one.back.any())
        wrong = eaten > EATEN, with_back and found < MISSED
        rows.setdefault((one.name.split(",")[0], with_back), []).append(wrong)
        if any(wrong):
            cells.append(_cell(one, read))
    print(f"{'':12}{'front alone':>12}{'eaten':>7}   {'with back':>10}{'eaten':>7}{'missed':>8}")
    for print_ in PRINTS:
        alone, both = rows.get((print_, False), []), rows.get((print_, True), [])
        eaten, missed = sum(wrong[0] for wrong in both), sum(wrong[1] for wrong in both)
        print(f"{print_:12}{len(alone):>12}{sum(w[0] for w in alone):>7}   {len(both):>10}{eaten:>7}{missed:>8}")
    if cells:
        columns = 10
        cells += [np.zeros_like(cells[0])] * (-len(cells) % columns)
        arguments.sheet.parent.mkdir(parents=True, exist_ok=True)
        lines = [np.hstack(cells[at : at + columns]) for at in range(0, len(cells), columns)]
        Image.fromarray(np.vstack(lines)).save(arguments.sheet)
        print(arguments.sheet)
    return 0


def _cell(one: Drawn, read: Garment) -> np.ndarray:
    painted = one.cloth.copy()
    cut = one.mask & ~read.body & (np.arange(HEIGHT)[:, None] < read.neckline[:, 1].max())
    painted[cut] = painted[cut] // 2 + (127, 0, 0)
    cv2.polylines(painted, [read.neckline.astype(np.int32)], False, (0, 200, 90), 4)
    left, first = WIDTH // 2 - 200, max(0, int(read.collar[:, 1].min()) - 40)
    return cv2.resize(painted[first : first + 400, left : left + 400], (180, 180), interpolation=cv2.INTER_AREA)


if __name__ == "__main__":
    raise SystemExit(main())
