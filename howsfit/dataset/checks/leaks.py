"""Traps of pictures that are in a set twice: in both of its parts, or in one."""

import json
import re
from collections import defaultdict
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np

from howsfit.dataset.catalogue import Part
from howsfit.dataset.checks.facts import PICTURES, Facts
from howsfit.dataset.checks.traps import Finding, of_set

_NUMBERED = re.compile(r"(\d+)_\d\d?$")  # 00006_00, 048392_0: a product, and which picture of it
_MANIFEST = Path("howsfit", "pairs.jsonl")  # that `howsfit dataset pair` writes
_LIKE = 2  # levels that another encoding changes of a tiny copy


def _train_and_test(facts: Facts) -> Iterator[tuple[str, Part, Part]]:
    parts = {part.name: part for part in facts.catalogue.parts}
    if "train" in parts and "test" in parts:
        yield from ((artifact, parts["train"], parts["test"]) for artifact in PICTURES)


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
