"""Pictures in other sizes and formats, for lists, phones and shops. Pure: bytes in, bytes out."""

import io
import threading
from typing import Any, Literal

from PIL import Image

from gateway.pictures.provenance import packet_in, with_packet
from stagekit.pictures import Picture
from stagekit.wire import Part

Format = Literal["jpeg", "png", "webp"]

PREVIEW_QUALITY, FULL_QUALITY = 82, 92
"""Of JPEG and WebP, where nobody says: of small copies, and of pictures as they are."""

_ONE_AT_A_TIME = threading.Lock()
"""The largest picture that the gateway takes needs some hundreds of megabytes while it is read."""


def rendered(part: Part, width: int | None = None, wanted: Format | None = None, quality: int | None = None) -> Part:
    """The picture upright, at most `width` pixels across, in the format that is wanted: by default a JPEG where there is a
    width, else as it is. What is no picture is given as it is.

    Raises UnreadableImage for an upload that was broken from the start.
    """
    if not part.media_type.startswith("image/") and part.media_type != "application/octet-stream":
        return part
    wanted = wanted or ("jpeg" if width is not None else None)
    if wanted is None or (width is None and quality is None and part.media_type == f"image/{wanted}"):
        return part
    with _ONE_AT_A_TIME:
        upright = _read(part.data, width)
        if "A" in upright.getbands() or "transparency" in upright.info:
            upright = Image.alpha_composite(Image.new("RGBA", upright.size, "white"), upright.convert("RGBA"))
        picture = upright.convert("RGB")
        if width is not None:
            picture.thumbnail((width, 4 * width), Image.Resampling.LANCZOS, reducing_gap=2.0)
        return _written(
            picture, wanted, quality or (FULL_QUALITY if width is None else PREVIEW_QUALITY), packet_in(part.data)
        )


def _read(data: bytes, width: int | None) -> Image.Image:
    picture = Picture(data)
    image = picture.decode(least=None if width is None else (2 * width, 2 * width))
    if width is not None:
        image.thumbnail((4 * width, 4 * width), Image.Resampling.BOX)  # before anything copies it
    return picture.upright(image)


def _written(picture: Image.Image, wanted: Format, quality: int, packet: bytes | None) -> Part:
    """packet: XMP, which says how the picture came to be."""
    options: dict[str, Any] = {} if wanted == "png" else {"quality": quality}
    if wanted == "jpeg":
        options["optimize"] = True
        if quality >= FULL_QUALITY:
            options["subsampling"] = 0  # prints and edges keep their colours
    if wanted == "webp" and packet is not None:
        options["xmp"] = packet
    encoded = io.BytesIO()
    picture.save(encoded, wanted, **options)
    made = Part(encoded.getvalue(), f"image/{wanted}")
    return made if packet is None else with_packet(made, packet)
