"""Look at a whole data set with all cores: files first, then what is known of all of them."""

import os
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import NamedTuple

from PIL import Image

from howsfit.dataset.catalogue import Catalogue, Subject, read_catalogue
from howsfit.dataset.checks import agnostics, densepose, labels, leaks, lists, masks, pictures, poses, sets
from howsfit.dataset.checks.facts import PICTURES, Facts, content
from howsfit.dataset.checks.opened import Sample
from howsfit.dataset.checks.traps import TRAPS, Finding
from howsfit.dataset.pool import work
from howsfit.files import beside
from stagekit.formats import CIHP
from stagekit.kinds import CANVAS

_MODULES = [module.__name__ for module in (pictures, labels, masks, poses, densepose, agnostics, sets, lists, leaks)]

ORDERED = sorted(TRAPS.values(), key=lambda trap: _MODULES.index((trap.look or trap.search).__module__))
"""All traps, as a file is held to them: first whether it can be read at all, at last whether it goes with the others."""

_FIRST = ("person", "cloth", "parse", "pose")  # others are compared with these
_ASKED = 200  # pictures whose headers tell which size the set has


class Mended(NamedTuple):
    """A file that was mended, or would be."""

    code: str
    file: str
    """Below the set's folder."""


@dataclass
class Report:
    """What came of a check."""

    root: Path
    size: tuple[int, int]
    files: int
    subjects: int
    findings: list[Finding]
    """Of files that were mended what is left."""
    mended: list[Mended]
    seconds: float

    def errors(self) -> int:
        return sum(TRAPS[finding.code].level == "error" for finding in self.findings)


class _Looked(NamedTuple):
    """What comes back from a worker for each person or garment."""

    part: str
    name: str
    findings: list[Finding]
    mended: list[Mended]
    contents: dict[str, tuple[bytes, bytes]]
    ids: frozenset[int]
    """Of the labels of the parse."""


def check(
    root: Path,
    workers: int | None = None,
    size: tuple[int, int] | None = None,
    mend: bool = False,
    dry_run: bool = False,
    begin: Callable[[int], None] = lambda subjects: None,
    tell: Callable[[], None] = lambda: None,
) -> Report:
    """Look at every file below a data set's folder.

    size: width and height that pictures should have; None: what most photos have. mend: write anew what can be mended without
    guessing; dry_run: only say what that would be. begin: called with how many persons and garments there are, and `tell`
    after each. Raises UnusableFolder.
    """
    began = time.perf_counter()
    catalogue = read_catalogue(root)
    facts = Facts(catalogue, size or _usual_size(catalogue))
    subjects, files = catalogue.count()
    begin(subjects)
    look = partial(_look_at, root=root, size=facts.size, mend=mend or dry_run, write=mend and not dry_run)
    findings: list[Finding] = []
    mended: list[Mended] = []
    for looked in work(look, catalogue.subjects(), workers):
        findings += looked.findings
        mended += looked.mended
        _note(facts, looked)
        tell()
    for trap in ORDERED:
        if trap.search is not None:
            findings += trap.search(facts)
    place = {trap.code: number for number, trap in enumerate(ORDERED)}
    findings.sort(key=lambda each: (TRAPS[each.code].level, place[each.code], each.file, each.found))
    return Report(root, facts.size, files, subjects, findings, sorted(mended), time.perf_counter() - began)


def _usual_size(catalogue: Catalogue) -> tuple[int, int]:
    """That of most photos, or garments where there are none; of as many as tell it surely enough."""
    paths = [
        path
        for part in catalogue.parts
        for artifact, names in (("person", part.persons()), ("cloth", part.cloths()))
        for name in names[:: max(1, len(names) // _ASKED)]
        if (path := part.path(artifact, name))
    ]
    sizes: Counter[tuple[int, int]] = Counter()
    for path in paths:
        try:
            with Image.open(path) as image:
                sizes[image.size] += 1
        except Exception:  # Pillow's plug-ins raise anything at all for broken files, which are told of later
            continue
    if not sizes or sizes[CANVAS] == max(sizes.values()):
        return CANVAS
    return sizes.most_common(1)[0][0]


def _note(facts: Facts, looked: _Looked) -> None:
    for artifact, (digest, thumbnail) in looked.contents.items():
        facts.contents[looked.part, artifact].add(looked.name, digest, thumbnail)
    if {CIHP["face"], CIHP["upper_clothes"]} <= looked.ids:
        facts.parses += 1
        facts.necks += CIHP["neck"] in looked.ids


# -- one person or garment; runs in workers ----------------------------------------------------------------------------


def _look_at(subject: Subject, root: Path, size: tuple[int, int], mend: bool, write: bool) -> _Looked:
    sample = Sample(subject, size)
    findings = list(_findings(sample, root))
    mended: list[Mended] = []
    if mend and findings:
        instead, mended = _mend(subject, size, root, findings)
        if write and instead:
            for artifact, data in instead.items():
                _replace(subject.paths[artifact], data)
            sample = Sample(subject, size)
            findings = list(_findings(sample, root))
    contents = {artifact: found for artifact in PICTURES if (found := content(sample, artifact))}
    labels_ = sample.labels("parse")
    ids = frozenset() if labels_ is None else frozenset(sample.files["parse"].counts.nonzero()[0].tolist())
    return _Looked(subject.part, subject.name, findings, mended, contents, ids)


def _findings(sample: Sample, root: Path) -> Iterable[Finding]:
    for artifact, file in sorted(sample.files.items(), key=lambda each: each[0] not in _FIRST):
        for trap in ORDERED:
            if trap.look is None or artifact not in trap.on:
                continue
            try:
                found = trap.look(file)
            except Exception as error:
                error.add_note(f"This was raised by the check '{trap.code}', of {file.path}.")
                raise
            if found is not None:
                path = str(file.path.relative_to(root))
                yield Finding(trap.code, path, found, sample.part, sample.name, artifact)
                if trap.last:
                    sample.spoilt.add(artifact)
                    break


def _mend(
    subject: Subject, size: tuple[int, int], root: Path, findings: list[Finding]
) -> tuple[dict[str, bytes], list[Mended]]:
    """New contents by artifact: mended until nothing is left to mend, since one trap may lie behind another."""
    instead: dict[str, bytes] = {}
    mended: list[Mended] = []
    tried: set[tuple[str, str]] = set()
    while open_ := [each for each in findings if TRAPS[each.code].safe and (each.artifact, each.code) not in tried]:
        finding = open_[0]
        tried.add((finding.artifact, finding.code))
        safe = TRAPS[finding.code].safe
        assert safe is not None
        now = Sample(subject, size, instead)
        data = safe(now.files[finding.artifact])
        if data is None:
            continue
        after = list(_findings(Sample(subject, size, {**instead, finding.artifact: data}), root))
        if any((each.artifact, each.code) == (finding.artifact, finding.code) for each in after):
            continue  # it would not help
        instead[finding.artifact] = data
        mended.append(Mended(finding.code, finding.file))
        findings = after
    return instead, mended


def _replace(path: Path, data: bytes) -> None:
    """Write beside, and rename: whole or not at all. A link is replaced by the file; what it led to stays as it is."""
    with beside(path) as temporary, temporary.open("xb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
