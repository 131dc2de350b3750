"""How good and how fast the default engines are: figures, seconds, and a contact sheet to be looked at.

    python -m bench.defaults [--samples FOLDER] [-o out/defaults] [--json FILE]
    python -m bench.defaults --only sheet --photos PHOTO... --garments GARMENT...

figures   posecut's parse (IoU of every label that a person wears) on the data set's people and on those of bench/people.py,
          by halves; blazepose's joints against the data set's (PCK@0.2: within 0.2 shoulder widths, of joints that the data
          set is sure of, over 0.4); the structural similarity (SSIM) of a person in her own garment to her photo
seconds   stages, whole try-on and critical path warm, and further garments on the same person, through the gateway
sheet     a row for every sample person and garment: photo, parse, densepose, agnostic, warped garment, result, at
          OUTPUT/NAME.jpg; what the engines refuse or doubt is written below the result

Poses come from blazepose, as in the running cluster.
"""

import argparse
import json
import os
import statistics
import textwrap
import time
from pathlib import Path
from typing import Any

import httpx
import numpy as np
from PIL import Image, ImageDraw

import stagekit
from bench.people import GROUPS, known_people, overlaps, summary
from bench.tryon import gateway, measure
from howsfit.evaluation import measures
from services.agnostic.engines.viton_hd.engine import Engine as VitonHd
from services.cloth_mask.engines.cutout.engine import Engine as Cutout
from services.densepose.engines.skeleton.engine import Engine as Skeleton
from services.human_parse.engines.posecut.engine import Engine as Posecut
from services.pose.engines.blazepose.engine import Engine as Blazepose
from services.resize.engines.framing.engine import Engine as Framing
from services.tryon.engines.tps.engine import Engine as Tps
from stagekit.errors import StageError
from stagekit.formats import BODY_25, CIHP_PALETTE, keypoints

GARMENTS = ("00006_00", "001", "01430_00", "06429_00", "11351_00")
OWN = "00006_00"
"""The sample person whose own garment is among the samples."""
SAMPLES = Path(os.environ.get("HOWSFIT_SAMPLES", Path(__file__).resolve().parents[2] / "shared" / "samples"))
CELL = (288, 384)
GOALS = {"SSIM": 0.90, "whole s": 2.0, "further s": 0.8, "ratio": 1.1, "PCK": 0.95}
PARSE_GOALS = {"mean": 0.82, "upper_clothes": 0.92, "arms": 0.80, "legs": 0.75, "skirt": 0.70}
SURE = 0.4  # confidence of a joint that the data set is sure of


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", type=Path, default=SAMPLES, help="folder in the VITON-HD layout")
    parser.add_argument("--only", choices=("figures", "seconds", "sheet"), help="one part of it")
    parser.add_argument("--photos", nargs="+", type=Path, help="people of the sheet, instead of the samples'")
    parser.add_argument(
        "--garments", nargs="+", type=Path, help="garments of the sheet, instead of five of the samples'"
    )
    parser.add_argument("-o", "--output", type=Path, default=Path("out/defaults"), help="folder of the sheet")
    parser.add_argument("--json", type=Path, help="write the figures here")
    arguments = parser.parse_args()
    samples: Path = arguments.samples
    found: dict[str, Any] = {}
    if arguments.only in (None, "seconds"):
        found["seconds"] = seconds(samples)
        show_seconds(found["seconds"])
    if arguments.only != "seconds":
        stages = Stages()
        if arguments.only != "sheet":
            found["parse"] = parse_figures(stages, samples)
            show_parse(found["parse"])
            found["pck"] = pose_figures(stages, samples)
            show_pose(found["pck"])
            found["ssim"] = own_garment(stages, samples)
            print(f"SSIM of {OWN} in its own garment {found['ssim']:.4f} (goal {GOALS['SSIM']})")
        if arguments.only != "figures":
            photos = arguments.photos or sorted([*(samples / "image").iterdir(), *(samples / "wild").iterdir()])
            garments = arguments.garments or [samples / "cloth" / f"{name}.jpg" for name in GARMENTS]
            found["warnings"] = sheets(stages, photos, garments, arguments.output)
    if arguments.json:
        arguments.json.parent.mkdir(parents=True, exist_ok=True)
        arguments.json.write_text(json.dumps(found, indent=1))


