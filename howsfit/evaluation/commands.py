"""`howsfit evaluate`."""

import math
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from howsfit import files
from howsfit.evaluation.protocols import PROTOCOLS, find

if TYPE_CHECKING:
    from howsfit.evaluation.evaluate import Told

out = Console(width=None if sys.stdout.isatty() else 200)
err = Console(stderr=True)


def evaluate(
    results: Annotated[
        Path | None,
        typer.Argument(help="Folder of results, named PERSON_CLOTH as `howsfit tryon-set` does, or PERSON."),
    ] = None,
    against: Annotated[
        Path | None, typer.Option("--against", help="Data set in the VITON-HD layout, or a folder of photos.")
    ] = None,
    protocol: Annotated[
        str | None,
        typer.Option("--protocol", help="; ".join(f"{each.name}: {each.about}" for each in PROTOCOLS.values()) + "."),
    ] = None,
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Folder for evaluation.json, pictures.csv, and worst.png.")
    ] = Path("evaluation"),
    part: Annotated[str, typer.Option("--part", help="Part of the data set: test or train.")] = "test",
    unpaired: Annotated[
        bool, typer.Option("--unpaired", help="Compare the sets only, whatever the results' names say.")
    ] = False,
    device: Annotated[str, typer.Option("--device", help="Where networks run: cpu, or cuda.")] = "cpu",
    weights: Annotated[
        Path | None,
        typer.Option("--weights", envvar="HOWSFIT_WEIGHTS_DIR", help="Folder of all weights, as of `howsfit weights`."),
    ] = None,
    compared: Annotated[
        tuple[Path, Path] | None,
        typer.Option(
            "--compare", metavar="A B", help="Instead: compare two evaluations, by their folders or documents."
        ),
    ] = None,
    json_file: Annotated[
        Path | None, typer.Option("--json", help="Of --compare: write what differs here, too.")
    ] = None,
) -> None:
    """Measure RESULTS against the photos of a data set, by a pinned protocol; or compare two such evaluations."""
    if compared is not None:
        if results or against or protocol:
            raise ValueError("--compare takes two evaluations, and nothing to evaluate besides.")
        files.check((), [json_file] if json_file else [])
        _compare(compared, json_file)
        return
    if results is None or against is None or protocol is None:
        raise ValueError("Say what to evaluate: howsfit evaluate RESULTS --against FOLDER --protocol NAME.")
    chosen = find(protocol)
    for folder in (results, against):
        if not folder.is_dir():
            raise ValueError(f"There is no folder '{folder}'.")
    files.check((), (), [output])

    # Imported here: NumPy and OpenCV are not needed to refuse.
    from howsfit.evaluation import report
    from howsfit.evaluation.evaluate import evaluate as measure

    with _bar() as told:
        evaluation = measure(results, against, chosen, told, part, unpaired, device, weights)
    written = report.write(output, evaluation, chosen)
    document = evaluation.document
    out.print(_table(document))
    if document["missing"]:
        lacking = document["missing"]
        err.print(
            f"[yellow]{len(lacking)} of {document['photos']['pictures']} persons have no result:[/yellow] "
            f"{escape(', '.join(lacking[:5]))}{' …' if len(lacking) > 5 else ''}",
            highlight=False,
        )
    for name, each in document["weights"].items():
        if each["trust"] != "published":
            err.print(f"[yellow]{escape(name)} is not the published file.[/yellow]", highlight=False)
    out.print(" ".join(map(str, written)), highlight=False, markup=False, soft_wrap=True)


def _compare(paths: tuple[Path, Path], json_file: Path | None) -> None:
    from howsfit.evaluation.compare import compare, read
    from howsfit.evaluation.report import json_of

    try:
        compared = compare(*(read(path) for path in paths))
    except ModuleNotFoundError as error:
        raise ValueError(
            f"A test of pairs needs {error.name}, which `make .venv-evaluate/ready` brings: run it as "
            "`.venv-evaluate/bin/howsfit evaluate --compare …`."
        ) from None
    if json_file is not None:
        files.write(json_file, json_of(compared))
    table = Table("", "A", "B", "B - A", "95 % of the mean", "p", "better in B", "worse in B")
    for name, each in compared["numbers"].items():
        pairs = "p" in each
        table.add_row(
            name,
            *(_number(each[key]) for key in ("before", "after", "difference")),
            _interval(each["interval"]) if pairs else "",
            f"{each['p']:.2g}" if pairs else "",
            str(each["pictures_better"]) if pairs else ("yes" if each["better"] else "no"),
            str(each["pictures_worse"]) if pairs else "",
        )
    out.print(table)
    out.print(
        f"{compared['persons']} persons. p: Wilcoxon's signed-rank test; the interval is the bootstrap's.",
        highlight=False,
    )
    for name, changed in compared["changed"].items():
        for each in changed:
            told = f"{_number(each['before'])} -> {_number(each['after'])} ({each['difference']:+.4f})"
            out.print(f"{name}  {escape(each['person'])}  {told}", highlight=False)


def _table(document: dict[str, Any]) -> Table:
    protocol, pictures = document["protocol"], document["results"]["pictures"]
    table = Table(
        f"{protocol['name']} {protocol['version']}", "", "95 % of the mean", "better",
        title=f"{pictures} results, {document['setting']}", title_justify="left",
    )  # fmt: skip
    for name, each in document["numbers"].items():
        better = protocol["measures"][name]["better"]
        table.add_row(name, _number(each["value"]), _interval(each.get("interval")), better)
    return table


def _interval(interval: list[float] | None) -> str:
    return f"{_number(interval[0])} to {_number(interval[1])}" if interval else ""


def _number(value: float) -> str:
    """With as many places as papers give, of small ones more."""
    if value and math.isfinite(value) and abs(value) < 0.001:
        return f"{value:.3g}"
    return f"{value:.4f}"


@contextmanager
def _bar() -> Iterator["Told"]:
    columns = (
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TimeRemainingColumn()
    )  # fmt: skip
    with Progress(*columns, console=err, transient=True) as bars:
        tasks: dict[str, Any] = {}

        def tell(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = bars.add_task(what, total=total)
            bars.update(tasks[what], completed=done)

        yield tell
