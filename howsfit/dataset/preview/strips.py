"""All that there is of a person, side by side in one small picture. Runs in workers."""

import io
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from PIL import Image, ImageDraw

from howsfit.dataset.catalogue import Subject
from howsfit.dataset.checks.opened import File, Sample
from stagekit.formats import BODY_25, CIHP_LABELS, CIHP_PALETTE
from stagekit.kinds import CANVAS

CELLS = (
    "person", "cloth", "cloth_mask", "parse", "overlay", "parse_agnostic", "agnostic", "agnostic_mask", "densepose", "pose",
    "pose_image",
)  # fmt: skip
"""From left to right. overlay: the parse in its colours over the photo; pose: its joints over the photo."""

CELL = (144, 192)
"""Width and height of each."""

_MADE_OF = {"overlay": "parse"}  # of what has no file of its own
_QUALITY = 75
_PAPER, _CROSS = (236, 236, 236), (200, 30, 30)
_LEFT, _RIGHT, _MIDDLE = (255, 150, 0), (0, 170, 255), (90, 220, 60)
_BONES = (
    ("nose", "neck"), ("neck", "right_shoulder"), ("right_shoulder", "right_elbow"), ("right_elbow", "right_wrist"),
    ("neck", "left_shoulder"), ("left_shoulder", "left_elbow"), ("left_elbow", "left_wrist"), ("neck", "mid_hip"),
    ("mid_hip", "right_hip"), ("right_hip", "right_knee"), ("right_knee", "right_ankle"), ("mid_hip", "left_hip"),
    ("left_hip", "left_knee"), ("left_knee", "left_ankle"),
)  # fmt: skip
_PALETTE = np.array(CIHP_PALETTE, np.uint8)


class Row(NamedTuple):
    """A person with the garment that belongs to her, or a garment that is nobody's."""

    part: str
    name: str
    cloth: str
    """The garment's name; empty: there is none."""
    paths: Mapping[str, Path]


class Strip(NamedTuple):
    """What comes of a row."""

    row: Row
    labels: np.ndarray | None
    """(20,) share of the picture that each label has; None where there is no parse that can be read."""


def file_of(cell: str) -> str:
    """The artifact whose file a cell shows."""
    return _MADE_OF.get(cell, cell)


def draw_strip(row: Row, cells: tuple[str, ...], folder: Path) -> Strip:
    """Write a row's strip to folder/PART/NAME.webp. A cell without a file stays empty, of a broken one it is crossed."""
    sample = Sample(Subject(row.part, row.name, dict(row.paths)), CANVAS)
    strip = Image.new("RGB", (CELL[0] * len(cells), CELL[1]), _PAPER)
    for number, cell in enumerate(cells):
        if file_of(cell) in sample.files:
            small = _cell(cell, sample)
            left = number * CELL[0]
            if small is None:
                ends = ((left + 30, 40), (left + CELL[0] - 30, CELL[1] - 40))
                ImageDraw.Draw(strip).line(ends, _CROSS, 6)
                ImageDraw.Draw(strip).line(((ends[0][0], ends[1][1]), (ends[1][0], ends[0][1])), _CROSS, 6)
            else:
                strip.paste(small, (left + (CELL[0] - small.width) // 2, (CELL[1] - small.height) // 2))
    encoded = io.BytesIO()
    strip.save(encoded, "WEBP", quality=_QUALITY, method=2)
    path = strip_path(folder, row.part, row.name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(encoded.getvalue())
    return Strip(row, _shares(sample.files.get("parse")))


def strip_path(folder: Path, part: str, name: str) -> Path:
    return folder / part / f"{name}.webp"


def _cell(cell: str, sample: Sample) -> Image.Image | None:
    """A small picture, no larger than a cell; None: its file cannot be read."""
    if cell == "pose":
        return _pose(sample)
    file = sample.files[file_of(cell)]
    if file.image is None:
        return None
    pixels = _coloured(file)
    if cell == "overlay":
        photo = sample.files.get("person")
        if photo is None or photo.image is None or photo.image.size != file.image.size:
            return None
        below = _coloured(photo)
        labelled = (pixels.max(axis=2, keepdims=True) > 0) & (below >= 0)
        pixels = np.where(labelled, (pixels.astype(np.uint16) * 6 + below.astype(np.uint16) * 4) // 10, below).astype(
            np.uint8
        )
    return _small(pixels)


def _coloured(file: File) -> np.ndarray:
    """(H, W, 3) uint8: labels in their colours, all else as it is seen."""
    assert file.image is not None
    if file.artifact.startswith("parse") and file.image.mode in ("L", "P"):
        return np.asarray(_PALETTE[np.minimum(file.pixels, len(_PALETTE) - 1)])
    return np.asarray(file.image.convert("RGB"))


def _small(pixels: np.ndarray) -> Image.Image:
    height, width = pixels.shape[:2]
    by = min(CELL[0] / width, CELL[1] / height)
    size = (max(1, round(width * by)), max(1, round(height * by)))
    return Image.fromarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA))


def _pose(sample: Sample) -> Image.Image | None:
    """The joints of the first person where the file says that they are, over the photo or on an empty cell."""
    file, photo = sample.files["pose"], sample.files.get("person")
    if not file.people:
        return None
    size = CANVAS if photo is None or photo.image is None else photo.image.size
    small = Image.new("RGB", CELL, (30, 30, 30)) if photo is None or photo.image is None else _small(_coloured(photo))
    joints = file.people[0]
    places = [
        (float(x) * small.width / size[0], float(y) * small.height / size[1]) if x or y else None for x, y, _ in joints
    ]
    draw = ImageDraw.Draw(small)
    for start, end in _BONES:
        ends = [places[at] if (at := BODY_25[name]) < len(places) else None for name in (start, end)]
        if ends[0] and ends[1]:
            colour = _LEFT if "left" in end else _RIGHT if "right" in end else _MIDDLE
            draw.line((*ends[0], *ends[1]), colour, 3)
    for place in places:
        if place:
            draw.ellipse((place[0] - 2, place[1] - 2, place[0] + 2, place[1] + 2), (255, 255, 255))
    return small


def _shares(parse: File | None) -> np.ndarray | None:
    if parse is None or parse.image is None or parse.image.mode not in ("L", "P"):
        return None
    counts = parse.counts[: len(CIHP_LABELS)]
    return np.asarray(counts / max(1, counts.sum()))