class Stages:
    """The default engines, loaded, called one after another."""

    def __init__(self) -> None:
        self._person = Framing(), Blazepose(), Posecut(), Skeleton(), VitonHd()
        self._mask, self._tryon = Cutout(), Tps()
        for engine in (*self._person, self._mask, self._tryon):
            engine.load()

    def person(self, photo: np.ndarray, warn: stagekit.Warn) -> stagekit.Artifacts:
        """All artifacts of a person. Raises StageError."""
        found: stagekit.Artifacts = {"photo": photo}
        for engine in self._person:
            found.update(engine.run(found, warn))
        return found

    def agnostic(self, person: stagekit.Artifacts, category: str) -> np.ndarray:
        """uint8 RGB, for a garment of that category. Raises StageError."""
        *_, agnostic = self._person
        return np.asarray(agnostic.run({**person, "category": category}, ignore)["agnostic"])

    def garment(self, picture: np.ndarray, warn: stagekit.Warn) -> stagekit.Artifacts:
        """cloth and cloth_mask. Raises StageError."""
        return self._mask.run({"garment": picture}, warn)

    def dress(self, person: stagekit.Artifacts, garment: stagekit.Artifacts, warn: stagekit.Warn) -> stagekit.Artifacts:
        """warped_cloth and tryon. Raises StageError."""
        made = self._tryon.run({**person, **garment}, warn)
        return {"warped_cloth": made["warped_cloth"](), "tryon": made["tryon"]}

    def pose(self, person: np.ndarray) -> np.ndarray:
        """blazepose's (25, 3) joints of a framed person."""
        return keypoints(self._person[1].run({"person": person}, ignore)["pose"])[0]

    def parse(self, person: np.ndarray) -> tuple[np.ndarray, float]:
        """posecut's parse of a framed person, and the milliseconds that it took."""
        _, pose, parse, *_ = self._person
        joints = pose.run({"person": person}, ignore)["pose"]
        start = time.perf_counter()
        labels = parse.run({"person": person, "pose": joints}, ignore)["parse"]
        return labels, 1000 * (time.perf_counter() - start)


def parse_figures(stages: Stages, samples: Path) -> dict[str, Any]:
    """`people`: person -> group, IoU of her labels, milliseconds. `groups`: group, and `all` -> what bench.people sums up."""
    people = list(known_people(samples))
    stages.parse(people[0].photo)  # models warm up on their first face and hand
    rows: dict[str, dict[str, Any]] = {}
    for person in people:
        ours, milliseconds = stages.parse(person.photo)
        rows[person.name] = {"group": person.group, "iou": overlaps(ours, person.truth), "ms": round(milliseconds)}
    groups = {
        group: summary({name: row["iou"] for name, row in rows.items() if group in (row["group"], "all")})
        for group in (*GROUPS, "all")
    }
    return {"people": rows, "groups": groups}


def show_parse(found: dict[str, Any]) -> None:
    for name, row in found["people"].items():
        iou = ", ".join(f"{label} {value:.2f}" for label, value in row["iou"].items())
        print(f"{name:12}{row['group']:11}{np.mean(list(row['iou'].values())):.3f}  {row['ms']} ms  {iou}")
    labels = list(found["groups"]["all"]["labels"])
    print(f"{'IoU':14}" + "".join(f"{group:>12}" for group in found["groups"]))
    for label in labels:
        cells = [group["labels"].get(label) for group in found["groups"].values()]
        print(f"{label:14}" + "".join(f"{'-' if cell is None else f'{cell:.3f}':>12}" for cell in cells))
    for name, goal in PARSE_GOALS.items():
        cells = [_of(group, name) for group in found["groups"].values()]
        print(
            f"{name:14}"
            + "".join(f"{'-' if cell is None else f'{cell:.3f}':>12}" for cell in cells)
            + f"  (goal {goal})"
        )
    for group, figures in found["groups"].items():
        (person, at_person), (label, at_label) = figures["worst person"], figures["worst label"]
        print(f"{group}: worst person {person} {at_person:.3f}, worst label {label} {at_label:.3f}")


def _of(figures: dict[str, Any], name: str) -> float | None:
    """A label's mean IoU; of arms and legs, that of both sides; of `mean`, that of all labels."""
    if name == "mean":
        return float(figures["mean"])
    sides = {"arms": ("left_arm", "right_arm"), "legs": ("left_leg", "right_leg")}.get(name, (name,))
    found = [figures["labels"][side] for side in sides if side in figures["labels"]]
    return float(np.mean(found)) if found else None


def pose_figures(stages: Stages, samples: Path) -> dict[str, float]:
    """Person -> share of the sure joints that were found near their place; `all` over all joints."""
    near: dict[str, np.ndarray] = {}
    for path in sorted((samples / "openpose_json").glob("*_keypoints.json")):
        name = path.name.removesuffix("_keypoints.json")
        truth = np.array(json.loads(path.read_text())["people"][0]["pose_keypoints_2d"]).reshape(-1, 3)
        if len(truth) == len(BODY_25):  # the one of 18 joints is another tool's, with wrists half-way up the forearms
            ours = stages.pose(read(samples / "image" / f"{name}.jpg"))
            sure = truth[:, 2] > SURE
            width = np.linalg.norm(truth[BODY_25["left_shoulder"], :2] - truth[BODY_25["right_shoulder"], :2])
            off = np.linalg.norm((ours - truth)[sure, :2], axis=1)
            near[name] = (off < 0.2 * width) & (ours[sure, 2] > 0)
    near["all"] = np.concatenate(list(near.values()))
    return {name: float(hits.mean()) for name, hits in near.items()}


def show_pose(found: dict[str, float]) -> None:
    worst = min(found, key=found.__getitem__)
    print(f"PCK@0.2 {found['all']:.3f} (goal {GOALS['PCK']}), worst person {worst} {found[worst]:.3f}")


