"""Pictures from outside: which are taken, and how one is read. Gateway and stages read them here, so that they agree.

No NumPy here: the gateway, whose image has none, imports this module too.
"""

import io
from typing import Any, Callable, Optional, Tuple

from PIL import Image

from stagekit.errors import ImageTooLarge, ImageTooNarrow, UnreadableImage
from stagekit.file_types import described, picture_format
from stagekit.orientation import UPRIGHT, orientation, turned
from stagekit.picture_files import MOST_SCANS, TooManyScans, take_apart

try:
    import pillow_heif
except ImportError:  # HEIC is then refused by name
    pass
else:
    pillow_heif.register_heif_opener(thumbnails=False, depth_images=False, aux_images=False)

MOST_LONG = 10
"""Times as long as wide that a picture may be: panoramas and mirrors stay below; strips hold nothing to work on."""

Image.init()  # loads Pillow's own plug-ins
FORMATS = {
    "JPEG": "image/jpeg",
    "PNG": "image/png",
    "WEBP": "image/webp",
    "AVIF": "image/avif",
    "HEIF": "image/heic",
    "BMP": None,
    "GIF": None,
}
"""What is read, by Pillow's name, and its media type; None: none that a browser should be told.

A Pillow without WebP or AVIF, such as Python 3.6 has, still reads the others.
"""

Image.MAX_IMAGE_PIXELS = None  # see check_size, which looks before any pixel is decoded


class Picture:
    """A picture file whose header has been read. Whether the rest of it decodes, `decode` finds out.

    Raises UnreadableImage, which calls it by its name.
    """

    def __init__(self, data: bytes, name: str = "picture") -> None:
        format_ = picture_format(data)
        if format_ is None or format_ not in Image.OPEN:
            what, advice = described(data)
            raise UnreadableImage("The %s cannot be read: it is %s. %s" % (name, what, advice))
        try:
            apart = take_apart(format_, data)
        except TooManyScans:
            raise UnreadableImage(
                "The %s is a JPEG of more than %d layers, which none needs. Save it anew." % (name, MOST_SCANS)
            ) from None
        self.name = name
        self.file = apart.file
        """The first picture alone, with its metadata; the same bytes that were sent, but for what follows it."""
        self.media_type = FORMATS[format_]
        self._image: Image.Image = self._read(lambda: Image.open(io.BytesIO(apart.plain), formats=(format_,)))
        # Both have a turn of their own beside that in the Exif metadata, which does not count then: of HEIC the decoder does
        # it, of AVIF Pillow tells it as if it were the other one.
        exif = self._image.info.get("exif") if format_ == "AVIF" else apart.exif
        self.orientation = UPRIGHT if format_ == "HEIF" else orientation(exif)

    @property
    def size(self) -> Tuple[int, int]:
        """Width and height in pixels as stored: not turned yet."""
        width, height = self._image.size
        return width, height

    def check_size(self, max_pixels: float) -> None:
        """Before anything is decoded. Raises ImageTooLarge, ImageTooNarrow."""
        width, height = self.size
        if width * height > max_pixels:
            raise ImageTooLarge(
                "The %s has %d x %d pixels; at most %g million are taken. Make it smaller."
                % (self.name, width, height, max_pixels / 1e6)
            )
        if max(width, height) > MOST_LONG * min(width, height):
            raise ImageTooNarrow(
                "The %s has %d x %d pixels: one side is more than %d times the other. Cut it to the part that matters."
                % (self.name, width, height, MOST_LONG)
            )

    def decode(self, least: Optional[Tuple[int, int]] = None) -> Image.Image:
        """All of it, not turned yet. least: a JPEG may come out smaller, but no smaller than this. Raises UnreadableImage."""
        if least is not None:
            self._read(lambda: self._image.draft(None, least))
        self._read(self._image.load)
        return self._image

    def upright(self, image: Image.Image) -> Image.Image:
        """This picture, or a copy of it of another size, as it is to be seen."""
        return turned(image, self.orientation)

    def _read(self, step: Callable[[], Any]) -> Any:
        """Do one step of Pillow's. Nothing of ours may be in it: what it raises is told as the file's fault."""
        try:
            return step()
        except MemoryError:
            raise
        except Exception:  # Pillow's plug-ins raise anything at all for broken files
            raise UnreadableImage("The %s is broken or cut short. Save or upload it again." % self.name) from None
