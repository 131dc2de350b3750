"""What is kept of each file after it was looked at: enough to find duplicates and leaks, and small, since there are many."""

import hashlib
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

import cv2
import numpy as np

from howsfit.dataset.catalogue import Catalogue, Part
from howsfit.dataset.checks.opened import Sample

PICTURES = ("person", "cloth")
"""Those that are compared by what they show."""

THUMBNAIL = (6, 8)
"""Width and height of the tiny copy by which re-encoded pictures are found."""

_DIGEST = 16  # bytes
_STEP = 4  # pixels; every fourth row and column goes into the digest


class Contents:
    """Of many pictures: what they show, as a digest and as a tiny copy. 168 bytes of each, and its name."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self._digests, self._thumbnails = bytearray(), bytearray()

    def add(self, name: str, digest: bytes, thumbnail: bytes) -> None:
        self.names.append(name)
        self._digests += digest
        self._thumbnails += thumbnail

    def digests(self) -> Iterator[tuple[bytes, str]]:
        for number, name in enumerate(self.names):
            yield bytes(self._digests[number * _DIGEST : (number + 1) * _DIGEST]), name

    def thumbnails(self) -> np.ndarray:
        """(n, values) int16, in the order of the names."""
        return np.frombuffer(bytes(self._thumbnails), np.uint8).reshape(len(self.names), -1).astype(np.int16)


@dataclass
class Facts:
    """Of a whole set."""

    catalogue: Catalogue
    size: tuple[int, int]
    """Width and height that its pictures have."""
    contents: dict[tuple[str, str], Contents] = field(default_factory=lambda: defaultdict(Contents))
    """Part and artifact -> its pictures."""
    parses: int = 0
    """Parses with a face and a top."""
    necks: int = 0
    """Those of them with a neck, too."""

    def path(self, part: Part, artifact: str, name: str) -> str:
        """Below the set's folder."""
        found = part.path(artifact, name)
        assert found is not None
        return str(found.relative_to(self.catalogue.root))


def content(sample: Sample, artifact: str) -> tuple[bytes, bytes] | None:
    """Digest and tiny copy of a picture; None where there is none, or it is broken."""
    file = sample.files.get(artifact)
    if file is None or file.image is None or file.image.mode != "RGB":
        return None
    seen = np.ascontiguousarray(file.pixels[::_STEP, ::_STEP])
    digest = hashlib.blake2b(seen.tobytes(), digest_size=_DIGEST).digest()
    return digest, cv2.resize(seen, THUMBNAIL, interpolation=cv2.INTER_AREA).tobytes()
