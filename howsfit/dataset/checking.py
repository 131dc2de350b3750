"""The subcommands of `howsfit dataset` that look at what is there."""

import json
import re
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape

from howsfit import files
from howsfit.dataset.progress import bar

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
        with bar(err, "Persons and garments") as shown:
            found = run.check(folder, workers, wanted, mend, dry_run, shown.begin, shown.tell)
    except UnusableFolder as error:
        err.print(f"[red]howsfit:[/red] {escape(str(error))}", highlight=False)
        raise SystemExit(2) from None
    report.print_report(found, out, show, dry_run)
    if json_file is not None:
        files.write(json_file, report.write(found))
    if found.errors() or (strict and found.findings):
        raise SystemExit(1)


def preview(
    folder: Annotated[Path, typer.Argument(help="Data set in the VITON-HD layout, yours or another's.")],
    target: Annotated[Path, typer.Argument(metavar="OUT", help="Folder for the page, the sheets and their pictures.")],
    report_file: Annotated[
        Path | None, typer.Option("--report", help="What `howsfit dataset check --json` wrote: the page filters by it.")
    ] = None,
    limit: Annotated[
        int | None,
        typer.Option(min=1, help="So many samples of each part, evenly chosen, and all that the report names."),
    ] = None,
    workers: Workers = None,
) -> None:
    """Write a page with all artifacts of each sample in FOLDER side by side, contact sheets and label statistics."""
    from howsfit.dataset.preview import run

    files.check(
        files=[target / "index.html", target / "statistics.json"], folders=[target / "strips", target / "sheets"]
    )
    report = None if report_file is None else _report(report_file)
    with bar(err, "Samples") as shown:
        made = run.preview(folder, target, report, limit, workers, shown.begin, shown.tell)
    for path in (made.page, *made.sheets):
        out.print(str(path), highlight=False, markup=False, soft_wrap=True)


def _report(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_bytes())
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise ValueError(f"'{path}' is no report. `howsfit dataset check FOLDER --json FILE` writes one.")
    return found


def _size(text: str) -> tuple[int, int]:
    told = re.fullmatch(r"(\d{1,5})[xX](\d{1,5})", text)
    if told is None:
        raise ValueError(f"--size {text}: write width and height like 768x1024.")
    return int(told[1]), int(told[2])
