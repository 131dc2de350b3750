"""Traps of the set as a whole: what is missing or too much, names, lists of pairs, leaks and duplicates."""

import json
import re
from collections import defaultdict
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np

from howsfit.dataset.catalogue import OF_PERSONS, Part
from howsfit.dataset.checks.facts import PICTURES, Facts
from howsfit.dataset.checks.traps import Finding, of_set
from howsfit.dataset.layout import OF_CLOTHS, PLACES
from stagekit.kinds import CANVAS

_NEEDED = ("person", "cloth", "cloth_mask", "parse", "parse_agnostic", "densepose", "pose_image", "pose")
"""What HR-VITON's loader opens."""

_NUMBERED = re.compile(r"(\d+)_\d\d?$")  # 00006_00, 048392_0: a product, and which picture of it
_MANIFEST = Path("howsfit", "pairs.jsonl")  # that `howsfit dataset pair` writes
_LIKE = 2  # levels that another encoding changes of a tiny copy
_LEAST_PARSES = 10  # to tell by that none has a neck


# -- sizes and orders --------------------------------------------------------------------------------------------------


@of_set(
    "other-size",
    means="All pictures have another size than 768 x 1024. HR-VITON scales them by the shorter side and wants 3:4; "
    "fixed lengths "
    "in its algorithms are for 768 x 1024.",
    mend="Right for a model of that size. For HR-VITON scale all of it, places in poses too.",
    level="warning",
)
def other_size(facts: Facts) -> Iterator[Finding]:
    if facts.size != CANVAS:
        yield Finding("other-size", ".", f"{facts.size[0]} x {facts.size[1]}")


@of_set(
    "lip-order",
    means="No parse has a neck (id 10). LIP's models know none, where CIHP's do: the old neckline stays in the "
    "agnostic.",
    mend="See which model made the parses; CIHP_PGN and Graphonomy (CIHP) label necks.",
    level="warning",
)
def lip_order(facts: Facts) -> Iterator[Finding]:
    if facts.parses >= _LEAST_PARSES and not facts.necks:
        yield Finding(
            "lip-order", ".", f"{facts.parses} parses with a face and a top, none with a neck", artifact="parse"
        )


# -- folders and files -------------------------------------------------------------------------------------------------


@of_set(
    "other-folder",
    means="The folder has the name that other programs give it (VITON-HD 2021, StableVITON, TPD). HR-VITON's loader "
    "does not find it.",
    mend="For those programs leave it. For HR-VITON rename it, or put a link beside it.",
    level="warning",
)
def other_folder(facts: Facts) -> Iterator[Finding]:
    for part in facts.catalogue.parts:
        for artifact, folder in part.folders.items():
            if folder != PLACES[artifact].folder:
                told = f"is {PLACES[artifact].folder} in VITON-HD's layout"
                yield Finding("other-folder", str(Path(part.name, folder)), told, part.name, artifact=artifact)


@of_set(
    "no-folder",
    means="A folder is not there that HR-VITON's loader opens.",
    mend="howsfit dataset preprocess makes what is missing. Models that do not need it do without.",
    level="warning",
)
def no_folder(facts: Facts) -> Iterator[Finding]:
    for part in facts.catalogue.parts:
        for artifact in _NEEDED:
            if artifact not in part.folders:
                place = str(Path(part.name, PLACES[artifact].folder))
                yield Finding("no-folder", place, "is not there", part.name, artifact=artifact)


@of_set(
    "missing",
    means="Others have this file, this person or garment has none: the loader stops there in the middle of an epoch.",
    mend="howsfit dataset preprocess makes what is missing; or take the sample out of the lists of pairs.",
)
def missing(facts: Facts) -> Iterator[Finding]:
    for part in facts.catalogue.parts:
        for names, artifacts in ((part.persons(), OF_PERSONS), (part.cloths(), OF_CLOTHS)):
            for artifact in (each for each in artifacts if each in part.folders):
                for name in (each for each in names if not part.has(artifact, each)):
                    path = Path(part.name, part.folders[artifact], name + PLACES[artifact].ending)
                    yield Finding("missing", str(path), "is not there", part.name, name, artifact)


