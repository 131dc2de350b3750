"""Comparisons: one person in one garment through several engines or with several options, each a try-on of its own."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from gateway.cluster.plan import Wishes
from gateway.errors import BadEngine, NotCommercial, StageNotReady, UnsupportedCategory
from gateway.storage.blobs import Blob
from gateway.tryons.orders import Order, digests_of
from gateway.tryons.together import Bundle, Bundles, Wanted, ordered_at, table_of
from stagekit.errors import BadOption

comparisons = table_of("howsfit_comparisons")

MAX_VARIANTS = 8

_IDS = uuid.UUID("6d4c8a52-53b7-5c55-9d0f-9b7f4f7f2f4e")
"""Namespace that turns a comparison and a variant's number into the id of a try-on."""


@dataclass(frozen=True)
class Variant:
    """What one try-on of a comparison has of its own."""

    engines: Mapping[str, str] = field(default_factory=dict)
    options: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    label: str | None = None
    """As the caller calls it."""

    def wishes(self, shared: Wishes) -> Wishes:
        """Its own, and where it has none those that all share."""
        stages = [*shared.options, *(stage for stage in self.options if stage not in shared.options)]
        options = {stage: {**shared.options.get(stage, {}), **self.options.get(stage, {})} for stage in stages}
        return replace(shared, engines={**shared.engines, **self.engines}, options=options)

    def name(self, generator: str, engine: str) -> str:
        """What it is called: its label, or what it has of its own. generator: the stage; engine: what does it."""
        if self.label:
            return self.label
        engines = [f"{stage}={name}" for stage, name in self.engines.items() if stage != generator]
        options = [
            f"{'' if stage == generator else stage + '.'}{option}={value}"
            for stage, chosen in self.options.items()
            for option, value in chosen.items()
        ]
        return ", ".join([engine, *engines, *options])


@dataclass(frozen=True)
class Comparison(Bundle):
    """A comparison as it was ordered."""

    begin: Mapping[str, str]
    """Artifact name -> digest of what all of its try-ons begin with."""
    variants: tuple[Variant, ...]
    further: tuple[Mapping[str, str], ...] = ()
    """The same of what is put on after the first garment."""
    categories: tuple[str, ...] = ()
    """Of each garment, where the caller said it."""

    @property
    def garments(self) -> list[Mapping[str, str]]:
        """What each garment begins with, in the order in which they are put on."""
        return [self.begin, *self.further]

    def tryon_ids(self) -> list[str]:
        return [_tryon_id(self.id, number) for number, _ in enumerate(self.variants, 1)]


class Comparisons(Bundles[Comparison]):
    """The comparisons of all owners."""

    table = comparisons
    kind = "comparison"

    async def create(self, begin: Mapping[str, Blob | str], variants: Sequence[Variant], order: Order) -> Comparison:
        """Accept a comparison; when this returns, all of its try-ons will end. order.id: the comparison's own, where it has
        one; order.wishes: what the variants share.

        Raises BadRequest, NotFound, TooManyTryons, QuotaReached, IdempotencyConflict, WebhookRefused, StorageFull; and, naming
        the variant, StageNotReady, BadEngine, BadOption, NotCommercial, UnsupportedCategory.
        """
        comparison_id = order.id or str(uuid.uuid4())
        digests = digests_of(begin)
        body = {"begin": digests, "variants": [asdict(each) for each in variants], "shared": asdict(order.wishes)}
        if order.further:
            body["further"] = [digests_of(each) for each in order.further]
        if there := await self._known(comparison_id, order.owner, body):
            return there
        wanted = []
        for number, variant in enumerate(variants, 1):
            own = replace(order, id=_tryon_id(comparison_id, number), wishes=variant.wishes(order.wishes))
            try:
                await self._tryons.admission.check_stages(digests, own, "tryon")
            except (BadEngine, BadOption, NotCommercial, StageNotReady, UnsupportedCategory) as error:
                error.detail = f"Variant {number}: {error.detail}"
                raise
            wanted.append(Wanted(begin, replace(own, comparison=comparison_id)))
        return await self._accept(comparison_id, order, wanted, body)

    def _read(self, row: Any, body: Any) -> Comparison:
        variants = tuple(Variant(**each) for each in body["variants"])
        further, categories = tuple(body.get("further", ())), tuple(body["shared"].get("categories", ()))
        return Comparison(row.id, row.owner, ordered_at(row), body["begin"], variants, further, categories)


def _tryon_id(comparison_id: str, number: int) -> str:
    return str(uuid.uuid5(_IDS, f"{comparison_id} {number}"))
