"""One person, many garments: how long a further garment takes compared with the first, and which stages it runs.

    python -m bench.reuse [--url URL] [--json FILE]

One photo, twenty garments, one after another. The ratio is what counts; both times come from the same run. The garments are
the bundled ones, recoloured, mirrored and scaled. Exits with an error where a stage that needs no garment ran twice.
"""

import argparse
import io
import json
import statistics
from collections import Counter
from pathlib import Path
from typing import Any

import httpx
from PIL import Image, ImageOps
from rich.console import Console

from bench.tryon import SAMPLES, gateway

GOAL = 0.35
GARMENTS = 20
PERMUTATIONS = ((0, 1, 2), (1, 2, 0), (2, 0, 1), (0, 2, 1), (1, 0, 2), (2, 1, 0))
WITH_GARMENT = {"cloth_mask", "tryon", "paste_back"}
"""The stages that a further garment needs."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--url", help="gateway to measure; it must not know the pictures yet")
    parser.add_argument("--json", type=Path, help="write the figures here")
    arguments = parser.parse_args()
    with gateway(arguments.url) as url:
        figures = measure(url)
    verdict = "within" if figures["ratio"] <= GOAL else "beyond"
    console = Console(width=120)
    console.print(
        f"first garment {figures['first_s']:.2f} s, a further one {figures['further_s']:.2f} s "
        f"(median of {GARMENTS - 1}; {figures['further_min_s']:.2f} to {figures['further_max_s']:.2f} s)"
    )
    console.print(f"ratio {figures['ratio']:.2f}, {verdict} the goal of {GOAL}")
    console.print(f"a further one ran {', '.join(figures['further_ran'])}; the other stages ran once for all")
    if arguments.json:
        arguments.json.parent.mkdir(parents=True, exist_ok=True)
        arguments.json.write_text(json.dumps(figures, indent=2))


def measure(url: str) -> dict[str, Any]:
    """Seconds of the first garment on a person and of further ones, and the stages that the further ones ran."""
    with httpx.Client(base_url=url, timeout=300) as client:

        def dress(photo: bytes, garment: bytes) -> dict[str, Any]:
            files = {"photo": photo, "garment": garment}
            document = client.post("/v1/tryons", files=files, headers={"Prefer": "wait=120"}).json()
            if document["status"] != "succeeded":
                raise SystemExit(f"The try-on failed: {document['error']}")
            return dict(document)

        warm_up, *garments = _garments(1 + GARMENTS)
        person = Image.open(SAMPLES / "person.jpg").convert("RGB")
        dress(_jpeg(ImageOps.mirror(person)), warm_up)  # a person of its own: nothing is reused from it
        documents = [dress(_jpeg(person), garment) for garment in garments]
    runs = Counter(stage["stage"] for document in documents for stage in document["stages"] if not stage["reused"])
    further_ran = sorted(stage for stage, count in runs.items() if count == GARMENTS)
    again = sorted(stage for stage, count in runs.items() if 1 < count < GARMENTS)
    if again or set(further_ran) != WITH_GARMENT:
        raise SystemExit(f"Person stages should run once and {sorted(WITH_GARMENT)} every time; runs: {dict(runs)}")
    first, *further = [document["metrics"]["total_seconds"] for document in documents]
    return {
        "garments": GARMENTS,
        "first_s": first,
        "further_s": statistics.median(further),
        "further_min_s": min(further),
        "further_max_s": max(further),
        "ratio": round(statistics.median(further) / first, 3),
        "further_ran": further_ran,
        "goal": GOAL,
    }


def _garments(count: int) -> list[bytes]:
    """So many different pictures made of the bundled garments."""
    drawn = [Image.open(path).convert("RGB") for path in sorted(SAMPLES.glob("garment_*.jpg"))]
    pictures = []
    for number in range(count):
        garment, variant = drawn[number % len(drawn)], number // len(drawn)
        channels = garment.split()
        garment = Image.merge("RGB", [channels[k] for k in PERMUTATIONS[variant % len(PERMUTATIONS)]])
        size = 1 - 0.06 * variant
        garment = garment.resize((round(garment.width * size), round(garment.height * size)))
        pictures.append(_jpeg(ImageOps.mirror(garment) if variant % 2 else garment))
    assert len(set(pictures)) == count
    return pictures


def _jpeg(picture: Image.Image) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=95)
    return buffer.getvalue()


if __name__ == "__main__":
    main()
