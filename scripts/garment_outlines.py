"""Draw outlines of garments as shops show them, laid flat or hung: what the category's network learns from.

    .venv/bin/python -m scripts.garment_outlines out/outlines.npz

Lengths are centimetres of real clothes, drawn from ranges; so are the ways to lay them. No photograph is behind any of it.
"""

import argparse
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import cv2
import numpy as np

from scripts.draw_garments import smooth as spline
from services.category.engines.outline.network import brought_to_size
from stagekit.kinds import CATEGORIES

SHARES = (0.5, 0.25, 0.25)
"""Of the categories: shops sell more tops, and who sends one is served worse by a wrong word than others are."""
SHARD = 500
"""Garments that are drawn from one seed."""
PIXELS_PER_CM = 1.1
SIZE = 208  # pixels of the square that a garment is drawn into
TOP = 34  # pixels above it: room for hoods and hangers

Points = list[tuple[float, float]]
"""In centimetres: x from the middle to the right, y down from the highest point of the shoulders or the waist."""


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("output", type=Path)
    parser.add_argument("--garments", type=int, default=40_000, help="to learn from (default %(default)s)")
    wanted = parser.parse_args()
    with ProcessPoolExecutor() as workers:
        shards = list(workers.map(drawn, range(wanted.garments // SHARD)))
        others = list(workers.map(drawn, range(10_000, 10_010)))
    pictures, labels = (np.concatenate(parts) for parts in zip(*shards, strict=True))
    unseen, their_labels = (np.concatenate(parts) for parts in zip(*others, strict=True))
    wanted.output.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(wanted.output, pictures=pictures, labels=labels, others=unseen, their_labels=their_labels)
    print(f"{wanted.output}: {len(labels)} garments, and {len(their_labels)} others")


def drawn(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """(pictures, labels) of a shard: (SHARD, SIDE, SIDE) uint8, and (SHARD,)."""
    cv2.setNumThreads(1)
    rng = np.random.default_rng(seed)
    labels = rng.choice(len(CATEGORIES), SHARD, p=SHARES)
    pictures = [brought_to_size(draw(CATEGORIES[label], rng)) for label in labels]
    return np.round((np.stack(pictures) + 0.5) * 255).astype(np.uint8), labels


class Canvas:
    """A mask that polygons are drawn into."""

    def __init__(self) -> None:
        self.mask = np.zeros((SIZE, SIZE), np.uint8)

    def add(self, points: Points, value: int = 255) -> None:
        """Fill a polygon; value 0 takes away."""
        xy = np.array(points) * PIXELS_PER_CM + (SIZE / 2, TOP)
        cv2.fillPoly(self.mask, [np.round(xy * 16).astype(np.int32)], value, cv2.LINE_AA, shift=4)

    def both(self, points: Points, value: int = 255) -> None:
        """The same and its mirror image."""
        self.add(points, value)
        self.add([(-x, y) for x, y in points], value)


def smooth(points: Points, steps: int = 12) -> Points:
    """The spline of the demo's garments, in fewer steps: these pictures are small."""
    return spline(points, steps)


def draw(category: str, rng: np.random.Generator) -> np.ndarray:
    """One garment of the category: (SIZE, SIZE) bool."""
    kinds: dict[str, Callable[[Canvas, np.random.Generator], None]] = {
        "upper": lambda c, r: draw_top(c, r, dress=False),
        "dress": lambda c, r: draw_top(c, r, dress=True),
        "lower": lambda c, r: draw_trousers(c, r) if r.random() < 0.58 else draw_skirt(c, r),
    }
    canvas = Canvas()
    kinds[category](canvas, rng)
    return spoil(canvas.mask > 127, rng)


def draw_top(canvas: Canvas, rng: np.random.Generator, *, dress: bool) -> None:
    """A top or a dress: trunk, neckline, sleeves or straps."""
    # Half of the width. Most are shown as worn by a doll that was taken out of the picture, narrower than they lie flat.
    chest = (
        rng.uniform(14.5, 20.5) if dress else rng.choice([rng.uniform(14, 20.5), rng.uniform(19, 32)], p=[0.65, 0.35])
    )
    shoulder = float(np.clip(chest * rng.uniform(0.75, 1.12), 12.5, 25))
    slope = rng.uniform(2, 7)
    waist = chest * rng.uniform(0.68, 1.05)
    waist_y = rng.uniform(34, 46)
    if dress:
        length = rng.choice([rng.uniform(80, 95), rng.uniform(90, 145)], p=[0.35, 0.65])
        hem = max(waist, chest) * rng.choice([rng.uniform(0.85, 1.2), rng.uniform(1.2, 2.6)])
    else:
        length = rng.choice([rng.uniform(36, 52), rng.uniform(52, 70), rng.uniform(68, 78)], p=[0.2, 0.68, 0.12])
        hem = chest * rng.choice(
            [rng.uniform(0.85, 1.1), rng.uniform(1.05, 1.45), rng.uniform(1.4, 2.0)], p=[0.72, 0.2, 0.08]
        )
        waist = max(waist, 0.8 * min(hem, chest))
    style = rng.choice(["sleeves", "armholes", "straps", "strapless", "halter"], p=[0.64, 0.2, 0.11, 0.02, 0.03])
    armhole_y = rng.uniform(18, 28)
    top_y = {"sleeves": 0.0, "armholes": 0.0}.get(style, rng.uniform(12, 24))
    neck = rng.uniform(6, min(13, shoulder - 3))
    if style == "armholes":  # from narrow straps to shoulders that drop over the arms
        shoulder = neck + rng.uniform(2.5, 9) if rng.random() < 0.65 else chest * rng.uniform(0.9, 1.05)
        slope = rng.uniform(0.5, 5)
    # Down the right side, from the neck to the middle of the hem.
    if style in ("sleeves", "armholes"):
        inset = 0.0 if style == "sleeves" else min(4.0, chest - shoulder)
        side: Points = [
            (neck, 0),
            (shoulder, slope),
            (shoulder - 0.5 * inset + 0.1, 0.6 * armhole_y),
            (chest, armhole_y),
        ]
    else:
        side = [(rng.uniform(0.5, 0.9) * chest, top_y), (chest, top_y + rng.uniform(2, 8))]
    if dress or rng.random() < 0.5:
        skirt = rng.choice(["line", "full", "straight"]) if dress else "line"
        below = {"line": [], "full": [(0.5 * (waist + hem) * 1.12, 0.6 * (waist_y + length))],
                 "straight": [(0.5 * (waist + hem), 0.5 * (waist_y + length))]}[skirt]  # fmt: skip
        side += [(waist, min(waist_y, length - 6)), *below]
    side += [(hem, length)]
    hem_curve = rng.uniform(-4, 6) if dress or rng.random() < 0.7 else rng.uniform(4, 12)  # shirt tails
    outline = smooth(side[3:] if style in ("sleeves", "armholes") else side, 10)
    outline = [*(smooth(side[:4], 8) if style in ("sleeves", "armholes") else []), *outline]
    outline += smooth([(hem, length), (0.5 * hem, length + 0.7 * hem_curve), (0, length + hem_curve)])
    canvas.both([(0, max(0.0, top_y)), *outline])
    if not dress and rng.random() < 0.06:  # a bodysuit
        cut, crotch = rng.uniform(0.3, 0.9) * hem, length + rng.uniform(12, 22)
        canvas.both(
            [
                (0, length - 3),
                *smooth([(hem, length - 3), (0.5 * hem, length + 4), (hem - cut, crotch - 4)]),
                (3, crotch),
                (0, crotch),
            ]
        )
    if style in ("straps", "halter"):
        width, inner = rng.uniform(0.7, 4), rng.uniform(3, 0.75 * chest)
        meet = rng.uniform(0, 4) if style == "halter" else inner * rng.uniform(0.7, 1.1)
        canvas.both([(inner, top_y + 2), (inner + width, top_y + 2), (meet + width, 0), (meet, 0)])
    if style in ("sleeves", "armholes"):
        depth = rng.choice(
            [rng.uniform(-1, 3), rng.uniform(3, 14), rng.uniform(14, 26)], p=[0.45, 0.42, 0.13]
        )  # the inner back may be part of it
        v = rng.random() < 0.35
        curve = [(neck, -1), (0.45 * neck if v else 0.8 * neck, 0.6 * depth), (0, depth)]
        canvas.both([(0, -6), (neck, -6), *(curve if v else smooth(curve))], 0)
    if style == "sleeves":
        draw_sleeves(canvas, rng, shoulder, slope, armhole_y, chest)
    if rng.random() < 0.15 and style in ("sleeves", "armholes"):  # a collar that stands, of shirts, jackets, polo necks
        wide, high = neck * rng.uniform(0.8, 1.05), rng.uniform(2, 9)
        canvas.both([(0, -high), (0.9 * wide, -high), (wide, 1), (wide, 6), (0, 8)])
    if rng.random() < 0.1 and style == "sleeves":  # a hood, laid flat above the neck, or a high collar
        wide, high = rng.uniform(neck, 15), rng.uniform(4, 30)
        canvas.both(smooth([(0, -high), (0.8 * wide, -0.8 * high), (wide, -0.3 * high), (neck, 3), (0, 6)]))


def draw_sleeves(
    canvas: Canvas, rng: np.random.Generator, shoulder: float, slope: float, armhole_y: float, chest: float
) -> None:
    """Short to long, from hanging beside the trunk to spread, straight or bent at the elbow."""
    length = rng.choice([rng.uniform(8, 26), rng.uniform(30, 46), rng.uniform(48, 66)], p=[0.42, 0.13, 0.45])
    angle = np.radians(rng.choice([rng.uniform(-3, 8), rng.uniform(6, 50), rng.uniform(45, 88)], p=[0.35, 0.5, 0.15]))
    cuff = rng.uniform(4.5, 8) if length > 30 else rng.uniform(7, 13)
    if rng.random() < 0.12:
        cuff *= rng.uniform(1.3, 2.2)  # bells, kimonos
    puff = rng.uniform(1.0, 1.9) if rng.random() < 0.25 else rng.uniform(0.9, 1.05)
    bend = np.radians(rng.uniform(-35, 12)) if length > 30 and rng.random() < 0.45 else 0.0
    for sign in (1, -1):
        own = angle + np.radians(rng.normal(0, 3))
        direction, bent = (np.array([np.sin(a), np.cos(a)]) for a in (own, own + bend))
        start = np.array([0.5 * (shoulder + chest) - 2, 0.5 * (slope + armhole_y)])
        elbow, end = start + 0.5 * length * direction, start + 0.5 * length * (direction + bent)
        across, across_end = (np.array([d[1], -d[0]]) for d in (direction, bent))
        half = 0.5 * (armhole_y - slope) * rng.uniform(0.75, 1.05)
        middle = 0.5 * (half + cuff) * puff
        upper = [(shoulder - 1, slope), tuple(elbow + middle * across), tuple(end + cuff * across_end)]
        lower = [tuple(end - cuff * across_end), tuple(elbow - middle * across), (chest - 1, armhole_y + 1)]
        canvas.add([(sign * x, y) for x, y in smooth(upper, 6) + smooth(lower, 6) + [(0.6 * shoulder, armhole_y)]])


def draw_trousers(canvas: Canvas, rng: np.random.Generator) -> None:
    """Trousers, leggings and shorts: legs apart, side by side, or one upon the other."""
    waist, length = (
        rng.uniform(16, 27),
        rng.choice([rng.uniform(26, 55), rng.uniform(60, 85), rng.uniform(85, 112)], p=[0.3, 0.12, 0.58]),
    )
    hip = waist * rng.uniform(1.05, 1.4)
    rise = min(rng.uniform(22, 36), 0.8 * length)
    opening = rng.uniform(6, 13) if length > 55 else rng.uniform(11, 18)
    if rng.random() < 0.3:
        opening *= rng.uniform(1.2, 2.0)
    spread = np.radians(rng.choice([rng.uniform(-2, 3), rng.uniform(2, 14)]))
    canvas.both(
        [(0, rng.uniform(-1, 2)), (waist, 0), *smooth([(waist, 0), (hip, 0.8 * rise), (hip, rise)]), (0, rise + 2)]
    )
    knee = 0.5 * (rise + length)
    for sign in (1, -1):
        own = spread + np.radians(rng.normal(0, 1))
        shift, knee_shift = np.tan(own) * (length - rise), np.tan(own) * (knee - rise)
        middle = 0.5 * hip
        outer: Points = [
            (hip, rise),
            (middle + knee_shift + 0.5 * (opening + middle), knee),
            (middle + shift + opening, length),
        ]
        inner: Points = [
            (middle + shift - opening, length),
            (middle + knee_shift - 0.5 * (opening + middle), knee),
            (-0.4, rise),
        ]
        canvas.add([(sign * x, y) for x, y in smooth(outer) + smooth(inner) + [(0, rise - 4)]])


def draw_skirt(canvas: Canvas, rng: np.random.Generator) -> None:
    """Straight, pencil, A-line, full; mini to maxi."""
    waist = rng.uniform(15, 26)
    length = rng.choice([rng.uniform(32, 50), rng.uniform(50, 75), rng.uniform(75, 105)], p=[0.45, 0.35, 0.2])
    shape = rng.choice(["straight", "a-line", "full", "pencil"])
    hip = waist * rng.uniform(1.1, 1.45)
    hem = {"straight": hip * rng.uniform(0.95, 1.1), "a-line": hip * rng.uniform(1.1, 1.7),
           "full": hip * rng.uniform(1.5, 2.6), "pencil": hip * rng.uniform(0.75, 0.98)}[shape]  # fmt: skip
    hips = [(hip, min(20.0, 0.45 * length))] if shape in ("straight", "pencil") else []
    if shape == "full" and rng.random() < 0.5:
        hips = [(0.6 * waist + 0.4 * hem, 0.25 * length)]
    curve = rng.uniform(-2, 9)
    side = smooth([(waist, 0), (waist * 1.01, 3), *hips, (hem, length)])
    hem_line = smooth([(hem, length), (0.5 * hem, length + 0.7 * curve), (0, length + curve)])
    canvas.both([(0, rng.uniform(-1.5, 2)), *side, *hem_line])


def spoil(mask: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """As a camera and a cutter leave it: turned, stretched, wavy, with ragged edges, a hanger, a bite or a blob."""
    out = mask.astype(np.uint8) * 255
    if rng.random() < 0.12:  # a hanger's hook
        x = SIZE // 2 + int(rng.integers(-6, 7))
        cv2.line(
            out,
            (x, TOP + 3),
            (x + int(rng.integers(-3, 4)), TOP - int(rng.integers(5, 23))),
            255,
            int(rng.integers(1, 4)),
        )
    turn = cv2.getRotationMatrix2D((SIZE / 2, SIZE / 2), float(rng.normal(0, 3.5)), 0.86)
    turn[0, :2] *= rng.uniform(0.82, 1.12)  # many catalogues bring all pictures to one shape
    turn[0, 2] += SIZE / 2 * (1 - turn[0, 0] / 0.86)
    grid_y, grid_x = np.mgrid[0:SIZE, 0:SIZE].astype(np.float32)
    waves = cv2.resize(rng.normal(0, 1, (7, 7, 2)).astype(np.float32), (SIZE, SIZE), interpolation=cv2.INTER_CUBIC)
    out = cv2.warpAffine(out, turn, (SIZE, SIZE), flags=cv2.INTER_LINEAR)
    out = cv2.remap(out, grid_x + 2.2 * waves[..., 0], grid_y + 2.2 * waves[..., 1], cv2.INTER_LINEAR)
    noise = cv2.GaussianBlur(rng.normal(0, 1, (SIZE, SIZE)).astype(np.float32), (0, 0), rng.uniform(1, 3))
    out = cv2.GaussianBlur(out, (0, 0), 1.3).astype(np.float32) / 255 + rng.uniform(0, 0.8) * noise
    found = (out > 0.5).astype(np.uint8)
    if rng.random() < 0.1:  # a bite, or something that lies against it
        x, y, r = rng.integers(60, SIZE - 60), rng.integers(20, SIZE - 40), rng.integers(3, 14)
        found = cv2.circle(found, (int(x), int(y)), int(r), int(rng.integers(0, 2)), -1)
    _, pieces, facts, _ = cv2.connectedComponentsWithStats(found)
    largest = 1 + int(facts[1:, cv2.CC_STAT_AREA].argmax()) if len(facts) > 1 else 0
    return np.asarray(pieces == largest)


if __name__ == "__main__":
    main()
