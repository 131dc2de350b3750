"""The commands that run many jobs: `howsfit tryon-set` and `howsfit dataset preprocess`."""

import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from howsfit import comparison, files
from howsfit.dataset.layout import PARTS, pairs_file, pairs_of

out = Console(width=None if sys.stdout.isatty() else 200)
err = Console(stderr=True)

Retry = Annotated[bool, typer.Option("--retry", help="Try once more what failed.")]
InFlight = Annotated[int, typer.Option("--in-flight", min=1, max=64, help="Jobs at a time on each gateway.")]
Part = Annotated[str | None, typer.Option("--part", help="test or train.")]
Chosen = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="STAGE.OPTION=VALUE", help="An option of an engine, as `howsfit stages` lists them."),
]
Engines = Annotated[
    list[str] | None, typer.Option("--engine", metavar="STAGE=ENGINE", help="Another engine of a stage.")
]
Commercial = Annotated[
    bool, typer.Option("--commercial", help="Refuse what may not be used commercially by its licence.")
]
Category = Annotated[str | None, typer.Option("--category", help="What all garments are: upper, lower or dress.")]
Key = Annotated[str | None, typer.Option("--key", envvar="HOWSFIT_KEY", help="API key, for gateways that ask for one.")]


def tryon_set(
    folder: Annotated[Path, typer.Argument(help="Data set in the VITON-HD layout.")],
    pairs: Annotated[Path, typer.Argument(metavar="PAIRS", help="A list of pairs, such as its test_pairs.txt.")],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Folder for the results, PERSON_CLOTH.png each.")
    ] = Path("results"),
    part: Part = None,
    pictures_only: Annotated[
        bool, typer.Option("--pictures-only", help="Run every stage, whatever the data set has: parse, pose, masks.")
    ] = False,
    engine: Engines = None,
    chosen: Chosen = None,
    category: Category = None,
    commercial: Commercial = False,
    retry: Retry = False,
    in_flight: InFlight = 2,
    to: Annotated[
        list[str] | None,
        typer.Option("--url", envvar="HOWSFIT_URL", help="Gateway; several share the work. Without: in this process."),
    ] = None,
    key: Key = None,
) -> None:
    """Dress the persons of a list of PAIRS in their cloths: results that `howsfit evaluate` reads.

    It may be stopped at any moment: the same command goes on.
    """
    from howsfit.dataset.many import Place
    from howsfit.dataset.tryon_set import STATE, Settings, check_pairs, claim

    if not pairs.is_file():
        raise ValueError(f"There is no list '{pairs}'.")
    settings = Settings(
        folder,
        part or ("train" if pairs.name.startswith("train") else "test"),
        comparison.by_stage(comparison.named_values(chosen)),
        comparison.named_values(engine, "--engine"),
        commercial,
        category,
        pictures_only,
    )
    wanted = list(dict.fromkeys(pairs_of(pairs)))
    if not wanted:
        raise ValueError(f"'{pairs}' lists no pair.")
    check_pairs(wanted, settings)
    files.check((), (), [output])
    claim(output, settings)
    from howsfit.dataset import tryon_set as work

    done = asyncio.run(work.run(wanted, settings, output, Place(output / STATE, to or (), key, in_flight), retry, err))
    out.print(str(output), highlight=False, markup=False, soft_wrap=True)
    if not done:
        raise SystemExit(1)


def preprocess(
    folder: Annotated[
        Path, typer.Argument(help="Data set in the VITON-HD layout: photos in image/, cloths in cloth/.")
    ],
    to: Annotated[
        list[str] | None,
        typer.Option("--to", envvar="HOWSFIT_URL", help="Gateway; several share the work. Without: in this process."),
    ] = None,
    only: Annotated[
        str | None, typer.Option("--only", metavar="ARTIFACT,…", help="Write only these: parse,pose, for instance.")
    ] = None,
    part: Part = None,
    engine: Engines = None,
    chosen: Chosen = None,
    category: Annotated[
        str | None, typer.Option("--category", help="What the persons are made ready for: upper, lower or dress.")
    ] = None,
    commercial: Commercial = False,
    retry: Retry = False,
    shards: Annotated[
        Path | None, typer.Option("--shards", help="Folder for WebDataset shards of all pairs, written at the end.")
    ] = None,
    shard_mb: Annotated[int, typer.Option("--shard-mb", min=1, help="Size of a shard, in megabytes.")] = 512,
    in_flight: InFlight = 4,
    key: Key = None,
) -> None:
    """Send every picture of a data set through the stages, and write what they make into the VITON-HD layout.

    What is there and can be read is kept. It may be stopped at any moment: the same command goes on.
    """
    from howsfit.dataset import preprocess as work
    from howsfit.dataset.many import Place
    from howsfit.dataset.shards import write_shards

    artifacts = tuple(each.strip() for each in (only or "").split(",") if each.strip())
    work.check_only(artifacts)
    if part not in (None, *PARTS):
        raise ValueError(f"--part {part}: there is {' and '.join(PARTS)}.")
    if not folder.is_dir():
        raise ValueError(f"There is no folder '{folder}'.")
    files.check((), (), [folder, *([shards] if shards else [])])
    settings = work.Settings(
        folder,
        artifacts,
        PARTS if part is None else (part,),
        comparison.by_stage(comparison.named_values(chosen)),
        comparison.named_values(engine, "--engine"),
        commercial,
        category,
    )
    work.pictures_of(settings)
    place = Place(folder / work.STATE, to or (), key, in_flight)
    lists = _lists(folder, settings.parts) if shards else {}
    whole = asyncio.run(work.run(settings, place, retry, err))
    for each, pairs in lists.items():
        written = write_shards(
            folder, each, pairs_of(pairs), work.made_in(folder, each, artifacts), Path(shards or ""), shard_mb * 10**6
        )
        told = f"{written.samples} pairs of {each} in {len(written.shards)} shards in {shards}"
        lacking = f"; {len(written.incomplete)} lack a file and are left out" if written.incomplete else ""
        out.print(told + lacking, highlight=False, markup=False, soft_wrap=True)
    if not whole:
        raise SystemExit(1)


def _lists(folder: Path, parts: Sequence[str]) -> dict[str, Path]:
    """Part -> its list of pairs. Raises ValueError where there is none."""
    found = {part: path for part in parts if (path := pairs_file(folder, part)).is_file()}
    if not found:
        raise ValueError(
            f"Shards are made of pairs, and '{folder}' has no list of them: write {parts[-1]}_pairs.txt, a line for each pair, "
            "PERSON.jpg CLOTH.jpg."
        )
    return found
