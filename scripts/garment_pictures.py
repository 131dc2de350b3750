"""Draw pictures of garments with their true parts and landmarks, for the garment parser to learn from.

.venv/bin/python -m scripts.garment_pictures out/garments.png        looks at some of them

Lengths are centimetres of real clothes, drawn from ranges; so are ways to cut them, to lay or hang them, their cloth, their
light and the faults of the mask that comes with them. No photograph is behind any of it. Needs NumPy and OpenCV only.
"""

import argparse
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np

from garment_parser.parts import CATEGORIES, HEIGHT, LANDMARKS, MARGIN, PARTS, SLEEVES, WIDTH

SCALE = 2
"""Drawn at so many times the size."""

Points = np.ndarray
"""(n, 2) x, y in centimetres: x from the middle to the right, y down from the highest point of shoulders or waist."""

MAIN, TRIM, OTHER, LINING, LOWER = range(5)
"""Cloths of one garment: most of it; bands and cuffs; sleeves or yokes of another colour; the back's inside; the lower half."""

COLOURS = np.array(
    [[200, 40, 50], [30, 60, 140], [40, 110, 80], [230, 190, 60], [120, 80, 60], [90, 50, 110], [240, 150, 170],
     [150, 190, 220], [60, 60, 70], [200, 180, 150], [230, 110, 50], [110, 130, 70]], np.float32)  # fmt: skip


PATTERNS = {"plain": 0.46, "stripes": 0.15, "checks": 0.05, "blots": 0.14, "dots": 0.04, "heather": 0.07, "blend": 0.04,
            "photo": 0.05}  # fmt: skip
"""How often a cloth has which."""


@dataclass
class Sample:
    """What one drawing teaches."""

    picture: np.ndarray
    """uint8 RGB (HEIGHT, WIDTH, 3)."""
    mask: np.ndarray
    """uint8 (HEIGHT, WIDTH), 0 or 255: the garment as a cut-out may find it, with faults."""
    parts: np.ndarray
    """uint8 (HEIGHT, WIDTH): index into PARTS."""
    landmarks: np.ndarray
    """float32 (len(LANDMARKS), 3): x, y in pixels, and 1 where the garment has it."""
    category: int
    """Index into CATEGORIES."""
    sleeves: int
    """Index into SLEEVES; -1 for lower garments."""


@dataclass
class Piece:
    """A piece of cloth; those added later lie on top."""

    outline: Points
    part: int
    cloth: int
    light: float
    seam: float
    """How dark its outline is drawn, 0 for not at all."""


@dataclass
class Garment:
    """Pieces from back to front, and landmarks."""

    category: int
    sleeves: int = -1
    pieces: list[Piece] = field(default_factory=list)
    lines: list[tuple[Points, float, float]] = field(default_factory=list)
    """Seams, zips, plackets: points, width in cm, light."""
    marks: dict[str, tuple[float, float]] = field(default_factory=dict)

    def add(self, part: str, outline: Points, cloth: int = MAIN, light: float = 1.0, seam: float = 0.0) -> None:
        self.pieces.append(Piece(np.asarray(outline, float), PARTS.index(part), cloth, light, seam))

    def both(self, name: str, point: tuple[float, float]) -> None:
        """A landmark on the right side, and its mirror image."""
        x, y = float(point[0]), float(point[1])
        self.marks |= {f"right_{name}": (x, y), f"left_{name}": (-x, y)}


def draw(seed: int) -> Sample:
    """One garment."""
    cv2.setNumThreads(1)
    rng = np.random.default_rng(seed)
    kind = rng.choice(["top", "dress", "trousers", "skirt"], p=[0.64, 0.16, 0.12, 0.08])
    makers: dict[str, Callable[[np.random.Generator], Garment]] = {
        "top": lambda r: make_top(r, dress=False),
        "dress": lambda r: make_top(r, dress=True),
        "trousers": make_trousers,
        "skirt": make_skirt,
    }
    return Rendering(makers[kind](rng), rng).sample()


# -- cuts ---------------------------------------------------------------------------------------------------------------


