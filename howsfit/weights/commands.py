"""The subcommands of `howsfit weights`."""

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn
from rich.table import Table

from howsfit.weights import lock
from howsfit.weights.errors import NoRoom, NotAccepted, WeightsError, WrongFile
from howsfit.weights.install import archive_of, copy, recognise
from howsfit.weights.sets import COMMERCIAL, SetState, chosen, every_set, find, look
from stagekit.manifest import WeightFile, WeightSet, read_sets
from stagekit.weights import UNRECORDED, all_weights

if TYPE_CHECKING:
    from howsfit.weights.download import Progress as Told

app = typer.Typer(help="Get the weights of research engines, and check them.", no_args_is_help=True)
out = Console(width=None if sys.stdout.isatty() else 200)
err = Console(stderr=True)

Folder = Annotated[
    Path | None,
    typer.Option("--weights", envvar="HOWSFIT_WEIGHTS_DIR", help="Folder that holds a folder for each engine."),
]
Manifest = Annotated[
    Path | None, typer.Option("--manifest", help="Another list of weights than ours, e.g. with a mirror of your own.")
]
Accept = Annotated[bool, typer.Option("--accept", help="Accept the licences without being asked.")]


@app.command("list")
def list_(folder: Folder = None, manifest: Manifest = None) -> None:
    """Show all weights: what is here, and under which licence."""
    states = look(_folder(folder), _manifest(manifest), os.environ, quick=True)
    out.print(overview(states))
    out.print(
        "* chosen by HOWSFIT_..._ENGINE   published: has its publisher's digest   recorded: has the digest that it had"
    )
    out.print(f"when it came   unrecorded: put there by hand, nothing to hold it to   Folder: {escape(str(_folder(folder)))}")


@app.command()
def pull(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="[ENGINE...]", help="Engines; without: those that HOWSFIT_..._ENGINE choose."),
    ] = None,
    accept: Accept = False,
    folder: Folder = None,
    manifest: Manifest = None,
) -> None:
    """Download the weights of engines. What broke off goes on where it was."""
    # Imported here: commands without a network begin sooner without its library.
    import httpx

    from howsfit.weights.download import TIMEOUT
    from howsfit.weights.pull import pull as pull_set

    known = _manifest(manifest)
    wanted = find(names, known, os.environ) if names else chosen(known, os.environ)
    if not wanted:
        raise WeightsError(
            f"Say which: {', '.join(known)}. (No setting HOWSFIT_..._ENGINE chooses an engine with weights.)"
        )
    for weights in wanted:
        if not weights.made_by:
            _ask(_folder(folder), weights, accept)
    with httpx.Client(follow_redirects=True, timeout=TIMEOUT, headers={"User-Agent": "howsfit"}) as client:
        failed = []
        for weights in wanted:
            try:
                pull_set(client, _folder(folder), weights, _bar, _say)
            except NoRoom:
                raise
            except WeightsError as error:  # the others come all the same
                failed.append(str(error))
    if failed:
        raise WeightsError("\n".join(failed))


@app.command()
def verify(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[ENGINE...]", help="Without: all that are here.")
    ] = None,
    folder: Folder = None,
    manifest: Manifest = None,
) -> None:
    """Read every byte again and compare the digests; exit code 1 if any file is missing or altered."""
    known = _manifest(manifest)
    wanted = {weights.key for weights in find(names, known, os.environ)} if names else set(known)
    states = [
        state
        for state in look(_folder(folder), known, os.environ, quick=False)
        if state.weights.key in wanted and (names or state.used or not state.missing)
    ]
    out.print(overview(states))
    wrong = [state for state in states if state.wrong]
    for state in wrong:
        err.print(
            f"[red]{state.weights.key}:[/red] {escape('; '.join(state.wrong))}. `{state.weights.command()}`", highlight=False
        )
    if any(each.state == UNRECORDED for state in states for each in state.files.values()):
        err.print("Unrecorded files: `howsfit weights pull` records those that have the right structure.")
    if wrong:
        raise SystemExit(1)


