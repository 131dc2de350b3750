"""Try-ons that are ordered together: taken as a whole or not at all, then found, stopped and forgotten together."""

import asyncio
import contextlib
import json
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, ClassVar, Generic, TypeVar

from sqlalchemy import Column, Float, String, Table, Text, delete, select

from gateway.errors import IdempotencyConflict, NotFound
from gateway.jobs.job import ENDED, Job
from gateway.storage.blobs import Blob
from gateway.storage.database import Database, metadata, now
from gateway.tryons.life import Tryons
from gateway.tryons.orders import Order
from gateway.webhooks.delivery import Webhooks


def table_of(name: str) -> Table:
    """One for each kind of what is ordered together; `body` is what it is, in JSON."""
    return Table(
        name,
        metadata,
        Column("id", String(36), primary_key=True),
        Column("owner", String(64), nullable=False),
        Column("created_at", Float, nullable=False, index=True),
        Column("body", Text, nullable=False),
    )


def ordered_at(row: Any) -> datetime:
    """When, by a row of such a table."""
    return datetime.fromtimestamp(row.created_at, UTC)


@dataclass(frozen=True)
class Bundle(ABC):
    """Try-ons as they were ordered together."""

    id: str
    owner: str
    created_at: datetime

    @abstractmethod
    def tryon_ids(self) -> list[str]:
        """In the order in which they were asked for."""


@dataclass(frozen=True)
class Wanted:
    """One of them: what it begins with, and its order, whose id is that of the try-on."""

    begin: Mapping[str, Blob | str]
    order: Order


B = TypeVar("B", bound=Bundle)


class Bundles(ABC, Generic[B]):
    """Those of one kind, of all owners. Every method may raise StorageUnavailable."""

    table: ClassVar[Table]
    kind: ClassVar[str]
    """As an answer names one: a batch, for instance."""

    def __init__(self, database: Database, tryons: Tryons, webhooks: Webhooks) -> None:
        self._database = database
        self._tryons = tryons
        self._webhooks = webhooks

    async def get(self, bundle_id: str, owner: str | None = None) -> B:
        """As it was ordered. owner: it must be theirs. Raises NotFound."""
        row = await self._row(bundle_id)
        if row is None or owner not in (None, row.owner):
            raise NotFound(f"There is no {self.kind} '{bundle_id}'. It may have been deleted, or its time was over.")
        return self._read(row, json.loads(row.body))

    async def jobs(self, bundle: B) -> dict[str, Job]:
        """Try-on -> its job, of those that there still are."""
        return await self._tryons.find(bundle.tryon_ids())

    async def wait(self, bundle: B, seconds: float) -> None:
        """Until all of its try-ons have ended, or the seconds are over."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                for tryon_id in bundle.tryon_ids():
                    await self._tryons.wait(tryon_id, seconds)

    async def cancel(self, bundle_id: str, owner: str | None = None) -> None:
        """Stop all of its try-ons that have not ended. Raises NotFound."""
        for tryon_id in await self.jobs(await self.get(bundle_id, owner)):
            await self._tryons.cancel(tryon_id)

    async def delete(self, bundle_id: str, owner: str | None = None) -> None:
        """Forget it and its try-ons with their images. Uploaded images stay. Raises NotFound."""
        bundle = await self.get(bundle_id, owner)
        for tryon_id in await self.jobs(bundle):
            await self._tryons.cancel(tryon_id)
        for tryon_id in await self.jobs(bundle):
            await self._tryons.delete(tryon_id)
        await self._webhooks.forget(bundle_id)
        await self._database.transact(lambda c: c.execute(delete(self.table).where(self.table.c.id == bundle_id)))

    async def ended_at(self, bundle: B) -> datetime | None:
        """When the last of its try-ons ended; None while one has not. Those that were deleted have."""
        jobs = (await self.jobs(bundle)).values()
        if any(job.state not in ENDED or job.completed_at is None for job in jobs):
            return None
        return max((job.completed_at for job in jobs if job.completed_at is not None), default=bundle.created_at)

    async def sweep(self, retention_s: float) -> None:
        """Forget those that are older, whose try-ons the sweep of try-ons deletes."""
        old = self.table.c.created_at < now() - retention_s
        gone = await self._database.transact(lambda c: c.execute(select(self.table.c.id).where(old)).scalars().all())
        for bundle_id in gone:
            await self._webhooks.forget(bundle_id)
        await self._database.transact(lambda c: c.execute(delete(self.table).where(self.table.c.id.in_(gone))))

    @abstractmethod
    def _read(self, row: Any, body: Any) -> B:
        """What a row of the table says. body: its own, out of JSON."""

    async def _known(self, bundle_id: str, owner: str, body: Any) -> B | None:
        """The one that was ordered under this id before. Raises IdempotencyConflict where that was another one."""
        row = await self._row(bundle_id)
        if row is None:
            return None
        there = json.loads(row.body)
        if row.owner != owner or there != json.loads(json.dumps(body)):
            raise IdempotencyConflict(
                f"The Idempotency-Key was used for another {self.kind}. Use a new key for a new one."
            )
        return self._read(row, there)

    async def _accept(self, bundle_id: str, order: Order, wanted: Sequence[Wanted], body: Any) -> B:
        """Accept all of them, which were looked at before; when this returns, all will end.

        Raises TooManyTryons, QuotaReached, NotFound, IdempotencyConflict, WebhookRefused, StorageFull.
        """
        async with self._tryons.admission.room(order, len(wanted)):
            if order.whole_webhook is not None:
                await self._webhooks.expect(bundle_id, order.whole_webhook, order.owner, order.webhook_events)
            for each in wanted:
                await self._tryons.create(each.begin, each.order, "tryon")
        # Last: who asks again after a crash in between makes the missing ones, and those that are there are the same.
        row = self._database.insert(self.table).values(
            id=bundle_id, owner=order.owner, created_at=now(), body=json.dumps(body)
        )
        await self._database.transact(lambda c: c.execute(row.on_conflict_do_nothing()))
        return await self.get(bundle_id, order.owner)

    async def _row(self, bundle_id: str) -> Any:
        query = select(self.table).where(self.table.c.id == bundle_id)
        return await self._database.transact(lambda c: c.execute(query).first())
