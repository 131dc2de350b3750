"""Traps of the lists of pairs."""

from collections.abc import Iterator
from pathlib import Path

from howsfit.dataset.catalogue import Part
from howsfit.dataset.checks.facts import PICTURES, Facts
from howsfit.dataset.checks.traps import Finding, of_set
from howsfit.dataset.layout import PLACES


def _lines(facts: Facts) -> Iterator[tuple[Part, Path, int, list[str]]]:
    for part in facts.catalogue.parts:
        for path in part.lists():
            with path.open(encoding="utf-8", errors="replace") as lines:
                for number, line in enumerate(lines, 1):
                    if fields := line.removeprefix("\ufeff").split():
                        yield part, path.relative_to(facts.catalogue.root), number, fields


@of_set(
    "no-pairs",
    means="There is no list of pairs: loaders read which person wears which garment from PART_pairs.txt above the "
    "part's folder.",
    mend="Write one: a line for each pair, PERSON.jpg CLOTH.jpg.",
    level="warning",
)
def no_pairs(facts: Facts) -> Iterator[Finding]:
    for part in facts.catalogue.parts:
        if part.name and not part.lists():
            yield Finding("no-pairs", f"{part.name}_pairs.txt", "is not there", part.name)


@of_set(
    "pairs-form",
    means="A line of a list is not just two files with a blank between. Loaders stop at it.",
    mend="Write PERSON.jpg CLOTH.jpg. Blanks in names cannot be.",
)
def pairs_form(facts: Facts) -> Iterator[Finding]:
    for part, path, number, fields in _lines(facts):
        if len(fields) != 2:
            yield Finding("pairs-form", str(path), f"line {number}: {len(fields)} words", part.name)


@of_set(
    "pairs-missing",
    means="A list names a picture that is not there, or by another ending than it has. Loaders stop at it.",
    mend="Correct the line, or take it out.",
)
def pairs_missing(facts: Facts) -> Iterator[Finding]:
    for part, path, number, fields in _lines(facts):
        for artifact, file in zip(PICTURES, fields, strict=False):
            name = Path(file).stem
            there = part.path(artifact, name) if len(fields) == 2 else None
            if len(fields) == 2 and (there is None or there.name != file):
                told = f"line {number}: no {part.folders.get(artifact, PLACES[artifact].folder)}/{file}"
                yield Finding("pairs-missing", str(path), told, part.name, name, artifact)


@of_set(
    "pairs-twice",
    means="A list has a pair twice: it counts double in a training and in every mean.",
    mend="Take out one of the lines.",
    level="warning",
)
def pairs_twice(facts: Facts) -> Iterator[Finding]:
    seen: dict[tuple[Path, str], int] = {}
    for part, path, number, fields in _lines(facts):
        first = seen.setdefault((path, " ".join(fields)), number)
        if first != number:
            yield Finding("pairs-twice", str(path), f"line {number} is line {first} again", part.name)


@of_set(
    "own-cloth-missing",
    means="HR-VITON's test loader also opens the garment under the person's name, whatever the list says. There is "
    "none of hers.",
    mend="Put the garment that she wears into cloth/ and cloth-mask/ under her name, or take her out of the list.",
    level="warning",
)
def own_cloth_missing(facts: Facts) -> Iterator[Finding]:
    for part in facts.catalogue.parts:
        listed = {Path(fields[0]).stem for owner, _, _, fields in _lines(facts) if owner is part and len(fields) == 2}
        persons = sorted(name for name in listed if part.has("person", name))
        without = [name for name in persons if not part.has("cloth", name)]
        if without and len(without) == len(persons):
            yield Finding("own-cloth-missing", str(Path(part.name, "cloth")), "no person has one", part.name)
        elif "cloth" in part.folders:
            for name in without:
                path = str(Path(part.name, part.folders["cloth"], name + PLACES["cloth"].ending))
                yield Finding("own-cloth-missing", path, "is not there", part.name, name, "cloth")
