"""Which pairs a source makes, under which names, in which part: all of it said before any picture is opened.

Names and parts follow from the source's records alone. So a photo that is missing or broken has its place kept, and every run
comes to the same.
"""

import hashlib
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from howsfit.dataset.layout import OF_CLOTHS, path_of
from howsfit.dataset.pairing.description import Category, Description, DescriptionError, Files, Part
from howsfit.dataset.pairing.reasons import Finding, Reason
from howsfit.dataset.pairing.records import Record, records_of
from howsfit.dataset.pairing.tree import Lookup, Place, Tree, folded, stem
from howsfit.files import as_utf8

NOT_FRONTAL = "not from the front"


class Wearer(NamedTuple):
    """A person of a pair. All paths lie below the source's folder."""

    name: str
    photo: str
    labels: Mapping[str, str]
    """`parse` and `pose` where the source has them, and what is taken as it is."""


class Group(NamedTuple):
    """A garment's picture, and all who go with it."""

    product: str
    part: Part
    category: Category
    cloth: str
    cloth_name: str
    """Where nobody wears it; else it has the names of all who do."""
    labels: Mapping[str, str]
    """`cloth_mask`, where the source has it."""
    wearers: tuple[Wearer, ...]


class Plan(NamedTuple):
    groups: list[Group]
    """In the order of their names."""
    findings: list[Finding]
    passed_over: Counter[str]
    """What the description does not ask for, by why."""
    digest: str
    """Of all names, and of what they stand for."""

    def pairs(self) -> int:
        return sum(len(group.wearers) for group in self.groups)


class _Candidate(NamedTuple):
    """A record that is asked for."""

    person: str
    product: str
    fields: dict[str, str]
    place: Place


class _Named(NamedTuple):
    candidate: _Candidate
    name: str
    cloth_name: str
    part: Part


def make_plan(root: Path, description: Description, seed: int = 0, test_share: float = 0.1) -> Plan:
    """test_share: of the products, of those whose part the source does not say.

    Raises ValueError where the source is not as described, DescriptionError where the description is wrong.
    """
    tree = Tree(root, description)
    _check_folders(tree, description)
    findings: list[Finding] = []
    passed_over: Counter[str] = Counter()
    candidates = _candidates(records_of(tree, description), description, findings, passed_over)
    parts = _parts(candidates, description, seed, test_share)
    named = _named(candidates, description, parts)
    groups = _grouped(tree, description, named, findings)
    return Plan(groups, findings, passed_over, _digest(description, named))


def cloth_name(description: Description, group: Group, wearer: Wearer) -> str:
    """Loaders of pairs look for a worn garment under the name of who wears it."""
    return wearer.name if description.worn else group.cloth_name


def frame_path(out: Path, name: str) -> Path:
    return out / "howsfit" / f"{name}_frame.json"


def is_made(out: Path, description: Description, group: Group, wearer: Wearer) -> bool:
    """Whether a pair is in the data set: of its files the frame is written last."""
    pictures = (("person", wearer.name), ("cloth", cloth_name(description, group, wearer)))
    there = (path_of(out, group.part, *each).exists() for each in pictures)
    return frame_path(out, wearer.name).exists() and all(there)


def _check_folders(tree: Tree, description: Description) -> None:
    for what, rule in (("photos", description.person), ("garments", description.cloth)):
        if not tree.folders(rule):
            raise ValueError(
                f"'{tree.root}' has no folder named {' or '.join(rule.folder)}, where {description.name} keeps its {what}. "
                "Is it the folder that the data set was unpacked to? --source names another description."
            )


def _candidates(
    records: Iterable[Record], description: Description, findings: list[Finding], passed_over: Counter[str]
) -> list[_Candidate]:
    found: dict[tuple[str, ...], _Candidate] = {}
    broken = {folded(name) for name in (*description.person.broken, *description.cloth.broken)}
    for record in records:
        file = _filled(description.person.file, record.fields)
        if file is None:
            findings.append(Finding(", ".join(record.fields.values()) or "a record", Reason.NO_NAME))
            continue
        person = stem(file)
        match = re.search(description.person.only, person)
        if match is None:
            passed_over[NOT_FRONTAL] += 1
            continue
        fields = record.fields | {"name": person} | {key: text for key, text in match.groupdict().items() if text}
        product = next((text for each in description.cloth.product if (text := _filled(each, fields))), None)
        if product is None:
            findings.append(Finding(file, Reason.NO_GARMENT))
            continue
        product = stem(product)
        if {folded(person), folded(product)} & broken:
            findings.append(Finding(file, Reason.KNOWN_BROKEN))
            continue
        # A photo is worn in one pair; where it is not worn, it may try on several garments.
        candidate = _Candidate(person, product, fields | {"product": product}, record.place)
        key = (*_photo(candidate), *(() if description.worn else (product,)))
        if key in found:
            findings.append(Finding(file, Reason.TWICE))
            continue
        found[key] = candidate
    return sorted(found.values(), key=lambda each: (each.product, each.person, each.place.part or ""))


def _filled(template: str, fields: Mapping[str, str]) -> str | None:
    try:
        return template.format_map(fields)
    except KeyError:
        return None


