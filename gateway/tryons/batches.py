"""Batches: every one of some persons in every one of some garments, each a try-on of its own."""

import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from types import MappingProxyType

from sqlalchemy import Column, Float, String, Table, Text, delete, select

from gateway.errors import BadRequest, IdempotencyConflict, NotFound
from gateway.jobs.job import Job
from gateway.pictures.images import Images
from gateway.storage.blobs import Blob
from gateway.storage.database import Database, metadata, now
from gateway.tryons.life import Tryons
from gateway.tryons.orders import Order

batches = Table(
    "howsfit_batches",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("owner", String(64), nullable=False),
    Column("created_at", Float, nullable=False, index=True),
    Column("body", Text, nullable=False),
)

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
class Batch:
    """A batch as it was ordered."""

    id: str
    owner: str
    created_at: datetime
    pairs: tuple[Pair, ...]


class Batches:
    """The batches of all owners. Every method may raise StorageUnavailable."""

    def __init__(self, database: Database, images: Images, tryons: Tryons, max_tryons: int) -> None:
        self._database = database
        self._images = images
        self._tryons = tryons
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
        there = await self._find(batch_id)
        if there is not None:
            if there.pairs != pairs or there.owner != order.owner:
                raise IdempotencyConflict(
                    "The Idempotency-Key was used for another batch. Use a new key for a new one."
                )
            return there
        for image_id in dict.fromkeys([*photo_ids, *garment_ids]):
            await self._images.use(image_id, order.owner)
        for pair in pairs:
            begin = pair.pictures() | {name: blob.digest for name, blob in artifacts.items()}
            await self._tryons.admission.check_stages(begin, order, "tryon")
        async with self._tryons.admission.room(order, len(pairs)):
            for pair in pairs:
                wanted = replace(order, id=pair.tryon_id, batch=batch_id)
                await self._tryons.create({**pair.pictures(), **artifacts}, wanted, "tryon")
        # Last: who asks again after a crash in between makes the missing ones, and those that are there are the same.
        row = self._database.insert(batches).values(
            id=batch_id, owner=order.owner, created_at=now(), body=json.dumps([vars(pair) for pair in pairs])
        )
        await self._database.transact(lambda c: c.execute(row.on_conflict_do_nothing()))
        return await self.get(batch_id, order.owner)

    async def get(self, batch_id: str, owner: str | None = None) -> Batch:
        """The batch as it was ordered. owner: it must be theirs. Raises NotFound."""
        batch = await self._find(batch_id)
        if batch is None or owner not in (None, batch.owner):
            raise NotFound(f"There is no batch '{batch_id}'. It may have been deleted, or its time was over.")
        return batch

    async def jobs(self, batch: Batch) -> dict[str, Job]:
        """Try-on -> its job, of those that there still are."""
        return await self._tryons.find([pair.tryon_id for pair in batch.pairs])

    async def cancel(self, batch_id: str, owner: str | None = None) -> None:
        """Stop all of its try-ons that have not ended. Raises NotFound."""
        for tryon_id in await self.jobs(await self.get(batch_id, owner)):
            await self._tryons.cancel(tryon_id)

    async def delete(self, batch_id: str, owner: str | None = None) -> None:
        """Forget it and its try-ons with their images. The uploaded images stay. Raises NotFound."""
        batch = await self.get(batch_id, owner)
        for tryon_id in await self.jobs(batch):
            await self._tryons.cancel(tryon_id)
        for tryon_id in await self.jobs(batch):
            await self._tryons.delete(tryon_id)
        await self._database.transact(lambda c: c.execute(delete(batches).where(batches.c.id == batch_id)))

    async def sweep(self, retention_s: float) -> None:
        """Forget the batches that are older, whose try-ons the sweep of try-ons deletes."""
        old = delete(batches).where(batches.c.created_at < now() - retention_s)
        await self._database.transact(lambda c: c.execute(old))

    async def _find(self, batch_id: str) -> Batch | None:
        query = select(batches).where(batches.c.id == batch_id)
        row = await self._database.transact(lambda c: c.execute(query).first())
        if row is None:
            return None
        pairs = tuple(Pair(**pair) for pair in json.loads(row.body))
        return Batch(row.id, row.owner, datetime.fromtimestamp(row.created_at, UTC), pairs)
