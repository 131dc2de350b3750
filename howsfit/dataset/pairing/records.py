"""What a source says of its files: records, one for each photo or pair."""

import csv
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from howsfit.dataset.pairing.description import Description, DescriptionError, Records
from howsfit.dataset.pairing.tree import Place, Tree, composed, stem


class Record(NamedTuple):
    """Fields by name, and what the place of its list says of it."""

    fields: dict[str, str]
    place: Place


def records_of(tree: Tree, description: Description) -> Iterator[Record]:
    """All records, list by list. Raises DescriptionError for a list that is not of its format, ValueError without any list."""
    found = False
    for records in description.records:
        if records.format == "names":
            for path in tree.files(description.person):
                found = True
                name = composed(stem(path))
                if match := re.fullmatch(records.pattern, name):
                    yield Record({**_texts(match.groupdict()), "name": name}, _place(tree, path, records))
        else:
            for path in tree.lists_of(records):
                found = True
                place = _place(tree, path, records)
                yield from (Record(_texts(row), place) for row in _rows(tree.root / path, records))
    if not found:
        wanted = [name for records in description.records for name in records.files] or description.person.folder
        raise ValueError(
            f"'{tree.root}' holds nothing named {' or '.join(wanted)}, as {description.name} has it. Is it the folder that "
            "the data set was unpacked to? --source names another description."
        )


def _place(tree: Tree, path: str, records: Records) -> Place:
    place = tree.place(path)
    return place._replace(part=records.part) if records.part else place


def _rows(path: Path, records: Records) -> Iterator[dict[str, Any]]:
    try:
        if records.format == "json":
            yield from _json_rows(path, records)
            return
        with path.open(encoding="utf-8-sig", newline="") as lines:
            if records.format == "csv":
                reader = csv.reader(lines)
                columns = records.columns or tuple(next(reader, ()))
                if records.columns:
                    next(reader, None)  # a header all the same
                yield from (dict(zip(columns, row, strict=False)) for row in reader if row)
            else:
                yield from (dict(zip(records.columns, line.split(), strict=False)) for line in lines if line.strip())
    except UnicodeDecodeError:
        raise DescriptionError(f"'{path}' is not UTF-8 text. Save it as UTF-8.") from None


def _json_rows(path: Path, records: Records) -> Iterator[dict[str, Any]]:
    try:
        document = json.loads(path.read_text(encoding="utf-8-sig"))
    except json.JSONDecodeError as error:
        raise DescriptionError(f"'{path}' is no JSON: {error}. Fetch it again.") from None
    rows = document.get(records.at) if records.at and isinstance(document, dict) else document
    if not isinstance(rows, list):
        where = f"under the key '{records.at}'" if records.at else "as a whole"
        raise DescriptionError(f"'{path}' holds no list {where}. Say in records.at where its records are.")
    for number, row in enumerate(rows):
        if not isinstance(row, dict):
            raise DescriptionError(f"'{path}': entry {number} is no object with names and values.")
        yield row


def _texts(row: dict[str, Any]) -> dict[str, str]:
    """What a record has of texts and numbers; null and the empty text are nothing."""
    return {
        key: composed(str(value)) for key, value in row.items() if isinstance(value, str | int | float) and str(value)
    }
