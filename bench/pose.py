"""How well the pose engines agree with the data set's own keypoints, and what they take: PCK and milliseconds.

    python -m bench.pose [--samples FOLDER] [--weights FOLDER] [--models mobilenet body_25 coco] [--runs 5] [--json FILE]

PCK@0.2: the share of the data set's joints that were found within 0.2 shoulder widths, over nose, neck, shoulders, elbows and
wrists, in the person listed first. `found` is the share of them that were found anywhere. Milliseconds are the median of all
runs, pictures in turns. --weights has a folder `openpose`, as HOWSFIT_WEIGHTS_DIR; models without weights are left out.
"""

import argparse
import json
import os
import statistics
import time
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

import stagekit
from services.pose.engines.blazepose.engine import Engine as Blazepose
from services.pose.engines.openpose.engine import Engine as Openpose
from services.pose.engines.openpose.models import MODELS
from stagekit.errors import NoPerson, WeightsMissing
from stagekit.formats import keypoints

JOINTS = 8
"""Nose to left wrist, in which COCO-18 and BODY_25 files agree."""

SAMPLES = Path(os.environ.get("HOWSFIT_SAMPLES", Path(__file__).resolve().parents[2] / "shared" / "samples"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", type=Path, default=SAMPLES, help="folder in the VITON-HD layout")
    parser.add_argument("--weights", type=Path, help="folder with a folder `openpose`")
    parser.add_argument("--models", nargs="*", choices=list(MODELS), default=list(MODELS), help="of openpose")
    parser.add_argument("--runs", type=int, default=5, help="runs on each picture")
    parser.add_argument("--json", type=Path, help="write the figures here")
    arguments = parser.parse_args()
    if arguments.weights:
        os.environ["HOWSFIT_WEIGHTS_DIR"] = str(arguments.weights)
    pictures = {
        path.name.removesuffix("_keypoints.json"): np.array(
            json.loads(path.read_text())["people"][0]["pose_keypoints_2d"], dtype=np.float64
        ).reshape(-1, 3)[:JOINTS]
        for path in sorted((arguments.samples / "openpose_json").glob("*_keypoints.json"))
    }
    rows = []
    print(f"{'':20}{'PCK@0.2':>10}{'found':>10}{'joints':>10}{'ms':>10}")
    for name in ("blazepose", *(f"openpose-{model}" for model in arguments.models)):
        engine = loaded(name)
        if engine:
            rows.append({"engine": name, **score(engine, pictures, arguments.samples, arguments.runs)})
            print("{engine:20}{pck:>10.3f}{found:>10.3f}{joints:>10}{ms:>10.0f}".format(**rows[-1]))
    if arguments.json:
        arguments.json.write_text(json.dumps(rows, indent=1))


def loaded(name: str) -> stagekit.Engine | None:
    if name.startswith("openpose-"):
        os.environ["HOWSFIT_OPENPOSE_MODEL"] = name.removeprefix("openpose-")
    engine = Blazepose() if name == "blazepose" else Openpose()
    try:
        engine.load()
    except WeightsMissing:
        print(f"{name:20}{'no weights':>10}")
        return None
    return engine


def score(engine: stagekit.Engine, truths: dict[str, np.ndarray], samples: Path, runs: int) -> dict[str, Any]:
    near = found = known = 0
    times = []
    for number, (name, truth) in enumerate(truths.items()):
        person = np.array(Image.open(samples / "image" / f"{name}.jpg").convert("RGB"))
        if number == 0:
            look(engine, person)  # models warm up on their first picture
        for _ in range(runs):
            start = time.perf_counter()
            joints = look(engine, person)[:JOINTS]
            times.append(1000 * (time.perf_counter() - start))
        seen = truth[:, 2] > 0
        close = np.hypot(*(joints - truth)[:, :2].T) < 0.2 * np.hypot(*(truth[2] - truth[5])[:2])
        near += int((seen & close & (joints[:, 2] > 0)).sum())
        found += int((seen & (joints[:, 2] > 0)).sum())
        known += int(seen.sum())
    return {"pck": near / known, "found": found / known, "joints": known, "ms": statistics.median(times)}


def look(engine: stagekit.Engine, person: np.ndarray) -> np.ndarray:
    """(25, 3) of the person listed first; zeros when nobody was found."""
    try:
        return keypoints(engine.run({"person": person}, lambda code, message: None)["pose"])[0]
    except NoPerson:
        return np.zeros((25, 3))


if __name__ == "__main__":
    main()
