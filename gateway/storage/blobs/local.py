"""Blobs in a local folder: AB/CD/ABCD….png, where ABCD… is the SHA-256 of the bytes."""

import contextlib
import errno
import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from gateway.storage.blobs.errors import StorageFull, StorageUnavailable
from gateway.storage.blobs.store import MEDIA_TYPES, BlobStore, StoredBlob
from stagekit.wire import Part

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class LocalBlobs(BlobStore):
    """A folder, which several processes of one machine may share."""

    def __init__(self, folder: Path) -> None:
        """The folder is made by the first write or check()."""
        self.folder = folder
        # On the same file system as the blobs, so that a rename is all it takes.
        self._unfinished = folder / "unfinished"

    def _write(self, name: str, part: Part) -> None:
        with self._typed_errors():
            target = self._path(name, part.media_type)
            target.parent.mkdir(parents=True, exist_ok=True)
            self._unfinished.mkdir(exist_ok=True)
            descriptor, temporary = tempfile.mkstemp(dir=self._unfinished)
            try:
                with os.fdopen(descriptor, "wb") as file:
                    file.write(part.data)
                    file.flush()
                    # An upload cannot be made anew: it must be on the disk before anyone hears that it is kept. Without
                    # this a power failure may leave the new name on an empty file.
                    os.fsync(file.fileno())
                os.replace(temporary, target)
            except BaseException:
                with contextlib.suppress(OSError):
                    os.unlink(temporary)
                raise
            _sync_folder(target.parent)

    def _read(self, name: str) -> Part | None:
        with self._typed_errors():
            for media_type in MEDIA_TYPES:
                with contextlib.suppress(FileNotFoundError):
                    return Part(self._path(name, media_type).read_bytes(), media_type)
            return None

    def _has(self, name: str) -> bool:
        with self._typed_errors():
            return any(self._path(name, media_type).is_file() for media_type in MEDIA_TYPES)

    def _delete(self, name: str) -> None:
        # The two levels of folders stay: taking away an empty one would race with a writer that has just made sure of it.
        with self._typed_errors():
            for media_type in MEDIA_TYPES:
                self._path(name, media_type).unlink(missing_ok=True)

    def _link(self, name: str, expires_s: int) -> str | None:
        return None  # the gateway serves these itself

    def _pages(self) -> Iterator[list[StoredBlob]]:
        with self._typed_errors():
            for folder in sorted(self.folder.glob("[0-9a-f][0-9a-f]/[0-9a-f][0-9a-f]")):
                # One digest may have files of two media types: it is as old as the younger one.
                found: dict[str, StoredBlob] = {}
                for path in folder.iterdir():
                    with contextlib.suppress(FileNotFoundError):
                        facts = path.stat()
                        blob = StoredBlob("sha256:" + path.stem, facts.st_size, time.time() - facts.st_mtime)
                        known = found.setdefault(path.stem, blob)
                        found[path.stem] = min(known, blob, key=lambda b: b.age_s)
                yield list(found.values())

    def _check(self) -> None:
        with self._typed_errors():
            self._unfinished.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=self._unfinished) as file:
                file.write(bytes(4096))
                file.flush()
                os.fsync(file.fileno())

    def _sweep_unfinished(self, older_than_s: float) -> int:
        removed = 0
        with self._typed_errors():
            for path in self._unfinished.glob("*"):
                with contextlib.suppress(FileNotFoundError):
                    if time.time() - path.stat().st_mtime > older_than_s:
                        path.unlink()
                        removed += 1
        return removed

    def _path(self, name: str, media_type: str) -> Path:
        return self.folder / name[:2] / name[2:4] / (name + MEDIA_TYPES[media_type])

    @contextlib.contextmanager
    def _typed_errors(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            if error.errno in FULL:
                raise StorageFull(
                    f"The disk of {self.folder} is full. Free some space there or shorten the retention, then try again."
                ) from None
            raise StorageUnavailable(
                f"The folder {self.folder} cannot be used ({error.strerror}). Check that it exists, is mounted and may be "
                "written to by the gateway's user.",
                retry_after_s=30,
            ) from None


def _sync_folder(folder: Path) -> None:
    # The new name, too, is on the disk only after its folder is.
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