def make_top(rng: np.random.Generator, *, dress: bool) -> Garment:
    """A top or a dress."""
    made = Garment(CATEGORIES.index("dress" if dress else "upper"))
    style = rng.choice(["sleeves", "armholes", "straps", "strapless", "halter"], p=[0.68, 0.16, 0.11, 0.02, 0.03])
    chest = pick(rng, (0.6, 14, 20.5), (0.4, 19, 31))
    shoulder = float(np.clip(chest * rng.uniform(0.72, 1.08), 12, 26))
    slope, armhole = rng.uniform(1.5, 8), pick(rng, (0.92, 17, 29), (0.08, 29, 42))
    length = (
        pick(rng, (0.35, 80, 95), (0.65, 90, 145))
        if dress
        else pick(rng, (0.2, 34, 50), (0.65, 50, 70), (0.15, 66, 80))
    )
    waist_y = min(rng.uniform(34, 46), length - 6)
    waist = chest * rng.uniform(0.68, 1.02)
    hem = max(waist, chest) * pick(rng, (0.35, 0.85, 1.2), (0.65, 1.2, 2.6)) if dress else chest * pick(
        rng, (0.72, 0.85, 1.1), (0.2, 1.05, 1.45), (0.08, 1.4, 2.0))  # fmt: skip
    if not dress:
        waist = max(waist, 0.78 * min(hem, chest)) if rng.random() < 0.7 else 0.5 * (chest + hem)
    top_y = rng.uniform(10, 22) if style in ("straps", "halter", "strapless") else 0.0
    neck = rng.uniform(5.5, min(13, shoulder - 3)) if rng.random() < 0.8 else rng.uniform(6, shoulder - 2)
    if style == "armholes":
        shoulder = neck + rng.uniform(2, 9) if rng.random() < 0.65 else chest * rng.uniform(0.88, 1.04)
        slope = rng.uniform(0.5, 5)
    if style == "sleeves" and rng.random() < 0.07:  # wide boat necks, and off the shoulder
        neck = shoulder - rng.uniform(0.3, 2)
    armpit = (chest, max(armhole, top_y + rng.uniform(1, 8)))
    hem_curve = rng.uniform(-4, 6) if dress or rng.random() < 0.75 else rng.uniform(4, 14)
    below = [*_skirt_side(rng, dress, waist, waist_y, hem, length), (hem, length)]
    side = smooth([armpit, (waist, max(waist_y, armpit[1] + 4)), *below], 10)
    hem_line = smooth([(hem, length), (0.5 * hem, length + 0.75 * hem_curve), (0, length + hem_curve)], 6)
    made.both("hem", (hem, length))
    made.both("armpit", armpit)
    if dress:
        made.both("waist", (waist, waist_y))
    lining_light = rng.uniform(0.45, 0.97)
    if style in ("sleeves", "armholes"):
        depth = pick(rng, (0.5, 4, 10), (0.32, 9, 20), (0.18, 16, 34))
        power = float(rng.choice([1.0, 1.25, 1.7, 2.2, 3.0, 7.0], p=[0.27, 0.09, 0.2, 0.27, 0.12, 0.05]))
        if neck > shoulder - 2.5:
            depth, power = rng.uniform(1, 9), rng.uniform(1.6, 4)
        depth = min(depth, length - 12)
        x = neck * np.linspace(1, 0, 16)
        front = np.stack([x, depth * (1 - (x / neck) ** power)], axis=1)
        behind = rng.uniform(-1, 2.5) if rng.random() < 0.7 else rng.uniform(0.1, 0.9) * depth
        back = np.stack([x, behind * (1 - (x / neck) ** 2)], axis=1)
        inset = rng.uniform(0, 4) if style == "sleeves" else rng.uniform(0, 6)
        seam = smooth(
            [(shoulder, slope), (min(shoulder, chest) - 0.6 * inset, 0.55 * armhole + 0.3 * slope), armpit], 8
        )
        bow = (0.5 * (neck + shoulder), 0.5 * slope - rng.uniform(-0.5, 0.6))
        upper = np.vstack([smooth([(neck, 0), bow, (shoulder, slope)], 4), seam])
        made.both("collar", (neck, 0))
        made.both("shoulder", (shoulder, slope))
        made.marks["neck"] = (0.0, float(depth))
    else:
        upper, front, back = _strapped(made, rng, style, chest, armpit, top_y)
        depth, seam, inset = float(front[-1, 1]), upper, 0.0
    shown = rng.random() < (0.8 if style in ("sleeves", "armholes") else 0.45)
    if shown:
        made.add("inside", mirrored(np.vstack([back, front[::-1]])), LINING, lining_light)
        if style == "armholes" and rng.random() < 0.4:  # the back's armholes stand out beside the front's
            out = seam + np.stack(
                [rng.uniform(0.5, 2.5) * np.sin(np.linspace(0, np.pi, len(seam))), 0 * seam[:, 0]], axis=1
            )
            for sign in (1, -1):
                made.add("inside", np.vstack([seam, out[::-1]]) * (sign, 1), LINING, lining_light)
        if rng.random() < 0.5 and depth > 5:  # a label
            high, wide, y = rng.uniform(1.5, 5), rng.uniform(1, 3.5), float(back[-1, 1]) + rng.uniform(0.5, 2)
            made.add("inside", box(-wide, y, wide, min(y + high, depth)), TRIM, rng.uniform(0.8, 1.3))
    if rng.random() < 0.05 and style == "sleeves":  # a hood behind
        wide, high = max(neck, rng.uniform(8, 15)), rng.uniform(4, 28)
        made.add(
            "inside",
            mirrored(smooth([(0, -high), (0.8 * wide, -0.8 * high), (wide, -0.3 * high), (neck, 3), (0, 6)], 6)),
        )
    if rng.random() < 0.08:
        _hanger(made, rng, shoulder)
    sleeves = style == "sleeves" or (style == "straps" and rng.random() < 0.2)
    behind, before = [], []
    if sleeves:
        root = (
            (shoulder, slope) if style == "sleeves" else (chest * rng.uniform(0.95, 1.15), top_y + rng.uniform(-6, 2))
        )
        made.sleeves, behind, before = _sleeves(made, rng, root, armpit, seam if style == "sleeves" else None)
    else:
        made.sleeves = SLEEVES.index("none")
    for piece in behind:
        made.pieces.append(piece)
    seam_dark = rng.uniform(0, 0.4) if rng.random() < 0.75 else 0.0
    if dress:
        lower = LOWER if rng.random() < 0.2 else MAIN
        made.add("skirt", mirrored(np.vstack([[(0, waist_y)], side[10:], hem_line])), lower, seam=0.5 * seam_dark)
        made.add("trunk", mirrored(np.vstack([front[::-1], upper, side[:11], [(0, waist_y + 0.3)]])), seam=seam_dark)
        if rng.random() < 0.3:  # a belt or a waistband
            wide = rng.uniform(1, 4)
            made.lines.append((np.array([(-waist, waist_y), (waist, waist_y)]), wide, rng.uniform(0.4, 1.1)))
        for _ in range(int(rng.integers(0, 4)) if rng.random() < 0.25 else 0):  # tiers and frills
            y = rng.uniform(waist_y + 5, length)
            made.lines.append((np.array([(-2 * hem, y), (2 * hem, y + rng.normal(0, 1))]), 0.4, rng.uniform(0.6, 0.95)))
    else:
        if rng.random() < 0.06:  # a body
            cut_x, crotch = rng.uniform(0.3, 0.9) * hem, length + rng.uniform(12, 22)
            leg = smooth([(hem, length - 1), (0.5 * hem, length + 4), (hem - cut_x, crotch - 4)], 5)
            pants = [(0, length - 6), (hem, length - 4), *leg, (3, crotch), (0, crotch)]
            made.add("trunk", mirrored(np.array(pants)), LOWER if rng.random() < 0.5 else MAIN, seam=0.2)
        made.add("trunk", mirrored(np.vstack([front[::-1], upper, side, hem_line])), seam=seam_dark)
        if rng.random() < 0.3:  # a ribbed hem
            y = length - rng.uniform(2, 7)
            made.lines.append((np.array([(-1.2 * hem, y), (1.2 * hem, y)]), 0.3, rng.uniform(0.6, 0.95)))
    made.pieces.extend(before)
    _fronts(made, rng, style, neck, depth, front, length)
    return made


def _skirt_side(
    rng: np.random.Generator, dress: bool, waist: float, waist_y: float, hem: float, length: float
) -> list[tuple[float, float]]:
    """Points of the side between waist and hem."""
    if not dress:
        return []
    shape = rng.choice(["line", "full", "straight"])
    if shape == "full":
        return [(0.5 * (waist + hem) * 1.12, 0.6 * (waist_y + length))]
    return [(0.5 * (waist + hem), 0.5 * (waist_y + length))] if shape == "straight" else []


