"""Pictures that came from outside."""

import asyncio

from starlette.datastructures import UploadFile

from gateway.errors import UploadTooLarge
from stagekit.pictures import Picture
from stagekit.wire import Part


async def read_picture(upload: UploadFile, name: str, max_mb: float, max_megapixels: float) -> Picture:
    """Take an upload; what the client says of its type is not trusted.

    Raises UploadTooLarge, and of the stages' errors UnreadableImage, ImageTooLarge, ImageTooNarrow.
    """
    data = await upload.read(int(max_mb * 1e6) + 1)
    if len(data) > max_mb * 1e6:
        raise UploadTooLarge(f"The {name} has more than {max_mb:g} MB. Send a smaller picture.")
    picture = await asyncio.to_thread(Picture, data, name)
    picture.check_size(max_megapixels * 1e6)
    return picture


def part_of(picture: Picture) -> Part:
    """What is kept of a picture: the first one of its file."""
    return Part(picture.file, picture.media_type or "application/octet-stream")
