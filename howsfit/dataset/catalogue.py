"""What lies in a data-set folder, ours or others': its parts, and the file of each artifact under each name.

The folders of VITON-HD (2021) and those that StableVITON and TPD write about are known by their names too.
"""

import os
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from howsfit.dataset.layout import OF_CLOTHS, PARTS, PLACES

OTHER_FOLDERS = {
    "person": ("images",),
    "cloth": ("clothes", "cloths"),
    "cloth_mask": ("cloth_mask", "cloth-masks"),
    "parse": ("image-parse", "image-parse-v2", "image_parse"),
    "parse_agnostic": ("image-parse-agnostic", "parse-agnostic"),
    "densepose": ("image_densepose", "densepose"),
    "agnostic": ("agnostic", "agnostic-v3", "agnostic-v3.1"),
    "agnostic_mask": ("agnostic_mask",),
    "pose_image": ("openpose-img", "openpose_image"),
    "pose": ("openpose-json", "openpose"),
}
"""Artifact -> names of its folder elsewhere."""

OF_PERSONS = tuple(artifact for artifact in PLACES if artifact not in OF_CLOTHS)

_PICTURES = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".avif", ".heic", ".gif")
_NUMBERED = re.compile(r"\.\d{4}$")  # what DensePose's own program puts behind names


class UnusableFolder(ValueError):
    """There is no data set to look at."""


class Subject(NamedTuple):
    """A person or a garment of a part, with the files of its artifacts."""

    part: str
    name: str
    paths: dict[str, Path]


@dataclass
class Part:
    """One half of a data set, or all of one that has no halves."""

    name: str
    """train or test; empty for a folder that holds the artifacts' folders itself."""
    root: Path
    folders: dict[str, str] = field(default_factory=dict)
    """Artifact -> the folder that was found for it."""
    strays: list[Path] = field(default_factory=list)
    """Files in those folders that are no artifact's."""
    # Names are shared between folders, and a file's own is kept only where it is not the usual one: there may be 100,000.
    _files: dict[str, dict[str, str | None]] = field(default_factory=dict)

    def names(self, artifact: str) -> list[str]:
        return sorted(self._files.get(artifact, ()))

    def has(self, artifact: str, name: str) -> bool:
        return name in self._files.get(artifact, ())

    def path(self, artifact: str, name: str) -> Path | None:
        if not self.has(artifact, name):
            return None
        file = self._files[artifact][name] or name + PLACES[artifact].ending
        return self.root / self.folders[artifact] / file

    def persons(self) -> list[str]:
        return self._subjects("person", OF_PERSONS)

    def cloths(self) -> list[str]:
        return self._subjects("cloth", OF_CLOTHS)

    def _subjects(self, first: str, artifacts: tuple[str, ...]) -> list[str]:
        """Those that have a picture; without any pictures, those that have anything."""
        return self.names(first) or sorted({name for each in artifacts for name in self._files.get(each, ())})

    def subjects(self) -> Iterator[Subject]:
        """All persons, then all garments; files of others are left out."""
        for names, artifacts in ((self.persons(), OF_PERSONS), (self.cloths(), OF_CLOTHS)):
            for name in names:
                found = {artifact: self.path(artifact, name) for artifact in artifacts}
                yield Subject(self.name, name, {artifact: path for artifact, path in found.items() if path})

    def lists(self) -> list[Path]:
        """The lists of pairs."""
        pattern = f"{self.name}_pairs*.txt" if self.name else "*pairs*.txt"
        return sorted((self.root.parent if self.name else self.root).glob(pattern))

    def add_folder(self, artifact: str, folder: str) -> None:
        self.folders[artifact] = folder
        files: dict[str, str | None] = {}
        with os.scandir(self.root / folder) as entries:
            for entry in sorted(entries, key=lambda entry: entry.name):
                if not entry.name.startswith("."):
                    self._add_file(artifact, entry, files)
        self._files[artifact] = files

    def _add_file(self, artifact: str, entry: "os.DirEntry[str]", files: dict[str, str | None]) -> None:
        name = _name_in(artifact, entry.name) if entry.is_file() else None
        usual = name is not None and entry.name == name + PLACES[artifact].ending
        if name is None or (name in files and not usual):
            self.strays.append(self.root / self.folders[artifact] / entry.name)
            return
        if name in files:
            self.strays.append(self.root / self.folders[artifact] / str(files[name]))
        files[sys.intern(name)] = None if usual else entry.name


@dataclass(frozen=True)
class Catalogue:
    """All of a data set."""

    root: Path
    parts: tuple[Part, ...]

    def subjects(self) -> Iterator[Subject]:
        for part in self.parts:
            yield from part.subjects()

    def count(self) -> tuple[int, int]:
        """How many subjects there are, and how many files they have."""
        subjects = files = 0
        for part in self.parts:
            names = {True: set(part.persons()), False: set(part.cloths())}
            subjects += sum(map(len, names.values()))
            for artifact in part.folders:
                files += sum(part.has(artifact, name) for name in names[artifact not in OF_CLOTHS])
        return subjects, files


def read_catalogue(root: Path) -> Catalogue:
    """Raises UnusableFolder, which says what folder is wanted."""
    if not root.is_dir():
        raise UnusableFolder(
            f"'{root}' is {'a file' if root.exists() else 'not there'}. Name the folder of a data set."
        )
    parts = [part for name in PARTS if (part := _read_part(name, root / name)).folders]
    if not parts:
        parts = [part for part in [_read_part("", root)] if part.folders]
    if not parts or not any(part.persons() or part.cloths() for part in parts):
        raise UnusableFolder(
            f"'{root}' holds no data set in the VITON-HD layout: neither train/ nor test/ with folders like image/ and cloth/, "
            "nor such folders themselves, with pictures in them. Name the folder above train/ and test/."
        )
    return Catalogue(root, tuple(parts))


def _read_part(name: str, root: Path) -> Part:
    part = Part(name, root)
    for artifact, place in PLACES.items():
        for folder in (place.folder, *OTHER_FOLDERS[artifact]):
            if (root / folder).is_dir():
                part.add_folder(artifact, folder)
                break
    return part


def _name_in(artifact: str, file: str) -> str | None:
    """The name that a file is of, even where its ending is not the usual one; None for what cannot be the artifact's."""
    ending = PLACES[artifact].ending
    stem, suffix = os.path.splitext(file)
    numbered = artifact == "densepose" and _NUMBERED.search(stem)
    if file.endswith(ending) and not numbered:
        return file.removesuffix(ending)
    if suffix.lower() not in ((".json",) if artifact == "pose" else _PICTURES):
        return None
    if numbered:
        stem = stem[: numbered.start()]
    return stem.removesuffix(ending[: ending.rindex(".")])
