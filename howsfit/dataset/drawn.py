"""A sound data set in the VITON-HD layout, drawn: people and garments of plain shapes, each artifact consistent with the rest.

No photograph is in it, so tests and benchmarks may plant traps in it and hand it on. Looks like a paper doll.
"""

import json
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from howsfit.dataset.layout import pairs_file, path_of
from services.agnostic.engines.viton_hd.agnostic import hidden
from services.agnostic.outputs import agnostic_image, parse_agnostic
from stagekit.formats import (
    BODY_25,
    CIHP,
    CIHP_PALETTE,
    DENSEPOSE_PALETTE,
    HEIGHT,
    WIDTH,
    pose_document,
)
from stagekit.png import write_png

_BONES = (
    ("neck", "nose"), ("neck", "right_shoulder"), ("neck", "left_shoulder"), ("right_shoulder", "right_elbow"),
    ("right_elbow", "right_wrist"), ("left_shoulder", "left_elbow"), ("left_elbow", "left_wrist"), ("neck", "mid_hip"),
    ("mid_hip", "right_hip"), ("mid_hip", "left_hip"), ("right_hip", "right_knee"), ("left_hip", "left_knee"),
)  # fmt: skip


@dataclass(frozen=True)
class Drawn:
    """Artifacts of a person or a garment as pixels; the pose as a document."""

    artifacts: dict[str, np.ndarray]
    pose: dict[str, object] | None = None


def draw_set(root: Path, train: int, test: int, seed: int = 0) -> None:
    """Write so many pairs into root/train and root/test, with their lists: each person, and under her name what she wears."""
    number = 0
    for part, count in (("train", train), ("test", test)):
        names = []
        for _ in range(count):
            number += 1
            name = f"{number:05}_00"
            rng = np.random.default_rng((seed, number))
            cloth_colour = rng.integers(20, 200, 3)
            for drawn in (draw_person(rng, cloth_colour), draw_cloth(rng, cloth_colour)):
                write_drawn(root, part, name, drawn)
            names.append(name)
        if names:
            write_lists(root, part, names)


def write_lists(root: Path, part: str, names: list[str]) -> None:
    pairs_file(root, part).write_text("".join(f"{name}.jpg {name}.jpg\n" for name in names))
    if part == "test":
        others = names[1:] + names[:1]
        lines = (f"{name}.jpg {other}.jpg\n" for name, other in zip(names, others, strict=True))
        pairs_file(root, part, unpaired=True).write_text("".join(lines))