@app.command("import")
def import_(
    paths: Annotated[list[Path], typer.Argument(metavar="FILE_OR_FOLDER...", help="Copied here by hand.")],
    as_: Annotated[
        str | None,
        typer.Option("--as", metavar="ENGINE/FILE", help="Take FILE as that one, whatever it is: weights of your own."),
    ] = None,
    accept: Accept = False,
    folder: Folder = None,
    manifest: Manifest = None,
) -> None:
    """Take weights from files or folders, without a network: recognised by digest, structure or name."""
    known = _manifest(manifest)
    files = [file for path in paths for file in _files(path)]
    if as_:
        if len(files) != 1:
            raise WeightsError("--as takes one file.")
        weights, file = _named(as_, known)
        _import(files[0], _folder(folder), weights, file, "own", accept)
        return
    taken = 0
    for path in files:
        try:
            taken += _import_recognised(path, _folder(folder), known, accept)
        except WrongFile as error:
            if len(files) == 1:
                raise
            err.print(f"[yellow]{escape(str(error))}[/yellow]", highlight=False)
    if not taken:
        raise WeightsError(f"Nothing was taken from {', '.join(map(str, paths))}.")


def overview(states: list[SetState]) -> Table:
    """One row for each set."""
    table = Table("weights", "state", "licence", "commercial use", "digest published", "get it with")
    for state in states:
        weights = state.weights
        published = "yes" if all(file.digests for file in weights.files) else "no"
        colour = "red" if state.wrong and not state.missing else "dim" if state.missing else "green"
        table.add_row(
            weights.key + (" *" if state.used else ""),
            f"[{colour}]{state.told()}[/{colour}]",
            weights.licence,
            COMMERCIAL[weights.commercial],
            published,
            weights.command() if state.wrong else "",
        )
    return table


def _import_recognised(path: Path, folder: Path, known: Mapping[str, WeightSet], accept: bool) -> int:
    """Returns how many files were taken."""
    from howsfit.weights.pull import alone, install_archive

    packed = archive_of(path, known)
    if packed:
        _ask(folder, packed, accept)
        with alone(_home(folder, packed)):
            install_archive(path, folder, packed, list(packed.files), str(path), _say)
        return len(packed.files)
    weights, file, trust = recognise(path, known)
    _import(path, folder, weights, file, trust, accept)
    return 1


def _import(path: Path, folder: Path, weights: WeightSet, file: WeightFile, trust: str, accept: bool) -> None:
    from howsfit.weights.pull import alone

    _ask(folder, weights, accept)
    with alone(_home(folder, weights)):
        copy(path, folder, weights, file, trust)
    _say(f"{weights.engine}/{file.name}: {trust}, from {path}")


def _home(folder: Path, weights: WeightSet) -> Path:
    home = folder / weights.engine
    home.mkdir(parents=True, exist_ok=True)
    return home


def _named(name: str, known: Mapping[str, WeightSet]) -> tuple[WeightSet, WeightFile]:
    places = {f"{weights.engine}/{file.name}": (weights, file) for weights in known.values() for file in weights.files}
    if name not in places:
        raise WeightsError(f"There is no '{name}'. There are: {', '.join(places)}.")
    return places[name]


def _files(path: Path) -> list[Path]:
    if not path.exists():
        raise WeightsError(f"There is no {path}.")
    if path.is_file():
        return [path]
    return sorted(each for each in path.rglob("*") if each.is_file() and not each.name.startswith("."))


def _ask(folder: Path, weights: WeightSet, accept: bool) -> None:
    """Show the licence of a set and have it accepted, once. Raises NotAccepted."""
    if lock.accepted(folder, weights):
        return
    err.print(f"[bold]{weights.title}[/bold], from {weights.source}", highlight=False)
    err.print(f"Licence: {weights.licence} ({COMMERCIAL[weights.commercial]}). {weights.terms}", highlight=False)
    if not accept:
        if not sys.stdin.isatty():
            raise NotAccepted(f"Run it with --accept if the licence of {weights.title} suits you.")
        if not typer.confirm("Do you accept it?", err=True):
            raise NotAccepted(f"The licence of {weights.title} was not accepted, so nothing was downloaded.")
    lock.accept(folder, weights)


@contextmanager
def _bar(name: str) -> Iterator["Told"]:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=err, transient=True) as bars:
        task = bars.add_task(name, total=None)

        def tell(done: int, total: int) -> None:
            bars.update(task, completed=done, total=total or None)

        yield tell


def _say(text: str) -> None:
    err.print(text, highlight=False, markup=False)


def _folder(folder: Path | None) -> Path:
    return folder or Path(all_weights())


def _manifest(path: Path | None) -> dict[str, WeightSet]:
    return read_sets(str(path)) if path else every_set()
