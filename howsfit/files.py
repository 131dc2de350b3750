"""Files that the command writes: looked at before any work is done, then written whole or not at all."""

import fcntl
import os
import re
import secrets
import stat
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

PICTURES = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WEBP"}
"""Ending -> Pillow's name for it."""

_LONGEST = {"JPEG": 65_535, "WEBP": 16_383}  # pixels of a side that these formats have numbers for
_QUALITY = 95

_UNFINISHED = re.compile(r"\.[0-9a-f]{12}\.part")


def target(given: str, name: str) -> Path:
    """Where an output goes: the file that was given, or one of this name in the folder that was given."""
    path = Path(given)
    return path / name if given.endswith("/") or path.is_dir() else path


def picture_format(path: Path) -> str:
    """What a picture's ending says that it is. Raises ValueError for one that is not written."""
    format_ = PICTURES.get(path.suffix.lower())
    if format_ is None:
        said = f"ends in '{path.suffix}'" if path.suffix else "has no ending"
        raise ValueError(
            f"'{path}' {said}, which does not say what picture to write. Let it end in .png, .jpg or .webp, or name a folder "
            "that exists."
        )
    return format_


def check_picture_size(path: Path, size: tuple[int, int]) -> None:
    """Whether a picture of this size can be written there. Raises ValueError."""
    longest = _LONGEST.get(picture_format(path))
    if longest is not None and max(size) > longest:
        raise ValueError(
            f"'{path}' cannot hold {size[0]} x {size[1]} pixels: {path.suffix} has at most {longest} a side. Write a .png."
        )


def check(inputs: Iterable[Path] = (), files: Iterable[Path] = (), folders: Iterable[Path] = ()) -> None:
    """Whether all files can be written, and files in all folders, without losing an input. Nothing is made.

    Raises ValueError, which says what is in the way.
    """
    files, folders = [_real(path) for path in files], [_real(path) for path in folders]
    for given in inputs:
        if _real(given) in files:
            raise ValueError(f"'{given}' is an input, and would be overwritten. Name another file for the output.")
    for number, file in enumerate(files):
        for other in (*files[:number], *files[number + 1 :], *folders):
            if file == other or file in other.parents:
                raise ValueError(f"'{file}' cannot be two outputs at once. Give each a path of its own.")
        _check_file(file)
    for folder in folders:
        _check_folder(folder)


def write(path: Path, data: bytes) -> None:
    """Write a file whole or not at all, with the folders that it lies in. Raises OSError."""
    path = _real(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with beside(path) as temporary, temporary.open("xb") as file:
            file.write(data)
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from None  # the other name says nothing to anybody


def as_utf8(text: str) -> bytes:
    r"""Of a text that may hold names of files: bytes of a name that are no UTF-8 become \udc80 and so on, as JSON has them."""
    return text.encode(errors="backslashreplace")


@contextmanager
def beside(path: Path) -> Iterator[Path]:
    """A name beside a path, to make the file under: at the end that takes the path's place; after an error it is removed."""
    # A name of its own: another process may be writing the same file.
    temporary = path.with_name(f".{secrets.token_hex(6)}.part")  # as _UNFINISHED
    try:
        yield temporary
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)  # still there too where both were one file already


@contextmanager
def alone_in(folder: Path, otherwise: str | None = None) -> Iterator[None]:
    """One process at a time in a folder, where its file system has locks; some of the network have none.

    otherwise: what to raise as a ValueError while another process is there. None: wait for it.
    """
    opened = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):
            try:
                fcntl.flock(opened, fcntl.LOCK_EX if otherwise is None else fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise ValueError(otherwise) from None
        yield
    finally:
        os.close(opened)


def sweep(folder: Path) -> None:
    """Remove what a `write` that was killed has left in a folder, where nobody else writes. It need not exist."""
    if folder.is_dir():
        for path in folder.glob(".*.part"):
            if _UNFINISHED.fullmatch(path.name):
                path.unlink(missing_ok=True)


def picture_as(format_: str, data: bytes) -> bytes:
    """A picture in one of the formats of PICTURES: the same bytes if it is in that already."""
    from gateway.pictures.previews import rendered
    from stagekit.pictures import Picture
    from stagekit.wire import Part

    wanted: Any = format_.lower()
    media_type = Picture(data).media_type or "application/octet-stream"
    if media_type == f"image/{wanted}":
        return data
    return rendered(Part(data, media_type), wanted=wanted, quality=_QUALITY).data


def _check_file(path: Path) -> None:
    try:
        mode = path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        pass  # what is in the way, the folder tells
    except OSError as error:
        raise ValueError(f"'{path}' cannot be written: {error.strerror}.") from None
    else:
        if not stat.S_ISREG(mode):
            raise ValueError(f"'{path}' is {'a folder' if stat.S_ISDIR(mode) else 'no file'}. Name another file.")
        if not os.access(path, os.W_OK):
            raise ValueError(f"'{path}' is there already and may not be overwritten. Name another file.")
    _check_folder(path.parent)


def _check_folder(folder: Path) -> None:
    """A folder need not exist yet: then it is the first one above that has to take it."""
    try:
        there = folder
        while not _exists(there):
            there = there.parent
        if not there.is_dir():
            raise ValueError(f"'{there}' is a file, so '{folder}' cannot be a folder. Name another.")
        with tempfile.TemporaryFile(dir=there):
            pass
    except OSError as error:
        raise ValueError(f"Nothing can be written in '{folder}': {error.strerror}. Name another folder.") from None


def _exists(path: Path) -> bool:
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    return True


def _real(path: Path) -> Path:
    """Where links lead, so that they stay."""
    return Path(os.path.realpath(path))