def own_garment(stages: Stages, samples: Path) -> float:
    """SSIM between the photo of a person and the try-on of the garment that she wears in it."""
    person = stages.person(read(samples / "image" / f"{OWN}.jpg"), ignore)
    garment = stages.garment(read(samples / "cloth" / f"{OWN}.jpg"), ignore)
    return round(ssim(stages.dress(person, garment, ignore)["tryon"], person["person"]), 4)


def ssim(one: np.ndarray, other: np.ndarray) -> float:
    """Mean structural similarity of two uint8 RGB pictures of one size."""
    return float(ssim_map(one, other).mean())


def ssim_map(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Structural similarity per pixel, float (H, W), of uint8 RGB pictures (Wang et al., 2004)."""
    return np.asarray(measures.ssim_map(one / 255, other / 255).mean(axis=2))


def seconds(samples: Path) -> dict[str, Any]:
    """Warm seconds through a gateway of its own: nothing reused, then further garments on the same person."""
    photo = (samples / "image" / f"{OWN}.jpg").read_bytes()
    garments = [path.read_bytes() for path in sorted((samples / "cloth").glob("*.jpg"))]
    with gateway(None) as url, httpx.Client(base_url=url, timeout=300) as client:
        whole = measure(url, 10, photo, garments[0])
        totals = []
        for garment in garments:
            document = client.post(
                "/v1/tryons", files={"photo": photo, "garment": garment}, headers={"Prefer": "wait=120"}
            ).json()
            if document["status"] != "succeeded":
                raise SystemExit(f"The try-on failed: {document['error']}")
            totals.append(document["metrics"]["total_seconds"])
    return {
        "stages_s": {stage: round(sum(phases.values()) / 1000, 3) for stage, phases in whole["stages_ms"].items()},
        "whole_s": round(whole["total_ms"] / 1000, 3),
        "critical_path_s": round(whole["critical_path_ms"] / 1000, 3),
        "ratio": round(whole["total_ms"] / whole["critical_path_ms"], 3),
        "further_s": round(statistics.median(totals[1:]), 3),
        "cpus": os.cpu_count(),
    }


def show_seconds(found: dict[str, Any]) -> None:
    print("seconds warm, with encoding and decoding:", ", ".join(f"{s} {t:.2f}" for s, t in found["stages_s"].items()))
    print(f"whole {found['whole_s']:.2f} s (goal {GOALS['whole s']}) on {found['cpus']} CPUs, critical path "
          f"{found['critical_path_s']:.2f} s, ratio {found['ratio']:.2f} (goal {GOALS['ratio']}); a further garment on her "
          f"{found['further_s']:.2f} s (goal {GOALS['further s']})")  # fmt: skip


def sheets(stages: Stages, photos: list[Path], garments: list[Path], folder: Path) -> dict[str, list[str]]:
    """One picture for each person, a row for each garment. Gives what was warned of or refused."""
    folder.mkdir(parents=True, exist_ok=True)
    said: dict[str, list[str]] = {}

    def listener(row: str) -> stagekit.Warn:
        return lambda code, _: said.setdefault(row, []).append(code)

    cut = {path: stages.garment(read(path), listener(path.stem)) for path in garments}
    for photo in photos:
        seen, person = [read(photo)], None
        try:
            person = stages.person(seen[0], listener(photo.stem))
            seen += [np.array(CIHP_PALETTE, np.uint8)[person["parse"]], person["densepose"], person["agnostic"]]
        except StageError as error:
            listener(photo.stem)(error.code, str(error))
        rows = []
        for path in garments:
            name, made = f"{photo.stem} in {path.stem}", []
            try:
                made = [] if person is None else list(stages.dress(person, cut[path], listener(name)).values())
            except StageError as error:
                listener(name)(error.code, str(error))
            rows.append(strip([read(path), *seen, *made], said.get(photo.stem, []) + said.get(name, [])))
        sheet = Image.new("RGB", (rows[0].width, sum(row.height for row in rows)))
        for index, row_picture in enumerate(rows):
            sheet.paste(row_picture, (0, index * row_picture.height))
        sheet.save(folder / f"{photo.stem}.jpg", quality=92)
        print(folder / f"{photo.stem}.jpg")
    for row, codes in said.items():
        print(f"{row}: {', '.join(codes)}")
    return said


def strip(pictures: list[np.ndarray], said: list[str]) -> Image.Image:
    """Pictures side by side, with a word on them."""
    row = Image.new("RGB", (7 * CELL[0], CELL[1]), "white")
    for column, picture in enumerate(pictures):
        small = Image.fromarray(picture)
        small.thumbnail(CELL, Image.Resampling.LANCZOS)
        row.paste(small, (column * CELL[0], 0))
    ImageDraw.Draw(row).text((6 * CELL[0] + 6, CELL[1] - 30), "\n".join(textwrap.wrap(", ".join(said), 40)), "darkred")
    return row


def read(path: Path) -> np.ndarray:
    return np.array(Image.open(path).convert("RGB"))


def ignore(code: str, message: str) -> None:
    """Warnings are no matter here."""


if __name__ == "__main__":
    main()
