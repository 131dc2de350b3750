"""A data set in the VITON-HD layout, on the disk: `ROOT/{train,test}/FOLDER/NAME…` and the lists of pairs beside them.

Source: the published VITON-HD archive (Choi et al., CVPR 2021) as HR-VITON's loaders walk it.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from gateway.tryons.dataset import CLOTH, LAYOUT, PERSON

PARTS = ("train", "test")


class Place(NamedTuple):
    """Where the files of an artifact are: `folder/NAME` + `ending`."""

    folder: str
    ending: str


class Pair(NamedTuple):
    """Names of a person and of a garment, without endings."""

    person: str
    cloth: str


def _place(path: str) -> Place:
    folder, file = path.split("/")[-2:]
    return Place(folder, file.removeprefix(PERSON).removeprefix(CLOTH))


PLACES = {artifact: _place(path) for artifact, path in LAYOUT.items() if path.startswith("test/")}
"""Artifact -> its place in each part."""

OF_CLOTHS = tuple(artifact for artifact in PLACES if CLOTH in LAYOUT[artifact])
"""The artifacts that bear the garment's name. All others bear the person's."""


def path_of(root: Path, part: str, artifact: str, name: str) -> Path:
    place = PLACES[artifact]
    return root / part / place.folder / f"{name}{place.ending}"


def pairs_file(root: Path, part: str, unpaired: bool = False) -> Path:
    return root / f"{part}_pairs{'_unpaired' if unpaired else ''}.txt"


def pairs_of(path: Path) -> Iterator[Pair]:
    """The pairs of a list, in its order: a line for each, the person's file and the cloth's with a blank between.

    Raises ValueError, which names the line, for one that has not just two names, and for a file that is no text.
    """
    with path.open(encoding="utf-8-sig") as lines:
        try:
            for number, line in enumerate(lines, 1):
                if fields := line.split():
                    if len(fields) != 2:
                        raise ValueError(
                            f"{path}, line {number}: '{line.strip()}' is not a person's file and a cloth's."
                        )
                    yield Pair(*(Path(field).stem for field in fields))
        except UnicodeDecodeError:
            raise ValueError(f"'{path}' is not UTF-8 text. Save it as UTF-8.") from None
