"""Make the preview of a data set: strips with all cores, then page, sheets and statistics of them."""

import json
import os
from collections import defaultdict
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from howsfit import files
from howsfit.dataset.catalogue import OF_PERSONS, Catalogue, Part, read_catalogue
from howsfit.dataset.layout import OF_CLOTHS, PLACES
from howsfit.dataset.pool import work
from howsfit.dataset.preview.sheets import ROWS, draw_sheet, spread
from howsfit.dataset.preview.statistics import Statistics
from howsfit.dataset.preview.strips import CELL, CELLS, Row, draw_strip, file_of, strip_path

Findings = dict[tuple[str, str], list[dict[str, str]]]
"""Of a report, by part and name."""

_TEMPLATE = Path(__file__).with_name("page.html")
_STRIPS, _SHEETS = "strips", "sheets"


class Preview(NamedTuple):
    page: Path
    sheets: list[Path]
    rows: int


def preview(
    root: Path,
    out: Path,
    report: dict[str, Any] | None = None,
    limit: int | None = None,
    workers: int | None = None,
    begin: Callable[[int], None] = lambda rows: None,
    tell: Callable[[], None] = lambda: None,
) -> Preview:
    """Write index.html, strips/, sheets/ and statistics.json into `out`.

    report: the document of a check, by whose findings the page can be filtered. limit: so many rows of each part, evenly
    chosen, and all that the report names. Raises UnusableFolder, and ValueError for a report of another set.
    """
    catalogue = read_catalogue(root)
    findings, of_set = _by_name(report, catalogue)
    rows = [row for part in catalogue.parts for row in _chosen(list(_rows(part)), limit, findings)]
    cells = tuple(cell for cell in CELLS if any(file_of(cell) in row.paths for row in rows))
    begin(len(rows))
    statistics: dict[str, Statistics] = {part.name: Statistics() for part in catalogue.parts}
    for strip in work(partial(draw_strip, cells=cells, folder=out / _STRIPS), rows, workers):
        if strip.labels is not None:
            statistics[strip.row.part].add(strip.labels)
        tell()
    labels = {part: each.document() for part, each in statistics.items() if each.maps}
    files.write(out / "statistics.json", json.dumps(labels, indent=1).encode())
    document = {
        "name": root.resolve().name,
        "root": _link(root, out),
        "cells": cells,
        "cell": CELL,
        "artifacts": list(PLACES),
        "of_cloths": OF_CLOTHS,
        "places": {part.name: _places(part) for part in catalogue.parts},
        "rows": [_row(row, root, _of_row(row, findings)) for row in rows],
        "set": of_set,
        "traps": (report or {}).get("traps", {}),
        "checked": report is not None,
        "labels": labels,
    }
    files.write(out / "index.html", _page(document))
    return Preview(out / "index.html", list(_write_sheets(out, rows, cells, findings)), len(rows))


# -- what is shown -----------------------------------------------------------------------------------------------------


def _rows(part: Part) -> Iterator[Row]:
    """Each person with the garment of her name, or the first that a list of pairs gives her; then all other garments."""
    listed = _listed(part)
    shown = set()
    for name in part.persons():
        cloth = name if part.has("cloth", name) else listed.get(name, "")
        shown.add(cloth)
        yield Row(part.name, name, cloth, _paths(part, OF_PERSONS, name) | _paths(part, OF_CLOTHS, cloth))
    persons = set(part.persons())
    for name in part.cloths():
        if name not in shown and name not in persons:
            yield Row(part.name, name, name, _paths(part, OF_CLOTHS, name))


def _listed(part: Part) -> dict[str, str]:
    found: dict[str, str] = {}
    for path in part.lists():
        with path.open(encoding="utf-8", errors="replace") as lines:
            for fields in (line.split() for line in lines):
                if len(fields) == 2:
                    found.setdefault(Path(fields[0]).stem, Path(fields[1]).stem)
    return found


def _paths(part: Part, artifacts: tuple[str, ...], name: str) -> dict[str, Path]:
    return {artifact: path for artifact in artifacts if (path := part.path(artifact, name))}


