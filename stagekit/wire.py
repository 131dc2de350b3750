"""The wire format between gateway and stages: multipart/form-data both ways, one part per artifact.

HTTP clients write multipart but none reads it in an answer, so reading is here, for both directions.
"""

import json
import uuid
from email.message import Message
from email.parser import BytesHeaderParser
from typing import Dict, List, NamedTuple, Optional, Tuple

from stagekit.errors import MissingArtifact

WARNINGS_HEADER = "Howsfit-Warnings"
"""JSON list of {"code", "detail", "stage"} in an answer: what is worth knowing about the run."""

ENGINE_HEADER = "Howsfit-Engine"
FINGERPRINT_HEADER = "Howsfit-Fingerprint"
"""Which engine made this answer, so that a result never credits another one."""

TIMEOUT_HEADER = "Howsfit-Timeout-Ms"
"""In a request: milliseconds the caller will still wait. Relative, so that clocks need not agree."""

RUN_HEADER = "Howsfit-Run"
"""In a request: a name for this run, by which its progress can be asked for and it can be canceled."""

RUN_ID = r"[A-Za-z0-9-]{1,64}"
"""What such a name looks like."""

PREVIEWS_HEADER = "Howsfit-Previews"
"""In a request: `true` where somebody wants to see what there is before the end."""

MAX_PARTS = 32
"""Of one body; no stage takes or gives as many artifacts."""

MAX_HEAD, MAX_BOUNDARY = 4096, 70
"""Bytes of the headers of a part, and of the boundary (RFC 2046, 5.1.1)."""

EXTENSIONS = {
    "image/png": ".png",
    "image/jpeg": ".jpg",
    "image/webp": ".webp",
    "image/avif": ".avif",
    "image/heic": ".heic",
    "application/json": ".json",
}


class Part(NamedTuple):
    """One artifact as it travels."""

    data: bytes
    media_type: str


def encode(parts: Dict[str, Part]) -> Tuple[str, bytes]:
    """Write the parts as one body: (value for Content-Type, body)."""
    boundary = uuid.uuid4().hex
    chunks: List[bytes] = []
    for name, part in parts.items():
        filename = name + EXTENSIONS.get(part.media_type, "")
        head = '--%s\r\nContent-Disposition: form-data; name="%s"; filename="%s"\r\nContent-Type: %s\r\n\r\n'
        chunks += [(head % (boundary, name, filename, part.media_type)).encode("ascii"), part.data, b"\r\n"]
    chunks.append(("--%s--\r\n" % boundary).encode("ascii"))
    return "multipart/form-data; boundary=" + boundary, b"".join(chunks)


def decode(content_type: Optional[str], body: bytes) -> Dict[str, Part]:
    """Read a body into its parts. Raises MissingArtifact when it is no well-formed multipart/form-data."""
    delimiter = b"\r\n--" + _boundary(content_type)
    body = b"\r\n" + body  # every delimiter begins on a new line, but the first one may have none before it
    parts: Dict[str, Part] = {}
    at = body.find(delimiter)
    while at >= 0:
        begin = at + len(delimiter)
        if body.startswith(b"--", begin):
            return parts
        at = body.find(delimiter, begin)
        if at < 0:
            break
        if len(parts) == MAX_PARTS:
            raise MissingArtifact("The multipart body has more than %d parts. Send one per artifact." % MAX_PARTS)
        name, part = _part(body[begin:at])
        if name in parts:
            raise MissingArtifact("The artifact '%s' was sent twice; send each one once." % shown(name))
        parts[name] = part
    raise MissingArtifact("The multipart body is cut short: its closing boundary is missing. Send it again.")


def shown(text: str) -> str:
    """What a request brought, as it may stand in an answer: not too long, and printable."""
    return "".join(sign if sign.isprintable() else "?" for sign in text[:60]) + ("..." if len(text) > 60 else "")


def decode_warnings(header: Optional[str]) -> List[Dict[str, str]]:
    """Read the warnings header of an answer; absent means none. Raises ValueError when it is malformed."""
    warnings = json.loads(header) if header else []
    if not isinstance(warnings, list) or not all(_is_warning(warning) for warning in warnings):
        raise ValueError("The header %s must be a list of {code, detail, stage}, all text." % WARNINGS_HEADER)
    return warnings


def _is_warning(value: object) -> bool:
    return isinstance(value, dict) and all(isinstance(value.get(name), str) for name in ("code", "detail", "stage"))


def _boundary(content_type: Optional[str]) -> bytes:
    message = Message()
    message["Content-Type"] = (content_type or "")[:MAX_HEAD]
    # Not get_boundary(): of the encoded form boundary*=charset''text, which nobody writes, it trusts the charset.
    boundary = message.get_param("boundary")
    if message.get_content_type() != "multipart/form-data" or not boundary or not isinstance(boundary, str):
        raise MissingArtifact("Send the artifacts as multipart/form-data, one part per artifact (curl -F name=@file).")
    if len(boundary) > MAX_BOUNDARY:
        raise MissingArtifact("The boundary of multipart/form-data has %d signs at most (RFC 2046)." % MAX_BOUNDARY)
    return boundary.rstrip().encode("latin-1", "replace")


def _part(piece: bytes) -> Tuple[str, Part]:
    # After the delimiter: optional blanks, a line end, headers, an empty line, the data.
    end = piece.find(b"\r\n\r\n", 0, MAX_HEAD)
    if end < 0 and len(piece) >= MAX_HEAD:
        raise MissingArtifact("The headers of a part of the multipart body are longer than %d bytes." % MAX_HEAD)
    headers = BytesHeaderParser().parsebytes(piece[: max(end, 0)].lstrip(b" \t\r\n"))
    name = headers.get_param("name", header="content-disposition")
    if not isinstance(name, str):
        raise MissingArtifact("A part of the multipart body has no name; write -F name=@file for each artifact.")
    return name, Part(piece[end + 4 :], headers.get_content_type())
