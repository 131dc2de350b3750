"""An engine over a list of pairs: a folder of results, named as HR-VITON names them, for `howsfit evaluate` to read."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from rich.console import Console

from howsfit import files
from howsfit.client import Client
from howsfit.dataset import many
from howsfit.dataset.jobs import Request, Stopped, Task
from howsfit.dataset.journal import opened
from howsfit.dataset.layout import Pair, path_of

STATE = ".howsfit"
JOURNAL, SETTINGS = f"{STATE}/tryon-set.jsonl", f"{STATE}/tryon-set.json"

OF_PERSON = ("parse", "pose", "densepose", "agnostic", "agnostic_mask", "parse_agnostic")


@dataclass(frozen=True)
class Settings:
    """How results are made. A folder holds those of one way only."""

    folder: Path
    part: str
    options: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    engines: Mapping[str, str] = field(default_factory=dict)
    commercial: bool = False
    category: str | None = None

    pictures_only: bool = False
    """Every stage runs, whatever the data set holds of it."""

    def told(self) -> dict[str, Any]:
        return {
            "data_set": str(self.folder.resolve()), "part": self.part, "options": self.options, "engines": self.engines,
            "commercial": self.commercial, "category": self.category, "pictures_only": self.pictures_only,
        }  # fmt: skip


def name_of(pair: Pair) -> str:
    return f"{pair.person}_{pair.cloth}"


def check_pairs(pairs: Iterable[Pair], settings: Settings) -> None:
    """Raises ValueError where the data set lacks pictures of pairs, or two pairs would have one result."""
    named: dict[str, Pair] = {}
    for pair in pairs:
        if (other := named.setdefault(name_of(pair), pair)) != pair:
            raise ValueError(
                f"{' in '.join(other)} and {' in '.join(pair)} would both be {name_of(pair)}.png. Dress one of them by a list "
                "and into a folder of its own."
            )
    lacking = {
        path
        for pair in named.values()
        for path in (
            path_of(settings.folder, settings.part, "person", pair.person),
            path_of(settings.folder, settings.part, "cloth", pair.cloth),
        )
        if not path.is_file()
    }
    if lacking:
        some = ", ".join(f"'{path}'" for path in sorted(lacking)[:3])
        raise ValueError(f"{len(lacking)} pictures of the pairs are missing, such as {some}. Is --part right?")


def claim(results: Path, settings: Settings) -> None:
    """The folder is for results of these settings from now on. Raises ValueError where it holds others."""
    path = results / SETTINGS
    if path.exists():
        before = json.loads(path.read_bytes())
        told = settings.told()
        differing = [name for name in told if before.get(name) != json.loads(json.dumps(told[name]))]
        if differing:
            raise ValueError(
                f"'{results}' holds results that were made with other settings ({', '.join(differing)}). Choose another folder "
                "with -o, or empty that one."
            )
    else:
        files.write(path, json.dumps(settings.told(), indent=2).encode())


def tasks_of(pairs: Iterable[Pair], settings: Settings, results: Path, made_by_stages: set[str]) -> Iterator[Task]:
    """One for each pair. made_by_stages: artifacts that stages of the gateway give, in whose place the data set's may stand."""
    taken = set() if settings.pictures_only else made_by_stages
    for pair in pairs:
        path = results / f"{name_of(pair)}.png"
        yield Task(
            name_of(pair),
            partial(_request, pair, settings, taken),
            partial(_take, path=path, results=results),
            path.exists,
        )


def _request(pair: Pair, settings: Settings, taken: set[str]) -> Request:
    """The person as she is framed, so that the result lies over her photo; and what the data set has of both."""

    def there(artifact: str, name: str) -> bytes | None:
        path = path_of(settings.folder, settings.part, artifact, name)
        return path.read_bytes() if path.is_file() else None

    sent = {"artifacts.person": there("person", pair.person)}
    sent |= {f"artifacts.{artifact}": there(artifact, pair.person) for artifact in OF_PERSON if artifact in taken}
    mask = there("cloth_mask", pair.cloth) if {"cloth", "cloth_mask"} <= taken else None
    cloth = there("cloth", pair.cloth)
    # Without a mask the cloth's own stage makes it, of the same pixels where the picture has its size.
    sent |= {"garment": cloth} if mask is None else {"artifacts.cloth": cloth, "artifacts.cloth_mask": mask}
    return Request(
        "/v1/tryons", {name: data for name, data in sent.items() if data is not None},
        settings.options, settings.engines, settings.commercial, settings.category,
    )  # fmt: skip


async def _take(client: Client, document: dict[str, Any], path: Path, results: Path) -> None:
    """Raises Stopped where the gateway's generator is another one than made the results before."""
    _same_generator(document, results)
    picture = await client.artifact(document, "tryon")
    files.write(path, picture)


def _same_generator(document: dict[str, Any], results: Path) -> None:
    made = next((stage for stage in document["stages"] if stage["stage"] == "tryon"), None)
    if made is None:
        return
    now = {"engine": made["engine"], "fingerprint": made["fingerprint"]}
    path = results / SETTINGS
    settings = json.loads(path.read_bytes())
    before = settings.setdefault("made_by", now)
    if before != now:
        raise Stopped(
            f"The gateway makes try-ons with {now['engine']} ({now['fingerprint']}), and the results in '{results}' were made "
            f"with {before['engine']} ({before['fingerprint']}). Choose another folder with -o."
        )
    if json.loads(path.read_bytes()) != settings:
        files.write(path, json.dumps(settings, indent=2).encode())


async def run(
    pairs: Iterable[Pair], settings: Settings, results: Path, place: many.Place, retry: bool, err: Console
) -> bool:
    """Make the results that are not there. Returns whether none failed. Raises Stopped, ValueError, StartupError."""
    named = {name_of(pair): pair for pair in pairs}
    with opened(results / JOURNAL) as journal:
        for folder in (results, results / STATE):
            files.sweep(folder)
        names = many.left(named, journal, retry)
        if not all((results / f"{name}.png").exists() and not journal.entry(name).job for name in names):
            async with many.connected(place, settings.engines, err) as (clients, graph):
                tasks = tasks_of((named[name] for name in names), settings, results, set(graph.producer))
                await many.work(tasks, len(names), clients, journal, place, "try-ons", err)
        return many.settle(journal, place, err)
