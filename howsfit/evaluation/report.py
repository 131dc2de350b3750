"""What an evaluation leaves in its folder: the document, a table of all pictures, a sheet of the worst."""

import csv
import importlib.util
import io
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from howsfit import files
from howsfit.evaluation.evaluate import Evaluation
from howsfit.evaluation.pictures import Pairing, read_pair
from howsfit.evaluation.protocols import Measure, Protocol

DOCUMENT, TABLE, PARQUET, SHEET = "evaluation.json", "pictures.csv", "pictures.parquet", "worst.png"
WORST = 10
_ACROSS = 6  # two results a row, each with its photo and their difference


def write(folder: Path, evaluation: Evaluation, protocol: Protocol) -> list[Path]:
    """Write the files, each whole or not at all; returns them. The sheet and the tables are of pairs. Raises OSError."""
    written = {DOCUMENT: json_of(evaluation.document)}
    rows = evaluation.document["pictures"]
    if rows:
        written[TABLE] = _csv(rows)
        if importlib.util.find_spec("pyarrow"):
            written[PARQUET] = _parquet(rows)
        written[SHEET] = _sheet(evaluation, next(m for m in protocol.measures if m.name == protocol.ranks))
    for name, data in written.items():
        files.write(folder / name, data)
    for stale in {TABLE, PARQUET, SHEET} - written.keys():
        (folder / stale).unlink(missing_ok=True)
    return [folder / name for name in written]


def json_of(document: Mapping[str, Any]) -> bytes:
    """JSON has no infinity: "inf" and "-inf" stand for it, which float() reads."""
    return json.dumps(_finite(document), indent=2, allow_nan=False).encode()


def worst_first(rows: list[dict[str, Any]], measure: Measure) -> list[dict[str, Any]]:
    return sorted(rows, key=lambda row: (float(row[measure.name]), row["name"]), reverse=measure.better == "lower")


def _finite(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _finite(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(each) for each in value]
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


def _csv(rows: list[dict[str, Any]]) -> bytes:
    text = io.StringIO()
    table = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    table.writeheader()
    table.writerows(rows)
    return files.as_utf8(text.getvalue())


def _parquet(rows: list[dict[str, Any]]) -> bytes:
    import pyarrow
    import pyarrow.parquet

    buffer = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), buffer)
    return buffer.getvalue()


def _sheet(evaluation: Evaluation, measure: Measure) -> bytes:
    """Of each of the worst: the photo, the result, and where they differ, four times as strong."""
    from gateway.pictures.sheet import Tile, draw_sheet

    pairings = {pairing.name: pairing for pairing in evaluation.sets.pairings}
    tiles = []
    for row in worst_first(evaluation.document["pictures"], measure)[:WORST]:
        numbers = [f"{name} {row[name]:.4f}" for name in row if name not in ("name", "person")]
        titles = (row["person"], row["name"], "difference x 4")
        lines: tuple[list[str], ...] = (["photo"], [", ".join(numbers)], [])
        for title, told, picture in zip(titles, lines, _pictures(pairings[row["name"]]), strict=True):
            tiles.append(Tile(title, told, picture))
    return draw_sheet(tiles, _ACROSS)


def _pictures(pairing: Pairing) -> list[Any]:
    from stagekit.wire import Part

    result, reference = read_pair(pairing)
    difference = np.abs(result.astype(np.int16) - reference).astype(np.float32) * 4
    encoded = []
    for picture in (reference, result, np.minimum(difference, 255).astype(np.uint8)):
        buffer = io.BytesIO()
        Image.fromarray(picture).save(buffer, "PNG")
        encoded.append(Part(buffer.getvalue(), "image/png"))
    return encoded
