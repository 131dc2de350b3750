"""Outfits: several garments on one person, put on one after the other, each on the person as the one before has left her."""

from collections import Counter
from collections.abc import Collection, Sequence
from typing import TypeVar

from gateway.cluster.graph import UPLOADS, StageGraph
from gateway.errors import BadRequest

T = TypeVar("T")

MAX_GARMENTS = 2

ORDER = ("dress", "lower", "upper")
"""What is put on before what: a top hangs over the trousers, or is tucked into them."""


def in_order(garments: Sequence[tuple[str, T]]) -> list[tuple[str, T]]:
    """(category, garment) of each, in the order in which they are put on. Raises BadRequest for what nobody wears together."""
    counts = Counter(category for category, _ in garments)
    twice = [category for category, count in counts.items() if count > 1]
    if twice or counts.keys() >= {"dress", "lower"}:
        why = f"Two garments of category '{twice[0]}'" if twice else "A dress and a lower garment"
        raise BadRequest(
            f"{why} cannot be worn together. Send an upper with a lower garment, or an upper over a dress."
        )
    return sorted(garments, key=lambda each: ORDER.index(each[0]))


def check_given(graph: StageGraph, begin: Collection[str]) -> None:
    """Whether what an outfit begins with holds for all of its garments. begin: names of artifacts. Raises BadRequest."""
    lasting = graph.lasting()
    if of_one := [name for name in begin if name not in {*UPLOADS, "category", *lasting}]:
        raise BadRequest(
            f"'{of_one[0]}' belongs to one garment, and there are several. With `garments` only what no garment changes can be "
            f"given: {', '.join(sorted(lasting))}."
        )
