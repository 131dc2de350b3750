"""Small copies of pictures, for lists and phones. Pure: bytes in, bytes out."""

import io
import threading

from PIL import Image, ImageOps

from gateway.errors import ImageUnreadable
from stagekit.wire import Part

_ONE_AT_A_TIME = threading.Lock()
"""The largest picture that the gateway takes needs some hundreds of megabytes while it is read."""


def preview(part: Part, width: int) -> Part:
    """The picture as a JPEG of at most `width` pixels across, upright; what is no picture is given as it is.

    Raises ImageUnreadable for an upload that was broken from the start.
    """
    if not part.media_type.startswith("image/") and part.media_type != "application/octet-stream":
        return part
    try:
        with _ONE_AT_A_TIME, Image.open(io.BytesIO(part.data)) as image:
            image.draft("RGB", (2 * width, 2 * width))
            image.thumbnail((4 * width, 4 * width), Image.Resampling.BOX)  # before anything copies it
            upright = ImageOps.exif_transpose(image)
            if "A" in upright.getbands() or "transparency" in upright.info:
                upright = Image.alpha_composite(Image.new("RGBA", upright.size, "white"), upright.convert("RGBA"))
            small = upright.convert("RGB")
            small.thumbnail((width, 4 * width), Image.Resampling.LANCZOS, reducing_gap=2.0)
    except Exception:  # Pillow's plug-ins raise anything at all for broken files
        raise ImageUnreadable("This picture is broken, so there is no preview of it.") from None
    encoded = io.BytesIO()
    small.save(encoded, "JPEG", quality=82, optimize=True)
    return Part(encoded.getvalue(), "image/jpeg")
