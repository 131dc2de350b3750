"""Which blobs are wanted, and by whom: a blob stays as long as somebody holds it.

A holder is a name: a job's id, an uploaded image's, or a cache entry's. The row comes before the blob and goes after it, so
that no crash leaves a blob that nobody knows of:

    keep      row and reference are committed, then the blob is written
    release   the references go; a row without any is condemned, then the blob is deleted, then the row goes

While a row is condemned, keep() waits for its end: else a late deletion would take away what has just been written.
"""

import asyncio
import time
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import BigInteger, Column, Connection, Float, ForeignKey, String, Table, delete, or_, select, update

from gateway.storage.blobs import Blob, BlobStore
from gateway.storage.database import Database, metadata, now
from stagekit.wire import Part

CONDEMNED_S = 90.0
"""How long a row stays condemned when its sweeper dies: so long keep() of the same bytes may have to wait then."""

DELETING_S = 20.0
"""How long the deletions of one batch may go on. The last one may take a store's time-outs and retries more: 60 s for S3."""

BATCH = 64
POLL_S = 0.05

blobs = Table(
    "howsfit_blobs",
    metadata,
    Column("digest", String(71), primary_key=True),
    Column("bytes", BigInteger, nullable=False),
    Column("condemned_until", Float),
)
references = Table(
    "howsfit_references",
    metadata,
    Column("holder", String(200), primary_key=True),
    Column("digest", String(71), ForeignKey(blobs.c.digest), primary_key=True, index=True),
)

_held = select(references.c.digest).where(references.c.digest == blobs.c.digest).exists()
_condemned = blobs.c.condemned_until > now()