def _parts(candidates: list[_Candidate], description: Description, seed: int, test_share: float) -> dict[str, Part]:
    """Product -> its part. What the source has in both is trained on, so that nothing of the test is."""
    first = _together(candidates, description)
    said: defaultdict[str, set[Part]] = defaultdict(set)
    for each in candidates:
        own = each.place.part if description.split == "own" else None
        said[first[each.product]] |= {own} if own else set()
    parts: dict[str, Part] = {}
    for product, own_parts in said.items():
        if own_parts:
            parts[product] = "train" if "train" in own_parts else "test"
        else:
            digest = hashlib.sha256(as_utf8(f"{seed}:{product}")).digest()
            parts[product] = "test" if int.from_bytes(digest[:8], "big") < test_share * 2**64 else "train"
    return {product: parts[first[product]] for product in first}


def _together(candidates: list[_Candidate], description: Description) -> dict[str, str]:
    """Product -> the first of those that have to be in its part: alone, but where photos try on several garments."""
    first = {each.product: each.product for each in candidates}

    def first_of(product: str) -> str:
        while first[product] != product:
            first[product] = product = first[first[product]]
        return product

    if not description.worn:
        tried: dict[tuple[str, ...], str] = {}
        for each in candidates:
            before = tried.setdefault(_photo(each), each.product)
            one, other = sorted((first_of(each.product), first_of(before)))
            first[other] = one
    return {product: first_of(product) for product in first}


def _named(candidates: list[_Candidate], description: Description, parts: Mapping[str, Part]) -> list[_Named]:
    products = {product: number for number, product in enumerate(dict.fromkeys(each.product for each in candidates), 1)}
    people = {photo: number for number, photo in enumerate(sorted({_photo(each) for each in candidates}), 1)}
    worn: Counter[str] = Counter()
    named, taken = [], set()
    for each in candidates:
        number = products[each.product]
        cloth_name = f"{number:05}_00"
        if not description.worn:  # a person named as a garment would be taken for one who wears it
            name = f"{len(products) + people[_photo(each)]:05}_00"
        else:
            name = cloth_name = f"{number:05}_{worn[each.product]:02}"
            if description.pair_name:
                name = cloth_name = _filled(description.pair_name, each.fields) or name
            if name in taken or not re.fullmatch(r"[\w-][\w.-]*", name):
                raise DescriptionError(
                    f"{description.name}, pair_name: '{name}' is the name of two pairs, or none that lists of pairs can hold. "
                    "Leave the key away to have pairs numbered."
                )
            taken.add(name)
        worn[each.product] += 1
        named.append(_Named(each, name, cloth_name, parts[each.product]))
    return named


def _photo(candidate: _Candidate) -> tuple[str, ...]:
    """Which one it is, of all those of this name."""
    return candidate.person, *(text or "" for text in candidate.place)


def _digest(description: Description, named: list[_Named]) -> str:
    digest = hashlib.sha256(description.model_dump_json().encode())
    for each in named:
        whose = f"{each.candidate.person} {each.candidate.product}"
        digest.update(as_utf8(f"\n{each.name} {each.cloth_name} {each.part} {whose}"))
    return digest.hexdigest()


def _grouped(tree: Tree, description: Description, named: list[_Named], findings: list[Finding]) -> list[Group]:
    of_person: dict[str, Files] = {
        name: rule for name in ("parse", "pose") if (rule := getattr(description, name)) is not None
    }
    of_cloth: dict[str, Files] = {}
    if description.cloth_mask is not None:
        of_cloth["cloth_mask"] = description.cloth_mask
    for name, rule in description.take.items():
        (of_cloth if name in OF_CLOTHS else of_person)[name] = rule
    rules: dict[str, Files] = {"person": description.person, "cloth": description.cloth, **of_person, **of_cloth}
    lookups = {name: tree.lookup(rule, _wanted(rule, named)) for name, rule in rules.items()}

    groups: dict[tuple[str, str], Group] = {}
    wearers: defaultdict[tuple[str, str], list[Wearer]] = defaultdict(list)
    for each in named:
        candidate = each.candidate
        paths = _paths(lookups, rules, candidate)
        photo, cloth = paths.get("person"), paths.get("cloth")
        if photo is None or cloth is None:
            missing = _filled(description.cloth.file, candidate.fields) or candidate.product
            findings.append(Finding(candidate.person, Reason.NO_PHOTO) if photo is None
                            else Finding(photo, Reason.NO_CLOTH, missing))  # fmt: skip
            continue
        if candidate.place.part == "test" and each.part == "train" and description.split == "own":
            findings.append(Finding(photo, Reason.LEAK))
        key = (candidate.product, cloth)
        if key not in groups:
            labels = {name: paths[name] for name in of_cloth if name in paths}
            category = candidate.place.category or description.category
            groups[key] = Group(candidate.product, each.part, category, cloth, each.cloth_name, labels, ())
        labels = {name: paths[name] for name in of_person if name in paths}
        wearers[key].append(Wearer(each.name, photo, labels))
    return [group._replace(wearers=tuple(wearers[key])) for key, group in groups.items()]


def _wanted(rule: Files, named: list[_Named]) -> set[str]:
    files = (_filled(rule.file, each.candidate.fields) for each in named)
    return {stem(file) for file in files if file is not None}


def _paths(lookups: Mapping[str, Lookup], rules: Mapping[str, Files], candidate: _Candidate) -> dict[str, str]:
    """Artifact -> the source's file for it."""
    found: dict[str, str] = {}
    for name, rule in rules.items():
        file = _filled(rule.file, candidate.fields)
        if file is None:
            continue
        if name in ("person", "cloth"):
            path = lookups[name].find(stem(file), candidate.place)
        else:
            owners = lookups["cloth" if name in OF_CLOTHS else "person"]
            path = lookups[name].find_label(stem(file), candidate.place, owners)
        if path is not None:
            found[name] = path
    return found
