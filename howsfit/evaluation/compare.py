"""Two evaluations: which is better, how surely, and which pictures changed most. Only what may be compared is."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from howsfit.evaluation import statistics
from howsfit.evaluation.evaluate import FORMAT
from howsfit.evaluation.report import DOCUMENT

MOST_CHANGED = 10


def read(path: Path) -> dict[str, Any]:
    """An evaluation.json, or the one of a folder. Raises ValueError for anything else."""
    file = path / DOCUMENT if path.is_dir() else path
    try:
        document: dict[str, Any] = json.loads(file.read_bytes())
        known = document["format"] == FORMAT
    except (OSError, ValueError, KeyError, TypeError):
        known = False
    if not known:
        raise ValueError(f"'{file}' is no evaluation of this version. `howsfit evaluate RESULTS …` writes one.")
    return document


def compare(before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    """Of each number both values and their difference; of each measure of pairs a test of pairs, and what changed most.

    Both are compared on the persons whom both have. Raises ValueError where the two were not made in the same way.
    """
    _refuse_what_differs(before, after)
    rows = [{row["person"]: row for row in each["pictures"]} for each in (before, after)]
    persons = sorted(rows[0].keys() & rows[1].keys())
    if before["setting"] == "paired" and not persons:
        raise ValueError("They have no person in common, so there is nothing to compare.")
    compared: dict[str, Any] = {"persons": len(persons), "numbers": {}, "changed": {}}
    for name, measure in before["protocol"]["measures"].items():
        better = 1 if measure["better"] == "higher" else -1
        if measure["of"] == "sets":
            if before["setting"] == "paired" and rows[0].keys() != rows[1].keys():
                continue  # of other persons, the distance of the photos is another
            values = [float(each["numbers"][name]["value"]) for each in (before, after)]
            compared["numbers"][name] = {
                "before": values[0], "after": values[1], "difference": values[1] - values[0],
                "better": better * (values[1] - values[0]) > 0,
            }  # fmt: skip
            continue
        old, new = (np.array([float(some[person][name]) for person in persons]) for some in rows)
        found = statistics.difference(old, new)
        changes = np.where(old == new, 0.0, new - old)
        compared["numbers"][name] = {
            "before": float(old.mean()), "after": float(new.mean()), "difference": found.mean,
            "interval": list(found.interval), "p": found.p, "better": better * found.mean > 0,
            "pictures_better": int((better * changes > 0).sum()), "pictures_worse": int((better * changes < 0).sum()),
        }  # fmt: skip
        most = np.argsort(-np.abs(changes), kind="stable")[:MOST_CHANGED]
        compared["changed"][name] = [
            {"person": persons[at], "before": float(old[at]), "after": float(new[at]), "difference": float(changes[at])}
            for at in most
            if changes[at]
        ]
    return compared


def _refuse_what_differs(before: dict[str, Any], after: dict[str, Any]) -> None:
    """Numbers that were made differently say nothing of each other."""
    what: dict[str, Callable[[dict[str, Any]], Any]] = {
        "protocols": lambda each: f"{each['protocol']['name']} {each['protocol']['version']}",
        "settings": lambda each: each["setting"],
        "photos": lambda each: each["photos"]["digest"],
        # FID and KID are other numbers for fewer pictures, and nothing else tells that they are of the same persons.
        "numbers of results": lambda each: each["setting"] == "unpaired" and each["results"]["pictures"],
        "libraries": lambda each: each["libraries"],
        "weights": lambda each: {name: weights["digest"] for name, weights in each["weights"].items()},
        "devices": lambda each: each["device"],
    }
    for named, of in what.items():
        one, other = of(before), of(after)
        if one != other:
            raise ValueError(
                f"They have different {named}: {_told(one, other)}, so their numbers cannot be compared. Evaluate both folders "
                "of results anew with the same ones."
            )


def _told(one: Any, other: Any) -> str:
    """Both, or of tables what differs."""
    if not isinstance(one, dict):
        return f"{one} and {other}"
    names = sorted(name for name in one.keys() | other.keys() if one.get(name) != other.get(name))
    return ", ".join(f"{name} {one.get(name, 'none')} and {other.get(name, 'none')}" for name in names)