@of_set(
    "surplus",
    means="There is no photo, or no picture of a garment, that this file belongs to. It was left behind, or the name "
    "is wrong.",
    mend="See whether the name is right, and remove it if nothing is to have it.",
    level="warning",
)
def surplus(facts: Facts) -> Iterator[Finding]:
    for part in facts.catalogue.parts:
        for names, artifacts in ((set(part.persons()), OF_PERSONS), (set(part.cloths()), OF_CLOTHS)):
            for artifact in artifacts:
                for name in (each for each in part.names(artifact) if each not in names):
                    what = "garment" if artifact in OF_CLOTHS else "photo"
                    yield Finding("surplus", facts.path(part, artifact, name), f"no {what}", part.name, name, artifact)


@of_set(
    "stray",
    means="It is no file of this folder: a second form of one, a preview or what a system left. Programs that list "
    "folders take it for a sample.",
    mend="Remove it, or keep it elsewhere.",
    level="warning",
)
def stray(facts: Facts) -> Iterator[Finding]:
    for part in facts.catalogue.parts:
        for path in part.strays:
            yield Finding("stray", str(path.relative_to(facts.catalogue.root)), _stray(part, path), part.name)


def _stray(part: Part, path: Path) -> str:
    if not path.exists():
        return "a link that leads nowhere"
    if path.is_dir():
        return "a folder"
    return "a second file of this name" if _is_second(part, path) else "no such file"


def _is_second(part: Part, path: Path) -> bool:
    return any(part.has(artifact, path.stem) for artifact, folder in part.folders.items() if folder == path.parent.name)


# -- names -------------------------------------------------------------------------------------------------------------


def _names(facts: Facts) -> Iterator[tuple[Part, str, str]]:
    for part in facts.catalogue.parts:
        for artifact, names in (("person", part.persons()), ("cloth", part.cloths())):
            yield from ((part, artifact, name) for name in names if part.has(artifact, name))


@of_set(
    "name-blank",
    means="There is a blank in its name. Lists of pairs are split at blanks: the line has too many names.",
    mend="Rename it in all folders and lists.",
)
def name_blank(facts: Facts) -> Iterator[Finding]:
    for part, artifact, name in _names(facts):
        if name.split() != [name]:
            yield Finding("name-blank", facts.path(part, artifact, name), f"'{name}'", part.name, name, artifact)


@of_set(
    "name-image",
    means="Its name holds 'image'. HR-VITON's loader replaces that word to find the DensePose picture, and looks in a "
    "folder that is not there.",
    mend="Rename it in all folders and lists.",
)
def name_image(facts: Facts) -> Iterator[Finding]:
    for part, artifact, name in _names(facts):
        if artifact == "person" and "image" in name:
            yield Finding("name-image", facts.path(part, artifact, name), f"'{name}'", part.name, name, artifact)


@of_set(
    "name-dots",
    means="There is a dot in its name. Programs that cut names at the first dot find other files, or none (AI Hub has "
    "such names).",
    mend="Rename it in all folders and lists.",
    level="warning",
)
def name_dots(facts: Facts) -> Iterator[Finding]:
    for part, artifact, name in _names(facts):
        if "." in name:
            yield Finding("name-dots", facts.path(part, artifact, name), f"'{name}'", part.name, name, artifact)


@of_set(
    "same-name",
    means="Training and test part have the same name. If it is the same person or product, the test is no test.",
    mend="If they are the same, take one out. If each part was numbered by itself, nothing is wrong.",
    level="warning",
)
def same_name(facts: Facts) -> Iterator[Finding]:
    for artifact, train, test in _train_and_test(facts):
        for name in sorted(set(train.names(artifact)) & set(test.names(artifact))):
            yield Finding("same-name", facts.path(test, artifact, name), "also in train", test.name, name, artifact)


# -- lists of pairs ----------------------------------------------------------------------------------------------------


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


# -- leaks and duplicates ----------------------------------------------------------------------------------------------


def _train_and_test(facts: Facts) -> Iterator[tuple[str, Part, Part]]:
    parts = {part.name: part for part in facts.catalogue.parts}
    if "train" in parts and "test" in parts:
        yield from ((artifact, parts["train"], parts["test"]) for artifact in PICTURES)


@of_set(
    "leak",
    means="The same picture is in the training and in the test part: the test measures what was learned by heart.",
    mend="Split by product, never by picture: take it out of the training part, with all pairs of that product or "
    "person.",
)
def leak(facts: Facts) -> Iterator[Finding]:
    for artifact, train, test in _train_and_test(facts):
        learned = dict(facts.contents[train.name, artifact].digests())
        for digest, name in facts.contents[test.name, artifact].digests():
            if digest in learned:
                told = f"is {facts.path(train, artifact, learned[digest])}"
                yield Finding("leak", facts.path(test, artifact, name), told, test.name, name, artifact)