def _chosen(rows: list[Row], limit: int | None, findings: Findings) -> list[Row]:
    if limit is None or len(rows) <= limit:
        return rows
    even = {at * len(rows) // limit for at in range(limit)}
    return [row for number, row in enumerate(rows) if number in even or _of_row(row, findings)]


def _of_row(row: Row, findings: Findings) -> list[dict[str, str]]:
    """Of the person what is hers, of the garment what is its own."""
    own = findings.get((row.part, row.name), [])
    if row.cloth == row.name:
        return own
    return [each for each in own if each["artifact"] not in OF_CLOTHS] + [
        each for each in findings.get((row.part, row.cloth), []) if each["artifact"] in OF_CLOTHS
    ]


def _by_name(report: dict[str, Any] | None, catalogue: Catalogue) -> tuple[Findings, list[dict[str, str]]]:
    """Findings by part and name, and those of none."""
    found: Findings = defaultdict(list)
    of_set: list[dict[str, str]] = []
    if report is None:
        return found, of_set
    if not isinstance(report.get("findings"), list) or not isinstance(report.get("traps"), dict):
        raise ValueError("The report is none that `howsfit dataset check --json` writes.")
    known = {(part.name, name) for part in catalogue.parts for name in (*part.persons(), *part.cloths())}
    for finding in report["findings"]:
        key = (finding["part"], finding["name"])
        (found[key] if key in known else of_set).append(finding)
    if report["findings"] and not found and any(finding["name"] for finding in report["findings"]):
        raise ValueError(
            f"The report is of another data set ({report.get('folder')}): none of its names is in this one."
        )
    return found, of_set


# -- what is written ---------------------------------------------------------------------------------------------------


def _places(part: Part) -> dict[str, tuple[str, str]]:
    """Of each artifact the folder, below the set's, and the ending of its files."""
    return {
        artifact: (Path(part.name, folder).as_posix(), PLACES[artifact].ending)
        for artifact, folder in part.folders.items()
    }


def _row(row: Row, root: Path, findings: list[dict[str, str]]) -> dict[str, Any]:
    """Short keys, and no paths but unusual ones: there may be 20,000. f: 1 for each artifact of PLACES that is there."""
    document: dict[str, Any] = {"p": row.part, "n": row.name}
    document["f"] = "".join("01"[artifact in row.paths] for artifact in PLACES)
    for artifact, path in row.paths.items():
        if path.name != (row.cloth if artifact in OF_CLOTHS else row.name) + PLACES[artifact].ending:
            document.setdefault("o", {})[artifact] = path.relative_to(root).as_posix()
    if row.cloth != row.name:
        document["c"] = row.cloth
    if findings:
        document["w"] = [[each["code"], each["artifact"], each["found"]] for each in findings]
    return document


def _link(root: Path, out: Path) -> str:
    """From the page to the data set."""
    return Path(os.path.relpath(root.resolve(), out.resolve())).as_posix()


def _page(document: dict[str, Any]) -> bytes:
    # No name may end the script that the data stand in.
    data = json.dumps(document, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
    return files.as_utf8(_TEMPLATE.read_text(encoding="utf-8").replace("{{data}}", data))


def _write_sheets(out: Path, rows: list[Row], cells: tuple[str, ...], findings: Findings) -> Iterator[Path]:
    """One for each part, evenly chosen, and one for each trap, of the first that are in it."""
    groups: dict[str, list[tuple[str, Path]]] = defaultdict(list)
    for row in rows:
        path = strip_path(out / _STRIPS, row.part, row.name)
        groups[row.part or "set"].append((row.name, path))
        found = _of_row(row, findings)
        for code in dict.fromkeys(each["code"] for each in found):
            told = "; ".join(each["found"] for each in found if each["code"] == code)
            groups[f"trap {code}"].append((f"{row.part} {row.name}: {told}", path))
    heads = [cell.replace("_", " ") for cell in cells]
    for title, strips in groups.items():
        shown = strips[:ROWS] if title.startswith("trap ") else spread(strips, ROWS)
        path = out / _SHEETS / f"{title.replace(' ', '-')}.png"
        files.write(path, draw_sheet(f"{title}: {len(shown)} of {len(strips)}", heads, shown))
        yield path
