"""Try every garment on every photo and lay the results out on one sheet, to be looked at.

    python -m bench.contact_sheet PHOTO... --garments GARMENT... [-o out/contact.jpg] [--url URL] [--json FILE]

Without photos and garments it takes the sample photographs (HOWSFIT_SAMPLES) and three garments. A refusal is written where
its picture would be. Exits with 1 if a try-on ended with a bug (engine-failed, internal-error, stage-unreachable).
"""

import argparse
import asyncio
import io
import json
import os
import textwrap
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw
from rich.console import Console
from rich.table import Table

import howsfit

ROOT = Path(__file__).parents[1]
SAMPLES = Path(os.environ.get("HOWSFIT_SAMPLES", ROOT.parent / "shared" / "samples"))
CELL = (288, 384)
BUGS = {"engine-failed", "internal-error", "stage-unreachable", "stage-nonsense"}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", nargs="*", type=Path)
    parser.add_argument("--garments", nargs="+", type=Path)
    parser.add_argument("-o", "--output", type=Path, default=Path("out/contact.jpg"))
    parser.add_argument("--url", help="gateway to use instead of one in this process")
    parser.add_argument("--json", type=Path, help="write the outcomes here")
    arguments = parser.parse_args()
    photos = arguments.photos or sorted([*(SAMPLES / "image").iterdir(), *(SAMPLES / "wild").iterdir()])
    garments = arguments.garments or [
        SAMPLES / "cloth" / f"{name}.jpg" for name in ("00006_00", "01430_00", "11028_00")
    ]
    outcomes = asyncio.run(try_all(photos, garments, arguments.url))
    arguments.output.parent.mkdir(parents=True, exist_ok=True)
    sheet(photos, garments, outcomes).save(arguments.output, quality=92)
    table = Table("photo", *(garment.stem for garment in garments))
    for photo in photos:
        table.add_row(photo.stem, *(outcomes[photo, garment]["says"] for garment in garments))
    Console().print(table)
    print(arguments.output)
    if arguments.json:
        said = [{"photo": str(p), "garment": str(g), "outcome": o["says"]} for (p, g), o in outcomes.items()]
        arguments.json.write_text(json.dumps(said, indent=2))
    return int(any(outcome["says"] in BUGS for outcome in outcomes.values()))


async def try_all(photos: list[Path], garments: list[Path], url: str | None) -> dict[tuple[Path, Path], dict[str, Any]]:
    """For every pair `says` (the seconds, or an error code), and `picture` or `detail`."""
    outcomes: dict[tuple[Path, Path], dict[str, Any]] = {}
    async with howsfit.connect(url) as client:
        for photo in photos:
            for garment in garments:
                try:
                    document = await client.try_on(photo.read_bytes(), garment.read_bytes())
                except howsfit.TryonFailed as failure:
                    outcome = {"says": failure.problem.get("code", "?"), "detail": str(failure)}
                else:
                    seconds = f"{document['metrics']['total_seconds']:.2f} s"
                    outcome = {"says": seconds, "picture": await client.artifact(document, "tryon")}
                outcomes[photo, garment] = outcome
    return outcomes


def sheet(photos: list[Path], garments: list[Path], outcomes: dict[tuple[Path, Path], dict[str, Any]]) -> Image.Image:
    """Garments on top, photos on the left."""
    width, height = CELL
    canvas = Image.new("RGB", (width * (1 + len(garments)), height * (1 + len(photos))), "white")
    for column, garment in enumerate(garments, 1):
        _place(canvas, Image.open(garment), column, 0)
    for row, photo in enumerate(photos, 1):
        _place(canvas, Image.open(photo), 0, row)
        for column, garment in enumerate(garments, 1):
            outcome = outcomes[photo, garment]
            if "picture" in outcome:
                _place(canvas, Image.open(io.BytesIO(outcome["picture"])), column, row)
            else:
                text = "\n".join(textwrap.wrap(f"{outcome['says']}: {outcome['detail']}", 40))
                ImageDraw.Draw(canvas).text((column * width + 12, row * height + 40), text, "darkred")
    return canvas


def _place(canvas: Image.Image, image: Image.Image, column: int, row: int) -> None:
    image = image.convert("RGB")
    image.thumbnail(CELL)
    canvas.paste(image, (column * CELL[0], row * CELL[1]))


if __name__ == "__main__":
    raise SystemExit(main())
