"""Make a plan's pairs with all cores, and say what came of it.

What a run leaves behind is the same however often it was broken off: a pair is made when its last file is there, and lists and
manifest are written from what is there, at the end.
"""

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from howsfit import files
from howsfit.dataset.layout import PARTS, PLACES, pairs_file, path_of
from howsfit.dataset.pairing.description import Description
from howsfit.dataset.pairing.plan import Group, Plan, Wearer, cloth_name, is_made
from howsfit.dataset.pairing.reasons import Finding, Reason
from howsfit.dataset.pool import work

if TYPE_CHECKING:
    from howsfit.dataset.pairing.work import Maker

SOURCE, MANIFEST, FINDINGS = "source.json", "pairs.jsonl", "dropped.csv"
"""Files in OUT/howsfit."""


class Made(NamedTuple):
    """A pair that is in the data set."""

    person: str
    cloth: str
    group: Group
    wearer: Wearer


class Result(NamedTuple):
    pairs: dict[str, int]
    """Of each part."""
    findings: list[Finding]


def limited(plan: Plan, limit: int | None) -> list[Group]:
    """The groups of the first pairs."""
    groups, left = [], limit
    for group in plan.groups:
        if left is not None:
            group = group._replace(wearers=group.wearers[:left])
            left -= len(group.wearers)
        if group.wearers:
            groups.append(group)
    return groups


def run(
    plan: Plan,
    description: Description,
    root: Path,
    out: Path,
    workers: int,
    limit: int | None,
    tell: Callable[[int], None],
) -> Result:
    """tell: how many more pairs are done with. Raises ValueError where another plan was made there, or is being made."""
    files.check(folders=[out])
    _check_apart(root, out)
    kept = out / "howsfit"
    kept.mkdir(parents=True, exist_ok=True)
    with files.alone_in(kept, f"Another `howsfit dataset pair` is writing to '{out}'. Wait till it has ended."):
        _check_source(kept / SOURCE, plan, description)
        _remove_leftovers(out)
        findings = list(plan.findings)
        groups = limited(plan, limit)
        waiting = [each for each in groups if not all(is_made(out, description, each, one) for one in each.wearers)]
        tell(sum(len(group.wearers) for group in groups) - sum(len(group.wearers) for group in waiting))
        for group, left_out in _make_all(waiting, description, root, out, workers):
            findings += left_out
            tell(len(group.wearers))
        made = list(_made(plan, description, out))
        findings = sorted(
            set(findings) | set(_without_labels(made, description, out)), key=lambda each: (each.file, each.reason.name)
        )
        _write_lists(made, description, out)
        files.write(kept / MANIFEST, b"".join(_line(each, description, out) for each in made))
        files.write(kept / FINDINGS, table(findings))
    return Result({part: sum(each.group.part == part for each in made) for part in PARTS}, findings)


def table(findings: Iterable[Finding]) -> bytes:
    """Of all that was dropped, moved or is not as its source had it, as CSV."""
    text = io.StringIO()
    lines = csv.writer(text, lineterminator="\n")
    lines.writerow(("file", "outcome", "reason", "what to do"))
    lines.writerows((each.file, each.reason.outcome, each.told(), each.reason.to_do) for each in findings)
    return files.as_utf8(text.getvalue())


# -- the work ----------------------------------------------------------------------------------------------------------


_maker: "Maker | None" = None


def _make_all(
    groups: list[Group], description: Description, root: Path, out: Path, workers: int
) -> Iterator[tuple[Group, list[Finding]]]:
    if groups:
        yield from work(
            _make, groups, min(workers, len(groups)), chunk=1, begin=partial(_begin, root, out, description)
        )


def _begin(root: Path, out: Path, description: Description) -> None:
    from howsfit.dataset.pairing.work import Maker

    global _maker
    _maker = Maker(root, out, description)


def _make(group: Group) -> tuple[Group, list[Finding]]:
    assert _maker is not None
    return group, _maker.make(group)


# -- what is there -----------------------------------------------------------------------------------------------------


def _check_apart(root: Path, out: Path) -> None:
    root, out = root.resolve(), out.resolve()
    if root == out or root in out.parents or out in root.parents:
        raise ValueError(
            f"'{out}' and '{root}' lie in each other: the next run would take pairs for photos. Name another folder."
        )


