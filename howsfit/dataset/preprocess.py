"""Every picture of a data set through the stages: what the VITON-HD layout holds besides photos and cloths."""

import io
import json
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from PIL import Image
from rich.console import Console

from gateway.cluster.graph import StageGraph
from gateway.tryons.dataset import LAYOUT
from howsfit import files
from howsfit.client import Client
from howsfit.dataset import many
from howsfit.dataset.jobs import Request, Task, Unfit
from howsfit.dataset.journal import opened
from howsfit.dataset.layout import PARTS, PLACES, path_of
from stagekit.errors import StageError
from stagekit.kinds import CANVAS
from stagekit.pictures import Picture as Sent

STATE = ".howsfit"
JOURNAL = f"{STATE}/preprocess.jsonl"

MADE = {
    "person": ("pose", "pose_image", "densepose", "parse", "agnostic", "agnostic_mask", "parse_agnostic"),
    "cloth": ("cloth_mask",),
}
"""Kind of a picture -> the artifacts that are made of it."""

_GIVEN = ("parse", "pose", "densepose")
"""Those of them that others are made of: what is there stands in the place of its stage."""

_ARTIFACTS = {path: artifact for artifact, path in LAYOUT.items()}


class Picture(NamedTuple):
    """A photo or a cloth of the data set."""

    part: str
    kind: str
    name: str

    def __str__(self) -> str:
        return f"{self.part}/{PLACES[self.kind].folder}/{self.name}"


@dataclass(frozen=True)
class Settings:
    """What is made, and how."""

    folder: Path
    only: tuple[str, ...] = ()
    """Artifacts; none: all that the gateway's stages give."""

    parts: tuple[str, ...] = PARTS
    options: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    engines: Mapping[str, str] = field(default_factory=dict)
    commercial: bool = False
    category: str | None = None

    def path(self, picture: Picture, artifact: str) -> Path:
        return path_of(self.folder, picture.part, artifact, picture.name)


def pictures_of(settings: Settings) -> list[Picture]:
    """All photos and cloths, in order. Raises ValueError where there is none."""
    found = []
    for part in settings.parts:
        for kind in MADE:
            place = PLACES[kind]
            folder = settings.folder / part / place.folder
            if folder.is_dir():
                found += [
                    Picture(part, kind, path.name.removesuffix(place.ending))
                    for path in sorted(folder.iterdir())
                    if path.name.endswith(place.ending) and not path.name.startswith(".")
                ]
    if not found:
        raise ValueError(
            f"'{settings.folder}' has no pictures in {' or '.join(f'{part}/image' for part in settings.parts)}. "
            "`howsfit dataset pair` makes such a folder."
        )
    return found


def check_only(only: Sequence[str]) -> None:
    """Raises ValueError for what no picture has."""
    there = [artifact for made in MADE.values() for artifact in made]
    if unknown := [name for name in only if name not in there]:
        raise ValueError(f"--only {unknown[0]}: there is {', '.join(there)}.")


async def run(settings: Settings, place: many.Place, retry: bool, err: Console) -> bool:
    """Make what is not there, or cannot be read. Returns whether none failed.

    Raises Stopped, and ValueError or StartupError where nothing can begin.
    """
    pictures = {str(picture): picture for picture in pictures_of(settings)}
    with opened(settings.folder / JOURNAL) as journal:
        places = {PLACES[name].folder for made in MADE.values() for name in made}
        for folder in (settings.folder / STATE, *(settings.folder / p / f for p in settings.parts for f in places)):
            files.sweep(folder)
        async with many.connected(place, settings.engines, err) as (clients, graph):
            given = graph.producer
            if lacking := [artifact for artifact in settings.only if artifact not in given]:
                raise ValueError(f"--only {lacking[0]}: no stage of the gateway gives it.")
            wanted = {
                kind: [name for name in made if name in (settings.only or given) and name in given]
                for kind, made in MADE.items()
            }
            names = many.left(pictures, journal, retry)
            tasks = _tasks((pictures[name] for name in names), settings, wanted, graph)
            await many.work(tasks, len(names), clients, journal, place, "pictures", err)
        return many.settle(journal, place, err)


