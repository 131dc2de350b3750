"""JPEG, PNG, WebP and HEIF files taken apart: their first picture alone, and what its decoder needs to see of it.

Cameras and phones write a lot beside the picture: a second one, previews, a film, depth, notes of the maker, and errors in all
of these. None of it is the picture's business, so a decoder gets to see none of it.

Sources: ITU-T T.81 (1992), annex B; CIPA DC-007 (multi-picture format); Portable Network Graphics, 3rd edition (W3C, 2025);
RFC 9649 (WebP); ISO/IEC 14496-12 (boxes).
"""

import re
import struct
import zlib
from typing import Iterator, List, NamedTuple, Optional, Tuple

MOST_SCANS = 100
"""Of one JPEG; progressive ones have about ten. Each takes a walk over the whole picture, however few bytes it has."""

_LARGEST_PROFILE = 1_000_000
"""Bytes of a colour profile; those of cameras and screens have some thousands, of printers half a million."""

# Ends a scan: any marker but an escaped FF and the restart markers.
_MARKER_IN_SCAN = re.compile(b"\xff[^\x00\xff\xd0-\xd7]")
_SOI, _EOI, _SOS, _APP0, _APP1, _APP2, _APP14, _APP15, _COMMENT = 0xD8, 0xD9, 0xDA, 0xE0, 0xE1, 0xE2, 0xEE, 0xEF, 0xFE
_WITHOUT_LENGTH = (0x01,) + tuple(range(0xD0, 0xD9))


class Apart(NamedTuple):
    """A file taken apart."""

    file: bytes
    """The first picture, with its metadata: what is worth keeping."""

    plain: bytes
    """The same without what no decoder needs."""

    exif: Optional[bytes] = None
    """Its Exif metadata, as they were found."""


class TooManyScans(Exception):
    """A JPEG made to keep its decoder busy."""


def take_apart(format_: str, data: bytes) -> Apart:
    """format_: Pillow's name. A file that cannot be followed is left to its decoder. Raises TooManyScans."""
    if format_ == "JPEG":
        return _jpeg(data)
    if format_ == "PNG":
        return _png(data)
    if format_ == "WEBP":
        return _webp(data)
    if format_ in ("AVIF", "HEIF"):
        return _heif(data)
    return Apart(data, data)


# -- JPEG --------------------------------------------------------------------------------------------------------------


def _jpeg(data: bytes) -> Apart:
    kept: List[Tuple[int, int]] = [(0, 2)]
    index: List[Tuple[int, int]] = []
    exif, scans, end = None, 0, len(data)
    for marker, start, stop in _segments(data):
        body = data[start + 4 : stop] if marker != _SOS else b""
        if marker == _APP1 and exif is None and body[:4] == b"Exif":
            exif = body
        if marker == _APP2 and body[:4] == b"MPF\x00":
            index.append((start, stop))
        if marker == _SOS:
            scans += 1
            if scans > MOST_SCANS:
                raise TooManyScans
        if marker == _EOI:
            end = stop
        if _matters(marker, body):
            kept.append((start, stop))
    file = data[:end]
    if end < len(data) and index:
        # The index of the pictures that follow; none does now.
        file = b"".join(data[start:stop] for start, stop in _gaps(index, end))
    return Apart(file, b"".join(data[start:stop] for start, stop in kept), exif)


def _segments(data: bytes) -> Iterator[Tuple[int, int, int]]:
    """Marker, begin and end of each segment of the first picture; of a scan with what it codes. Ends where the file does."""
    position = 2
    while True:
        start = data.find(b"\xff", position)
        while start >= 0 and data[start + 1 : start + 2] == b"\xff":  # fill bytes
            start += 1
        if start < 0 or start + 2 > len(data):
            return
        marker = data[start + 1]
        if marker == _EOI:
            yield marker, start, start + 2
            return
        if marker == 0 or marker in _WITHOUT_LENGTH:
            position = start + 2
            continue
        if start + 4 > len(data):
            return
        stop = start + 2 + struct.unpack(">H", data[start + 2 : start + 4])[0]
        if marker == _SOS:
            found = _MARKER_IN_SCAN.search(data, stop)
            stop = found.start() if found else len(data)
        position = max(stop, start + 4)
        yield marker, start, min(position, len(data))


def _matters(marker: int, body: bytes) -> bool:
    """Whether a decoder needs a segment: all but applications' own, of which the colours depend on three."""
    if marker == _COMMENT:
        return False
    if not _APP0 <= marker <= _APP15:
        return True
    return (
        (marker == _APP0 and body[:5] == b"JFIF\x00" and len(body) >= 14)
        or (marker == _APP2 and body[:12] == b"ICC_PROFILE\x00" and len(body) > 14)
        or (marker == _APP14 and body[:5] == b"Adobe" and len(body) >= 12)
    )


