"""Pictures that came from outside."""

import io
from dataclasses import dataclass

from fastapi import UploadFile
from PIL import Image

from gateway.errors import ImageUnreadable, UploadTooLarge
from stagekit.wire import Part

MEDIA_TYPES = {"JPEG": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp", "BMP": None, "GIF": None}
"""What is taken, and what it is kept as; None: as bytes, never to be shown by a browser."""

Image.MAX_IMAGE_PIXELS = None  # checked below, before any pixel is decoded


@dataclass(frozen=True)
class Picture:
    """A picture whose header has been read. Whether the rest of it decodes, the first stage finds out."""

    part: Part
    width: int
    height: int
    """In pixels, as stored: a rotation in the metadata is not applied yet."""


async def read_picture(upload: UploadFile, name: str, max_mb: float, max_megapixels: float) -> Picture:
    """Take an upload; what the client says of its type is not trusted. Raises UploadTooLarge, ImageUnreadable."""
    data = await upload.read(int(max_mb * 1e6) + 1)
    if len(data) > max_mb * 1e6:
        raise UploadTooLarge(f"The {name} has more than {max_mb:g} MB. Send a smaller picture.")
    try:
        with Image.open(io.BytesIO(data), formats=tuple(MEDIA_TYPES)) as image:
            width, height, media_type = image.width, image.height, MEDIA_TYPES[image.format or ""]
    except Exception:  # Pillow's plug-ins raise anything at all for broken headers
        raise ImageUnreadable(f"The {name} is not a JPEG, PNG or WebP picture. Convert it to one of these.") from None
    if width * height > max_megapixels * 1e6:
        raise UploadTooLarge(
            f"The {name} has {width} x {height} pixels; at most {max_megapixels:g} million are taken. Send a smaller one."
        )
    return Picture(Part(data, media_type or "application/octet-stream"), width, height)
