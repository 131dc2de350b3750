"""The stage cache: what a stage made of a tenant's inputs before, for all gateways. Nothing runs twice at the same time.

Same fingerprint and same input bytes: same output. So an entry is found under the digest of both, and holds the outputs.
"""

import asyncio
import contextlib
import hashlib
import json
import logging
import uuid
import weakref
from collections.abc import AsyncIterator, Iterable, Mapping
from typing import Any

from sqlalchemy import (
    Column,
    Connection,
    Float,
    ForeignKey,
    String,
    Table,
    Text,
    delete,
    func,
    or_,
    select,
    update,
)

from gateway.errors import GatewayError
from gateway.storage.database import Database, metadata, now
from gateway.storage.holdings import Holdings, blobs, references

log = logging.getLogger("howsfit.gateway")

entries = Table(
    "howsfit_cache_entries",
    metadata,
    Column("key", String(64), primary_key=True),
    Column("document", Text, nullable=False),
    Column("used_at", Float, nullable=False, index=True),
)
entry_origins = Table(
    "howsfit_cache_origins",
    metadata,
    Column("key", String(64), ForeignKey(entries.c.key, ondelete="CASCADE"), primary_key=True),
    Column("digest", String(71), primary_key=True, index=True),
)
claims = Table(
    "howsfit_cache_claims",
    metadata,
    Column("key", String(64), primary_key=True),
    Column("owner", String(32), nullable=False),
    Column("expires_at", Float, nullable=False),
)

HOLDER = "cache:"
"""An entry holds its outputs under this and its key."""

FIRST_POLL_S, LONGEST_POLL_S = 0.05, 0.5


def cache_key(fingerprint: str, inputs: Mapping[str, str], tenant: str = "") -> str:
    """The name of an entry. inputs: artifact name -> digest. tenant: whose it is; nobody learns what others had made."""
    document = json.dumps([fingerprint, sorted(inputs.items()), tenant], separators=(",", ":"))
    return hashlib.sha256(document.encode()).hexdigest()


class Claim:
    """The right to run a stage on some inputs, or what came of it before."""

    def __init__(self, cache: "StageCache", key: str, origins: Iterable[str], hit: dict[str, Any] | None) -> None:
        self.key = key
        self.hit = hit
        """What was stored, or None: then it is the holder's turn to run the stage."""
        self._cache = cache
        self._origins = origins

    async def store(self, document: Mapping[str, Any]) -> None:
        """Keep a result for others, and let go of the claim.

        document: anything that JSON can say, with `outputs`: artifact name -> digest. Raises ValueError when one of these was
        not kept by Holdings.keep() before.
        """
        await self._cache._store(self.key, self._origins, dict(document))


class _Bypass(Claim):
    async def store(self, document: Mapping[str, Any]) -> None:
        """Nothing is kept."""


