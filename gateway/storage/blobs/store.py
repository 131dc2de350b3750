"""What every blob store can do. The public methods are here; a kind of storage fills in the ones that begin with `_`."""

import asyncio
import hashlib
import logging
import re
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Iterator
from typing import NamedTuple

from gateway.storage.blobs.errors import BlobCorrupt, BlobMissing
from gateway.storage.threads import to_its_end
from stagekit.wire import EXTENSIONS, Part

log = logging.getLogger("howsfit.gateway")

MEDIA_TYPES = {**EXTENSIONS, "application/octet-stream": ".bin"}
"""Media type -> file extension: what can be kept."""

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


def digest_of(data: bytes) -> str:
    """The name of a blob: sha256:HEX of its bytes."""
    return "sha256:" + hashlib.sha256(data).hexdigest()


class Blob(Part):
    """A part that carries its digest, so that it is hashed once however many hands it goes through."""

    digest: str

    @classmethod
    def of(cls, part: Part) -> "Blob":
        """Hashes it, unless it is one already: not in the event loop."""
        if isinstance(part, cls):
            return part
        blob = cls(*part)
        blob.digest = digest_of(part.data)
        return blob


class StoredBlob(NamedTuple):
    """What a scan tells of one blob."""

    digest: str
    bytes: int
    age_s: float
    """Seconds since it was last put."""


class BlobStore(ABC):
    """Blobs by digest. Safe for any number of writers and readers, in any number of processes.

    Every method may raise StorageUnavailable, and none raises an error of the library or system below. Blocking work is done
    in threads.
    """

    async def put(self, part: Part) -> str:
        """Keep it, and return its digest. Raises StorageFull, or ValueError for a media type that cannot be kept.

        A Blob is not hashed again. It is written, or is not, when this returns, even by cancellation.

        It writes even when the blob is there: that heals a damaged one and makes its age begin anew, so that no sweeper
        takes away what has just been put. Of the same bytes put under two media types, either is kept.
        """
        if part.media_type not in MEDIA_TYPES:
            raise ValueError(f"'{part.media_type}' cannot be kept; only {', '.join(MEDIA_TYPES)} can.")

        def work() -> str:
            blob = Blob.of(part)
            self._write(_hex(blob.digest), blob)
            return blob.digest

        return await to_its_end(asyncio.to_thread(work))

    async def get(self, digest: str) -> Blob:
        """Read it whole, and check its digest. Raises BlobMissing, or BlobCorrupt after removing what was wrong.

        Removed, because then whoever can make it anew finds it missing and does so.
        """

        def work() -> Blob:
            # Twice: bytes may also be damaged on their way here, and then the blob itself is good.
            for _ in range(2):
                part = self._read(_hex(digest))
                if part is None:
                    raise BlobMissing(f"The file {digest} is not in the storage any more. Start the try-on again.")
                if (blob := Blob.of(part)).digest == digest:
                    return blob
            log.error("blob %s has other bytes than its name says: removed", digest)
            self._delete(_hex(digest))
            raise BlobCorrupt(f"The file {digest} was damaged in the storage and is removed. Start the try-on again.")

        return await asyncio.to_thread(work)

    async def has(self, digest: str) -> bool:
        """Whether it is there. Its bytes are not looked at."""
        return await asyncio.to_thread(self._has, _hex(digest))

    async def delete(self, digest: str) -> None:
        """Remove it; no error when there is none."""
        await asyncio.to_thread(self._delete, _hex(digest))

    async def url_for(self, digest: str, expires_s: int) -> str | None:
        """A link that anyone can download it from for so long, or None where the store gives no links."""
        return await asyncio.to_thread(self._link, _hex(digest), expires_s)

    async def scan(self) -> AsyncIterator[list[StoredBlob]]:
        """All blobs, a page at a time, in no order. Those put or deleted meanwhile may or may not be among them."""
        pages = self._pages()
        while (page := await asyncio.to_thread(next, pages, None)) is not None:
            # Something else may lie there: what has no digest for a name is none of ours.
            yield [blob for blob in page if _DIGEST.fullmatch(blob.digest)]

    async def check(self) -> None:
        """Write, and remove, something small. Raises StorageFull or StorageUnavailable, with what to do."""
        await asyncio.to_thread(self._check)

    async def sweep_unfinished(self, older_than_s: float) -> int:
        """Remove what writers left that died half way; returns how many."""
        return await asyncio.to_thread(self._sweep_unfinished, older_than_s)

    @abstractmethod
    def _write(self, name: str, part: Part) -> None:
        """Whole or not at all. `name` is the digest's hex here and below."""

    @abstractmethod
    def _read(self, name: str) -> Part | None: ...

    @abstractmethod
    def _has(self, name: str) -> bool: ...

    @abstractmethod
    def _delete(self, name: str) -> None: ...

    @abstractmethod
    def _link(self, name: str, expires_s: int) -> str | None: ...

    @abstractmethod
    def _pages(self) -> Iterator[list[StoredBlob]]: ...

    @abstractmethod
    def _check(self) -> None: ...

    def _sweep_unfinished(self, older_than_s: float) -> int:
        return 0


def _hex(digest: str) -> str:
    # Digests come from addresses too; whatever is not one must never become part of a path.
    if not _DIGEST.fullmatch(digest):
        raise BlobMissing("That is no digest: one is 'sha256:' and 64 hexadecimal digits. Take it from the try-on.")
    return digest.removeprefix("sha256:")
