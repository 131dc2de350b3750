"""The images of try-ons: one folder each, files written whole or not at all."""

import os
import shutil
import tempfile
from pathlib import Path

from stagekit.wire import EXTENSIONS, Part

_UNKNOWN = "application/octet-stream"
_EXTENSIONS = EXTENSIONS | {_UNKNOWN: ".bin"}


def uploaded(data: bytes) -> Part:
    """An upload, with the media type that its first bytes show; what the client says of it is not trusted."""
    if data.startswith(b"\x89PNG"):
        return Part(data, "image/png")
    if data.startswith(b"\xff\xd8\xff"):
        return Part(data, "image/jpeg")
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return Part(data, "image/webp")
    return Part(data, _UNKNOWN)


class ArtifactStore:
    """Artifacts in a local folder. Names come from the stage graph, ids from the gateway: never from a client."""

    def __init__(self, folder: Path) -> None:
        """Raises OSError when the folder cannot be made or written to."""
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass

    def put(self, tryon_id: str, name: str, part: Part) -> None:
        """Keep one artifact."""
        target = self.folder / tryon_id / (name + _EXTENSIONS[part.media_type])
        target.parent.mkdir(exist_ok=True)
        temporary = target.with_name(target.name + ".part")
        temporary.write_bytes(part.data)
        os.replace(temporary, target)

    def get(self, tryon_id: str, name: str) -> Part | None:
        """One artifact, or None."""
        for media_type, extension in _EXTENSIONS.items():
            path = self.folder / tryon_id / (name + extension)
            if path.is_file():
                return Part(path.read_bytes(), media_type)
        return None

    def remove(self, tryon_id: str) -> None:
        """Forget all artifacts of a try-on."""
        shutil.rmtree(self.folder / tryon_id, ignore_errors=True)

    def clear(self) -> None:
        """Forget everything."""
        for folder in self.folder.iterdir():
            self.remove(folder.name)
