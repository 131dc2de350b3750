"""Try-ons that are kept in a data-set folder: each under numbers of its own, none in place of another."""

import io
import re
import zipfile
from pathlib import Path, PurePosixPath

from gateway.tryons.dataset import CLOTH, PAIRS, PERSON
from howsfit import files

_NUMBERED = re.compile(r"(\d{1,6})_\d\d(?!\d)")  # 00001_00 and so on, the data set's names


def keep(archive: bytes, folder: Path) -> None:
    """Add the try-on of a `dataset.zip` to a folder, which may hold others, or a data set.

    Files that are there stay as they are; the lists of pairs grow by a line, last of all. Two processes take turns, where
    the folder's file system has locks. Raises OSError, and ValueError for an archive that leads out of the folder.
    """
    content = zipfile.ZipFile(io.BytesIO(archive))
    folder.mkdir(parents=True, exist_ok=True)
    with files.alone_in(folder):
        number = _highest(folder) + 1
        names = {PERSON: f"{number:05}_00", CLOTH: f"{number + 1:05}_00"}
        for path in sorted(content.namelist(), key=PAIRS.__contains__):
            target = _below(folder, _renamed(path, names))
            data = content.read(path)
            if path in PAIRS:
                data = _lines(target) + _renamed(data.decode(), names).encode()
            files.write(target, data)


def _highest(folder: Path) -> int:
    """The highest number in the name of any file below the folder; 0 without any."""
    found = (_NUMBERED.match(path.name) for path in folder.glob("*/**/*"))
    return max((int(match[1]) for match in found if match), default=0)


def _renamed(text: str, names: dict[str, str]) -> str:
    return re.sub("|".join(names), lambda found: names[found[0]], text)


def _below(folder: Path, path: str) -> Path:
    parts = PurePosixPath(path).parts
    if path.startswith("/") or ".." in parts:
        raise ValueError(f"The gateway's archive holds '{path}', which leads out of the folder. Nothing more was kept.")
    return folder.joinpath(*parts)


def _lines(path: Path) -> bytes:
    """What a list holds, its last line ended."""
    found = path.read_bytes() if path.exists() else b""
    return found if not found or found.endswith(b"\n") else found + b"\n"
