"""Files that the command is given: read and looked at before any engine is loaded."""

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from stagekit.errors import StageError
from stagekit.pictures import Picture
from stagekit.stage import Stage
from stagekit.wire import Part

if TYPE_CHECKING:
    from stagekit.images import Limits

_MOST_BYTES = 10**9


def read_picture(path: Path, name: str) -> tuple[bytes, Picture]:
    """A photo or garment: its file's bytes, and what its header says. Raises ValueError, StageError."""
    data = _read(path, name)
    with _told_of(path):
        return data, Picture(data, name)


def check_pictures(pictures: dict[Path, bytes]) -> None:
    """Whether the gateway in this process takes them, and their stages can decode them. Raises StageError."""
    # Imported here, since a file that is no picture needs no settings to be refused.
    from gateway.settings import Settings
    from stagekit.images import Limits, open_image

    settings = Settings()
    limits = Limits(int(settings.max_upload_mb * 1e6), int(settings.max_megapixels * 1e6))
    for path, data in pictures.items():
        with _told_of(path):
            open_image(data, limits)


def read_artifacts(stage: Stage, given: Sequence[str]) -> dict[str, Part]:
    """The inputs of a stage from NAME=FILE, each of its kind. Raises ValueError, StageError."""
    from stagekit.artifacts import decode

    taken = stage.inputs | stage.optional
    parts: dict[str, Part] = {}
    for name, path in _named(given).items():
        if name not in taken:
            raise ValueError(f"'{name}' is no input of stage {stage.name}. It takes: {', '.join(taken)}.")
        data = _read(path, f"{taken[name]} '{name}'")
        with _told_of(path):
            decode(name, taken[name], data, _limits(), name in stage.cut_out)
        parts[name] = Part(data, "application/octet-stream")
    return parts


def read_given(given: Sequence[str]) -> dict[str, bytes]:
    """Artifacts in the place of what stages would make, from NAME=FILE, each of its kind. Raises ValueError, StageError."""
    from gateway.pictures.artifacts import given_part
    from howsfit.stages import made_artifacts, optional_artifacts
    from stagekit.artifacts import decode

    known = made_artifacts() | optional_artifacts()
    found: dict[str, bytes] = {}
    for name, path in _named(given).items():
        if name not in known:
            raise ValueError(f"No stage makes '{name}'. There are: {', '.join(known)}.")
        kind = known[name]
        found[name] = _read(path, f"{kind} '{name}'")
        with _told_of(path):
            decode(name, kind, given_part(name, kind, found[name]).data, _limits())
    return found


def _named(given: Sequence[str]) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for each in given:
        name, equals, file = each.partition("=")
        if not equals or not file:
            raise ValueError(f"Write artifacts as NAME=FILE, not '{each}'.")
        if name in found:
            raise ValueError(f"'{name}' is given twice. Name one file for it.")
        found[name] = Path(file)
    return found


def _limits() -> "Limits":
    from stagekit.images import Limits
    from stagekit.settings import read_settings

    settings = read_settings()
    return Limits(int(settings.max_image_mb * 1e6), int(settings.max_megapixels * 1e6))


def _read(path: Path, name: str) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(_MOST_BYTES + 1)
    except FileNotFoundError:
        raise ValueError(f"There is no file '{path}' for the {name}. Is its name right?") from None
    except IsADirectoryError:
        raise ValueError(f"'{path}' is a folder. Name the file of the {name}.") from None
    except OSError as error:
        raise ValueError(f"'{path}', the {name}, cannot be read: {error.strerror}.") from None
    if len(data) > _MOST_BYTES:
        raise ValueError(f"'{path}', the {name}, has more than {_MOST_BYTES / 1e9:g} GB. Name another file.")
    return data


@contextlib.contextmanager
def _told_of(path: Path) -> Iterator[None]:
    """Let a refusal name the file."""
    try:
        yield
    except StageError as error:
        raise type(error)(f"'{path}': {error.detail}") from None