def _strapped(
    made: Garment, rng: np.random.Generator, style: str, chest: float, armpit: tuple[float, float], top_y: float
) -> tuple[Points, Points, Points]:
    """Straps, a halter or nothing: the upper edge of the side, of the front and of the back."""
    width = pick(rng, (0.6, 0.5, 1.8), (0.4, 1.8, 6))
    base = rng.uniform(0.35, 0.8) * chest
    drop = rng.uniform(-2, 9)
    power = float(rng.choice([1.0, 1.6, 2.5, 6.0]))
    x = base * np.linspace(1, 0, 14)
    front = np.stack([x, top_y + drop * (1 - (x / base) ** power)], axis=1)
    back = np.stack([x, top_y + rng.uniform(-6, 6) + 0 * x], axis=1)
    made.marks["neck"] = (0.0, float(front[-1, 1]))
    if style == "strapless":
        return smooth([(base, top_y), (chest - 0.5, top_y + 1), armpit], 6), front, back
    meet = rng.uniform(0.2, 4) if style == "halter" else base * rng.uniform(0.55, 1.08)
    middle = (0.5 * (base + meet) + rng.normal(0, 1.2), 0.5 * top_y)
    inner = smooth([(base, top_y + 0.5), middle, (meet, 0)], 8)
    outer = inner + (width, 0)
    outer[-1, 1] += 0.25 * width
    cloth = TRIM if rng.random() < 0.25 else MAIN
    for sign in (1, -1):
        if rng.random() < 0.4:  # the strap's back half beside it
            made.add(
                "strap",
                np.vstack([inner + (rng.normal(0, 1.5), 0), outer[::-1] + (rng.normal(0, 1.5), 0)]) * (sign, 1),
                cloth,
                0.8,
            )
        made.add("strap", np.vstack([inner, outer[::-1]]) * (sign, 1), cloth, seam=rng.uniform(0, 0.3))
    made.both("collar", (meet, 0))
    made.both("shoulder", (meet + width, 0.25 * width))
    side = smooth(
        [(base + width, top_y + 0.5), (0.5 * (base + width + armpit[0]), top_y + 0.75 * (armpit[1] - top_y)), armpit], 6
    )
    return side, front, back


