"""How a picture is to be turned. Of all that Exif metadata say only this is read, so no error in the rest can matter.

Source: CIPA DC-008 (Exif 2.32), sections 4.5 and 4.6.4.
"""

import struct
from typing import Optional

from PIL import Image

UPRIGHT = 1

_TAG = 0x0112
_ENTRY = 12
_FORMS = {1: "B", 3: "H", 4: "I", 6: "b", 8: "h", 9: "i"}
"""Of the whole numbers. The standard wants 3 here; writers use others too, and all readers take them."""

_METHODS = getattr(Image, "Transpose", Image)  # Pillow of Python 3.6 has them in the module
_TURNS = {
    2: _METHODS.FLIP_LEFT_RIGHT,
    3: _METHODS.ROTATE_180,
    4: _METHODS.FLIP_TOP_BOTTOM,
    5: _METHODS.TRANSPOSE,
    6: _METHODS.ROTATE_270,
    7: _METHODS.TRANSVERSE,
    8: _METHODS.ROTATE_90,
}


def orientation(exif: Optional[bytes]) -> int:
    """1 to 8, as Exif numbers them; 1 (upright) where nothing is said, or nothing that can be understood.

    exif: from its TIFF header on, or from the mark that JPEGs put before it, some twice.
    """
    while exif and exif[:4] == b"Exif":
        exif = exif[6:]
    if not exif or exif[:2] not in (b"II", b"MM"):
        return UPRIGHT
    order = "<" if exif[:2] == b"II" else ">"
    try:
        (begin,) = struct.unpack_from(order + "I", exif, 4)
        (count,) = struct.unpack_from(order + "H", exif, begin)
        for entry in range(begin + 2, begin + 2 + count * _ENTRY, _ENTRY):
            tag, form = struct.unpack_from(order + "HH", exif, entry)
            if tag == _TAG and form in _FORMS:
                (value,) = struct.unpack_from(order + _FORMS[form], exif, entry + 8)
                if UPRIGHT <= value <= 8:
                    return int(value)
    except struct.error:  # it ends before it said
        pass
    return UPRIGHT


def turned(image: Image.Image, number: int) -> Image.Image:
    """The picture upright. number: from `orientation`."""
    return image.transpose(_TURNS[number]) if number in _TURNS else image
