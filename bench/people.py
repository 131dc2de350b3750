"""People whose parse is known, and how well a parse agrees with it.

Two sources: the VITON-HD samples with the data set's own parse (all of them were looked at when posecut was made), and people
of `people/` in skirts, dresses and with bare legs, outlined by hand in labelled_people.json: label -> rings of x, y in the
photo's own pixels. Their photos are 768 x 1024 and pass stage `resize` as they are, so these are pixels of `person` too. A ring
inside another of its label is a hole. The outlines were drawn over the enlarged photos and moved to the nearest edge in them;
what lies open in a shoe counts as shoe, a bag as background, bare skin of the trunk as neck. Of the labelled people, sorted by
name, the even ones may be looked at while posecut is worked on; the odd ones are held back.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from stagekit.formats import CIHP, CIHP_LABELS, HEIGHT, WIDTH

GROUPS = ("data set", "seen", "held back")
_OUTLINES = Path(__file__).with_name("labelled_people.json")
_LEAST = 0.001  # of the picture; a sliver of leg at its lower end says nothing


@dataclass(frozen=True)
class Person:
    name: str
    group: str
    photo: np.ndarray
    """(1024, 768, 3) uint8 RGB."""

    truth: np.ndarray
    """(1024, 768) uint8 CIHP ids."""


def known_people(samples: Path) -> Iterator[Person]:
    """Those of the data set, then the labelled ones."""
    for path in sorted((samples / "image-parse-v3").glob("*.png")):
        photo = np.array(Image.open(samples / "image" / f"{path.stem}.jpg").convert("RGB"))
        yield Person(path.stem, "data set", photo, np.array(Image.open(path)))
    photos = {path.stem: path for path in (samples / "people").iterdir()}
    for number, (name, outlines) in enumerate(sorted(json.loads(_OUTLINES.read_text()).items())):
        photo = np.array(Image.open(photos[name]).convert("RGB"))
        yield Person(name, "held back" if number % 2 else "seen", photo, filled(outlines))


def filled(outlines: dict[str, list[list[list[int]]]]) -> np.ndarray:
    """(1024, 768) uint8 CIHP ids from label -> rings of x, y."""
    parse = np.zeros((HEIGHT, WIDTH), np.uint8)
    for label, rings in outlines.items():
        inside = np.zeros_like(parse)
        cv2.fillPoly(inside, [np.array(ring, np.int32) for ring in rings], (1,))
        parse[inside > 0] = CIHP[label]
    return parse


def overlaps(ours: np.ndarray, truth: np.ndarray) -> dict[str, float]:
    """Label -> intersection over union, of all labels that the truth has."""
    worn = [label for label in CIHP_LABELS[1:] if (truth == CIHP[label]).mean() > _LEAST]
    pairs = {label: (ours == CIHP[label], truth == CIHP[label]) for label in worn}
    return {label: float((a & b).sum() / (a | b).sum()) for label, (a, b) in pairs.items()}


def summary(rows: dict[str, dict[str, float]]) -> dict[str, object]:
    """rows: person -> label -> IoU. Means by label, their mean, and the worst person and label with their means."""
    labels = {label: float(np.mean([row[label] for row in rows.values() if label in row]))
              for label in CIHP_LABELS if any(label in row for row in rows.values())}  # fmt: skip
    people = {name: float(np.mean(list(row.values()))) for name, row in rows.items()}
    least, worst = min(people, key=people.__getitem__), min(labels, key=labels.__getitem__)
    return {
        "labels": labels,
        "mean": float(np.mean(list(labels.values()))),
        "worst person": (least, people[least]),
        "worst label": (worst, labels[worst]),
    }
