"""What a file is, by its first bytes: what it is called, or said to be, is not trusted."""

import re
from typing import Optional, Tuple

_HEVC = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs")
_AVIF = (b"avif", b"avis")
_HEIF = (b"mif1", b"mif2", b"msf1", b"miaf")

CONVERT = "Open it in an image viewer or editor and save it as JPEG or PNG, then send that."

# Magic, its place, and what such a file is.
_OTHERS = (
    (b"II*\x00\x10\x00\x00\x00CR", 0, "a camera's raw file (CR2)", "Develop it into a JPEG with the camera's software."),
    (b"FUJIFILMCCD-RAW", 0, "a camera's raw file (RAF)", "Develop it into a JPEG with the camera's software."),
    (b"IIRO", 0, "a camera's raw file (ORF)", "Develop it into a JPEG with the camera's software."),
    (b"IIRS", 0, "a camera's raw file (ORF)", "Develop it into a JPEG with the camera's software."),
    (b"MMOR", 0, "a camera's raw file (ORF)", "Develop it into a JPEG with the camera's software."),
    (b"IIU\x00", 0, "a camera's raw file (RW2)", "Develop it into a JPEG with the camera's software."),
    (b"FOVb", 0, "a camera's raw file (X3F)", "Develop it into a JPEG with the camera's software."),
    (b"II*\x00", 0, "a TIFF picture or a camera's raw file (DNG, NEF, ARW)", CONVERT),
    (b"MM\x00*", 0, "a TIFF picture or a camera's raw file (DNG, NEF)", CONVERT),
    (b"II+\x00", 0, "a TIFF picture", CONVERT),
    (b"MM\x00+", 0, "a TIFF picture", CONVERT),
    (b"II\xbc", 0, "a JPEG XR picture", CONVERT),
    (b"8BPS", 0, "a Photoshop document", "Export it as JPEG or PNG, then send that."),
    (b"gimp xcf", 0, "a GIMP document", "Export it as JPEG or PNG, then send that."),
    (b"\xff\x0a", 0, "a JPEG XL picture", CONVERT),
    (b"\x00\x00\x00\x0cJXL ", 0, "a JPEG XL picture", CONVERT),
    (b"\x00\x00\x00\x0cjP  ", 0, "a JPEG 2000 picture", CONVERT),
    (b"\xff\x4f\xff\x51", 0, "a JPEG 2000 picture", CONVERT),
    (b"%PDF", 0, "a PDF document", "Save the picture in it as JPEG or PNG, or make a screenshot of it."),
    (b"%!PS", 0, "a PostScript document", "Export it as JPEG or PNG, then send that."),
    (b"\xc5\xd0\xd3\xc6", 0, "a PostScript document", "Export it as JPEG or PNG, then send that."),
    (b"\x00\x00\x01\x00", 0, "an icon", CONVERT),
    (b"icns", 0, "an icon", CONVERT),
    (b"v/1\x01", 0, "an OpenEXR picture", CONVERT),
    (b"#?RADIANCE", 0, "a Radiance HDR picture", CONVERT),
    (b"DDS ", 0, "a DirectDraw picture", CONVERT),
    (b"qoif", 0, "a QOI picture", CONVERT),
    (b"AVI ", 8, "a video", "Send a photo, or make a screenshot of one of its pictures."),
    (b"\x1aE\xdf\xa3", 0, "a video", "Send a photo, or make a screenshot of one of its pictures."),
    (b"FLV\x01", 0, "a video", "Send a photo, or make a screenshot of one of its pictures."),
    (b"\x00\x00\x01\xba", 0, "a video", "Send a photo, or make a screenshot of one of its pictures."),
    (b"moov", 4, "a video", "Send a photo, or make a screenshot of one of its pictures."),
    (b"mdat", 4, "a video", "Send a photo, or make a screenshot of one of its pictures."),
    (b"WAVE", 8, "a sound", "Send a photo."),
    (b"ID3", 0, "a sound", "Send a photo."),
    (b"OggS", 0, "a sound or a video", "Send a photo."),
    (b"PK\x03\x04", 0, "a ZIP archive or an office document", "Take the picture out of it and send that."),
    (b"\xd0\xcf\x11\xe0", 0, "an office document", "Take the picture out of it and send that."),
    (b"Rar!", 0, "an archive", "Take the picture out of it and send that."),
    (b"7z\xbc\xaf", 0, "an archive", "Take the picture out of it and send that."),
    (b"\x1f\x8b", 0, "a compressed file", "Unpack it and send the picture in it."),
)  # fmt: skip

