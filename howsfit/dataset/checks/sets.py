"""Traps of the set as a whole: its size, what is missing or too much, names."""

from collections.abc import Iterator
from pathlib import Path

from howsfit.dataset.catalogue import OF_PERSONS, Part
from howsfit.dataset.checks.facts import Facts
from howsfit.dataset.checks.traps import Finding, of_set
from howsfit.dataset.layout import OF_CLOTHS, PLACES
from stagekit.kinds import CANVAS

_NEEDED = ("person", "cloth", "cloth_mask", "parse", "parse_agnostic", "densepose", "pose_image", "pose")
"""What HR-VITON's loader opens."""

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
