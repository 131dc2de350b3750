"""Uploaded images, by the digest of their bytes: upload once, use in any number of try-ons."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Column, ColumnElement, Connection, Float, Integer, String, Table, and_, delete, select, update

from gateway.errors import NotFound
from gateway.pictures.uploads import blob_of
from gateway.storage.cache import StageCache
from gateway.storage.database import Database, metadata, now
from gateway.storage.holdings import Holdings
from stagekit.pictures import Picture
from stagekit.wire import Part

images = Table(
    "howsfit_images",
    metadata,
    Column("owner", String(64), primary_key=True),
    Column("digest", String(71), primary_key=True),
    Column("media_type", String(40), nullable=False),
    Column("bytes", Integer, nullable=False),
    Column("width", Integer, nullable=False),
    Column("height", Integer, nullable=False),
    Column("created_at", Float, nullable=False),
    Column("used_at", Float, nullable=False, index=True),
)


@dataclass(frozen=True)
class Image:
    """An uploaded image."""

    id: str
    media_type: str
    bytes: int
    width: int
    height: int
    created_at: datetime
    used_at: datetime


class Images:
    """The images of all owners. Every method may raise StorageUnavailable."""

    def __init__(self, database: Database, holdings: Holdings, cache: StageCache) -> None:
        self._database = database
        self._holdings = holdings
        self._cache = cache

    async def add(self, picture: Picture, owner: str) -> Image:
        """Keep a picture; the same again is the same image. Raises StorageFull."""
        blob = await blob_of(picture)
        width, height = picture.size
        # The row first: without one, nobody would ever let go of the blob.
        values = {
            "media_type": blob.media_type,
            "bytes": len(blob.data),
            "width": width,
            "height": height,
        }
        row = self._database.insert(images).values(
            owner=owner, digest=blob.digest, created_at=now(), used_at=now(), **values
        )
        row = row.on_conflict_do_update(index_elements=[images.c.owner, images.c.digest], set_={"used_at": now()})
        await self._database.transact(lambda c: c.execute(row))
        await self._holdings.keep(blob, _holder(owner, blob.digest))
        return await self.get(blob.digest, owner)

    async def get(self, image_id: str, owner: str | None = None) -> Image:
        """owner: it must be theirs. Raises NotFound."""
        query = select(images).where(_is(image_id, owner))
        row = await self._database.transact(lambda c: c.execute(query).first())
        if row is None:
            raise _unknown(image_id)
        return _image(row)

    async def use(self, image_id: str, owner: str) -> str:
        """The digest to make a try-on of; its time begins anew. Raises NotFound."""
        used = update(images).where(_is(image_id, owner)).values(used_at=now())
        if not await self._database.transact(lambda c: c.execute(used).rowcount):
            raise _unknown(image_id)
        return image_id

    async def content(self, image_id: str, owner: str | None = None) -> Part:
        """The picture itself. Raises NotFound."""
        return await self._holdings.store.get((await self.get(image_id, owner)).id)

    async def delete(self, image_id: str, owner: str | None = None) -> None:
        """Forget it, and what the cache keeps that was made from it. Try-ons that used it keep theirs.

        owner: theirs; without one, everybody's. Raises NotFound.
        """
        await self.get(image_id, owner)
        await self._cache.forget([image_id])
        await self._forget(_is(image_id, owner))

    async def sweep(self, retention_s: float) -> None:
        """Forget those that were used last so long ago."""
        await self._forget(images.c.used_at < now() - retention_s)

    async def _forget(self, which: ColumnElement[bool]) -> None:
        def forget(connection: Connection) -> None:
            gone = connection.execute(delete(images).where(which).returning(images.c.owner, images.c.digest)).all()
            self._holdings.release_in(connection, [_holder(owner, digest) for owner, digest in gone])

        await self._database.transact(forget)
        await self._holdings.collect()


def _is(image_id: str, owner: str | None) -> ColumnElement[bool]:
    this = images.c.digest == image_id
    return this if owner is None else and_(images.c.owner == owner, this)


def _holder(owner: str, digest: str) -> str:
    return f"image:{owner}:{digest}"


def _image(row: Any) -> Image:
    return Image(
        id=row.digest,
        media_type=row.media_type,
        bytes=row.bytes,
        width=row.width,
        height=row.height,
        created_at=datetime.fromtimestamp(row.created_at, UTC),
        used_at=datetime.fromtimestamp(row.used_at, UTC),
    )


def _unknown(image_id: str) -> NotFound:
    return NotFound(f"There is no image '{image_id}'. It may have been deleted, or its time was over: upload it again.")
