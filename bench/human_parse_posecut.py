"""How well the posecut parse agrees with the data set's own parses: IoU per label and photo.

    python -m bench.human_parse_posecut [--samples FOLDER] [--json FILE]

Poses come from the blazepose engine, as in the running cluster. Dresses and coats count as upper clothes.
"""

import argparse
import json
import os
import time
from pathlib import Path

import numpy as np
from PIL import Image

from services.human_parse.engines.posecut.engine import Engine as Posecut
from services.pose.engines.blazepose.engine import Engine as Blazepose
from stagekit.formats import CIHP

LABELS = ("hair", "face", "neck", "upper_clothes", "pants", "left_arm", "right_arm")
SAMPLES = Path(os.environ.get("HOWSFIT_SAMPLES", Path(__file__).resolve().parents[2] / "shared" / "samples"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", type=Path, default=SAMPLES, help="folder in the VITON-HD layout")
    parser.add_argument("--json", type=Path, help="write the figures here")
    arguments = parser.parse_args()
    rows = score_all(arguments.samples)
    rows["mean"] = {key: round(float(np.mean([row[key] for row in rows.values() if key in row])), 3)
                    for key in (*LABELS, "ms")}  # fmt: skip
    print(" " * 12 + "".join(f"{key:>14}" for key in (*LABELS, "ms")))
    for name, row in rows.items():
        print(f"{name:12}" + "".join(f"{row.get(key, '-'):>14}" for key in (*LABELS, "ms")))
    if arguments.json:
        arguments.json.write_text(json.dumps(rows, indent=1))


def score_all(samples: Path) -> dict[str, dict[str, float]]:
    """Photo name -> label -> IoU (labels that the photo has), and the run's milliseconds."""
    pose, parse = Blazepose(), Posecut()
    pose.load()
    parse.load()
    rows: dict[str, dict[str, float]] = {}
    for path in sorted((samples / "image-parse-v3").glob("*.png")):
        person = np.array(Image.open(samples / "image" / f"{path.stem}.jpg").convert("RGB"))
        found = pose.run({"person": person}, ignore)["pose"]
        if not rows:
            parse.run({"person": person, "pose": found}, ignore)  # models warm up on their first face and hand
        start = time.perf_counter()
        ours = parse.run({"person": person, "pose": found}, ignore)["parse"]
        rows[path.stem] = {
            **overlaps(ours, np.array(Image.open(path))),
            "ms": round(1000 * (time.perf_counter() - start)),
        }
    return rows


def overlaps(ours: np.ndarray, truth: np.ndarray) -> dict[str, float]:
    truth = np.where(np.isin(truth, (CIHP["dress"], CIHP["coat"])), CIHP["upper_clothes"], truth)
    pairs = {label: (ours == CIHP[label], truth == CIHP[label]) for label in LABELS}
    return {label: round(float((a & b).sum() / (a | b).sum()), 3) for label, (a, b) in pairs.items() if b.any()}


def ignore(code: str, message: str) -> None:
    """Warnings are no matter here."""


if __name__ == "__main__":
    main()
