"""How well a cloth mask engine finds garments whose outline is known: IoU per group of pictures, and milliseconds.

    python -m bench.cloth_mask [--engine cutout] [--samples FOLDER] [--sheet out/cloth_mask.png] [--json FILE]

Groups: the data set's own garments and masks; the same in grey and in white, before dark backdrops, and with panels in the
white of their backdrop; drawn tops with straps,
armholes and slits (bench/garment_pictures.py says how they are made); the data set's on five busy grounds (bench/grounds.py).
The goal for each is a mean of 0.97 and a worst of 0.93, of the data set 0.98 and 0.95, on the busy grounds 0.97 and 0.90. The
even and the odd of each group, by name, are told apart, too: what was fitted to the one is judged by the other. On the sheet
red is garment that was missed, blue is backdrop that was taken; worst first. Without the sample photographs only the drawn ones
are measured. Exits with 1 when a goal is missed.
"""

import argparse
import json
import os
import statistics
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

import stagekit
from bench.garment_pictures import Picture, data_set, drawn, panelled, recoloured
from bench.grounds import GROUNDS, on_grounds
from services.cloth_mask.stage import STAGE
from stagekit.errors import GarmentNotFound
from stagekit.stage import make_engine

GOAL = (0.97, 0.93)
"""Mean and worst of a group that has no goal of its own."""
GOALS = {"data set": (0.98, 0.95)} | dict.fromkeys(GROUNDS, (0.97, 0.90))
SAMPLES = Path(os.environ.get("HOWSFIT_SAMPLES", Path(__file__).resolve().parents[2] / "shared" / "samples"))
CELL = (144, 192)
COLUMNS = 12


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--engine", default=STAGE.default_engine)
    parser.add_argument("--samples", type=Path, default=SAMPLES, help="folder in the VITON-HD layout")
    parser.add_argument("--sheet", type=Path, default=Path("out/cloth_mask.png"), help="contact sheet to write")
    parser.add_argument("--json", type=Path, help="write the figures here")
    arguments = parser.parse_args()
    engine = make_engine(STAGE, arguments.engine)
    engine.load()
    samples = arguments.samples
    pictures = [*data_set(samples), *recoloured(samples), *panelled(samples), *drawn(), *on_grounds(samples)]
    rows = [score(engine, picture) for picture in pictures]
    groups = summary(rows)
    print(f"{'':16}{'pictures':>10}{'mean IoU':>10}{'even':>8}{'odd':>8}{'worst':>8}{'ms':>8}   worst picture")
    for name, group in groups.items():
        even, odd = group["halves"]
        means = f"{group['pictures']:>10}{group['mean']:>10.4f}{even:>8.4f}{odd:>8.4f}"
        print(f"{name:16}{means}{group['worst']:>8.4f}{group['ms']:>8.0f}   {group['which']}")
    sheet(pictures, rows, arguments.sheet)
    print(arguments.sheet)
    if arguments.json:
        figures = {
            "engine": arguments.engine,
            "groups": groups,
            "pictures": [{k: v for k, v in row.items() if k != "mask"} for row in rows],
        }
        arguments.json.write_text(json.dumps(figures, indent=1))
    return int(any(missed(name, group) for name, group in groups.items()))


def score(engine: stagekit.Engine, picture: Picture) -> dict[str, Any]:
    """`iou`, `ms` and the `mask` of one picture."""
    began = time.perf_counter()
    try:
        mask = engine.run({"garment": picture.rgb}, lambda code, message: None)["cloth_mask"] > 0
    except GarmentNotFound:
        mask = np.zeros_like(picture.truth)
    ms = 1000 * (time.perf_counter() - began)
    iou = float((mask & picture.truth).sum() / (mask | picture.truth).sum())
    return {"group": picture.group, "name": picture.name, "iou": iou, "ms": ms, "mask": mask}


def missed(name: str, group: dict[str, Any]) -> bool:
    """Whether a group's figures are below its goal."""
    mean, worst = GOALS.get(name, GOAL)
    return bool(group["mean"] < mean or group["worst"] < worst)


def summary(rows: Iterable[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Per group: mean and worst IoU, the means of its even and odd half, the worst picture's name, median milliseconds."""
    groups: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        groups.setdefault(row["group"], []).append(row)
    for members in groups.values():
        members.sort(key=lambda row: str(row["name"]))
    return {
        name: {
            "pictures": len(members),
            "mean": statistics.mean(row["iou"] for row in members),
            "halves": [statistics.mean(row["iou"] for row in members[first::2]) for first in (0, 1)],
            "worst": min(row["iou"] for row in members),
            "which": min(members, key=lambda row: row["iou"])["name"],
            "ms": statistics.median(row["ms"] for row in members),
        }
        for name, members in groups.items()
    }


def sheet(pictures: list[Picture], rows: list[dict[str, Any]], path: Path) -> None:
    """Each picture with its mistakes painted over, and its IoU."""
    ordered = sorted(zip(pictures, rows, strict=True), key=lambda pair: pair[1]["iou"])
    height = CELL[1] + 14
    canvas = Image.new("RGB", (COLUMNS * CELL[0], -(-len(rows) // COLUMNS) * height), "white")
    draw = ImageDraw.Draw(canvas)
    for number, (picture, row) in enumerate(ordered):
        painted = picture.rgb.copy()
        painted[picture.truth & ~row["mask"]] = (255, 0, 0)
        painted[row["mask"] & ~picture.truth] = (0, 80, 255)
        edge = row["mask"] ^ np.roll(row["mask"], 3, axis=1) | row["mask"] ^ np.roll(row["mask"], 3, axis=0)
        painted[edge & (picture.truth == row["mask"])] = (0, 200, 90)
        x, y = number % COLUMNS * CELL[0], number // COLUMNS * height
        canvas.paste(Image.fromarray(painted).resize(CELL, Image.Resampling.BOX), (x, y))
        draw.text((x + 2, y + CELL[1] + 1), f"{row['iou']:.3f} {picture.group}", "black")
    path.parent.mkdir(parents=True, exist_ok=True)
    canvas.save(path)


if __name__ == "__main__":
    raise SystemExit(main())