class Holdings:
    """The blobs that the database knows, and who holds them. Every method may raise StorageUnavailable."""

    def __init__(self, database: Database, store: BlobStore) -> None:
        self.store = store
        self._database = database

    async def keep(self, part: Part, holder: str) -> str:
        """Put a blob, held by `holder`; returns its digest. Raises StorageFull."""
        blob = await asyncio.to_thread(Blob.of, part)
        await self._enter_in_turn(blob, holder)
        return await self.store.put(blob)

    async def hold(self, digests: Iterable[str], holder: str) -> bool:
        """Hold blobs that are kept already: all of them, or False and none where one is not. The storage is not asked."""
        wanted = sorted(set(digests))
        return await self._database.transact(lambda c: self.hold_in(c, wanted, holder))

    async def held_by(self, holder: str) -> list[str]:
        """The digests that it holds."""
        query = select(references.c.digest).where(references.c.holder == holder).order_by(references.c.digest)
        return await self._database.transact(lambda c: list(c.execute(query).scalars()))

    async def holders(self, prefix: str) -> set[str]:
        """All holders whose names begin so."""
        query = select(references.c.holder).where(references.c.holder.startswith(prefix, autoescape=True)).distinct()
        return await self._database.transact(lambda c: set(c.execute(query).scalars()))

    async def release(self, holder: str) -> int:
        """Let go of all that it holds; what nobody holds any more is deleted. Returns how many blobs were deleted.

        When the storage fails, the references are gone all the same, and a later collect() deletes the blobs.
        """
        await self._database.transact(lambda c: self.release_in(c, [holder]))
        return await self.collect()

    async def release_late(self, holder: str, written: Iterable[Blob], but: Sequence[str] = ()) -> None:
        """The same for a holder that others have let go of already, while it was writing these: what was written after that is
        known to nobody. but: digests that it goes on to hold where it does.
        """
        for blob in written:
            await self._enter_in_turn(blob, holder)
        late = references.c.holder == holder, references.c.digest.notin_(but)
        await self._database.transact(lambda c: c.execute(delete(references).where(*late)))
        await self.collect()

    async def collect(self) -> int:
        """Delete all blobs that nobody holds. Returns how many."""
        removed = 0
        while batch := await self._database.transact(self._condemn):
            removed += await self._delete(batch)
        return removed

    async def sweep(self, grace_s: float) -> int:
        """Delete all that is wanted by nobody, also what the database does not know; returns how many blobs.

        grace_s: what is younger stays. Longer than any writer may take.
        """
        removed = await self.collect()
        async for page in self.store.scan():
            old = [blob for blob in page if blob.age_s > grace_s]
            unknown = await self._database.transact(lambda c, o=old: self._condemn_unknown(c, o))  # type: ignore[misc]
            removed += await self._delete(unknown)
        await self.store.sweep_unfinished(grace_s)
        return removed

    def hold_in(self, connection: Connection, digests: Sequence[str], holder: str) -> bool:
        """The same as hold(), in a transaction that is under way."""
        # Whoever adds a reference locks the blob's row first, and so does whoever condemns it: neither overlooks the other.
        # In one order, so that two do not wait for each other.
        query = select(blobs.c.digest).where(blobs.c.digest.in_(digests), blobs.c.condemned_until.is_(None))
        rows = connection.execute(query.order_by(blobs.c.digest).with_for_update()).scalars().all()
        if len(rows) < len(set(digests)):
            return False
        if rows:
            self._refer(connection, rows, holder)
        return True

    def release_in(self, connection: Connection, holders: Sequence[str]) -> None:
        """Let go, in a transaction that is under way. The blobs go with the next collect()."""
        connection.execute(delete(references).where(references.c.holder.in_(holders)))

    async def _enter_in_turn(self, blob: Blob, holder: str) -> None:
        while not await self._database.transact(lambda c: self._enter(c, blob.digest, len(blob.data), holder)):
            await asyncio.sleep(POLL_S)

    def _enter(self, connection: Connection, digest: str, size: int, holder: str) -> bool:
        entry = self._database.insert(blobs).values(digest=digest, bytes=size)
        entry = entry.on_conflict_do_update(
            index_elements=[blobs.c.digest],
            set_={"condemned_until": None},
            where=or_(blobs.c.condemned_until.is_(None), ~_condemned),
        )
        if connection.execute(entry.returning(blobs.c.digest)).first() is None:
            return False
        self._refer(connection, [digest], holder)
        return True

    def _refer(self, connection: Connection, digests: Sequence[str], holder: str) -> None:
        rows = [{"holder": holder, "digest": digest} for digest in digests]
        connection.execute(self._database.insert(references).values(rows).on_conflict_do_nothing())

    def _condemn(self, connection: Connection) -> list[str]:
        free = select(blobs.c.digest).where(~_held, or_(blobs.c.condemned_until.is_(None), ~_condemned)).limit(BATCH)
        rows = connection.execute(free.with_for_update(skip_locked=True)).scalars().all()
        # Asked again now that the rows are locked: the first answer is older than the lock. (PostgreSQL would not do so itself
        # within one statement: after waiting for a row it looks at that row anew, but not at the references.)
        condemn = update(blobs).where(blobs.c.digest.in_(rows), ~_held).values(condemned_until=now() + CONDEMNED_S)
        return list(connection.execute(condemn.returning(blobs.c.digest)).scalars()) if rows else []

    def _condemn_unknown(self, connection: Connection, found: Sequence[Any]) -> list[str]:
        if not found:
            return []
        rows = [{"digest": blob.digest, "bytes": blob.bytes, "condemned_until": now() + CONDEMNED_S} for blob in found]
        new = self._database.insert(blobs).values(rows).on_conflict_do_nothing().returning(blobs.c.digest)
        return list(connection.execute(new).scalars())

    async def _delete(self, condemned: Sequence[str]) -> int:
        gone: list[str] = []
        began = time.monotonic()
        try:
            for digest in condemned:
                if time.monotonic() - began > DELETING_S:
                    break
                await self.store.delete(digest)
                gone.append(digest)
        finally:
            await self._database.transact(lambda c: self._settle(c, condemned, gone, time.monotonic() - began))
        return len(gone)

    def _settle(self, connection: Connection, condemned: Sequence[str], gone: Sequence[str], took_s: float) -> None:
        # Held ones stay: after a long pause of ours, somebody may have found their time over and taken them back.
        connection.execute(delete(blobs).where(blobs.c.digest.in_(gone), ~_held))
        # The one at which it failed stays condemned: its deletion may yet happen. Those behind it are free again.
        rest = condemned[len(gone) + 1 :]
        if rest and took_s < CONDEMNED_S:
            connection.execute(update(blobs).where(blobs.c.digest.in_(rest)).values(condemned_until=None))
