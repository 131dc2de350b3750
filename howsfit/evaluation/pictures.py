"""Which result belongs to which picture of the data set."""

import hashlib
from collections.abc import Container, Iterable
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from howsfit.dataset.layout import PLACES, Pair
from howsfit.files import as_utf8

ENDINGS = (".png", ".jpg", ".jpeg", ".webp")


class Pairing(NamedTuple):
    """A result, and the photo that shows its person in its garment."""

    name: str
    """The result's file without its ending."""

    person: str
    result: Path
    reference: Path


class Sets(NamedTuple):
    """Two sets of pictures that are measured against each other."""

    pairings: list[Pairing]
    """Empty for unpaired sets: persons in garments in which no photo shows them."""

    results: list[Path]

    references: list[Path]
    """The photos that the results are measured against: of paired sets, those of their persons."""

    photos: list[Path]
    """All that there are."""

    missing: list[str]
    """Persons of paired sets of whom there is no result."""

    @property
    def paired(self) -> bool:
        return bool(self.pairings)


def sets_of(results: Path, against: Path, part: str, unpaired: bool = False) -> Sets:
    """Results are named PERSON_CLOTH or PERSON; PERSON_PERSON and PERSON wear what their photo shows.

    against: a data set in the VITON-HD layout, or a folder of photos. unpaired: whatever the names say.
    Raises ValueError where a name is that of no person, or some results are paired and others are not.
    """
    found, photos = files_of(results), files_of(_photos(against, part))
    every = list(photos.values())
    if not unpaired:
        cloths = against / part / PLACES["cloth"].folder
        names = {name: split(name, photos, files_of(cloths) if cloths.is_dir() else ()) for name in found}
        own = {name for name, pair in names.items() if pair.person == pair.cloth}
        if own and own != names.keys():
            raise ValueError(
                f"'{results}' mixes persons in their own garment ({min(own)}) with others ({min(names.keys() - own)}). "
                "Measure each kind by itself, or all with --unpaired."
            )
        if own:
            pairings = [
                Pairing(name, pair.person, found[name], photos[pair.person]) for name, pair in sorted(names.items())
            ]
            _once(pairings)
            missing = sorted(photos.keys() - {pairing.person for pairing in pairings})
            return Sets(pairings, [p.result for p in pairings], [p.reference for p in pairings], every, missing)
    return Sets([], list(found.values()), every, every, [])


def split(name: str, persons: Container[str], cloths: Container[str] = ()) -> Pair:
    """Who wears what, by a result's name. Names may hold `_` themselves. Raises ValueError for a name of nobody."""
    if name in persons:
        return Pair(name, name)
    parts = name.split("_")
    cuts = [("_".join(parts[:at]), "_".join(parts[at:])) for at in range(len(parts) - 1, 0, -1)]
    known = [Pair(*cut) for cut in cuts if cut[0] in persons]
    if not known:
        raise ValueError(
            f"'{name}' begins with the name of no photo. Results are named PERSON_CLOTH or PERSON; other names take --unpaired."
        )
    # Where several fit: their own garment, then one that there is.
    return max(known, key=lambda pair: (pair.person == pair.cloth, pair.cloth in cloths))


def files_of(folder: Path) -> dict[str, Path]:
    """Name -> picture, sorted by name. Raises ValueError for a folder without any, or with two of a name."""
    found: dict[str, Path] = {}
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() in ENDINGS and not path.name.startswith("."):
            if path.stem in found:
                raise ValueError(f"'{folder}' holds both {found[path.stem].name} and {path.name}. Leave one of them.")
            found[path.stem] = path
    if not found:
        raise ValueError(f"'{folder}' holds no picture ({', '.join(ENDINGS)}).")
    return found


def read(path: Path) -> np.ndarray:
    """H x W x 3, uint8. Raises ValueError for what is no picture."""
    try:
        with Image.open(path) as picture:
            return np.asarray(picture.convert("RGB"))
    except Exception as error:  # Pillow's plug-ins raise anything at all for broken files
        raise ValueError(f"'{path}' cannot be read as a picture ({error}). Make or fetch it anew.") from None


def read_pair(pairing: Pairing) -> tuple[np.ndarray, np.ndarray]:
    """The result and its photo. Raises ValueError also where they have different sizes."""
    result, reference = read(pairing.result), read(pairing.reference)
    if result.shape != reference.shape:
        sizes = [f"{shape[1]} x {shape[0]}" for shape in (result.shape, reference.shape)]
        raise ValueError(
            f"'{pairing.result}' has {sizes[0]} pixels, and '{pairing.reference}' {sizes[1]}. Pictures of one size are "
            "compared: name a folder of photos in the size of the results with --against, or make results as large."
        )
    return result, reference


def digest_of(files: Iterable[Path]) -> str:
    """ "sha256:hex" of the names and contents of files."""
    whole = hashlib.sha256()
    for path in files:
        with path.open("rb") as file:
            whole.update(as_utf8(f"{path.name} {hashlib.file_digest(file, 'sha256').hexdigest()}\n"))
    return f"sha256:{whole.hexdigest()}"


def _photos(against: Path, part: str) -> Path:
    photos = against / part / PLACES["person"].folder
    return photos if photos.is_dir() else against


def _once(pairings: Iterable[Pairing]) -> None:
    seen: dict[str, str] = {}
    for pairing in pairings:
        if pairing.person in seen:
            raise ValueError(
                f"{seen[pairing.person]} and {pairing.name} are both {pairing.person} in its own garment. Leave one of them."
            )
        seen[pairing.person] = pairing.name
