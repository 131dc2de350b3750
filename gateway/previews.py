"""Small copies of pictures, for lists and phones. Pure: bytes in, bytes out."""

import io

from PIL import Image, ImageOps

from gateway.errors import ImageUnreadable
from stagekit.wire import Part


def preview(part: Part, width: int) -> Part:
    """The picture as a JPEG of at most `width` pixels across, upright; what is no picture is given as it is.

    Raises ImageUnreadable for an upload that was broken from the start.
    """
    if not part.media_type.startswith("image/"):
        return part
    try:
        with Image.open(io.BytesIO(part.data)) as image:
            image.draft("RGB", (2 * width, 2 * width))
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
