"""Pictures that tests make. Runs on Python 3.6 too."""

import io
import struct
import zlib

from PIL import Image


def encoded(image, kind="PNG", **options):
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def picture(mode="RGB", size=(80, 100), colour=None):
    return Image.new(mode, size, colour if colour is not None else (200, 30, 30))


def bomb(side):
    """A PNG of side x side black pixels that is a few kB long."""

    def chunk(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    packer, rows = zlib.compressobj(9), b""
    for _ in range(side):
        rows += packer.compress(bytes(1 + side // 8))
    rows += packer.flush()
    header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def with_segment(jpeg, marker, body):
    """A JPEG with one more segment behind its first two bytes."""
    return jpeg[:2] + b"\xff" + bytes([marker]) + struct.pack(">H", len(body) + 2) + body + jpeg[2:]


def multi_picture(*jpegs):
    """Several JPEGs in one file, as cameras write them (MPO): the first with an index of all (CIPA DC-007)."""

    def index(sizes):
        # Places are counted from the index's own header, eight bytes into its segment, which follows two bytes.
        entries = b"".join(
            struct.pack("<IIIHH", 0x030000 if not number else 0, size, max(0, sum(sizes[:number]) - 10), 0, 0)
            for number, size in enumerate(sizes)
        )
        tags = struct.pack("<HHI4s", 0xB000, 7, 4, b"0100") + struct.pack("<HHII", 0xB001, 4, 1, len(sizes))
        tags += struct.pack("<HHII", 0xB002, 7, len(entries), 8 + 2 + 3 * 12 + 4)
        return b"MPF\x00II*\x00" + struct.pack("<IH", 8, 3) + tags + struct.pack("<I", 0) + entries

    first = with_segment(jpegs[0], 0xE2, index([0] * len(jpegs)))
    sizes = [len(first)] + [len(jpeg) for jpeg in jpegs[1:]]
    return with_segment(jpegs[0], 0xE2, index(sizes)) + b"".join(jpegs[1:])


def exif_of(*entries, **options):
    """Exif metadata from their TIFF header on: tag, type, count and four bytes of each entry, as told, right or wrong."""
    order = options.get("order", "<")
    mark = b"II*\x00" if order == "<" else b"MM\x00*"
    packed = b"".join(struct.pack(order + "HHI", *entry[:3]) + entry[3] for entry in entries)
    head = mark + struct.pack(order + "IH", 8, options.get("count", len(entries)))
    return head + packed + struct.pack(order + "I", options.get("following", 0)) + options.get("tail", b"")


def with_exif(image, exif, kind="JPEG"):
    """The image as a file with this metadata, which no library has looked at."""
    if kind == "JPEG":
        return with_segment(encoded(image, "JPEG", quality=95), 0xE1, b"Exif\x00\x00" + exif)
    data = encoded(image, kind, **({} if kind == "PNG" else {"lossless": True, "exif": b"Exif\x00\x00" + exif}))
    return with_chunk(data, b"eXIf", exif) if kind == "PNG" else data


def with_chunk(png, kind, body, crc=None):
    """A PNG with one more chunk behind its header."""
    crc = zlib.crc32(kind + body) if crc is None else crc
    chunk = struct.pack(">I", len(body)) + kind + body + struct.pack(">I", crc)
    return png[:33] + chunk + png[33:]
