"""The subcommands of `howsfit dataset` that look at what is there."""

import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from howsfit import files

out = Console(width=None if sys.stdout.isatty() else 200)
err = Console(stderr=True)

Workers = Annotated[
    int | None, typer.Option(min=1, help="Processes that work side by side; without: one for each core.")
]


def check(
    folder: Annotated[Path, typer.Argument(help="Data set in the VITON-HD layout, yours or another's.")],
    json_file: Annotated[Path | None, typer.Option("--json", help="Write all that was found here.")] = None,
    mend: Annotated[
        bool, typer.Option("--mend", help="Write anew what can be mended without guessing; all else is told.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what --mend would write, and write nothing.")] = False,
    size: Annotated[
        str | None, typer.Option(metavar="WxH", help="Size of the pictures; without: that of most photos.")
    ] = None,
    show: Annotated[int, typer.Option(min=0, help="Files of each trap that are named.")] = 5,
    strict: Annotated[bool, typer.Option("--strict", help="Exit code 1 for warnings, too.")] = False,
    workers: Workers = None,
) -> None:
    """Look for the known traps in every file of FOLDER: what, which file, how to mend it. Needs no engine.

    Exit code 0: no errors; 1: errors; 2: FOLDER holds no data set.
    """
    from howsfit.dataset.catalogue import UnusableFolder
    from howsfit.dataset.checks import report, run

    wanted = None if size is None else _size(size)
    if json_file is not None:
        files.check(files=[json_file])
    try:
        with _bar("Persons and garments") as (begin, tell):
            found = run.check(folder, workers, wanted, mend, dry_run, begin, tell)
    except UnusableFolder as error:
        err.print(f"[red]howsfit:[/red] {escape(str(error))}", highlight=False)
        raise SystemExit(2) from None
    report.print_report(found, out, show, dry_run)
    if json_file is not None:
        files.write(json_file, report.write(found))
    if found.errors() or (strict and found.findings):
        raise SystemExit(1)


def _size(text: str) -> tuple[int, int]:
    told = re.fullmatch(r"(\d{1,5})[xX](\d{1,5})", text)
    if told is None:
        raise ValueError(f"--size {text}: write width and height like 768x1024.")
    return int(told[1]), int(told[2])


@contextmanager
def _bar(what: str) -> Iterator[tuple[Callable[[int], None], Callable[[], None]]]:
    """A bar with rate and time left: what to call with the number of all, and what to call after each."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[rate]}"))
    with Progress(*columns, TimeRemainingColumn(), console=err, transient=True) as bar:
        task = bar.add_task(what, total=None, rate="")

        def begin(total: int) -> None:
            bar.update(task, total=total)

        def tell() -> None:
            speed = bar.tasks[0].speed
            bar.update(task, advance=1, rate=f"{speed:.0f}/s" if speed else "")

        yield begin, tell
