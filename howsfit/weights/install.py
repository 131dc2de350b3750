"""A file that is here: recognised, put in its place whole or not at all, and recorded."""

import os
import shutil
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from howsfit.weights.errors import NoRoom, WrongFile
from howsfit.weights.lock import record
from howsfit.weights.structure import check_structure
from stagekit.manifest import WeightFile, WeightSet
from stagekit.weights import PUBLISHED, digest, wrong_size

_UNPACKED = ".unpacked"


def hold(path: Path, file: WeightFile) -> str:
    """Hold a file to what the manifest says of it. Returns how it is then trusted; raises WrongFile with what differs."""
    short = wrong_size(file, path.stat().st_size)
    if short:
        raise WrongFile(f"it {short}")
    for wanted in file.digests:
        algorithm, _, hexadecimal = wanted.partition(":")
        found = digest(str(path), algorithm)
        if found != wanted:
            raise WrongFile(f"its {algorithm} is {found.partition(':')[2]}, not {hexadecimal}")
    if file.structure:
        check_structure(path, file.structure)
    return PUBLISHED if file.digests else "first-use"


def put(path: Path, folder: Path, weights: WeightSet, file: WeightFile, trust: str, origin: str) -> None:
    """Move a file of the same disk to its place, and record it."""
    target = folder / weights.engine / file.name
    path.chmod(0o644)  # the services run as somebody else
    target.parent.chmod(0o755)
    path.replace(target)
    _sync(target.parent)
    record(folder, weights.engine, file.name, trust, origin)


def copy(path: Path, folder: Path, weights: WeightSet, file: WeightFile, trust: str) -> None:
    """Copy a file from anywhere to its place, and record it. Raises NoRoom, WrongFile where the copy is another."""
    target = folder / weights.engine / file.name
    target.parent.mkdir(parents=True, exist_ok=True)
    if not (target.exists() and target.samefile(path)):
        _need(target.parent, path.stat().st_size, file.name)
        part = target.with_name(file.name + ".import")
        try:
            shutil.copyfile(path, part)
            with part.open("rb+") as copied:
                os.fsync(copied.fileno())
            if digest(str(part)) != digest(str(path)):
                raise WrongFile(f"{path} changed while it was copied. Try again.")
            part.replace(target)
        finally:
            part.unlink(missing_ok=True)
        target.chmod(0o644)
        target.parent.chmod(0o755)
        _sync(target.parent)
    record(folder, weights.engine, file.name, trust, str(path))


@contextmanager
def unpacked(archive: Path, folder: Path, weights: WeightSet) -> Iterator[dict[str, Path]]:
    """The files of a set from its archive, in a folder beside their places, which is gone afterwards.

    Only they are unpacked, wherever in the archive they lie; a member's own path is never used.
    Raises WrongFile for an archive without them or a damaged one, NoRoom.
    """
    room = folder / weights.engine / _UNPACKED
    shutil.rmtree(room, ignore_errors=True)
    room.mkdir(parents=True)
    try:
        with zipfile.ZipFile(archive) as opened:
            members = {name: _member(opened, name) for name in (file.name for file in weights.files)}
            _need(room, sum(member.file_size for member in members.values()), archive.name)
            for name, member in members.items():
                with opened.open(member) as source, (room / name).open("wb") as target:
                    shutil.copyfileobj(source, target, 1 << 20)
        yield {name: room / name for name in members}
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError) as error:
        raise WrongFile(f"{archive.name} is damaged, or no ZIP archive ({error})") from None
    finally:
        shutil.rmtree(room, ignore_errors=True)


def recognise(path: Path, manifest: Mapping[str, WeightSet]) -> tuple[WeightSet, WeightFile, str]:
    """Which file of the manifest this is, whatever it is called: by its digest, else by its structure, else by its name.

    Returns set, file and trust. Raises WrongFile with the reason why it is none.
    """
    why = "its name, its digest and its structure are those of no file in the manifest"
    known = [(weights, file) for weights in manifest.values() for file in weights.files]
    known.sort(key=lambda each: (each[1].name != path.name, not each[1].digests))
    for weights, file in known:
        named = path.name == file.name
        if not (named or file.digests or file.structure):
            continue
        try:
            return weights, file, hold(path, file)
        except WrongFile as error:
            why = f"it has the name of {weights.engine}/{file.name}, but {error}" if named else why
    raise WrongFile(f"{path} was not recognised: {why}. `--as ENGINE/FILE` takes it in that place as it is.")


def archive_of(path: Path, manifest: Mapping[str, WeightSet]) -> WeightSet | None:
    """The set whose files a ZIP archive holds; None for any other file."""
    if not zipfile.is_zipfile(path):
        return None
    try:
        with zipfile.ZipFile(path) as archive:
            inside = {name.rpartition("/")[2] for name in archive.namelist()}
    except zipfile.BadZipFile:
        return None
    for weights in manifest.values():
        if weights.archive and {file.name for file in weights.files} <= inside:
            return weights
    return None


def _member(archive: zipfile.ZipFile, name: str) -> zipfile.ZipInfo:
    found = [
        member
        for member in archive.infolist()
        if member.filename.replace("\\", "/").rpartition("/")[2] == name and "__MACOSX" not in member.filename
    ]
    if len(found) != 1:
        raise WrongFile(f"{archive.filename} holds {len(found)} files {name}, not one")
    if found[0].compress_size * 1100 < found[0].file_size:  # more than deflate can do
        raise WrongFile(f"{archive.filename} lies about the size of {name}")
    return found[0]


def _need(folder: Path, size: int, name: str) -> None:
    free = shutil.disk_usage(folder).free
    if size > free:
        raise NoRoom(f"{name} needs {size / 1e6:.0f} MB, but the disk of {folder} has {free / 1e6:.0f} MB free.")


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
