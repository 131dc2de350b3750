"""The subcommands of `howsfit dataset`."""

import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from howsfit.dataset.checking import check, preview
from howsfit.dataset.job_commands import preprocess
from howsfit.dataset.pool import cores
from howsfit.dataset.progress import bar

if TYPE_CHECKING:
    from howsfit.dataset.pairing.description import Description
    from howsfit.dataset.pairing.plan import Plan
    from howsfit.dataset.pairing.reasons import Finding

app = typer.Typer(help="Make data sets in the VITON-HD layout, check them, look at them.", no_args_is_help=True)
out = Console(width=None if sys.stdout.isatty() else 200)
err = Console(stderr=True)


app.command()(preprocess)


@app.command()
def pair(
    source: Annotated[Path, typer.Argument(help="Folder that a data set, or photos of your own, lie in.")],
    folder: Annotated[Path, typer.Argument(metavar="OUT", help="Folder for the pairs, in the VITON-HD layout.")],
    name: Annotated[
        str | None,
        typer.Option(
            "--source", help="aihub, dresscode, viton_hd, streettryon, or a TOML file; without: by its folders."
        ),
    ] = None,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Processes that work side by side; without: one for each core.")
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Only so many pairs, the first ones.")] = None,
    seed: Annotated[int, typer.Option(help="Draws other products for the test part.")] = 0,
    test_share: Annotated[
        float, typer.Option(min=0, max=1, help="Of the products, of those whose part the source does not say.")
    ] = 0.1,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what there is; open no picture and write nothing.")
    ] = False,
) -> None:
    """Make pairs of the raw photos in SOURCE: photo and garment at 768 x 1024, with the source's own labels.

    May be broken off at any time, and goes on where it was. Exit code 1: no pair was made.
    """
    from howsfit.dataset.layout import PARTS
    from howsfit.dataset.pairing import run
    from howsfit.dataset.pairing.description import read
    from howsfit.dataset.pairing.plan import make_plan
    from howsfit.dataset.pairing.tree import recognise

    description = read(name or recognise(source))
    with err.status(f"Reading the records of {description.name}"):
        plan = make_plan(source, description, seed, test_share)
    groups = run.limited(plan, limit)
    total = sum(len(group.wearers) for group in groups)
    if dry_run:
        parts = {part: sum(len(group.wearers) for group in groups if group.part == part) for part in PARTS}
        _tell(description, plan, parts, plan.findings, "would be made, if all their pictures can be read")
        return
    with bar(err, "Pairs") as shown:
        shown.begin(total)
        result = run.run(plan, description, source, folder, workers or cores(), limit, shown.tell)
    _tell(description, plan, result.pairs, result.findings, f"in {folder}")
    if not any(result.pairs.values()):
        raise ValueError(f"No pair was made. {folder / 'howsfit' / run.FINDINGS} says of each file why.")


def _tell(
    description: "Description", plan: "Plan", parts: dict[str, int], findings: "list[Finding]", where: str
) -> None:
    table = Table("file", "why", "files", "what to do")
    for reason, count in sorted(Counter(each.reason for each in findings).items(), key=lambda item: -item[1]):
        table.add_row(reason.outcome, reason.told, str(count), reason.to_do)
    for why, count in plan.passed_over.items():
        table.add_row("passed over", why, str(count), "")
    if table.row_count:
        out.print(table)
    told = ", ".join(f"{count} {part}" for part, count in sorted(parts.items(), reverse=True))
    out.print(f"{sum(parts.values())} pairs ({told}) {where}", highlight=False, markup=False, soft_wrap=True)
    out.print(f"{description.title}: {description.licence}. {description.terms}", highlight=False, markup=False)


app.command()(check)
app.command()(preview)
