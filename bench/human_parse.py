"""The trained parsers side by side: seconds and memory on their published framework and on ONNX Runtime.

    python -m bench.human_parse WEIGHTS [--models cihp_pgn graphonomy] [--runs 3] [--tag latest] [--cpus N] [--json FILE]

Runs both engines of a model in their containers (built by `docker compose build`, see docs/human_parse.md) and asks them in
turns, so that whatever else the machine does slows both. Wall seconds are those of the engine's run at 256 x 192; CPU seconds
are the process's own, and say more on a busy machine. WEIGHTS is a folder as HOWSFIT_WEIGHTS; made-up weights do as well.
"""

import argparse
import io
import json
import os
import re
import statistics
import subprocess
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx
import numpy as np
from PIL import Image

PHOTO = Path(__file__).resolve().parents[1] / "howsfit" / "samples" / "person.jpg"
MODES = {"six scales": "0.5,0.75,1,1.25,1.5,1.75", "one scale": "1"}
PORTS = (18001, 18002)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("weights", type=Path, help="folder with a folder of weights for each engine")
    parser.add_argument("--models", nargs="+", default=["cihp_pgn"], choices=["cihp_pgn", "graphonomy"])
    parser.add_argument("--runs", type=int, default=3, help="runs of each; the median counts")
    parser.add_argument("--tag", default="latest", help="tag of the images")
    parser.add_argument("--cpus", default=str(os.cpu_count()), help="CPUs that each may use")
    parser.add_argument("--json", type=Path, help="write the figures here")
    arguments = parser.parse_args()
    person = prepared(PHOTO)
    rows = []
    for model in arguments.models:
        for mode, scales in MODES.items():
            rows += compare(model, mode, scales, person, arguments)
    if arguments.json:
        arguments.json.write_text(json.dumps(rows, indent=1))


def prepared(photo: Path) -> bytes:
    buffer = io.BytesIO()
    Image.open(photo).convert("RGB").resize((768, 1024)).save(buffer, "PNG")
    return buffer.getvalue()


def compare(model: str, mode: str, scales: str, person: bytes, arguments: argparse.Namespace) -> list[dict[str, Any]]:
    engines = (model, model + "_onnx")
    with ExitStack() as stack:
        services = [
            stack.enter_context(Service(engine, scales, port, arguments).running())
            for engine, port in zip(engines, PORTS, strict=True)
        ]
        for service in services:
            service.run(person)
        runs = [[service.run(person) for service in services] for _ in range(arguments.runs)]
        rows = []
        for number, service in enumerate(services):
            row = {"engine": service.engine, "mode": mode, "peak_mb": round(service.peak_mb())}
            for key in ("wall_s", "cpu_s"):
                row[key] = round(statistics.median(run[number][key] for run in runs), 2)
            rows.append(row)
            print("{engine:18}{mode:12}{wall_s:8.2f} s wall{cpu_s:8.2f} s CPU{peak_mb:7} MB at most".format(**row))
    equal = float(np.mean(runs[0][0]["parse"] == runs[0][1]["parse"]))
    speedups = {key: round(rows[0][key] / rows[1][key], 2) for key in ("wall_s", "cpu_s")}
    told = f"{speedups['wall_s']:.2f} x faster by the clock, {speedups['cpu_s']:.2f} x by CPU time"
    print(f"{'':18}{mode:12}{told}; labels equal on {equal:.5f} of the pixels")
    rows[1].update(faster=speedups, labels_equal=equal)
    return rows


class Service:
    """One engine in its container."""

    def __init__(self, engine: str, scales: str, port: int, arguments: argparse.Namespace) -> None:
        self.engine, self.name = engine, f"howsfit-bench-{engine}"
        self._image = f"howsfit/human-parse-{engine}:{arguments.tag}"
        options = [
            "--publish",
            f"127.0.0.1:{port}:8000",
            "--cpus",
            arguments.cpus,
            "--env",
            f"HOWSFIT_PARSE_SCALES={scales}",
        ]
        self._options = [*options, "--volume", f"{arguments.weights.resolve()}:/weights:ro"]
        self._client = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=900)

    @contextmanager
    def running(self) -> Any:
        docker("run", "--detach", "--rm", "--name", self.name, *self._options, self._image)
        try:
            while self._state() != "ready":
                time.sleep(1)
            yield self
        finally:
            docker("rm", "--force", self.name)

    def run(self, person: bytes) -> dict[str, Any]:
        before = self._cpu_s()
        answer = self._client.post("/run?artifact=parse", files={"person": person})
        answer.raise_for_status()
        timing = re.search(r"run;dur=([\d.]+)", answer.headers["server-timing"])
        assert timing
        parse = np.array(Image.open(io.BytesIO(answer.content)))
        return {"wall_s": float(timing.group(1)) / 1000, "cpu_s": self._cpu_s() - before, "parse": parse}

    def peak_mb(self) -> float:
        status = docker("exec", self.name, "cat", "/proc/1/status")
        return int(status.split("VmHWM:")[1].split()[0]) / 1024

    def _cpu_s(self) -> float:
        fields = docker("exec", self.name, "cat", "/proc/1/stat").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def _state(self) -> str:
        try:
            answer = self._client.get("/readyz")
        except httpx.TransportError:
            return "starting"
        document: dict[str, str] = answer.json()
        if document.get("state") == "setup_failed":
            raise SystemExit(f"{self.engine}: {document['detail']}")
        return document["status"] if answer.status_code == 200 else "starting"


def docker(*arguments: str) -> str:
    return subprocess.run(["docker", *arguments], check=True, capture_output=True, text=True).stdout


if __name__ == "__main__":
    main()