_HEIC_HELP = (
    "An iPhone takes JPEGs once Settings, Camera, Formats is set to 'Most Compatible'; a photo that is there already becomes "
    "one when it is sent by Mail, or when a screenshot is made of it."
)


def picture_format(data: bytes) -> Optional[str]:
    """Pillow's name for the picture that this seems to be: JPEG, PNG, WEBP, BMP, GIF, AVIF or HEIF; None for none of these."""
    if data[:3] == b"\xff\xd8\xff":
        return "JPEG"
    if data[:8] == b"\x89PNG\r\n\x1a\n":
        return "PNG"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "WEBP"
    if data[:6] in (b"GIF87a", b"GIF89a"):
        return "GIF"
    if data[:2] == b"BM":
        return "BMP"
    brands = _brands(data)
    if brands and brands[0] in _HEVC + _AVIF + _HEIF:
        # The first brand may name the family only, the others then say how the picture is coded.
        return "AVIF" if any(brand in _AVIF for brand in brands) and brands[0] not in _HEVC else "HEIF"
    return None


def described(data: bytes) -> Tuple[str, str]:
    """What a file is that is not taken, for a sentence that begins with "It is", and what its owner can do."""
    if not data:
        return "an empty file", "Choose it anew; it may not have been copied whole."
    known = picture_format(data)
    if known == "HEIF":
        return "a HEIC picture, as iPhones take them", _HEIC_HELP
    if known is not None:
        return "%s %s picture" % ("an" if known == "AVIF" else "a", {"WEBP": "WebP"}.get(known, known)), CONVERT
    for magic, place, name, help_ in _OTHERS:
        if data[place : place + len(magic)] == magic:
            return name, help_
    brands = _brands(data)
    if brands:
        if brands[0] == b"crx ":
            return "a camera's raw file (CR3)", "Develop it into a JPEG with the camera's software."
        return "a video", "Send a photo, or make a screenshot of one of its pictures."
    return _described_text(data[:4096])


def _brands(data: bytes) -> Tuple[bytes, ...]:
    """The brands of a file made of ISO's boxes, the one that leads first."""
    if data[4:8] != b"ftyp":
        return ()
    end = min(int.from_bytes(data[:4], "big"), len(data), 512)
    return (data[8:12],) + tuple(data[at : at + 4] for at in range(16, end - 3, 4))


def _described_text(start: bytes) -> Tuple[str, str]:
    if start[:2] in (b"\xff\xfe", b"\xfe\xff"):
        start = start.decode("utf-16", "ignore").encode("utf-8")
    text = start[3:] if start[:3] == b"\xef\xbb\xbf" else start
    text = text.lstrip().lower()
    if re.match(rb"(<\?xml[^>]*>|<!--.*?-->|<!doctype svg[^>]*>|\s)*<(\w+:)?svg[\s>]", text, re.DOTALL):
        return "an SVG drawing", "Export it as PNG, then send that."
    if re.match(rb"(<!--.*?-->|\s)*<(!doctype html|html|head|body)", text, re.DOTALL):
        return "a web page", "The address led to a page instead of a picture: save the picture itself and send that."
    if text and b"\x00" not in text and not re.search(rb"[\x01-\x08\x0e-\x1a]", text):
        return "text", "Send the bytes of a picture file."
    return (
        "no picture file that is known here",
        "Send a JPEG, PNG or WebP; another picture can be saved as one of these.",
    )
