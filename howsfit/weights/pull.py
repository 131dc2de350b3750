"""Bring one set of weights here: its mirrors, its archive; what is here already stays."""

import fcntl
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import httpx

from howsfit.weights.download import Part, Progress, download
from howsfit.weights.errors import AddressFailed, WeightsError, WrongFile
from howsfit.weights.install import hold, put, unpacked
from howsfit.weights.lock import record
from stagekit.manifest import WeightFile, WeightSet
from stagekit.weights import UNRECORDED, check, read_lock

Show = Callable[[str], AbstractContextManager[Progress]]
"""show(file's name): a bar for it."""
Say = Callable[[str], None]


def pull(client: httpx.Client, folder: Path, weights: WeightSet, show: Show, say: Say, pause_s: float = 1.0) -> None:
    """Download what is not here of a set, hold it to the manifest, put it in its place, record it.

    client: follows redirects, keeps cookies. pause_s: as `download` takes it.
    Raises AddressFailed when no address gave the right file, NoRoom, WeightsError.
    """
    home = folder / weights.engine
    home.mkdir(parents=True, exist_ok=True)
    with alone(home):
        wanted = _wanted(folder, weights, say)
        if wanted and weights.made_by:
            raise WeightsError(f"The weights {weights.key} are made here: run `{weights.made_by}`.")
        for file in (each for each in wanted if each.addresses):
            part, trust, origin = _fetch(client, file, home, show, say, pause_s)
            put(part.path, folder, weights, file, trust, origin)
            part.forget()
            say(f"{weights.engine}/{file.name}: {trust}, from {origin}")
        rest = [each for each in wanted if not each.addresses]
        if rest and weights.archive:
            _from_archive(client, folder, weights, weights.archive, rest, show, say, pause_s)
        elif rest:
            raise AddressFailed(_by_hand(rest[0].name, weights.source, []))


def _wanted(folder: Path, weights: WeightSet, say: Say) -> list[WeightFile]:
    """The files that have to come; those that were put here by hand are recorded, if they have the right structure."""
    lock = read_lock(str(folder))
    wanted = []
    for file in weights.files:
        state = check(str(folder), weights, file, lock)
        if state.state == UNRECORDED:
            path = folder / weights.engine / file.name
            try:
                record(folder, weights.engine, file.name, hold(path, file), str(path))
                say(f"{weights.engine}/{file.name}: was here, has the right structure, is recorded now")
            except WrongFile as error:
                say(f"{weights.engine}/{file.name}: is here, but {error}")
                wanted.append(file)
        elif state.good:
            say(f"{weights.engine}/{file.name}: is here")
        else:
            wanted.append(file)
    return wanted


def _fetch(
    client: httpx.Client, file: WeightFile, home: Path, show: Show, say: Say, pause_s: float
) -> tuple[Part, str, str]:
    """From the first address that gives the right file. Returns it with its trust and the address."""
    part = Part(home / (file.name + ".part"))
    failed = []
    for address in file.addresses:
        while True:
            resumed = part.size() > 0
            try:
                with show(file.name) as progress:
                    download(client, address, part, file, progress, pause_s)
                return part, hold(part.path, file), address
            except AddressFailed as error:
                failed.append(f"{address}: {error}")
            except WrongFile as error:
                part.forget()
                if resumed:  # what had come before may have been at fault
                    say(f"{file.name}: {error}; once more from the beginning")
                    continue
                failed.append(f"{address}: {error}")
            say(failed[-1])
            break
    raise AddressFailed(_by_hand(file.name, "", failed))


def _from_archive(
    client: httpx.Client,
    folder: Path,
    weights: WeightSet,
    archive: WeightFile,
    wanted: list[WeightFile],
    show: Show,
    say: Say,
    pause_s: float,
) -> None:
    part, _, origin = _fetch(client, archive, folder / weights.engine, show, say, pause_s)
    try:
        install_archive(part.path, folder, weights, wanted, origin, say)
    except WrongFile as error:
        part.forget()
        raise AddressFailed(_by_hand(archive.name, "", [f"{origin}: {error}"])) from None
    part.forget()


def install_archive(
    archive: Path, folder: Path, weights: WeightSet, wanted: list[WeightFile], origin: str, say: Say
) -> None:
    """Take files of a set out of its archive. Raises WrongFile with what is wrong, before any is in its place."""
    with unpacked(archive, folder, weights) as files:
        trusts = {}
        for file in wanted:
            try:
                trusts[file.name] = hold(files[file.name], file)
            except WrongFile as error:
                raise WrongFile(f"{file.name}: {error}") from None
        for file in wanted:
            put(files[file.name], folder, weights, file, trusts[file.name], origin)
            say(f"{weights.engine}/{file.name}: {trusts[file.name]}, from {origin}")


def _by_hand(name: str, source: str, failed: list[str]) -> str:
    reasons = "".join(f"\n  {each}" for each in failed)
    where = f" ({source})" if source else ""
    return (
        f"{name} could not be downloaded.{reasons}\nGet it with a browser{where}, and run "
        f"`howsfit weights import` on the file; or try again later: what came is kept."
    )


@contextmanager
def alone(home: Path) -> Iterator[None]:
    """One pull or import at a time in a folder. Raises WeightsError while another one is at work."""
    with (home / ".pull").open("w") as busy:
        try:
            fcntl.flock(busy, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise WeightsError(f"Another `howsfit weights` is at work in {home}. Wait for it.") from None
        yield