def _gaps(holes: List[Tuple[int, int]], end: int) -> Iterator[Tuple[int, int]]:
    begin = 0
    for start, stop in holes:
        yield begin, start
        begin = stop
    yield begin, end


# -- PNG ---------------------------------------------------------------------------------------------------------------


def _png(data: bytes) -> Apart:
    kept: List[bytes] = [data[:8]]
    header, exif, end = b"", None, len(data)
    position = 8
    while position + 8 <= len(data):
        length, kind = struct.unpack(">I4s", data[position : position + 8])
        stop = position + 12 + length
        body = data[position + 8 : min(stop - 4, len(data))]
        if kind == b"IHDR":
            header = body
        if kind == b"eXIf" and exif is None:
            exif = body
        if kind in (b"IHDR", b"PLTE", b"IDAT", b"IEND") or _is_sound_colour(kind, body, header):
            kept.append(data[position:stop])
        if kind == b"IEND":
            end = min(stop, len(data))
            break
        position = stop
    return Apart(data[:end], b"".join(kept), exif)


def _is_sound_colour(kind: bytes, body: bytes, header: bytes) -> bool:
    """Whether a chunk tells of transparency or of the colour profile, and can be understood."""
    if kind == b"tRNS":
        wanted = {0: 2, 2: 6, 3: 1}.get(header[9] if len(header) > 9 else -1)
        return wanted is not None and len(body) >= wanted
    if kind == b"iCCP":
        name, _, packed = body.partition(b"\x00")
        unpacker = zlib.decompressobj()
        try:
            profile = unpacker.decompress(packed[1:], _LARGEST_PROFILE)
        except zlib.error:
            return False
        return packed[:1] == b"\x00" and bool(profile) and unpacker.eof
    return False


# -- WebP --------------------------------------------------------------------------------------------------------------


def _webp(data: bytes) -> Apart:
    stop = 8 + struct.unpack("<I", data[4:8])[0]
    stop += stop % 2
    file, exif, position = data[:stop], None, 12
    while position + 8 <= len(file):
        kind, length = struct.unpack("<4sI", file[position : position + 8])
        if kind == b"EXIF":
            exif = file[position + 8 : position + 8 + length]
            break
        position += 8 + length + length % 2
    return Apart(file, file, exif)


# -- AVIF and HEIC -----------------------------------------------------------------------------------------------------

_BOXES = (b"ftyp", b"meta", b"mdat", b"moov", b"free", b"skip", b"wide", b"uuid")


def _heif(data: bytes) -> Apart:
    """Without what phones put behind: the film of a moving photo, a trailer of their own."""
    end, named = len(data), bytearray(data)
    described = False
    for kind, start, body, stop in _boxes(data, 0, len(data)):
        if kind not in _BOXES:
            # Places in a file are counted from its begin: what is behind can go.
            end = start if described else end
            break
        described = described or kind in (b"meta", b"moov")
        if kind == b"meta":
            _hide_exif(named, body + 4, stop)
    return Apart(data[:end], bytes(named[:end]))


def _boxes(data: bytes, start: int, end: int) -> Iterator[Tuple[bytes, int, int, int]]:
    """Kind, begin, begin of what it holds and end of each box, as far as they can be followed."""
    while start + 8 <= end:
        size, kind = struct.unpack(">I4s", data[start : start + 8])
        body = start + 8
        if size == 1 and start + 16 <= end:
            (size,) = struct.unpack(">Q", data[body : body + 8])
            body += 8
        stop = start + size if size else end
        if stop < body:
            return
        yield kind, start, body, min(stop, end)
        start = stop


def _hide_exif(data: bytearray, start: int, end: int) -> None:
    """Call the item of Exif metadata something that decoders do not know: they would refuse the picture for an error in it."""
    for kind, _, body, stop in _boxes(bytes(data), start, end):
        if kind != b"iinf":
            continue
        first = body + (6 if data[body : body + 1] == b"\x00" else 8)
        for entry, _, begin, _ in _boxes(bytes(data), first, stop):
            # Version and flags, the item's number, of two bytes or four, and two more; then what it is.
            place = begin + (8 if data[begin : begin + 1] == b"\x02" else 10)
            if entry == b"infe" and data[place : place + 4] == b"Exif":
                data[place : place + 4] = b"none"
