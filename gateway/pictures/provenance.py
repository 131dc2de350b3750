"""What a result says of itself: XMP with IPTC's digital source type, written into PNG and JPEG as XMP's part 3 has it.

No pixel is touched: the packet is put in between. The terms are those of IPTC's "Digital Source Type" NewsCodes.
"""

import json
import re
import struct
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from xml.etree import ElementTree
from xml.sax.saxutils import quoteattr

from stagekit.wire import Part

SOURCE_TYPES = "http://cv.iptc.org/newscodes/digitalsourcetype/"
NAMESPACE = "urn:howsfit:provenance"

TRAINED = "compositeWithTrainedAlgorithmicMedia"
"""The digital source type of what a network had a part in."""

_SOURCE = "{http://iptc.org/std/Iptc4xmpExt/2008-02-29/}DigitalSourceType"
_ENGINE = f"{{{NAMESPACE}}}Engine"
"""The names of a packet's attributes, as a parser gives them."""

SEARCHED = 65_536
"""Bytes of a file that its packet begins within."""

_PNG_HEADER = len(b"\x89PNG\r\n\x1a\n") + 25
"""Bytes up to the end of IHDR, which comes first and has 13 bytes of data."""

_PNG_TEXT = b"iTXtXML:com.adobe.xmp" + b"\0" * 5
"""Type of the chunk, its keyword; not compressed, no language, no translation."""

_JPEG_XMP = b"http://ns.adobe.com/xap/1.0/\0"

_PACKET = f"""<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:xmp="http://ns.adobe.com/xap/1.0/"
 xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/" xmlns:howsfit="{NAMESPACE}"
 {{said}}/>
</rdf:RDF></x:xmpmeta>
<?xpacket end="r"?>"""


@dataclass(frozen=True)
class Provenance:
    """How a picture came to be."""

    digital_source: str
    """IPTC's digital source type: one of the terms below SOURCE_TYPES."""

    engine: str
    """What composed it: name and version, of several with commas between."""

    made_on: date
    """In UTC. A day and no moment: the same work gives the same bytes all day."""

    options: Mapping[str, Any] = field(default_factory=dict)
    """The engine's options that were not the defaults."""

    def packet(self) -> bytes:
        """The XMP packet."""
        said = {
            "xmp:CreatorTool": f"Howsfit ({self.engine})",
            "xmp:CreateDate": self.made_on.isoformat(),
            "Iptc4xmpExt:DigitalSourceType": SOURCE_TYPES + self.digital_source,
            "howsfit:Engine": self.engine,
            "howsfit:Options": json.dumps(self.options, sort_keys=True) if self.options else "",
        }
        attributes = "\n ".join(f"{name}={quoteattr(value)}" for name, value in said.items() if value)
        return _PACKET.format(said=attributes).encode()


def packet_in(data: bytes) -> bytes | None:
    """The packet that we wrote into a PNG or JPEG; None where there is none of ours."""
    found = re.search(rb"<\?xpacket begin=.*?<\?xpacket end=\"r\"\?>", data[:SEARCHED], re.DOTALL)
    return found.group() if found and NAMESPACE.encode() in found.group() else None


def packet_of_all(pictures: Iterable[bytes], made_on: date) -> bytes | None:
    """The packet of a picture that shows these others; None where none of them has one of ours."""
    packets = [ElementTree.fromstring(packet) for data in pictures if (packet := packet_in(data))]
    said = [attributes for packet in packets for element in packet.iter() if _ENGINE in (attributes := element.attrib)]
    sources = {attributes[_SOURCE].rpartition("/")[2] for attributes in said}
    if not sources:
        return None
    source = TRAINED if TRAINED in sources else min(sources)
    engines = dict.fromkeys(engine for attributes in said for engine in attributes[_ENGINE].split(", "))
    return Provenance(source, ", ".join(engines), made_on).packet()


def with_packet(part: Part, packet: bytes) -> Part:
    """The same picture with the packet; what is neither PNG nor JPEG is given as it is."""
    if part.media_type == "image/png":
        at, piece = _PNG_HEADER, _png_chunk(packet)
    elif part.media_type == "image/jpeg":
        # Behind JFIF's own segment, which must be the first.
        at = 4 + struct.unpack(">H", part.data[4:6])[0] if part.data[2:4] == b"\xff\xe0" else 2
        piece = _jpeg_segment(packet)
    else:
        return part
    return Part(part.data[:at] + piece + part.data[at:], part.media_type)


def _png_chunk(packet: bytes) -> bytes:
    body = _PNG_TEXT + packet
    return struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))


def _jpeg_segment(packet: bytes) -> bytes:
    body = _JPEG_XMP + packet
    return b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body
