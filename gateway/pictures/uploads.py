"""Pictures and artifacts that came from outside."""

import asyncio

from starlette.datastructures import UploadFile

from gateway.errors import UploadTooLarge
from gateway.outgoing.fetching import Fetcher, PictureUrl
from gateway.pictures.artifacts import given_part
from gateway.settings import Settings
from gateway.storage.blobs import Blob
from stagekit.pictures import Picture
from stagekit.wire import Part


class Uploads:
    """Takes pictures within the bounds that the settings give."""

    def __init__(self, settings: Settings) -> None:
        """Raises ValueError for settings that cannot be used."""
        self._max_mb, self._max_megapixels = settings.max_upload_mb, settings.max_megapixels
        self._fetcher = Fetcher(settings)

    def close(self) -> None:
        """Take nothing any more."""
        self._fetcher.close()

    async def read(self, given: UploadFile | PictureUrl, name: str) -> Picture:
        """A file, or what its address gives; what is said of its type is not trusted.

        Raises PictureNotFetched, UploadTooLarge, and of the stages' errors UnreadableImage, ImageTooLarge, ImageTooNarrow.
        """
        picture = await asyncio.to_thread(Picture, await self._data(given, name), name)
        picture.check_size(self._max_megapixels * 1e6)
        return picture

    async def read_artifact(self, given: UploadFile | PictureUrl, name: str, kind: str) -> Blob:
        """An artifact in the place of one that a stage would make.

        Raises WrongKind, UnreadableImage, PictureNotFetched, UploadTooLarge.
        """
        part = await asyncio.to_thread(given_part, name, kind, await self._data(given, name))
        return await asyncio.to_thread(Blob.of, part)

    async def _data(self, given: UploadFile | PictureUrl, name: str) -> bytes:
        return (
            await self._fetcher.fetch(given, name) if isinstance(given, PictureUrl) else await self._sent(given, name)
        )

    async def _sent(self, upload: UploadFile, name: str) -> bytes:
        data = await upload.read(int(self._max_mb * 1e6) + 1)
        if len(data) > self._max_mb * 1e6:
            raise UploadTooLarge(f"The {name} has more than {self._max_mb:g} MB. Send a smaller picture.")
        return data


async def blob_of(picture: Picture) -> Blob:
    """What is kept of a picture: the first one of its file."""
    part = Part(picture.file, picture.media_type or "application/octet-stream")
    return await asyncio.to_thread(Blob.of, part)
