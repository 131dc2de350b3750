"""Small copies of pictures, for lists and phones. Pure: bytes in, bytes out."""

import io
import threading

from PIL import Image

from gateway.pictures.provenance import packet_in, with_packet
from stagekit.pictures import Picture
from stagekit.wire import Part

_ONE_AT_A_TIME = threading.Lock()
"""The largest picture that the gateway takes needs some hundreds of megabytes while it is read."""


def preview(part: Part, width: int) -> Part:
    """The picture as a JPEG of at most `width` pixels across, upright; what is no picture is given as it is.

    Raises UnreadableImage for an upload that was broken from the start.
    """
    if not part.media_type.startswith("image/") and part.media_type != "application/octet-stream":
        return part
    with _ONE_AT_A_TIME:
        picture = Picture(part.data)
        image = picture.decode(least=(2 * width, 2 * width))
        image.thumbnail((4 * width, 4 * width), Image.Resampling.BOX)  # before anything copies it
    upright = picture.upright(image)
    if "A" in upright.getbands() or "transparency" in upright.info:
        upright = Image.alpha_composite(Image.new("RGBA", upright.size, "white"), upright.convert("RGBA"))
    small = upright.convert("RGB")
    small.thumbnail((width, 4 * width), Image.Resampling.LANCZOS, reducing_gap=2.0)
    encoded = io.BytesIO()
    small.save(encoded, "JPEG", quality=82, optimize=True)
    made = Part(encoded.getvalue(), "image/jpeg")
    packet = packet_in(part.data)
    return made if packet is None else with_packet(made, packet)