def made_in(folder: Path, part: str, only: Sequence[str] = ()) -> list[str]:
    """The artifacts that the data set has a folder of, of those of `only` if it names any."""
    everything = [name for made in MADE.values() for name in made]
    return [name for name in only or everything if (folder / part / PLACES[name].folder).is_dir()]


def is_valid(path: Path) -> bool:
    """Whether a file of an artifact can be read to its end and has the layout's size."""
    try:
        if path.suffix == ".json":
            return isinstance(json.loads(path.read_bytes()), dict)
        data = path.read_bytes()
        with Image.open(io.BytesIO(data)) as picture:
            if picture.size != CANVAS:
                return False
            picture.verify()  # a PNG's checksums; a JPEG has none, but an end
            return picture.format != "JPEG" or data.rstrip(b"\0").endswith(b"\xff\xd9")
    except Exception:  # Pillow's plug-ins raise anything at all for broken files
        return False


def _missing(picture: Picture, settings: Settings, wanted: Mapping[str, Iterable[str]]) -> list[str]:
    return [name for name in wanted[picture.kind] if not is_valid(settings.path(picture, name))]


def _tasks(
    pictures: Iterable[Picture], settings: Settings, wanted: Mapping[str, list[str]], graph: StageGraph
) -> Iterator[Task]:
    for picture in pictures:
        yield Task(
            str(picture),
            partial(_request, picture, settings, wanted, graph),
            partial(_take, picture=picture, settings=settings, wanted=wanted),
            lambda picture=picture: not _missing(picture, settings, wanted),  # type: ignore[misc]
        )


def _request(picture: Picture, settings: Settings, wanted: Mapping[str, list[str]], graph: StageGraph) -> Request:
    """The picture as it stands in the data set, so that all that is made lies over it; and what is there of that.

    Raises Unfit for one that cannot be read, or has another size.
    """
    try:
        data = settings.path(picture, picture.kind).read_bytes()
        size = Sent(data).size
    except OSError as error:
        raise Unfit("unreadable-image", f"It cannot be read ({error.strerror}).") from None
    except StageError as error:
        raise Unfit(error.code, error.detail) from None
    if size != CANVAS:
        raise Unfit(
            "wrong-kind",
            f"It has {size[0]} x {size[1]} pixels, and the layout {CANVAS[0]} x {CANVAS[1]}: "
            "`howsfit dataset pair` frames pictures.",
        )
    only = _missing(picture, settings, wanted)
    there = {name: path.read_bytes() for name in _GIVEN if is_valid(path := settings.path(picture, name))}
    begin = {"garment"} if picture.kind == "cloth" else {"person", "category", *there}
    running = graph.running(begin, dress=False, only=only)
    taken = {name for stage in running for name in graph.stages[stage].inputs}
    sent = {"garment": data} if picture.kind == "cloth" else {"artifacts.person": data}
    if picture.kind == "person":
        sent |= {f"artifacts.{name}": each for name, each in there.items() if name in taken}

    def of(chosen: Mapping[str, Any]) -> dict[str, Any]:
        """A request may name no stage that does not run for it."""
        return {stage: value for stage, value in chosen.items() if stage in running}

    return Request(
        f"/v1/preprocess/{picture.kind}",
        sent,
        of(settings.options),
        of(settings.engines),
        settings.commercial,
        settings.category if picture.kind == "person" else None,
        only,
    )


async def _take(
    client: Client, document: dict[str, Any], picture: Picture, settings: Settings, wanted: Mapping[str, list[str]]
) -> None:
    """Write what is missing of the job's files, each whole or not at all."""
    missing = _missing(picture, settings, wanted)
    with zipfile.ZipFile(io.BytesIO(await client.dataset(document))) as archive:
        for path in archive.namelist():
            artifact = _ARTIFACTS.get(path)
            if artifact in missing:
                files.write(settings.path(picture, artifact), archive.read(path))