def _check_source(path: Path, plan: Plan, description: Description) -> None:
    """One folder holds the pairs of one plan: names of another one would be the same."""
    document = {key: getattr(description, key) for key in ("name", "title", "licence", "terms")}
    if description.parse is not None and description.parse.note:
        document["parse"] = description.parse.note
    data = json.dumps({**document, "plan": plan.digest}, indent=2, ensure_ascii=False).encode()
    if not path.exists() and any((path.parents[1] / part).exists() for part in PARTS):
        raise ValueError(f"'{path.parents[1]}' holds a data set already, whose files would be lost. Name a new folder.")
    if path.exists() and path.read_bytes() != data:
        raise ValueError(
            f"'{path.parents[1]}' holds pairs of another source, or of this one with other records, description, --seed or "
            "--test-share, under the same names. Name a new folder."
        )
    files.write(path, data)


def _remove_leftovers(out: Path) -> None:
    """Of a run that was killed while it wrote."""
    for folder in (out, out / "howsfit", *(out / part / place.folder for part in PARTS for place in PLACES.values())):
        files.sweep(folder)


def _made(plan: Plan, description: Description, out: Path) -> Iterator[Made]:
    for group in plan.groups:
        for wearer in group.wearers:
            if is_made(out, description, group, wearer):
                yield Made(wearer.name, cloth_name(description, group, wearer), group, wearer)


def _labels(made: Made, out: Path) -> Iterator[tuple[str, str, Path]]:
    """Of each label that the source has for a pair: the artifact, the source's file and that of the data set."""
    for artifact, label in made.wearer.labels.items():
        yield artifact, label, path_of(out, made.group.part, artifact, made.person)
    for artifact, label in made.group.labels.items():
        yield artifact, label, path_of(out, made.group.part, artifact, made.cloth)


def _given(made: Made, out: Path) -> list[str]:
    """The artifacts that the source's own labels became."""
    return sorted(artifact for artifact, _, path in _labels(made, out) if path.exists())


def _without_labels(made: list[Made], description: Description, out: Path) -> Iterator[Finding]:
    """What other pairs have a label for and this one has none, or none that could be read."""
    of_person = {artifact for each in made for artifact in each.wearer.labels}
    of_cloth = {artifact for each in made for artifact in each.group.labels}
    for each in made:
        for artifact in sorted(of_person - each.wearer.labels.keys()):
            yield Finding(each.wearer.photo, Reason.NO_LABEL, artifact)
        for artifact in sorted(of_cloth - each.group.labels.keys()):
            yield Finding(each.group.cloth, Reason.NO_LABEL, artifact)
        for artifact, label, path in _labels(each, out):
            if artifact == "pose" and description.pose is not None and not description.pose.joints:
                continue  # kept beside the frame
            if not path.exists():
                yield Finding(label, Reason.BAD_LABEL, artifact)


def _line(made: Made, description: Description, out: Path) -> bytes:
    document: dict[str, Any] = {
        "person": made.person,
        "cloth": made.cloth,
        "part": made.group.part,
        "product": made.group.product,
        "category": made.group.category,
        "worn": description.worn,
        "given": _given(made, out),
        "files": {"person": made.wearer.photo, "cloth": made.group.cloth, **made.wearer.labels, **made.group.labels},
        "source": description.name,
        "licence": description.licence,
    }
    return files.as_utf8(json.dumps(document, ensure_ascii=False) + "\n")


def _write_lists(made: list[Made], description: Description, out: Path) -> None:
    for part in PARTS:
        here = [each for each in made if each.group.part == part]
        pairs = [(each.person, each.cloth) for each in here]
        _write_list(pairs_file(out, part), pairs)
        if part == "test":
            _write_list(pairs_file(out, part, unpaired=True), _exchanged(here) if description.worn else pairs)


def _exchanged(made: list[Made]) -> list[tuple[str, str]]:
    """Each person with the garment of the product after her own; none of a single product."""
    first: dict[str, str] = {}
    for each in made:
        first.setdefault(each.group.product, each.cloth)
    products = list(first)
    following = dict(zip(products, products[1:] + products[:1], strict=True))
    return [(each.person, first[following[each.group.product]]) for each in made if len(products) > 1]


def _write_list(path: Path, pairs: list[tuple[str, str]]) -> None:
    if pairs:
        files.write(path, "".join(f"{person}.jpg {cloth}.jpg\n" for person, cloth in pairs).encode())
