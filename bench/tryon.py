"""Seconds of a warm try-on: per stage, in total, and what the gateway adds to the stages' critical path.

    python -m bench.tryon [--runs N] [--url URL] [--json FILE]

Without --url it serves gateway and stages in one process of its own. The critical path is the longest way through the
stage graph, each stage counted with the seconds that it reports itself (queue, decode, run, encode).
"""

import argparse
import contextlib
import json
import statistics
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
from rich.console import Console
from rich.table import Table

from tests.servers import ROOT, howsfit_serve

SAMPLES = ROOT / "howsfit" / "samples"
GOAL_MS = 50
PHASES = ("queue", "decode", "run", "encode", "check")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=10, help="warm runs (default: 10)")
    parser.add_argument("--url", help="gateway to measure")
    parser.add_argument("--json", type=Path, help="write the figures here")
    arguments = parser.parse_args()
    with gateway(arguments.url) as url:
        figures = measure(url, arguments.runs)
    show(figures)
    if arguments.json:
        arguments.json.parent.mkdir(parents=True, exist_ok=True)
        arguments.json.write_text(json.dumps(figures, indent=2))


@contextlib.contextmanager
def gateway(url: str | None) -> Iterator[str]:
    """The gateway to measure: the given one, or one served for as long as this lasts."""
    if url is not None:
        yield url
        return
    with tempfile.TemporaryDirectory() as folder, howsfit_serve(Path(folder)) as own:
        yield own


def measure(url: str, runs: int, photo: bytes = b"", garment: bytes = b"") -> dict[str, Any]:
    """Medians over the runs, in milliseconds; of the bundled pictures where none are given."""
    files = {
        "photo": photo or (SAMPLES / "person.jpg").read_bytes(),
        "garment": garment or (SAMPLES / "garment_tee.jpg").read_bytes(),
    }
    # Nothing reused: the stages are to be measured, not the cache.
    headers = {"Prefer": "wait=120", "Cache-Control": "no-store"}
    with httpx.Client(base_url=url, timeout=300) as client:
        needs = {stage["stage"]: stage["needs"] for stage in client.get("/v1/stages").json()["stages"]}
        documents = []
        for run in range(runs + 2):
            document = client.post("/v1/tryons", files=files, headers=headers).json()
            if document["status"] != "succeeded":
                raise SystemExit(f"The try-on failed: {document['error']}")
            if run >= 2:  # the first ones warm caches and thread pools up
                documents.append(document)
    stages = {
        stage: {phase: _median([_timings(document)[stage][phase] for document in documents]) for phase in PHASES}
        for stage in needs
    }
    paths = [_critical_path(_timings(document), needs) for document in documents]
    totals = [document["metrics"]["total_seconds"] * 1000 for document in documents]
    return {
        "runs": runs,
        "stages_ms": stages,
        "total_ms": _median(totals),
        "critical_path_ms": _median(paths),
        "gateway_adds_ms": _median([total - path for total, path in zip(totals, paths, strict=True)]),
        "goal_ms": GOAL_MS,
    }


def _timings(document: dict[str, Any]) -> dict[str, dict[str, float]]:
    return {s["stage"]: {phase: s["timings"].get(phase, 0) * 1000 for phase in PHASES} for s in document["stages"]}


def _critical_path(timings: dict[str, dict[str, float]], needs: dict[str, list[str]]) -> float:
    def ends(stage: str) -> float:
        return sum(timings[stage].values()) + max(map(ends, needs[stage]), default=0.0)

    return max(map(ends, needs))


def _median(values: list[float]) -> float:
    return round(statistics.median(values), 1)


def show(figures: dict[str, Any]) -> None:
    table = Table(
        "stage", *(f"{phase} ms" for phase in PHASES), "sum ms", title=f"median of {figures['runs']} warm runs"
    )
    for stage, phases in figures["stages_ms"].items():
        table.add_row(stage, *(f"{phases[phase]:.0f}" for phase in PHASES), f"{sum(phases.values()):.0f}")
    console = Console()
    console.print(table)
    verdict = "within" if figures["gateway_adds_ms"] <= GOAL_MS else "beyond"
    console.print(
        f"total {figures['total_ms']:.0f} ms, critical path {figures['critical_path_ms']:.0f} ms: the gateway adds "
        f"{figures['gateway_adds_ms']:.0f} ms ({verdict} the goal of {GOAL_MS} ms)"
    )


if __name__ == "__main__":
    main()
