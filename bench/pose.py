"""How well the pose engines agree with the data set's own keypoints, and what they take: PCK and milliseconds.

    python -m bench.pose [--samples FOLDER] [--weights FOLDER] [--models mobilenet body_25 coco] [--runs 5] [--json FILE]

PCK@0.2: the share of the data set's joints that were found within 0.2 shoulder widths, in the person listed first. `all` is of
all joints that the data set's BODY_25 files have, in four photos; `arms` of nose, neck, shoulders, elbows and wrists in five:
the fifth file is another tool's, of 18 joints, with wrists half-way up the forearms and ankles in a photo cut at the thighs.
`false ankles` are those found in pictures cut off above them, of so many that are not there: the samples, and cuts of the one
that shows somebody whole. Milliseconds are the median of all runs, pictures in turns. --weights has folders `openpose` and
`posenet`, as HOWSFIT_WEIGHTS_DIR; engines without weights are left out.
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
from services.pose.engines.posenet.engine import Engine as Posenet
from stagekit.errors import NoPerson, WeightsMissing
from stagekit.formats import BODY_25, HEIGHT, WIDTH, keypoints

ARMS = 8
"""Nose to left wrist, in which COCO-18 and BODY_25 files agree."""

WHOLE = "wild/049447_0.jpg"
CUTS = range(440, 861, 20)
"""The sample that shows ankles, at rows 887 and 896, and where it is cut off."""

SAMPLES = Path(os.environ.get("HOWSFIT_SAMPLES", Path(__file__).resolve().parents[2] / "shared" / "samples"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", type=Path, default=SAMPLES, help="folder in the VITON-HD layout")
    parser.add_argument("--weights", type=Path, help="folder with folders `openpose` and `posenet`")
    parser.add_argument("--models", nargs="*", choices=list(MODELS), default=list(MODELS), help="of openpose")
    parser.add_argument("--runs", type=int, default=5, help="runs on each picture")
    parser.add_argument("--json", type=Path, help="write the figures here")
    arguments = parser.parse_args()
    if arguments.weights:
        os.environ["HOWSFIT_WEIGHTS_DIR"] = str(arguments.weights)
    truths = {
        path.name.removesuffix("_keypoints.json"): np.array(
            json.loads(path.read_text())["people"][0]["pose_keypoints_2d"], dtype=np.float64
        ).reshape(-1, 3)
        for path in sorted((arguments.samples / "openpose_json").glob("*_keypoints.json"))
    }
    rows = []
    print(f"{'':20}{'PCK all':>12}{'PCK arms':>12}{'false ankles':>14}{'ms':>6}")
    for name in ("blazepose", "posenet", *(f"openpose-{model}" for model in arguments.models)):
        engine = loaded(name)
        if engine:
            rows.append({"engine": name, **score(engine, truths, arguments.samples, arguments.runs)})
            rows[-1] |= false_ankles(engine, arguments.samples)
            line = "{engine:20}{pck_all:>7.3f} ({all})"
            line += "{pck_arms:>7.3f} ({arms}){false_ankles:>7} of {hidden_ankles}{ms:>6.0f}"
            print(line.format(**rows[-1]))
    if arguments.json:
        arguments.json.write_text(json.dumps(rows, indent=1))


def loaded(name: str) -> stagekit.Engine | None:
    if name.startswith("openpose-"):
        os.environ["HOWSFIT_OPENPOSE_MODEL"] = name.removeprefix("openpose-")
    engine = {"blazepose": Blazepose, "posenet": Posenet}.get(name, Openpose)()
    try:
        engine.load()
    except WeightsMissing:
        print(f"{name:20}{'no weights':>12}")
        return None
    return engine


def score(engine: stagekit.Engine, truths: dict[str, np.ndarray], samples: Path, runs: int) -> dict[str, Any]:
    near, known = {"all": 0, "arms": 0}, {"all": 0, "arms": 0}
    times = []
    for number, (name, truth) in enumerate(truths.items()):
        person = np.array(Image.open(samples / "image" / f"{name}.jpg").convert("RGB"))
        if number == 0:
            look(engine, person)  # models warm up on their first picture
        for _ in range(runs):
            start = time.perf_counter()
            joints = look(engine, person)
            times.append(1000 * (time.perf_counter() - start))
        shoulder_width = np.hypot(*(truth[2] - truth[5])[:2])
        for joints_of, count in (("all", len(BODY_25)), ("arms", ARMS)):
            if len(truth) < count:
                continue
            found, wanted = joints[:count], truth[:count]
            seen = wanted[:, 2] > 0
            close = np.hypot(*(found - wanted)[:, :2].T) < 0.2 * shoulder_width
            near[joints_of] += int((seen & close & (found[:, 2] > 0)).sum())
            known[joints_of] += int(seen.sum())
    shares = {f"pck_{part}": near[part] / known[part] for part in near}
    return {**shares, **known, "ms": statistics.median(times)}


def false_ankles(engine: stagekit.Engine, samples: Path) -> dict[str, int]:
    pictures = []
    for path in sorted([*(samples / "image").iterdir(), *(samples / "wild").iterdir()]):
        picture = Image.open(path).convert("RGB")
        if path == samples / WHOLE:
            for bottom in CUTS:
                margin = (WIDTH - bottom * 3 // 4) // 2
                cut = picture.crop((margin, 0, WIDTH - margin, bottom)).resize((WIDTH, HEIGHT))
                pictures += [cut, cut.transpose(Image.Transpose.FLIP_LEFT_RIGHT)]
        else:
            pictures.append(picture)
    ankles = [BODY_25["left_ankle"], BODY_25["right_ankle"]]
    found = sum(int((look(engine, np.array(picture))[ankles, 2] > 0).sum()) for picture in pictures)
    return {"false_ankles": found, "hidden_ankles": 2 * len(pictures)}


def look(engine: stagekit.Engine, person: np.ndarray) -> np.ndarray:
    """(25, 3) of the person listed first; zeros when nobody was found."""
    try:
        return keypoints(engine.run({"person": person}, lambda code, message: None)["pose"])[0]
    except NoPerson:
        return np.zeros((25, 3))


if __name__ == "__main__":
    main()