def _sleeves(
    made: Garment, rng: np.random.Generator, root: tuple[float, float], armpit: tuple[float, float], seam: Points | None
) -> tuple[int, list[Piece], list[Piece]]:
    """Their kind, and their pieces behind and before the trunk."""
    kind = int(rng.choice([1, 2, 3], p=[0.36, 0.16, 0.48]))
    length = {1: pick(rng, (0.15, 4, 10), (0.85, 10, 27)), 2: rng.uniform(31, 44), 3: rng.uniform(50, 68)}[kind]
    shape = {
        "length": length,
        "cuff": rng.uniform(4, 8) if kind > 1 else rng.uniform(6.5, 13),
        "puff": rng.uniform(1.0, 1.9) if rng.random() < 0.2 else rng.uniform(0.88, 1.05),
        "half": 0.5 * (armpit[1] - root[1]) * rng.uniform(0.6, 1.0),
        "head": rng.uniform(0, 4) if rng.random() < 0.2 else 0.0,
        "angle": pick(rng, (0.42, -3, 9), (0.46, 6, 50), (0.12, 45, 90)),
        "bend": pick(rng, (0.55, -4, 4), (0.45, -40, 15)) if kind > 1 else 0.0,
        "shift": rng.uniform(-0.2, 1.15),
        "before": rng.random() < 0.5,
    }
    if rng.random() < 0.13:  # bells, kimonos
        shape["cuff"] *= rng.uniform(1.3, 2.3)
    cloth = OTHER if rng.random() < 0.15 else MAIN
    cuffs = rng.random() < 0.4
    band, cuff_cloth, cuff_light = rng.uniform(1.5, 7), TRIM if rng.random() < 0.3 else cloth, rng.uniform(0.8, 1.08)
    raglan = cloth == OTHER and seam is not None and rng.random() < 0.4
    behind: list[Piece] = []
    before: list[Piece] = []
    light, dark = rng.uniform(0.82, 1.08), rng.uniform(0, 0.45) if rng.random() < 0.8 else 0.0
    for sign, side in ((1, "right"), (-1, "left")):
        own = dict(shape)
        own["angle"] += rng.normal(0, 3.5)
        own["bend"] += rng.normal(0, 4) if kind > 1 else 0
        if rng.random() < 0.08:  # laid another way than its fellow
            own |= {"angle": rng.uniform(-6, 60), "bend": rng.uniform(-35, 15) if kind > 1 else 0.0}
        if kind > 1 and rng.random() < 0.06:  # folded over the trunk
            own |= {"angle": rng.uniform(0, 30), "bend": rng.uniform(-140, -50), "before": True}
        outer, inner = _sleeve_edges(own, root, armpit)
        edge = seam[::-1] if seam is not None else np.array([armpit, root])
        pieces = [Piece(np.vstack([outer, inner, edge]) * (sign, 1), PARTS.index(side + "_sleeve"), cloth, light, dark)]
        if raglan:
            pieces[0].cloth = OTHER
        if cuffs:
            share = min(0.4, band / length)
            a, b = along(outer[::-1], share), along(inner, share)
            pieces.append(
                Piece(
                    np.vstack([outer[-1:], a, b, inner[:1]]) * (sign, 1),
                    PARTS.index(side + "_sleeve"),
                    cuff_cloth,
                    light * cuff_light,
                    0.3,
                )
            )
        (before if own["before"] else behind).extend(pieces)
        made.marks[side + "_cuff_outer"] = (sign * outer[-1, 0], outer[-1, 1])
        made.marks[side + "_cuff_inner"] = (sign * inner[0, 0], inner[0, 1])
        if kind > 1 and rng.random() < 0.5:  # folds at the elbow
            x, y = 0.5 * (outer[len(outer) // 2] + inner[len(inner) // 2])
            made.lines.append(
                (
                    np.array([(sign * (x - 4), y - rng.uniform(-3, 3)), (sign * (x + 4), y + rng.uniform(-3, 3))]),
                    0.5,
                    rng.uniform(0.75, 0.95),
                )
            )
    return kind, behind, before


def _sleeve_edges(
    shape: dict[str, float], root: tuple[float, float], armpit: tuple[float, float]
) -> tuple[Points, Points]:
    """Of a right sleeve: from the shoulder to the cuff, and from the cuff to the armpit."""
    first, second = np.radians(shape["angle"]), np.radians(shape["angle"] + shape["bend"])
    direction, bent = (np.array([np.sin(a), np.cos(a)]) for a in (first, second))
    across, across_end = (np.array([d[1], -d[0]]) for d in (direction, bent))
    middle = 0.5 * (shape["half"] + shape["cuff"]) * shape["puff"]
    start = 0.5 * (np.array(root) + armpit)
    elbow = (
        start
        + 0.5 * shape["length"] * direction
        + shape["shift"] * middle * across * np.clip(1 - shape["angle"] / 40, 0, 1)
    )
    end = elbow + 0.5 * shape["length"] * bent
    if shape["length"] < 12:  # caps
        elbow = 0.5 * (start + end)
    head = [
        (
            root[0] + 0.35 * shape["half"] + 0.5 * shape["head"],
            root[1] - shape["head"] + 0.2 * shape["half"] * np.cos(first) ** 2,
        )
    ]
    outer = smooth(
        [
            root,
            *(head if shape["head"] else []),
            tuple(elbow + middle * across),
            tuple(end + shape["cuff"] * across_end),
        ],
        10,
    )
    inner = smooth([tuple(end - shape["cuff"] * across_end), tuple(elbow - middle * across), armpit], 10)
    return outer, inner


def _fronts(
    made: Garment, rng: np.random.Generator, style: str, neck: float, depth: float, front: Points, length: float
) -> None:
    """What lies on the front: collars, bands, plackets, buttons, zips, wraps."""
    if style in ("sleeves", "armholes"):
        what = rng.choice(["plain", "band", "shirt", "stand", "turtle"], p=[0.34, 0.36, 0.13, 0.06, 0.11])
        if neck > 11.5 or depth > 22:
            what = "plain" if rng.random() < 0.5 else "band"
        if what == "band":
            wide = rng.uniform(0.7, 3.5)
            line = np.vstack([front, (front * (-1, 1))[::-1]])
            outer = line + np.stack([0 * line[:, 0], np.full(len(line), wide)], axis=1)
            made.add(
                "trunk",
                np.vstack([line, outer[::-1]]),
                TRIM if rng.random() < 0.4 else MAIN,
                rng.uniform(0.82, 1.05),
                rng.uniform(0, 0.4),
            )
        if what == "shirt":
            leaf, drop = rng.uniform(5, 9), rng.uniform(4, 12)
            gap = min(depth, rng.uniform(1, 8))
            light, dark = rng.uniform(0.9, 1.08), rng.uniform(0.1, 0.5)
            for sign in (1, -1):
                points = [
                    (0.3, gap),
                    (0.75 * neck, -rng.uniform(0.5, 3)),
                    (neck + 1.2, 0.5),
                    (neck + rng.uniform(-1, 3), drop),
                    (0.5 * neck, gap + leaf),
                ]
                made.add("collar", np.array(points) * (sign, 1), TRIM if rng.random() < 0.15 else MAIN, light, dark)
        if what in ("stand", "turtle"):
            high = rng.uniform(1.5, 5) if what == "stand" else rng.uniform(4, 14)
            wide = neck * rng.uniform(0.75, 1.0)
            sag = min(depth, rng.uniform(1, 5))
            top = rng.uniform(-0.6, 1.2)
            outline = [
                (0, top - high),
                (wide, -high),
                (neck, 0),
                *map(tuple, np.stack([front[:, 0], front[:, 1] * sag / max(depth, 1e-3)], axis=1)[1:]),
            ]
            made.add(
                "collar",
                mirrored(np.array(outline)),
                TRIM if rng.random() < 0.15 else MAIN,
                rng.uniform(0.85, 1.05),
                rng.uniform(0, 0.4),
            )
            # What would be the opening is the garment's own front here.
            made.pieces.insert(
                -1,
                Piece(
                    mirrored(np.array([(0, sag), (neck, 0), *map(tuple, front), (0, depth)])),
                    PARTS.index("trunk"),
                    MAIN,
                    1.0,
                    0,
                ),
            )
            if what == "turtle" and rng.random() < 0.4:
                y = -high * rng.uniform(0.2, 0.6)
                made.lines.append((np.array([(-wide, y), (wide, y + rng.normal(0, 0.4))]), 0.3, rng.uniform(0.6, 0.9)))
            if rng.random() < 0.5:
                made.add(
                    "inside",
                    mirrored(
                        smooth(
                            [
                                (0, -high - 0.6),
                                (0.6 * wide, -high - 0.4),
                                (wide, -high),
                                (0.6 * wide, top - high - 0.1),
                                (0, top - high),
                            ],
                            4,
                        )
                    ),
                    LINING,
                    0.7,
                )
            made.marks["neck"] = (0.0, float(sag))
            made.both("collar_top", (wide, -high))
    if rng.random() < 0.2:  # a placket or a zip, open at its upper end or to the hem
        x, end = rng.normal(0, 0.4), rng.choice([depth + rng.uniform(8, 25), length])
        made.lines.append((np.array([(x, depth), (x, end)]), rng.uniform(0.25, 1.2), rng.uniform(0.55, 1.05)))
        step = rng.uniform(5, 9)
        for y in np.arange(depth + 2, end, step) if rng.random() < 0.7 else ():
            made.lines.append((np.array([(x, y), (x, y + 0.1)]), rng.uniform(0.8, 1.6), rng.uniform(0.3, 1.4)))
    elif rng.random() < 0.08 and depth > 8 and style in ("sleeves", "armholes"):  # a wrap
        made.lines.append(
            (np.array([(0.0, depth), (rng.uniform(-12, 12), depth + rng.uniform(12, 30))]), 0.4, rng.uniform(0.6, 0.9))
        )


def _hanger(made: Garment, rng: np.random.Generator, shoulder: float) -> None:
    wide, light = shoulder * rng.uniform(0.7, 1.0), rng.uniform(0.3, 1.2)
    bar = np.array([(-wide, 5), (-2, -rng.uniform(0, 3)), (2, -1), (wide, 5), (wide, 6.5), (0, 1.5), (-wide, 6.5)])
    made.add("ground", bar, TRIM, light)
    hook = np.array([(0, -1), (0, -6), (2, -8), (3, -6)]) * (rng.choice([-1, 1]), rng.uniform(0.7, 1.6))
    thick = rng.uniform(0.15, 0.5)
    made.add("ground", np.vstack([hook + thick, hook[::-1] - thick]), TRIM, light)


def make_trousers(rng: np.random.Generator) -> Garment:
    """Trousers, leggings and shorts: legs apart, side by side, or one upon the other."""
    made = Garment(CATEGORIES.index("lower"))
    waist, length = rng.uniform(15, 27), pick(rng, (0.25, 26, 55), (0.12, 60, 85), (0.63, 85, 112))
    hip = waist * rng.uniform(1.03, 1.4)
    rise = min(rng.uniform(20, 36), 0.8 * length)
    opening = rng.uniform(5.5, 13) if length > 55 else rng.uniform(10, 18)
    if rng.random() < 0.35:
        opening *= rng.uniform(1.2, 2.0)
    spread = np.radians(pick(rng, (0.55, -2, 3), (0.45, 2, 14)))
    knee_y, light, dark = 0.5 * (rise + length), rng.uniform(0.9, 1.0), rng.uniform(0, 0.45)
    narrow = rng.uniform(0.7, 1.05)
    made.both("waist", (waist, 0))
    made.marks["crotch"] = (0.0, rise)
    if rng.random() < 0.5:
        made.add(
            "left_leg",
            mirrored(smooth([(0, rng.uniform(-1, 0)), (0.6 * waist, -0.5), (waist, 0), (0, 4)], 4)),
            LINING,
            rng.uniform(0.5, 0.95),
        )
        made.pieces[-1].part = PARTS.index("inside")
    sides = [(1, "right"), (-1, "left")]
    for sign, side in sides if rng.random() < 0.5 else sides[::-1]:
        own = spread + np.radians(rng.normal(0, 1))
        shift, knee_shift = np.tan(own) * (length - rise), np.tan(own) * (knee_y - rise)
        middle, knee = 0.5 * hip, 0.5 * (opening + 0.5 * hip) * narrow
        outer = smooth(
            [(waist, 0), (hip, 0.75 * rise), (middle + knee_shift + knee, knee_y), (middle + shift + opening, length)],
            8,
        )
        inner = smooth(
            [
                (middle + shift - opening, length + rng.uniform(-1, 1)),
                (middle + knee_shift - knee, knee_y),
                (-0.4, rise),
            ],
            8,
        )
        made.add(side + "_leg", np.vstack([outer, inner, [(0, rise), (0, 0.5)]]) * (sign, 1), light=light, seam=dark)
        made.marks[side + "_leg_outer"] = (sign * outer[-1, 0], outer[-1, 1])
        made.marks[side + "_leg_inner"] = (sign * inner[0, 0], inner[0, 1])
        if rng.random() < 0.4:  # pockets, creases
            x = sign * rng.uniform(0.5, 0.9) * waist
            made.lines.append((np.array([(x, 4), (sign * hip, rng.uniform(10, 18))]), 0.3, rng.uniform(0.5, 0.9)))
        if rng.random() < 0.3:
            made.lines.append(
                (np.array([(sign * middle, rise), (sign * (middle + shift), length)]), 0.3, rng.uniform(0.7, 1.15))
            )
    if rng.random() < 0.7:
        y = rng.uniform(2.5, 6)
        made.lines.append((np.array([(-waist, y), (waist, y)]), 0.3, rng.uniform(0.5, 0.95)))
    made.lines.append((np.array([(0, 0), (0, rise)]), 0.3, rng.uniform(0.5, 1.0)))
    return made


def make_skirt(rng: np.random.Generator) -> Garment:
    """Straight, pencil, A-line, full; mini to maxi."""
    made = Garment(CATEGORIES.index("lower"))
    waist, length = rng.uniform(15, 26), pick(rng, (0.45, 30, 50), (0.35, 50, 75), (0.2, 75, 105))
    shape = rng.choice(["straight", "a-line", "full", "pencil"])
    hip = waist * rng.uniform(1.05, 1.45)
    hem = {"straight": hip * rng.uniform(0.95, 1.1), "a-line": hip * rng.uniform(1.1, 1.7),
           "full": hip * rng.uniform(1.5, 2.6), "pencil": hip * rng.uniform(0.75, 0.98)}[shape]  # fmt: skip
    hips = [(hip, min(20.0, 0.45 * length))] if shape in ("straight", "pencil") else []
    if shape == "full" and rng.random() < 0.5:
        hips = [(0.6 * waist + 0.4 * hem, 0.25 * length)]
    curve = rng.uniform(-2, 9)
    side = smooth([(waist, 0), (waist * 1.01, 3), *hips, (hem, length)], 10)
    hem_line = smooth([(hem, length), (0.5 * hem, length + 0.7 * curve), (0, length + curve)], 6)
    made.both("waist", (waist, 0))
    made.both("hem", (hem, length))
    if rng.random() < 0.4:
        made.add(
            "inside",
            mirrored(smooth([(0, -1), (0.6 * waist, -0.7), (waist, 0), (0, 4)], 4)),
            LINING,
            rng.uniform(0.5, 0.95),
        )
    made.add("skirt", mirrored(np.vstack([[(0, rng.uniform(-0.8, 2))], side, hem_line])), seam=rng.uniform(0, 0.3))
    if rng.random() < 0.7:
        y = rng.uniform(1.5, 6)
        made.lines.append((np.array([(-waist, y), (waist, y)]), 0.3, rng.uniform(0.5, 0.95)))
    for x in np.linspace(-1, 1, int(rng.integers(4, 16))) if rng.random() < 0.35 else ():  # pleats
        made.lines.append((np.array([(x * waist, 4), (x * hem, length)]), 0.4, rng.uniform(0.7, 0.92)))
    return made


# -- pictures -----------------------------------------------------------------------------------------------------------


class Rendering:
    """A garment laid onto a ground and photographed."""

    def __init__(self, garment: Garment, rng: np.random.Generator) -> None:
        self.garment, self.rng = garment, rng
        self.size = (HEIGHT * SCALE, WIDTH * SCALE)
        self._lay()

    def _lay(self) -> None:
        """Centimetres -> pixels: turned, stretched, wavy, and as large as the frame allows."""
        rng = self.rng
        turn = np.radians(rng.normal(0, 2.5) if rng.random() < 0.85 else rng.uniform(-16, 16))
        matrix = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]]) @ np.diag(
            [rng.uniform(0.84, 1.14), 1.0]
        )
        waves = [
            (
                rng.normal(0, 1, 2) * rng.uniform(0, 1.1),
                rng.uniform(0.03, 0.16, 2) * rng.choice([-1, 1], 2),
                rng.uniform(0, 6.3),
            )
            for _ in range(4)
        ]

        def bent(points: Points) -> Points:
            points = np.asarray(points, float)
            moved = points + sum(size * np.sin(points @ pace + phase)[:, None] for size, pace, phase in waves)
            return moved @ matrix.T

        self._bent = bent
        keeps_hanger = rng.random() < 0.6
        shown = [bent(piece.outline) for piece in self.garment.pieces if piece.part or keeps_hanger]
        low, high = np.vstack(shown).min(axis=0), np.vstack(shown).max(axis=0)
        room = np.array([WIDTH, HEIGHT]) * (1 - 2 * MARGIN) * SCALE
        self._zoom = float((room / np.maximum(high - low, 1)).min()) * rng.uniform(0.93, 1.04)
        self._shift = np.array([WIDTH, HEIGHT]) * SCALE / 2 - self._zoom * (low + high) / 2 + rng.normal(0, 2.5, 2)
        self._keeps_hanger = keeps_hanger

    def at(self, points: Points) -> Points:
        """Pixels of the large picture."""
        return self._zoom * self._bent(points) + self._shift

    def sample(self) -> Sample:
        rng = self.rng
        cloths = self._cloths()
        colour = ground(rng, self.size)
        parts = np.zeros(self.size, np.uint8)
        covered = np.zeros(self.size, np.uint8)
        shapes = [self._filled(piece.outline) for piece in self.garment.pieces]
        if rng.random() < 0.5:
            self._cast(colour, shapes)
        folds = [oriented_noise(rng, self.size) for _ in range(3)]
        depth_of_folds, edge, reach = rng.uniform(0.01, 0.16), rng.uniform(0.02, 0.35), rng.uniform(3, 22)
        contact = rng.uniform(0.02, 0.35)
        prints = self._print(cloths)
        for piece, shape in zip(self.garment.pieces, shapes, strict=True):
            cloth = prints if piece.part == 1 and piece.cloth == MAIN else cloths[piece.cloth]
            fold = folds[int(rng.integers(3))] * depth_of_folds if piece.part else None
            lay(colour, shape, cloth, piece, fold, (edge, reach, contact if piece.part else 0.1), covered)
            inside = shape > 127
            parts[inside] = piece.part
            covered[inside] = 255 if piece.part else covered[inside]
            if piece.seam:
                line = np.zeros(self.size, np.uint8)
                cv2.polylines(line, [fixed(self.at(piece.outline))], True, 255, int(rng.integers(1, 4)), cv2.LINE_AA, 4)
                colour *= 1 - piece.seam * ((line & covered).astype(np.float32) / 255)[..., None]
        for points, wide, light in self.garment.lines:
            line = np.zeros(self.size, np.uint8)
            cv2.polylines(
                line, [fixed(self.at(steps(points)))], False, 255, max(1, round(wide * self._zoom)), cv2.LINE_AA, 4
            )
            strength = ((line & covered).astype(np.float32) / 255)[..., None]
            colour += strength * (colour * light - colour)
        picture = photograph(colour, rng)
        small = parts[SCALE // 2 :: SCALE, SCALE // 2 :: SCALE]
        hangers = np.zeros(self.size, np.uint8)
        for piece, shape in zip(self.garment.pieces, shapes, strict=True):
            if not piece.part and self._keeps_hanger:
                hangers |= shape
        mask = spoiled((small > 0) | (hangers[::SCALE, ::SCALE] > 127), rng)
        return Sample(picture, mask, small, self._landmarks(), self.garment.category, self.garment.sleeves)

    def _filled(self, outline: Points) -> np.ndarray:
        shape = np.zeros(self.size, np.uint8)
        cv2.fillPoly(shape, [fixed(self.at(outline))], 255, cv2.LINE_AA, 4)
        return shape

    def _landmarks(self) -> np.ndarray:
        found = np.zeros((len(LANDMARKS), 3), np.float32)
        for index, name in enumerate(LANDMARKS):
            if name in self.garment.marks:
                x, y = self.at(np.array([self.garment.marks[name]]))[0] / SCALE - 0.25
                found[index] = x, y, 0 <= x < WIDTH and 0 <= y < HEIGHT
        return found

    def _cloths(self) -> list[np.ndarray]:
        """One texture for each cloth of the garment."""
        rng = self.rng
        main = any_colour(rng)
        colours = [
            main,
            any_colour(rng),
            any_colour(rng),
            main if rng.random() < 0.75 else any_colour(rng),
            any_colour(rng),
        ]
        patterned = texture(rng, self.size, main)
        lining = patterned if rng.random() < 0.25 else texture(rng, self.size, colours[LINING], plain=True)
        return [patterned, *(texture(rng, self.size, colours[i], plain=rng.random() < 0.8) for i in (TRIM, OTHER)), lining,
                texture(rng, self.size, colours[LOWER])]  # fmt: skip

    def _print(self, cloths: list[np.ndarray]) -> np.ndarray:
        """The main cloth with something printed on the chest, or without."""
        rng = self.rng
        if rng.random() > 0.5 or "neck" not in self.garment.marks:
            return cloths[MAIN]
        printed = np.ascontiguousarray(np.clip(cloths[MAIN], 0, 255), np.uint8)
        if rng.random() < 0.25:  # yokes, belts, hems of another colour
            top = int(rng.uniform(0.1, 0.9) * self.size[0])
            printed[top : top + int(rng.uniform(0.02, 0.4) * self.size[0])] = any_colour(rng)
            if rng.random() < 0.5:
                return printed.astype(np.float32)
        below = rng.uniform(0.5, 5) if rng.random() < 0.4 else rng.uniform(4, 25)
        x, y = self.at(np.array([(rng.normal(0, 2), self.garment.marks["neck"][1] + below)]))[0]
        wide = rng.uniform(0.12, 0.55) * self.size[1]
        ink = tuple(float(v) for v in any_colour(rng))
        for _ in range(int(rng.integers(1, 4))):
            what, high = (
                rng.choice(["text", "block", "disc", "blots"], p=[0.55, 0.2, 0.1, 0.15]),
                wide * rng.uniform(0.2, 1.1),
            )
            if what == "text":
                text = "".join(rng.choice(list("ABCDEFGHIKLMNOPRSTUVWYabcdeghiknorstu&!5 "), int(rng.integers(2, 11))))
                font = int(rng.choice([0, 2, 3, 4, 6, 7]))
                (w, h), _ = cv2.getTextSize(text, font, 1, 2)
                size = wide / max(w, 1)
                y += size * h + 2
                cv2.putText(
                    printed,
                    text,
                    (int(x - wide / 2), int(y)),
                    font,
                    size,
                    ink,
                    max(1, int(3 * size * rng.uniform(0.4, 1.4))),
                    cv2.LINE_AA,
                )
            elif what == "block":
                a, b = (int(x - wide / 2), int(y)), (int(x + wide / 2), int(y + high))
                frame = slice(max(a[1], 0), max(b[1], 0)), slice(max(a[0], 0), max(b[0], 0))
                printed[frame] = np.clip(photo_like(rng, self.size)[frame], 0, 255)
                y += high
            elif what == "disc":
                cv2.circle(
                    printed, (int(x), int(y + wide / 2)), int(wide / 2), ink, int(rng.choice([-1, 2, 5])), cv2.LINE_AA
                )
                y += wide
            else:
                for _ in range(int(rng.integers(4, 16))):
                    p = (int(x + rng.normal(0, 0.5) * wide), int(y + abs(rng.normal(0, 0.5)) * wide))
                    size = (int(rng.uniform(0.02, 0.14) * wide) + 1, int(rng.uniform(0.02, 0.14) * wide) + 1)
                    cv2.ellipse(
                        printed,
                        p,
                        size,
                        rng.uniform(0, 180),
                        0,
                        360,
                        tuple(float(v) for v in any_colour(rng)),
                        -1,
                        cv2.LINE_AA,
                    )
        return printed.astype(np.float32)

    def _cast(self, colour: np.ndarray, shapes: list[np.ndarray]) -> None:
        """The garment's shadow on the ground."""
        rng = self.rng
        whole = np.maximum.reduce(shapes)
        move = np.float32([[1, 0, rng.uniform(-8, 8)], [0, 1, rng.uniform(-3, 10)]])
        quarter = cv2.resize(
            cv2.warpAffine(whole, move, self.size[::-1]), None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA
        )
        soft = cv2.GaussianBlur(quarter, (0, 0), rng.uniform(0.7, 5)).astype(np.float32) / 255
        colour *= 1 - rng.uniform(0.02, 0.4) * cv2.resize(soft, self.size[::-1])[..., None]


def lay(colour: np.ndarray, shape: np.ndarray, cloth: np.ndarray, piece: Piece, fold: np.ndarray | None,
        look: tuple[float, float, float], covered: np.ndarray) -> None:  # fmt: skip
    """Lay a piece on top, in place: rounded off and darker at its edges, and with a shadow on cloth below it."""
    ys, xs = np.flatnonzero(shape.any(axis=1)), np.flatnonzero(shape.any(axis=0))
    if not len(ys):
        return
    edge, reach, contact = look
    room = 12
    frame = slice(max(ys[0] - room, 0), ys[-1] + room), slice(max(xs[0] - room, 0), xs[-1] + room)
    alpha = shape[frame].astype(np.float32) / 255
    below = cv2.GaussianBlur(alpha, (0, 0), 4) * (covered[frame].astype(np.float32) / 255)
    colour[frame] *= 1 - contact * below[..., None]
    depth = cv2.distanceTransform((shape[frame] > 127).astype(np.uint8), cv2.DIST_L2, 3)
    light = piece.light * (1 - edge * np.exp(-depth / reach))
    if fold is not None:
        light = light * (1 + fold[frame])
    colour[frame] += alpha[..., None] * (cloth[frame] * light[..., None] - colour[frame])


def ground(rng: np.random.Generator, size: tuple[int, int]) -> np.ndarray:
    """What it lies on: mostly white, at times anything."""
    tone = rng.uniform(228, 256, 3) if rng.random() < 0.3 else np.full(3, rng.uniform(225, 256))
    if rng.random() < 0.15:
        tone = any_colour(rng)
    field_ = np.full((*size, 3), tone, np.float32)
    if rng.random() < 0.4:
        field_ *= 1 + rng.uniform(0, 0.12) * smooth_noise(rng, size, 3)[..., None]
    return field_


def any_colour(rng: np.random.Generator) -> np.ndarray:
    """RGB 0..255: white and black as often as shops sell them."""
    kind = rng.random()
    if kind < 0.22:
        return np.asarray(rng.uniform(215, 256) - rng.uniform(0, 12, 3))
    if kind < 0.42:
        return np.asarray(rng.uniform(8, 50) + rng.uniform(0, 18, 3))
    if kind < 0.55:
        return np.asarray(rng.uniform(60, 210) + rng.uniform(-10, 10, 3))
    return np.asarray(
        np.clip(COLOURS[int(rng.integers(len(COLOURS)))] * rng.uniform(0.6, 1.15) + rng.normal(0, 18, 3), 5, 250)
    )


def texture(rng: np.random.Generator, size: tuple[int, int], base: np.ndarray, *, plain: bool = False) -> np.ndarray:
    """Cloth of a colour, plain or patterned: float32 (h, w, 3) 0..255."""
    kind = "plain" if plain else rng.choice(list(PATTERNS), p=list(PATTERNS.values()))
    cloth = np.full((*size, 3), base, np.float32)
    y, x = np.mgrid[: size[0], : size[1]].astype(np.float32)
    bent = 6 * smooth_noise(rng, size, 4)
    other = any_colour(rng).astype(np.float32)
    if kind in ("stripes", "checks", "dots") and rng.random() < 0.25:  # black and white
        cloth[:], other = (245, np.float32(20)) if rng.random() < 0.5 else (20, np.float32(245))
    if kind == "photo":
        return photo_like(rng, size)
    if kind in ("stripes", "checks"):
        angle = rng.choice([0, np.pi / 2, rng.uniform(0, np.pi)], p=[0.5, 0.3, 0.2]) if kind == "stripes" else 0.0
        period, share = rng.uniform(5, 60), rng.uniform(0.15, 0.6)
        for turn in (angle, angle + np.pi / 2) if kind == "checks" else (angle,):
            place = (x * np.sin(turn) + y * np.cos(turn) + bent) / period
            on = (place % 1 < share)[..., None] * (0.5 if kind == "checks" else 1.0)
            cloth += on * (other - cloth)
    elif kind == "blots":
        for _ in range(int(rng.integers(1, 4))):
            noise = smooth_noise(rng, size, int(rng.integers(8, 60)))
            cloth[noise > rng.uniform(0.15, 0.5)] = any_colour(rng)
    elif kind == "dots":
        period = rng.uniform(8, 40)
        u, v = (x + bent) % period - period / 2, (y + (period / 2) * ((x // period) % 2)) % period - period / 2
        cloth[u**2 + v**2 < (rng.uniform(0.15, 0.4) * period) ** 2] = other
    elif kind == "heather":
        cloth *= (
            1
            + rng.uniform(0.03, 0.2)
            * cv2.resize(rng.normal(0, 1, (size[0] // 2, size[1] // 2)).astype(np.float32), size[::-1])[..., None]
        )
    elif kind == "blend":
        share = np.clip((y - rng.uniform(0.2, 0.7) * size[0]) / rng.uniform(5, 0.6 * size[0]), 0, 1)[..., None]
        cloth += share * (other - cloth)
    return cloth


def photo_like(rng: np.random.Generator, size: tuple[int, int]) -> np.ndarray:
    """Blots of many sizes and colours with sharp and soft edges, as a printed picture has: float32 (h, w, 3)."""
    y = np.linspace(0, 1, size[0], dtype=np.float32)[:, None, None]
    picture = np.broadcast_to(any_colour(rng) * (1 - y) + any_colour(rng) * y, (*size, 3)).astype(np.float32)
    for cells in rng.integers(2, 40, int(rng.integers(3, 8))):
        noise, edge = smooth_noise(rng, size, int(cells)), rng.uniform(0.02, 0.5)
        share = np.clip((noise - rng.uniform(-0.1, 0.5)) / edge, 0, 1)[..., None]
        picture = picture + share * (any_colour(rng).astype(np.float32) - picture)
    return picture


def smooth_noise(rng: np.random.Generator, size: tuple[int, int], cells: int) -> np.ndarray:
    """About -1..1, so many waves across."""
    small = rng.normal(0, 0.5, (cells * size[0] // size[1] + 3, cells + 3)).astype(np.float32)
    return np.asarray(cv2.resize(small, size[::-1], interpolation=cv2.INTER_CUBIC))


def oriented_noise(rng: np.random.Generator, size: tuple[int, int]) -> np.ndarray:
    """About -1..1: folds of one direction."""
    noise = smooth_noise(rng, (size[0], size[0]), int(rng.integers(5, 22)))
    turn = cv2.getRotationMatrix2D((size[0] / 2, size[0] / 2), rng.uniform(-90, 90), 1.5)
    long = np.diag([1, rng.uniform(1, 5)]) @ turn  # stretched along y, then cut
    return np.asarray(cv2.warpAffine(noise, long.astype(np.float32), size[::-1], borderMode=cv2.BORDER_REFLECT))


def photograph(colour: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Light, lens and sensor; then the size that the network sees: uint8."""
    small = cv2.resize(colour, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)
    if rng.random() < 0.4:
        small = cv2.GaussianBlur(small, (0, 0), rng.uniform(0.3, 1.1))
    gains = rng.normal(1, 0.03, 3) * rng.uniform(0.8, 1.06)
    light = 255 * np.clip(small * gains / 255, 0, 1) ** rng.uniform(0.8, 1.25)
    noise = rng.normal(0, rng.uniform(0, 4), small.shape)
    return np.asarray(np.clip(light + noise, 0, 255).round(), np.uint8)


def spoiled(mask: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """As a cut-out leaves it: gaps closed, edges ragged, bites and blobs."""
    out = mask.astype(np.uint8) * 255
    if rng.random() < 0.3:
        wide = int(rng.integers(2, 9))
        out = cv2.morphologyEx(out, cv2.MORPH_CLOSE, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (wide, wide)))
    noise = cv2.GaussianBlur(rng.normal(0, 1, out.shape).astype(np.float32), (0, 0), rng.uniform(1, 3))
    rough = cv2.GaussianBlur(out, (0, 0), 1.0).astype(np.float32) / 255 + rng.uniform(0, 0.9) * noise
    out = ((rough > 0.5) * np.uint8(255)).astype(np.uint8)
    for _ in range(int(rng.integers(1, 4)) if rng.random() < 0.12 else 0):
        centre = (int(rng.integers(20, WIDTH - 20)), int(rng.integers(10, HEIGHT - 10)))
        cv2.circle(out, centre, int(rng.integers(2, 12)), int(rng.choice([0, 255])), -1)
    _, pieces, facts, _ = cv2.connectedComponentsWithStats(out)
    return np.asarray(np.isin(pieces, 1 + np.flatnonzero(facts[1:, cv2.CC_STAT_AREA] > 60)) * np.uint8(255))


# -- geometry -----------------------------------------------------------------------------------------------------------


def pick(rng: np.random.Generator, *choices: tuple[float, float, float]) -> float:
    """From one of several ranges: (how likely, least, most)."""
    index = int(rng.choice(len(choices), p=[share for share, _, _ in choices]))
    return float(rng.uniform(*choices[index][1:]))


def smooth(points: list[tuple[float, float]], count: int) -> Points:
    """A curve through the points (Catmull and Rom), so many steps from one to the next."""
    p = np.array([points[0], *points, points[-1]], float)
    t = np.linspace(0, 1, count, endpoint=False)[:, None]
    curve = [b + 0.5 * t * (c - a + t * (2 * a - 5 * b + 4 * c - d + t * (3 * (b - c) + d - a)))
             for a, b, c, d in zip(p, p[1:], p[2:], p[3:], strict=False)]  # fmt: skip
    return np.vstack([*curve, p[-1:]])


def mirrored(half: Points) -> Points:
    """A closed outline from its right half, which runs from the middle's one end to the other."""
    return np.vstack([half, (half * (-1, 1))[::-1]])


def box(left: float, top: float, right: float, bottom: float) -> Points:
    return np.array([(left, top), (right, top), (right, bottom), (left, bottom)])


def steps(line: Points, count: int = 12) -> Points:
    """A straight line in small steps, so that it can be bent."""
    t = np.linspace(0, 1, count)[:, None]
    return np.asarray(line[0] + t * (line[-1] - line[0]))


def along(line: Points, share: float) -> Points:
    """The first part of a polyline, by that share of its length."""
    lengths = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(line, axis=0), axis=1))])
    end = share * lengths[-1]
    last = [np.interp(end, lengths, line[:, axis]) for axis in (0, 1)]
    return np.vstack([line[lengths < end], last])


def fixed(points: Points) -> np.ndarray:
    """Pixels -> OpenCV's sixteenths."""
    return np.round(points * 16).astype(np.int32).reshape(-1, 1, 2)


def looked_at(samples: list[Sample]) -> np.ndarray:
    """A sheet: each picture, and beside it its parts, mask outline and landmarks."""
    palette = np.array([[255, 255, 255], [200, 200, 200], [230, 80, 80], [80, 120, 230], [90, 60, 40], [240, 200, 60],
                        [60, 200, 120], [220, 120, 220], [120, 220, 220], [150, 110, 230]], np.uint8)  # fmt: skip
    tiles = []
    for sample in samples:
        told = palette[sample.parts].copy()
        contours, _ = cv2.findContours(sample.mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        cv2.drawContours(told, contours, -1, (0, 160, 0), 1)
        for x, y, there in sample.landmarks:
            if there:
                cv2.circle(told, (round(float(x)), round(float(y))), 2, (0, 0, 0), -1)
        tiles.append(np.hstack([sample.picture, told]))
    rows = [np.hstack(tiles[i : i + 5]) for i in range(0, len(tiles) - len(tiles) % 5, 5)]
    return np.vstack(rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("output", type=Path)
    parser.add_argument("--first", type=int, default=0, help="seed of the first (default %(default)s)")
    parser.add_argument("--garments", type=int, default=25, help="how many (default %(default)s)")
    wanted = parser.parse_args()
    wanted.output.parent.mkdir(parents=True, exist_ok=True)
    sheet = looked_at([draw(wanted.first + index) for index in range(wanted.garments)])
    cv2.imwrite(str(wanted.output), cv2.cvtColor(sheet, cv2.COLOR_RGB2BGR))


if __name__ == "__main__":
    main()
