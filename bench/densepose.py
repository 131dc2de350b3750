"""How well the densepose engines agree with the data set's own DensePose images, and what they take: IoU per part, and ms.

    python -m bench.densepose [--samples FOLDER] [--weights FOLDER] [--sides 800 640] [--runs 3] [--json FILE]

A part's front and back, left and right, inner and outer half count as one, as its overlap with the data set's; `mean` is that
of head, torso, upper and lower arms. Poses come from the blazepose engine, as in the running cluster. Milliseconds are the
median of all runs, pictures in turns. Detectron2 takes part where it is installed and --weights has its folder `detectron2`,
as HOWSFIT_WEIGHTS_DIR; an environment without MediaPipe measures it alone.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import statistics
import time
from pathlib import Path

import numpy as np
from PIL import Image

import stagekit
from services.densepose.stage import STAGE
from services.pose.stage import STAGE as POSE
from stagekit.errors import NoPerson, WeightsMissing
from stagekit.formats import DENSEPOSE_PALETTE
from stagekit.stage import make_engine

PARTS = {
    "head": (23, 24),
    "torso": (1, 2),
    "upper arms": (15, 16, 17, 18),
    "lower arms": (19, 20, 21, 22),
    "hands": (3, 4),
    "thighs": (7, 8, 9, 10),
    "person": tuple(range(1, 25)),
}
MEAN_OF = ("head", "torso", "upper arms", "lower arms")
COLUMNS = (*PARTS, "mean", "ms")

SAMPLES = Path(os.environ.get("HOWSFIT_SAMPLES", Path(__file__).resolve().parents[2] / "shared" / "samples"))
_PALETTE = np.array(DENSEPOSE_PALETTE, np.int32)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", type=Path, default=SAMPLES, help="folder in the VITON-HD layout")
    parser.add_argument("--weights", type=Path, help="folder with a folder `detectron2`")
    parser.add_argument("--sides", type=int, nargs="*", default=[800, 640], help="sides at which detectron2 looks")
    parser.add_argument("--runs", type=int, default=3, help="runs on each picture")
    parser.add_argument("--json", type=Path, help="write the figures here")
    arguments = parser.parse_args()
    if arguments.weights:
        os.environ["HOWSFIT_WEIGHTS_DIR"] = str(arguments.weights)
    rows = {}
    print(" " * 18 + "".join(f"{column:>12}" for column in COLUMNS))
    for name in ("skeleton", *(f"detectron2 {side}" for side in arguments.sides)):
        engine = loaded(name)
        if engine:
            rows[name] = score(engine, arguments.samples, arguments.runs)
            print(f"{name:18}" + "".join(f"{rows[name].get(column, '-'):>12}" for column in COLUMNS))
    if arguments.json:
        arguments.json.write_text(json.dumps(rows, indent=1))


def loaded(name: str) -> stagekit.Engine | None:
    """An engine, ready to run; None where its packages or weights are missing."""
    engine_name, _, side = name.partition(" ")
    if side:
        os.environ["HOWSFIT_DENSEPOSE_SIDE"] = side
    if importlib.util.find_spec({"skeleton": "mediapipe"}.get(engine_name, engine_name)) is None:
        print(f"{name:18}{'not installed':>12}")
        return None
    engine = make_engine(STAGE, engine_name)
    try:
        engine.load()
    except WeightsMissing:
        print(f"{name:18}{'no weights':>12}")
        return None
    return engine


def score(engine: stagekit.Engine, samples: Path, runs: int) -> dict[str, float]:
    """Part -> mean IoU over the pictures, their mean, and the milliseconds of a run."""
    overlaps: dict[str, list[float]] = {part: [] for part in PARTS}
    times = []
    for path in sorted((samples / "image-densepose").glob("*.jpg")):
        inputs = inputs_of(engine, np.array(Image.open(samples / "image" / path.name).convert("RGB")))
        truth = part_ids(np.array(Image.open(path).convert("RGB")))
        run(engine, inputs)  # warms up
        for _ in range(runs):
            start = time.perf_counter()
            picture = run(engine, inputs)
            times.append(1000 * (time.perf_counter() - start))
        ours = part_ids(picture)
        for part, ids in PARTS.items():
            a, b = np.isin(ours, ids), np.isin(truth, ids)
            if b.any():
                overlaps[part].append(float((a & b).sum() / (a | b).sum()))
    row = {part: round(statistics.mean(found), 3) for part, found in overlaps.items() if found}
    row["mean"] = round(statistics.mean(row[part] for part in MEAN_OF if part in row), 3)
    return {**row, "ms": round(statistics.median(times))}


def inputs_of(engine: stagekit.Engine, person: np.ndarray) -> stagekit.Artifacts:
    if engine.inputs is not None and "pose" not in engine.inputs:
        return {"person": person}
    pose = make_engine(POSE, "blazepose")
    pose.load()
    return {"person": person, "pose": pose.run({"person": person}, ignore)["pose"]}


def run(engine: stagekit.Engine, inputs: stagekit.Artifacts) -> np.ndarray:
    """(1024, 768, 3) RGB; black where nobody is found."""
    try:
        return np.asarray(engine.run(inputs, ignore)["densepose"])
    except NoPerson:
        return np.zeros_like(inputs["person"])


def part_ids(picture: np.ndarray) -> np.ndarray:
    """The id of the nearest colour, for each pixel: the data set's pictures are JPEG."""
    pixels = picture.astype(np.int32)
    best = np.full(picture.shape[:2], np.iinfo(np.int32).max)
    ids = np.zeros(picture.shape[:2], np.uint8)
    for part, colour in enumerate(_PALETTE):
        distance = ((pixels - colour) ** 2).sum(axis=2)
        ids[distance < best] = part
        best = np.minimum(best, distance)
    return ids


def ignore(code: str, message: str) -> None:
    """Warnings are no matter here."""


if __name__ == "__main__":
    main()
