"""One person, many garments: how long a further garment takes compared with the first, and which stages it runs.

    python -m bench.reuse [--url URL] [--json FILE]

The ratio is what counts; both times come from the same run. Garments are the bundled ones and mirror images of them.
"""

import argparse
import io
import json
import statistics
from pathlib import Path
from typing import Any

import httpx
from PIL import Image, ImageOps
from rich.console import Console

from bench.tryon import SAMPLES, gateway

GOAL = 0.35


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--url", help="gateway to measure; it must not know the pictures yet")
    parser.add_argument("--json", type=Path, help="write the figures here")
    arguments = parser.parse_args()
    with gateway(arguments.url) as url:
        figures = measure(url)
    verdict = "within" if figures["ratio"] <= GOAL else "beyond"
    console = Console(width=120)
    console.print(f"first garment {figures['first_s']:.2f} s, a further one {figures['further_s']:.2f} s (median)")
    console.print(
        f"ratio {figures['ratio']:.2f}, {verdict} the goal of {GOAL}; it ran {', '.join(figures['further_ran'])}"
    )
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

        garments = _garments()
        photo = (SAMPLES / "person.jpg").read_bytes()
        dress(_mirrored(photo), garments[0])  # warms up, with a person of its own
        first, *further = [dress(photo, garment) for garment in garments[1:]]
    seconds = [document["metrics"]["total_seconds"] for document in further]
    ran = {stage["stage"] for document in further for stage in document["stages"] if not stage["reused"]}
    return {
        "first_s": first["metrics"]["total_seconds"],
        "further_s": statistics.median(seconds),
        "ratio": round(statistics.median(seconds) / first["metrics"]["total_seconds"], 3),
        "further_ran": sorted(ran),
        "goal": GOAL,
    }


def _garments() -> list[bytes]:
    drawn = [path.read_bytes() for path in sorted(SAMPLES.glob("garment_*.jpg"))]
    return drawn + [_mirrored(garment) for garment in drawn]


def _mirrored(picture: bytes) -> bytes:
    buffer = io.BytesIO()
    ImageOps.mirror(Image.open(io.BytesIO(picture)).convert("RGB")).save(buffer, "JPEG", quality=95)
    return buffer.getvalue()


if __name__ == "__main__":
    main()