class StageCache:
    """Entries, the claims of those who are making some, and the bound on their size."""

    def __init__(self, database: Database, holdings: Holdings, *, max_bytes: int, claim_s: float = 15.0) -> None:
        """max_bytes: of all blobs that entries hold. claim_s: so long after its owner's death a claim passes on."""
        self._database = database
        self._holdings = holdings
        self._max_bytes = max_bytes
        self._claim_s = claim_s
        self._untrimmed = 0
        # Of those in this process that want the same, one asks the database; the others wait for it here.
        self._turns: weakref.WeakValueDictionary[str, asyncio.Lock] = weakref.WeakValueDictionary()

    @contextlib.asynccontextmanager
    async def claim(
        self,
        fingerprint: str,
        inputs: Mapping[str, str],
        *,
        holder: str,
        tenant: str = "",
        origins: Iterable[str] | None = None,
        no_store: bool = False,
    ) -> AsyncIterator[Claim]:
        """What is stored for these inputs, or the right to make it; waits while somebody else is making it.

        Use as `async with cache.claim(…) as claim`. With a hit, `holder` holds the outputs from then on. Without, run the
        stage, keep its outputs under `holder`, and call claim.store(); leaving without it lets the next one try. A hit's
        blobs are there, though one may prove corrupt when it is read: then claim again, and it is a miss.
        origins: digests of the uploads that the inputs were made from, see forget(); default: the inputs themselves.
        no_store: neither look nor wait nor keep.
        """
        key = cache_key(fingerprint, inputs, tenant)
        origins = set(inputs.values() if origins is None else origins)
        if no_store:
            yield _Bypass(self, key, origins, None)
            return
        owner = uuid.uuid4().hex
        async with contextlib.AsyncExitStack() as stack:
            await stack.enter_async_context(self._turns.setdefault(key, asyncio.Lock()))
            try:
                hit = await self._acquire(key, owner, holder)
            except BaseException:
                await self._let_go(key, owner)  # cancelled just when it had been claimed
                raise
            if hit is not None:
                await stack.aclose()  # the next one need not wait while this one uses it
            else:
                stack.push_async_callback(self._let_go, key, owner)
                stack.callback(asyncio.create_task(self._renew(key, owner)).cancel)
            yield Claim(self, key, origins, hit)

    async def follow(
        self,
        stages: Iterable[tuple[str, str, Iterable[str]]],
        begin: Mapping[str, str],
        *,
        holder: str | None = None,
        tenant: str = "",
    ) -> dict[str, dict[str, Any]]:
        """Stage -> what is stored for it, as far as that leads from what a job begins with; `holder`, where there is one,
        holds these outputs from then on.

        In one transaction for all, as against claim(), which may be asked for each of the others.
        stages: name, fingerprint and inputs of each, in running order. begin: artifact name -> digest.
        """

        def look(connection: Connection) -> dict[str, dict[str, Any]]:
            found: dict[str, dict[str, Any]] = {}
            have = dict(begin)
            for stage, fingerprint, inputs in stages:
                if have.keys() >= set(inputs):
                    key = cache_key(fingerprint, {n: have[n] for n in inputs}, tenant)
                    document = self._look(connection, key, holder)
                    if document is not None:
                        found[stage] = document
                        have = document["outputs"] | have  # never in the place of what was given
            return found

        found = await self._database.transact(look)
        outputs = {digest for document in found.values() for digest in document["outputs"].values()}
        if all(await asyncio.gather(*map(self._holdings.store.has, outputs))):
            return found
        return {}  # one has lost a blob: claim() will find out which

    async def forget(self, uploads: Iterable[str]) -> int:
        """Drop every entry that was made from these uploads, through however many stages. Returns how many.

        Each entry knows its uploads by itself: those in between may have gone before it.
        """
        made = select(entry_origins.c.key).where(entry_origins.c.digest.in_(list(uploads)))

        def drop(connection: Connection) -> int:
            found = set(connection.execute(made).scalars())
            self._drop(connection, found)
            return len(found)

        dropped = await self._database.transact(drop)
        await self._holdings.collect()
        return dropped

    async def size(self) -> int:
        """Bytes of all blobs that entries hold."""
        return await self._database.transact(_size)

    async def trim(self) -> int:
        """Drop the entries used longest ago until the rest is within the bound. Returns how many."""
        dropped = await self._database.transact(self._trim)
        if dropped:
            await self._holdings.collect()
        return dropped

    async def sweep(self, grace_s: float) -> int:
        """Clear up: claims of processes that died, what was made of uploads that nobody holds any more, and all blobs that
        nobody holds. Returns how many blobs went.
        """
        await self._database.transact(lambda c: c.execute(delete(claims).where(claims.c.expires_at < now())))
        await self._database.transact(self._drop_outlived)
        await self.trim()
        return await self._holdings.sweep(grace_s)

    async def _acquire(self, key: str, owner: str, holder: str) -> dict[str, Any] | None:
        pause_s = FIRST_POLL_S
        while True:
            mine, document = await self._database.transact(lambda c: self._look_or_claim(c, key, owner, holder))
            if mine:
                return None
            if document is None:
                await asyncio.sleep(pause_s)
                pause_s = min(pause_s * 1.5, LONGEST_POLL_S)
            elif all(await asyncio.gather(*map(self._holdings.store.has, document["outputs"].values()))):
                return document
            else:
                log.warning("cache entry %s has lost a blob: dropped", key)
                await self._database.transact(lambda c: self._drop(c, {key}))

    def _look_or_claim(
        self, connection: Connection, key: str, owner: str, holder: str
    ) -> tuple[bool, dict[str, Any] | None]:
        """(True, None): claimed. (False, document): a hit. (False, None): somebody else's."""
        document = self._look(connection, key, holder)
        if document is not None:
            return False, document
        claim = self._database.insert(claims).values(key=key, owner=owner, expires_at=now() + self._claim_s)
        claim = claim.on_conflict_do_update(
            index_elements=[claims.c.key],
            set_={"owner": owner, "expires_at": now() + self._claim_s},
            where=or_(claims.c.expires_at < now(), claims.c.owner == owner),
        )
        if connection.execute(claim.returning(claims.c.owner)).first() is None:
            return False, None
        # Again: the former owner may have stored it between the look and the claim.
        document = self._look(connection, key, holder)
        if document is not None:
            connection.execute(delete(claims).where(claims.c.key == key, claims.c.owner == owner))
        return document is None, document

    def _look(self, connection: Connection, key: str, holder: str | None) -> dict[str, Any] | None:
        text = connection.execute(select(entries.c.document).where(entries.c.key == key)).scalar()
        if text is None:
            return None
        document: dict[str, Any] = json.loads(text)
        if holder is None:
            return document
        if not self._holdings.hold_in(connection, list(document["outputs"].values()), holder):
            return None
        connection.execute(update(entries).where(entries.c.key == key).values(used_at=now()))
        return document

    async def _let_go(self, key: str, owner: str) -> None:
        mine = delete(claims).where(claims.c.key == key, claims.c.owner == owner)
        try:
            await self._database.transact(lambda c: c.execute(mine))
        except GatewayError:
            log.warning("cache claim %s could not be given back; it runs out by itself", key)

    async def _renew(self, key: str, owner: str) -> None:
        mine = update(claims).where(claims.c.key == key, claims.c.owner == owner)
        while True:
            await asyncio.sleep(self._claim_s / 3)
            with contextlib.suppress(GatewayError):  # at worst somebody else runs the same, with the same result
                await self._database.transact(lambda c: c.execute(mine.values(expires_at=now() + self._claim_s)))

    async def _store(self, key: str, origins: Iterable[str], document: dict[str, Any]) -> None:
        text = json.dumps(document, separators=(",", ":"))
        outputs: list[str] = list(document["outputs"].values())

        def write(connection: Connection) -> int | None:
            self._drop(connection, {key})
            if not self._holdings.hold_in(connection, outputs, HOLDER + key):
                return None
            values = {"document": text, "used_at": now()}
            entry = self._database.insert(entries).values(key=key, **values)
            connection.execute(entry.on_conflict_do_update(index_elements=[entries.c.key], set_=values))
            rows = [{"key": key, "digest": digest} for digest in origins]
            if rows:
                connection.execute(self._database.insert(entry_origins).values(rows).on_conflict_do_nothing())
            connection.execute(delete(claims).where(claims.c.key == key))
            size = select(func.coalesce(func.sum(blobs.c.bytes), 0)).where(blobs.c.digest.in_(outputs))
            return int(connection.execute(size).scalar_one())

        stored = await self._database.transact(write)
        if stored is None:
            raise ValueError(f"Of the outputs {outputs} one is not kept. Call Holdings.keep() for each before store().")
        # Not each time: the bound may be exceeded by a hundredth of it.
        self._untrimmed += stored
        if self._untrimmed > self._max_bytes / 100:
            self._untrimmed = 0
            await self.trim()

    def _drop(self, connection: Connection, keys: Iterable[str]) -> None:
        doomed = sorted(keys)
        for start in range(0, len(doomed), 500):  # a statement takes so many values only
            batch = doomed[start : start + 500]
            self._holdings.release_in(connection, [HOLDER + key for key in batch])
            connection.execute(delete(entry_origins).where(entry_origins.c.key.in_(batch)))
            connection.execute(delete(entries).where(entries.c.key.in_(batch)))

    def _drop_outlived(self, connection: Connection) -> None:
        held = references.c.digest == entry_origins.c.digest, ~references.c.holder.startswith(HOLDER)
        outlived = select(entry_origins.c.key).where(~select(references.c.digest).where(*held).exists())
        self._drop(connection, set(connection.execute(outlived).scalars()))

    def _trim(self, connection: Connection) -> int:
        if _size(connection) <= self._max_bytes:
            return 0
        # Some more than needed, so that the next entry need not do it again.
        room, seen, old = self._max_bytes * 0.9, set[str](), set[str]()
        query = (
            select(entries.c.key, references.c.digest, blobs.c.bytes)
            .join(references, references.c.holder == HOLDER + entries.c.key)
            .join(blobs, blobs.c.digest == references.c.digest)
            .order_by(entries.c.used_at.desc(), entries.c.key)
        )
        for key, digest, size in connection.execute(query):
            if digest not in seen:
                seen.add(digest)
                room -= size
            if room < 0:
                old.add(key)
        self._drop(connection, old)
        return len(old)


def _size(connection: Connection) -> int:
    held = select(references.c.digest).where(references.c.holder.startswith(HOLDER))
    query = select(func.coalesce(func.sum(blobs.c.bytes), 0)).where(blobs.c.digest.in_(held))
    return int(connection.execute(query).scalar_one())
