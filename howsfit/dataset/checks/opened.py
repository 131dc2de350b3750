"""The files of a person or a garment, each read once and only when a trap asks for it."""

import json
import weakref
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from howsfit.dataset.catalogue import Subject
from stagekit.errors import StageError
from stagekit.formats import BODY_25_JOINTS, CIHP_LABELS
from stagekit.orientation import UPRIGHT
from stagekit.pictures import Picture

MAX_PIXELS = 50e6
"""Of a picture that is decoded: what stages take, too."""


class Sample:
    """A person or a garment. size: width and height of the set's pictures; files of another size are not compared.

    instead: artifact -> content that its file may get.
    """

    def __init__(self, subject: Subject, size: tuple[int, int], instead: Mapping[str, bytes] | None = None) -> None:
        self.part, self.name, self.size = subject.part, subject.name, size
        self.files = {artifact: File(artifact, path, self) for artifact, path in subject.paths.items()}
        for artifact, data in (instead or {}).items():
            self.files[artifact].data = data
        self.spoilt: set[str] = set()
        """Artifacts whose files are in a trap that leaves nothing to compare with."""

    def rgb(self, artifact: str) -> np.ndarray | None:
        """(H, W, 3) uint8 of the set's size; None where there is no such file, or it is not so."""
        return self._pixels(artifact, ("RGB",))

    def grey(self, artifact: str) -> np.ndarray | None:
        """(H, W) uint8 of the set's size, or None."""
        return self._pixels(artifact, ("L",))

    def labels(self, artifact: str) -> np.ndarray | None:
        """(H, W) uint8 ids 0..19 of the set's size, or None."""
        pixels = self._pixels(artifact, ("L", "P"))
        return pixels if pixels is not None and self.files[artifact].counts[len(CIHP_LABELS) :].sum() == 0 else None

    def joints(self) -> np.ndarray | None:
        """(25, 3) x, y and confidence of the first person of `pose`; None where it has no such joints."""
        file = self.files.get("pose")
        return None if file is None or "pose" in self.spoilt else file.joints

    def _pixels(self, artifact: str, modes: tuple[str, ...]) -> np.ndarray | None:
        file = self.files.get(artifact)
        if file is None or artifact in self.spoilt or file.image is None or file.orientation != UPRIGHT:
            return None
        return file.pixels if file.image.mode in modes and file.image.size == self.size else None


class File:
    """One file."""

    def __init__(self, artifact: str, path: Path, sample: Sample) -> None:
        self.artifact, self.path = artifact, path
        # Weak: in a circle both, with all their pixels, would stay until Python looks for circles.
        self.sample: Sample = weakref.proxy(sample)
        self.trouble: str | None = None
        """Why it cannot be read, once it was tried."""
        self.orientation = UPRIGHT

    @cached_property
    def data(self) -> bytes:
        return self.path.read_bytes()

    @cached_property
    def image(self) -> Image.Image | None:
        """Decoded, as it is stored: not turned. None: broken, or no picture."""
        try:
            picture = Picture(self.data, self.artifact)
            picture.check_size(MAX_PIXELS)
            self.orientation = picture.orientation
            return picture.decode()
        except StageError as error:
            self.trouble = error.detail.partition(". ")[0]  # what follows is for those who upload
        except OSError as error:
            self.trouble = str(error.strerror or error)
        return None

    @cached_property
    def pixels(self) -> np.ndarray:
        """Of a file that is a picture: (H, W) or (H, W, channels)."""
        assert self.image is not None
        return np.asarray(self.image)

    @cached_property
    def counts(self) -> np.ndarray:
        """Of a picture with one value for each pixel: (256,) how often each is there."""
        return np.bincount(self.pixels.ravel(), minlength=256)

    @cached_property
    def document(self) -> Any:
        """Of JSON. None: broken."""
        try:
            return json.loads(self.data.decode("utf-8-sig"))
        except (ValueError, RecursionError):
            self.trouble = "it is no JSON"
        except OSError as error:
            self.trouble = str(error.strerror or error)
        return None

    @cached_property
    def people(self) -> list[np.ndarray] | None:
        """Of a pose: the joints of each person, (n, 3); None where it is no OpenPose document."""
        people = self.document.get("people") if isinstance(self.document, dict) else None
        if not isinstance(people, list):
            return None
        found = []
        for person in people:
            flat = person.get("pose_keypoints_2d") if isinstance(person, dict) else None
            if not isinstance(flat, list) or len(flat) % 3 or not all(_is_number(value) for value in flat):
                return None
            found.append(np.array(flat, np.float64).reshape(-1, 3))
        return found

    @property
    def joints(self) -> np.ndarray | None:
        """Of a pose: the first person's, (25, 3), undetected ones 0, 0, 0."""
        people = self.people
        return people[0] if people and people[0].shape[0] == len(BODY_25_JOINTS) else None

    def found_joints(self) -> np.ndarray:
        """Of a pose: those of the first person that were found, (n, 3)."""
        joints = self.people[0] if self.people else np.zeros((0, 3))
        return np.asarray(joints[joints[:, :2].any(axis=1)])


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e9