@of_set(
    "leak-alike",
    means="A picture of the training part is all but the same as this one of the test part, as another encoding of it "
    "would be.",
    mend="Look at both. If they are the same, it is a leak: take it out of the training part.",
    level="warning",
)
def leak_alike(facts: Facts) -> Iterator[Finding]:
    for artifact, train, test in _train_and_test(facts):
        known, asked = facts.contents[train.name, artifact], facts.contents[test.name, artifact]
        learned = {digest for digest, _ in known.digests()}
        thumbnails = known.thumbnails()
        order = np.argsort(thumbnails.mean(axis=1), kind="stable") if len(thumbnails) else np.zeros(0, int)
        thumbnails = thumbnails[order]
        means = thumbnails.mean(axis=1) if len(thumbnails) else np.zeros(0)
        for (digest, name), tiny in zip(asked.digests(), asked.thumbnails(), strict=True):
            # Those with another mean cannot be alike: few are left to compare.
            first, last = np.searchsorted(means, (tiny.mean() - _LIKE, tiny.mean() + _LIKE))
            off = np.abs(thumbnails[first:last] - tiny).max(axis=1, initial=0)
            if digest not in learned and len(off) and off.min() <= _LIKE:
                other = known.names[order[first + int(off.argmin())]]
                told = f"is like {facts.path(train, artifact, other)}"
                yield Finding("leak-alike", facts.path(test, artifact, name), told, test.name, name, artifact)


@of_set(
    "leak-product",
    means="Another picture of this product is in the training part, as names or the manifest of `howsfit dataset "
    "pair` tell.",
    mend="Split by product, never by picture. If each part was numbered by itself, nothing is wrong.",
    level="warning",
)
def leak_product(facts: Facts) -> Iterator[Finding]:
    products = _Products(facts)
    for artifact, train, test in _train_and_test(facts):
        if artifact != "cloth":
            continue
        learned = {product: name for name in train.names(artifact) if (product := products.of(train, name))}
        for name in test.names(artifact):
            product = products.of(test, name)
            if product in learned and learned[product] != name:
                told = f"product {product} is {facts.path(train, artifact, learned[product])}, too"
                yield Finding("leak-product", facts.path(test, artifact, name), told, test.name, name, artifact)


@of_set(
    "duplicate",
    means="The same picture is there under two names: it counts double, and a part is smaller than it seems.",
    mend="Take one of them out, with its files and pairs. Garments that several people wear may stay.",
    level="warning",
)
def duplicate(facts: Facts) -> Iterator[Finding]:
    products = _Products(facts)
    for part in facts.catalogue.parts:
        for artifact in PICTURES:
            names = defaultdict(list)
            for digest, name in facts.contents[part.name, artifact].digests():
                names[digest].append(name)
            for same in (sorted(each) for each in names.values() if len(each) > 1):
                for name in same[1:]:
                    if artifact == "cloth" and _is_one_product(part, name, same[0], products):
                        continue
                    told = f"is {facts.path(part, artifact, same[0])}"
                    yield Finding("duplicate", facts.path(part, artifact, name), told, part.name, name, artifact)


def _is_one_product(part: Part, name: str, other: str, products: "_Products") -> bool:
    """Whether two names of a garment are meant: one for each who wears it, as the paired loader wants it, or such a one beside
    its own."""
    product = products.of(part, name)
    return (product is not None and product == products.of(part, other)) or (
        part.has("person", name) != part.has("person", other)
    )


class _Products:
    """The product that a garment of a part is, as far as manifest or name tell; None: they do not."""

    def __init__(self, facts: Facts) -> None:
        self._said: dict[tuple[str, str], str] = {}
        manifest = facts.catalogue.root / _MANIFEST
        if manifest.is_file():
            with manifest.open(encoding="utf-8", errors="replace") as lines:
                for line in lines:
                    with suppress(ValueError, KeyError, TypeError, RecursionError):  # another's file, or half of one
                        pair = json.loads(line)
                        self._said[pair["part"], pair["cloth"]] = str(pair["product"])

    def of(self, part: Part, name: str) -> str | None:
        if said := self._said.get((part.name, name)):
            return said
        numbered = _NUMBERED.match(name)
        return numbered[1] if numbered else None