def write_drawn(root: Path, part: str, name: str, drawn: Drawn) -> None:
    for artifact, pixels in drawn.artifacts.items():
        path = path_of(root, part, artifact, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix == ".jpg":
            Image.fromarray(pixels).save(path, quality=95, subsampling=0)
        else:
            path.write_bytes(write_png(pixels, CIHP_PALETTE if artifact.startswith("parse") else None))
    if drawn.pose is not None:
        path = path_of(root, part, "pose", name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(drawn.pose))


def draw_person(rng: np.random.Generator, cloth_colour: np.ndarray) -> Drawn:
    """A figure from the head to the knees, with everything that VITON-HD has of one."""
    joints = _joints(rng)
    parse = _parse(joints)
    colours = np.array(CIHP_PALETTE, np.float64)
    skin, ground = rng.integers(120, 230, 3), rng.integers(215, 245, 3)
    for label in ("face", "neck", "left_arm", "right_arm", "left_leg", "right_leg"):
        colours[CIHP[label]] = skin
    colours[CIHP["hair"]], colours[CIHP["pants"]] = rng.integers(10, 90, 3), rng.integers(10, 110, 3)
    colours[CIHP["upper_clothes"]], colours[CIHP["background"]] = cloth_colour, ground
    person = _textured(colours[parse], rng)
    flat = [(float(x), float(y)) for x, y, _ in joints]
    mask = hidden(parse, flat)
    return Drawn(
        {
            "person": person,
            "parse": parse,
            "parse_agnostic": parse_agnostic(parse, flat),
            "agnostic": agnostic_image(person, mask),
            "agnostic_mask": np.where(mask, np.uint8(255), np.uint8(0)),
            "densepose": _densepose(joints),
            "pose_image": _skeleton(joints),
        },
        pose_document(joints[None]),
    )


def draw_cloth(rng: np.random.Generator, colour: np.ndarray) -> Drawn:
    """A T-shirt on near-white, and its mask."""
    middle, width, top, length = 384, rng.integers(170, 230), rng.integers(150, 220), rng.integers(560, 680)
    sleeve = rng.integers(80, 150)
    half = [
        (60, 0),
        (width, 40),
        (width + sleeve, 260),
        (width + sleeve - 80, 320),
        (width - 20, 230),
        (width - 10, length),
    ]
    outline = [(middle + x, top + y) for x, y in half] + [(middle - x, top + y) for x, y in half[::-1]]
    canvas = Image.new("L", (WIDTH, HEIGHT), 0)
    ImageDraw.Draw(canvas).polygon([(int(x), int(y)) for x, y in outline], fill=255)
    mask = np.asarray(canvas)
    pixels = np.full((HEIGHT, WIDTH, 3), 246.0)
    pixels[mask > 0] = colour
    textured = _textured(pixels, rng)
    textured[mask == 0] = 246
    return Drawn({"cloth": textured, "cloth_mask": mask})


def _joints(rng: np.random.Generator) -> np.ndarray:
    """(25, 3) of somebody from the front, arms a little away."""
    x, y = 384 + rng.integers(-40, 40), 120 + rng.integers(0, 50)
    half, trunk = rng.integers(95, 125), rng.integers(330, 380)
    spread = rng.integers(30, 70)
    places: dict[str, tuple[float, float]] = {
        "nose": (x, y), "neck": (x, y + 115), "mid_hip": (x, y + 115 + trunk),
        "right_eye": (x - 22, y - 18), "left_eye": (x + 22, y - 18),
    }  # fmt: skip
    for side, sign in (("right", -1), ("left", 1)):
        places[f"{side}_shoulder"] = (x + sign * half, y + 120)
        places[f"{side}_elbow"] = (x + sign * (half + spread), y + 300)
        places[f"{side}_wrist"] = (x + sign * (half + spread), y + 460)
        places[f"{side}_hip"] = (x + sign * half * 0.6, y + 115 + trunk)
        places[f"{side}_knee"] = (x + sign * half * 0.65, y + 115 + trunk + 290)
    joints = np.zeros((25, 3))
    for name, place in places.items():
        joints[BODY_25[name]] = (*place, 0.9)
    return joints


def _parse(joints: np.ndarray) -> np.ndarray:
    at = {name: (float(joints[number, 0]), float(joints[number, 1])) for name, number in BODY_25.items()}
    canvas = Image.new("L", (WIDTH, HEIGHT), 0)
    draw = ImageDraw.Draw(canvas)

    def limb(start: str, end: str, width: int, label: str) -> None:
        draw.line([at[start], at[end]], fill=CIHP[label], width=width)
        for x, y in (at[start], at[end]):
            draw.ellipse((x - width / 2, y - width / 2, x + width / 2, y + width / 2), fill=CIHP[label])

    (x, y), half = at["nose"], at["left_shoulder"][0] - at["neck"][0]
    draw.ellipse((x - 85, y - 100, x + 85, y + 90), fill=CIHP["hair"])
    draw.rectangle((x - 40, y, x + 40, y + 130), fill=CIHP["neck"])
    draw.ellipse((x - 62, y - 70, x + 62, y + 85), fill=CIHP["face"])
    for side in ("right", "left"):
        limb(f"{side}_hip", f"{side}_knee", int(half * 1.1), "pants")
        limb(f"{side}_elbow", f"{side}_wrist", 50, f"{side}_arm")
    shoulders, hips = at["neck"][1], at["mid_hip"][1]
    draw.polygon(
        [(x - half - 25, shoulders), (x - 45, shoulders - 12), (x, shoulders + 35), (x + 45, shoulders - 12)]
        + [(x + half + 25, shoulders), (x + half * 0.95, hips + 30), (x - half * 0.95, hips + 30)],
        fill=CIHP["upper_clothes"],
    )
    for side in ("right", "left"):
        limb(f"{side}_shoulder", f"{side}_elbow", 66, "upper_clothes")
    return np.asarray(canvas).copy()


def _densepose(joints: np.ndarray) -> np.ndarray:
    at = {name: (float(joints[number, 0]), float(joints[number, 1])) for name, number in BODY_25.items()}
    canvas = Image.new("RGB", (WIDTH, HEIGHT))
    draw = ImageDraw.Draw(canvas)
    (x, y), half = at["nose"], at["left_shoulder"][0] - at["neck"][0]
    for side, upper, lower, thigh in (("right", 16, 20, 9), ("left", 15, 19, 10)):
        for start, end, width, part in (
            ("shoulder", "elbow", 60, upper),
            ("elbow", "wrist", 46, lower),
            ("hip", "knee", 90, thigh),
        ):
            draw.line([at[f"{side}_{start}"], at[f"{side}_{end}"]], fill=DENSEPOSE_PALETTE[part], width=width)
    draw.rectangle((x - half * 0.9, at["neck"][1], x + half * 0.9, at["mid_hip"][1]), fill=DENSEPOSE_PALETTE[2])
    draw.rectangle((x - 65, y - 80, x, y + 90), fill=DENSEPOSE_PALETTE[23])
    draw.rectangle((x, y - 80, x + 65, y + 90), fill=DENSEPOSE_PALETTE[24])
    return np.asarray(canvas)


def _skeleton(joints: np.ndarray) -> np.ndarray:
    canvas = Image.new("RGB", (WIDTH, HEIGHT))
    draw = ImageDraw.Draw(canvas)
    for number, (start, end) in enumerate(_BONES):
        shade = int(255 * number / len(_BONES))
        ends = [tuple(joints[BODY_25[name], :2]) for name in (start, end)]
        draw.line(ends, fill=(255 - shade, shade, 120), width=10)
    return np.asarray(canvas)


def _textured(pixels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Shaded, with a slight pattern, so that no two pictures are the same. (H, W, 3) -> uint8."""
    rows, columns = np.indices(pixels.shape[:2])
    angle, wave = rng.uniform(0, math.pi), rng.uniform(20, 60)
    stripes = np.sin((rows * math.sin(angle) + columns * math.cos(angle)) / wave)
    shade = 1 + 0.05 * stripes - 0.08 * rows / HEIGHT
    textured: np.ndarray = np.clip(pixels * shade[..., None], 0, 255).astype(np.uint8)
    return textured
