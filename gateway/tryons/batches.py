"""Batches: every one of some persons in every one of some garments, each a try-on of its own."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

from gateway.errors import BadRequest
from gateway.pictures.images import Images
from gateway.storage.blobs import Blob
from gateway.storage.database import Database
from gateway.tryons.life import Tryons
from gateway.tryons.orders import Order, digests_of
from gateway.tryons.together import Bundle, Bundles, Wanted, ordered_at, table_of
from gateway.webhooks.delivery import Webhooks

batches = table_of("howsfit_batches")

_IDS = uuid.UUID("0a1f7a1c-6a55-5a0e-8a8a-4f1f3c0f7a21")
"""Namespace that turns a batch and a pair into the id of a try-on."""


@dataclass(frozen=True)
class Pair:
    """One try-on of a batch: which person in which garment."""

    photo_id: str
    garment_id: str
    tryon_id: str

    def pictures(self) -> dict[str, str]:
        """Upload -> digest."""
        return {"photo": self.photo_id, "garment": self.garment_id}


@dataclass(frozen=True)
class Batch(Bundle):
    """A batch as it was ordered."""

    pairs: tuple[Pair, ...]

    def tryon_ids(self) -> list[str]:
        return [pair.tryon_id for pair in self.pairs]


class Batches(Bundles[Batch]):
    """The batches of all owners."""

    table = batches
    kind = "batch"

    def __init__(self, database: Database, images: Images, tryons: Tryons, webhooks: Webhooks, max_tryons: int) -> None:
        super().__init__(database, tryons, webhooks)
        self._images = images
        self._max_tryons = max_tryons

    async def create(
        self,
        photo_ids: Sequence[str],
        garment_ids: Sequence[str],
        order: Order,
        artifacts: Mapping[str, Blob] = MappingProxyType({}),
    ) -> Batch:
        """Accept a batch; when this returns, all of its try-ons will end. order.id: the batch's own, where it has one.
        artifacts: given for each of its try-ons.

        Those of one person follow each other, so that what is made of the person is there for the next garment.
        Raises BadRequest, NotFound, TooManyTryons, QuotaReached, IdempotencyConflict, StageNotReady,
        BadOption.
        """
        batch_id = order.id or str(uuid.uuid4())
        pairs = tuple(
            Pair(photo, garment, str(uuid.uuid5(_IDS, f"{batch_id} {photo} {garment}")))
            for photo in dict.fromkeys(photo_ids)
            for garment in dict.fromkeys(garment_ids)
        )
        if len(pairs) > self._max_tryons:
            raise BadRequest(f"A batch may have {self._max_tryons} try-ons; these would be {len(pairs)}. Send several.")
        body = [vars(pair) for pair in pairs]
        if there := await self._known(batch_id, order.owner, body):
            return there
        for image_id in dict.fromkeys([*photo_ids, *garment_ids]):
            await self._images.use(image_id, order.owner)
        wanted = [
            Wanted({**pair.pictures(), **artifacts}, replace(order, id=pair.tryon_id, batch=batch_id)) for pair in pairs
        ]
        for each in wanted:
            await self._tryons.admission.check_stages(digests_of(each.begin), order, "tryon")
        return await self._accept(batch_id, order, wanted, body)

    def _read(self, row: Any, body: Any) -> Batch:
        return Batch(row.id, row.owner, ordered_at(row), tuple(Pair(**pair) for pair in body))
