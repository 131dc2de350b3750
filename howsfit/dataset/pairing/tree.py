"""Where a source keeps its files: folders by the end of their path, at any depth, whatever the case of its letters."""

import os
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, NamedTuple

from howsfit.dataset.pairing.description import Category, Description, Files, Part, Records, Scope, packaged, read

PICTURES = (".jpg", ".jpeg", ".png", ".webp", ".bmp")
ENDINGS = (*PICTURES, ".json")


class Place(NamedTuple):
    """What the folders on the way to a file say of it."""

    part: Part | None
    category: Category | None


class Tree:
    """A source's folders and lists of records. Files are looked up by name; no more of them is kept than is asked for."""

    def __init__(self, root: Path, description: Description) -> None:
        self.root = root
        self._scopes = description.scopes
        self._found: dict[tuple[str, ...], list[str]] = {tuple(rule.folder): [] for rule in description.rules()}
        patterns = tuple(pattern for records in description.records for pattern in records.files)
        self.lists: list[str] = []
        """Paths of all files that hold records, below the root."""
        for folder, files in _walk(root, self._take_folder):
            self.lists += [
                path for name in files if _matches(self._parts(path := os.path.join(folder, name)), patterns)
            ]
        self.lists.sort()

    def lists_of(self, records: Records) -> list[str]:
        return [path for path in self.lists if _matches(self._parts(path), records.files)]

    def _take_folder(self, path: str) -> bool:
        """Note a folder that holds files of some sort. Returns whether it is one."""
        parts = self._parts(path)
        wanted = [found for patterns, found in self._found.items() if _matches(parts, patterns)]
        for found in wanted:
            found.append(path)
        return bool(wanted)

    def folders(self, rule: Files) -> list[str]:
        return sorted(self._found[tuple(rule.folder)])

    def place(self, path: str) -> Place:
        parts = self._parts(path)[:-1]
        said = [scope for scope in self._scopes if any(_matches((part,), scope.folder) for part in parts)]
        return Place(_first(said, "part"), _first(said, "category"))

    def files(self, rule: Files) -> Iterator[str]:
        """Paths, below the root, of all files of a sort, in any order."""
        for top in self.folders(rule):
            for folder, names in _walk(self.root, lambda path: False, top):
                yield from (os.path.join(folder, name) for name in names if name.lower().endswith(ENDINGS))

    def lookup(self, rule: Files, wanted: Iterable[str]) -> "Lookup":
        """The files of a sort whose names, without their endings, are wanted."""
        return Lookup(self, rule, wanted)

    def _parts(self, path: str) -> tuple[str, ...]:
        # The root's own name, too: somebody may name a half of the tree.
        return tuple(folded(part) for part in (self.root.resolve().name, *Path(path).parts))


def recognise(root: Path) -> str:
    """The name of the description that comes along and has its photos, garments and lists there; one without lists only where
    no other has. Raises ValueError."""
    if not root.is_dir():
        raise ValueError(f"There is no folder '{root}'.")
    with_lists, without = [], []
    for name in packaged():
        description = read(name)
        tree = Tree(root, description)
        if tree.folders(description.person) and tree.folders(description.cloth):
            if tree.lists:
                with_lists.append(name)
            elif all(records.format == "names" for records in description.records):
                without.append(name)
    found = with_lists or without
    if len(found) != 1:
        told = f"could be {' or '.join(found)}" if found else "is like none of the data sets that are known here"
        raise ValueError(
            f"'{root}' {told}. Say which with --source: {', '.join(packaged())}, or a TOML file that describes it "
            "(docs/datasets.md)."
        )
    return found[0]


class Lookup:
    """Paths by name, those of the same place first."""

    def __init__(self, tree: Tree, rule: Files, wanted: Iterable[str]) -> None:
        names = {spelling for name in wanted for spelling in _spellings(name)}
        self._paths: dict[str, dict[Place, str]] = {}
        for path in tree.files(rule):
            key = folded(stem(path))
            if key in names:
                places = self._paths.setdefault(key, {})
                place = tree.place(path)
                places[place] = min(path, places.get(place, path))

    def find(self, name: str, place: Place) -> str | None:
        """name: without its ending."""
        return self._find(folded(name), place)

    def find_label(self, name: str, place: Place, owners: "Lookup") -> str | None:
        """A label of the picture of this name. Of one with a second dot it may be named as far as the first one, unless
        another of the owners' pictures is named so."""
        own, short = _spellings(name)
        found = self._find(own, place)
        if found is None and short != own and owners.find(short, place) is None:
            found = self._find(short, place)
        return found

    def _find(self, key: str, place: Place) -> str | None:
        places = self._paths.get(key)
        if places is None:
            return None
        return places.get(place) or min(places.values())


def stem(path: str) -> str:
    """The name of a file without its ending: cut at the last dot, and only what is an ending of such files."""
    name = os.path.basename(path)
    before, ending = os.path.splitext(name)
    return before if ending.lower() in ENDINGS else name


def composed(text: str) -> str:
    """Hangul and accents as one character each: a Mac's archives have them in pieces, and lists are typed without."""
    return unicodedata.normalize("NFC", text)


def folded(name: str) -> str:
    """The same for all spellings of a name that mean one file."""
    return composed(name).casefold()


def _spellings(name: str) -> tuple[str, str]:
    name = folded(name)
    return name, name.split(".", 1)[0]


def _walk(root: Path, stop: Callable[[str], bool], top: str = "") -> Iterator[tuple[str, list[str]]]:
    """Folders below the root with the names of their files, all in order. stop: whether a folder is left out, by its path.
    Links to folders are followed, but never in a circle."""
    seen: set[tuple[int, int]] = set()
    waiting = [top]
    while waiting:
        folder = waiting.pop()
        status = os.stat(root / folder)
        if (here := (status.st_dev, status.st_ino)) in seen:
            continue
        seen.add(here)
        with os.scandir(root / folder) as entries:
            below = sorted((entry.name, entry.is_dir()) for entry in entries if not entry.name.startswith("."))
        yield folder, [name for name, is_folder in below if not is_folder]
        folders = [path for name, is_folder in below if is_folder and not stop(path := os.path.join(folder, name))]
        waiting += reversed(folders)


def _first(scopes: list[Scope], key: str) -> Any:
    return next((value for scope in scopes if (value := getattr(scope, key)) is not None), None)


def _matches(parts: tuple[str, ...], patterns: Iterable[str]) -> bool:
    """Whether the last parts of a path are like one of the patterns, whose own parts have slashes between."""
    for pattern in patterns:
        wanted = folded(pattern).split("/")
        last = parts[-len(wanted) :]
        if len(last) == len(wanted) and all(fnmatchcase(*each) for each in zip(last, wanted, strict=True)):
            return True
    return False
