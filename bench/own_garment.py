"""People in their own garment: how near the try-on comes to the photo, beside the grey agnostic. SSIM, whole and by label.

    python -m bench.own_garment [--samples FOLDER] [--half even|odd] [-o out/own_garment.png] [--json FILE]

The one pair of the data set, and pairs of our own making: the top or dress that a person of `people` wears is cut out of her
photo along the parse, cleared of what is narrower than a finger (rims of arms that the parse gives to the top) and laid on
white, a little turned and as large as a product picture has it. Arms and hair before it leave their hole. `!` marks a label
where the agnostic is nearer. The even and the odd of `people`, by name, are told apart: `tps` was made with a look at the even
ones only. So are dresses, by what the parse takes for one.
"""

import argparse
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from PIL import Image

import stagekit
from bench.defaults import Stages, ignore, read, ssim_map
from stagekit.formats import CIHP

SAMPLES = Path(os.environ.get("HOWSFIT_SAMPLES", Path(__file__).resolve().parents[2] / "shared" / "samples"))
PAIR = "00006_00"
PARTS = {
    "upper": ("upper_clothes", "dress", "coat"), "arms": ("left_arm", "right_arm"), "neck": ("neck",),
    "head": ("face", "hair", "hat", "sunglasses"), "lower": ("pants", "skirt", "left_leg", "right_leg"),
    "ground": ("background",),
}  # fmt: skip
LEAST = 500
"""Pixels of a label that counts."""

GOAL = 0.93
SMALLEST, LONGEST = 620, 820
"""Width and height of the garment in its picture, at most."""

FINGER = 6
CELL = (288, 384)


class Row(NamedTuple):
    """What came of a person."""

    name: str
    half: str
    tryon: float
    agnostic: float
    parts: dict[str, tuple[float, float]]
    """Label -> SSIM of the try-on and of the agnostic there."""
    picture: np.ndarray


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", type=Path, default=SAMPLES, help="folder in the VITON-HD layout, with `people`")
    parser.add_argument("--half", choices=("even", "odd"), help="only these of `people`")
    parser.add_argument("-o", "--output", type=Path, default=Path("out/own_garment.png"), help="the sheet")
    parser.add_argument("--json", type=Path, help="write the figures here")
    arguments = parser.parse_args()
    stages, rows = Stages(), []
    for name, half, photo, garment in pairs(stages, arguments.samples):
        if arguments.half in (None, half.split(",")[0]):
            rows.append(measured(stages, name, half, photo, garment))
            show(rows[-1])
    for half in sorted({row.half for row in rows}):
        of_half = [row for row in rows if row.half == half]
        figures = np.array([(row.tryon, row.agnostic) for row in of_half])
        (mean, agnostic), worst = figures.mean(axis=0), min(of_half, key=lambda row: row.tryon)
        print(
            f"{half:11} mean {mean:.3f} (goal {GOAL}), of the agnostic {agnostic:.3f}; worst {worst.tryon:.3f}, {worst.name}"
        )
    arguments.output.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.vstack([row.picture for row in rows])).save(arguments.output)
    print(arguments.output)
    if arguments.json:
        figures = [{key: value for key, value in row._asdict().items() if key != "picture"} for row in rows]
        arguments.json.write_text(json.dumps(figures, indent=1))


def pairs(stages: Stages, samples: Path) -> Iterator[tuple[str, str, stagekit.Artifacts, stagekit.Artifacts]]:
    """Name, half, what there is of the person, cloth and cloth_mask."""
    person = stages.person(read(samples / "image" / f"{PAIR}.jpg"), ignore)
    yield PAIR, "seen", person, stages.garment(read(samples / "cloth" / f"{PAIR}.jpg"), ignore)
    for number, path in enumerate(sorted((samples / "people").iterdir())):
        person = stages.person(read(path), ignore)
        cloth, mask = laid_flat(person["person"], person["parse"], number)
        half = ("even", "odd")[number % 2]
        garment: stagekit.Artifacts = {"cloth": cloth, "cloth_mask": mask}
        if (person["parse"] == CIHP["dress"]).any():
            half += ", dress"
            garment["category"] = "dress"
            person["agnostic"] = stages.agnostic(person, "dress")
        yield path.stem, half, person, garment


def laid_flat(photo: np.ndarray, parse: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """The worn top on white, uint8 RGB (1024, 768, 3), and its mask, uint8 0 or 255: by one affine map, drawn from the seed."""
    worn = np.isin(parse, [CIHP[name] for name in PARTS["upper"]]).astype(np.uint8)
    finger = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * FINGER + 1, 2 * FINGER + 1))
    worn = cv2.morphologyEx(worn, cv2.MORPH_OPEN, finger)
    _, pieces, facts, _ = cv2.connectedComponentsWithStats(worn)
    worn = (pieces == 1 + facts[1:, cv2.CC_STAT_AREA].argmax()).astype(np.float32)
    left, top, width, height = cv2.boundingRect(worn.astype(np.uint8))
    random = np.random.default_rng(seed)
    size = min(SMALLEST / width, LONGEST / height) * random.uniform(0.92, 1)
    middle = (left + width / 2, top + height / 2)
    matrix = cv2.getRotationMatrix2D(middle, random.uniform(-3, 3), size)
    matrix[:, 2] += np.array([384, 512]) - middle
    alpha = cv2.warpAffine(cv2.GaussianBlur(worn, (0, 0), 1), matrix, (768, 1024))
    cloth = cv2.warpAffine(photo, matrix, (768, 1024), borderMode=cv2.BORDER_REPLICATE)
    cloth = cloth * alpha[..., None] + 255 * (1 - alpha[..., None])
    return cloth.astype(np.uint8), np.where(alpha > 0.5, 255, 0).astype(np.uint8)


def measured(stages: Stages, name: str, half: str, person: stagekit.Artifacts, garment: stagekit.Artifacts) -> Row:
    made = stages.dress(person, garment, ignore)["tryon"]
    likeness, grey = ssim_map(made, person["person"]), ssim_map(person["agnostic"], person["person"])
    parts = {}
    for part, labels in PARTS.items():
        here = np.isin(person["parse"], [CIHP[label] for label in labels])
        if here.sum() >= LEAST:
            parts[part] = round(float(likeness[here].mean()), 3), round(float(grey[here].mean()), 3)
    unlike = np.repeat(np.clip(255 * (1 - likeness), 0, 255).astype(np.uint8)[..., None], 3, axis=2)
    pictures = (person["person"], garment["cloth"], made, person["agnostic"], unlike)
    row = np.hstack([cv2.resize(picture, CELL, interpolation=cv2.INTER_AREA) for picture in pictures])
    return Row(name, half, round(float(likeness.mean()), 3), round(float(grey.mean()), 3), parts, row)


def show(row: Row) -> None:
    parts = "  ".join(
        f"{part} {ours:.2f}/{grey:.2f}{'!' if ours < grey else ''}" for part, (ours, grey) in row.parts.items()
    )
    print(f"{row.name:10} {row.half:11} {row.tryon:.3f}/{row.agnostic:.3f}  {parts}")


if __name__ == "__main__":
    main()
