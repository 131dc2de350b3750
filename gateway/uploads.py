"""What came from outside."""

from stagekit.wire import Part

_UNKNOWN = "application/octet-stream"


def uploaded(data: bytes) -> Part:
    """An upload, with the media type that its first bytes show; what the client says of it is not trusted."""
    if data.startswith(b"\x89PNG"):
        return Part(data, "image/png")
    if data.startswith(b"\xff\xd8\xff"):
        return Part(data, "image/jpeg")
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return Part(data, "image/webp")
    return Part(data, _UNKNOWN)
