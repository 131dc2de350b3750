"""A training step of HR-VITON's image generator on two threads: memory computed and measured, and seconds, plain and ours.

    python -m bench.training [--samples FOLDER] [--only NAME ...] [--sizes 512 1024] [--json FILE]

Needs the environment of the training (`make .venv-training/ready`). Weights are made up; the label map is a real parse. Each
profile steps once in a process of its own, one after the other; the most resident memory of that process counts, less what
it had before the networks were made. Seconds are by the clock and, since other programs may want the cores, of the cores'
own time. What does not fit in the machine's free memory is left out, and the table says so.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from rich.console import Console
from rich.table import Table

from services.tryon.engines.hr_viton.condition import ConditionGenerator
from services.tryon.engines.hr_viton.generator import ImageGenerator, Noise
from services.tryon.engines.hr_viton.inputs import merge
from services.tryon.engines.hr_viton.passage import MERGE
from training.budget import GIB, Budget, budget, free_memory
from training.discriminators import ImageDiscriminator
from training.generator_step import Batch, GeneratorTraining
from training.perceptual import Vgg19
from training.profiles import EIGHT_GB, PLAIN

SAMPLES = Path(os.environ.get("HOWSFIT_SAMPLES", Path(__file__).resolve().parents[2] / "shared" / "samples"))

ROWS = {
    "plain": PLAIN,
    "8gb": EIGHT_GB,
    "8gb, bfloat16": replace(EIGHT_GB, precision="bfloat16"),
    "plain + losses apart": replace(PLAIN, apart=True),
    "plain + checkpoints": replace(PLAIN, checkpoints=True),
    "plain + lookup": replace(PLAIN, lookup=True),
    "8gb without checkpoints": replace(EIGHT_GB, checkpoints=False),
    "8gb without losses apart": replace(EIGHT_GB, apart=False),
    "8gb without channels last": replace(EIGHT_GB, channels_last=False),
    "8gb with both moments": replace(EIGHT_GB, second_moment=False),
}
"""The two profiles, and what each point of them pays."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", type=Path, default=SAMPLES, help="folder in the VITON-HD layout")
    parser.add_argument("--only", nargs="+", choices=ROWS, default=list(ROWS), help="these rows")
    parser.add_argument("--sizes", nargs="+", type=int, default=[512, 1024], help="heights of the pictures")
    parser.add_argument("--json", type=Path, help="write the figures here; other rows that it has stay")
    parser.add_argument("--step", choices=ROWS, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.step:
        print(json.dumps(step(chosen.step, chosen.sizes[0], chosen.samples)))
        return
    rows = json.loads(chosen.json.read_text())["rows"] if chosen.json and chosen.json.exists() else []
    for height in chosen.sizes:
        for name in chosen.only:
            rows = [other for other in rows if (other["name"], other["height"]) != (name, height)]
            rows.append(row(name, height, chosen.samples))
            show(rows)
            if chosen.json:
                chosen.json.parent.mkdir(parents=True, exist_ok=True)
                about = {"torch": torch.__version__, "python": platform.python_version()}
                chosen.json.write_text(json.dumps({"about": about, "rows": rows}, indent=1))


def row(name: str, height: int, samples: Path) -> dict[str, Any]:
    """Computed and measured, of a profile at a size."""
    computed = budget("generator", height, height * 3 // 4, 1, ROWS[name])
    found = {"name": name, "height": height, "computed_gib": computed.total / GIB, "parts": parts(computed)}
    free = free_memory(torch.device("cpu"))
    if 1.2 * computed.total > free:
        return found | {"left_out": f"{free / GIB:.0f} GiB free"}
    command = [
        sys.executable,
        "-m",
        "bench.training",
        "--step",
        name,
        "--sizes",
        str(height),
        "--samples",
        str(samples),
    ]
    return found | json.loads(
        subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()[-1]
    )


def parts(computed: Budget) -> list[dict[str, Any]]:
    return [work._asdict() for work in computed.works]


def step(name: str, height: int, samples: Path) -> dict[str, float]:
    """One step in this process: most resident memory, and seconds."""
    torch.set_num_threads(2)
    torch.manual_seed(1)
    before = resident("VmRSS")
    frozen, training = made_up(name)
    batch = Batch(
        torch.rand(1, 9, height, height * 3 // 4) * 2 - 1,
        labels(samples, height),
        torch.rand(1, 3, height, height * 3 // 4),
    )
    began, busy = time.perf_counter(), time.process_time()
    training.step(batch, Noise(0))
    del frozen
    return {
        "load": os.getloadavg()[0],
        "seconds": time.perf_counter() - began,
        "core_seconds": time.process_time() - busy,
        "peak_gib": (resident("VmHWM") - before) / GIB,
    }


def made_up(name: str) -> tuple[ConditionGenerator, GeneratorTraining]:
    """All networks of the training; the condition generator lies there as it does in a real one."""
    networks = ConditionGenerator(), ImageGenerator(), ImageDiscriminator(), Vgg19()
    with torch.no_grad():
        for network in networks[1:]:
            for array in network.state_dict().values():
                array.normal_(0, 0.02)
    return networks[0], GeneratorTraining(*networks[1:], ROWS[name])


def labels(samples: Path, height: int) -> torch.Tensor:
    """The 7-label map of a real parse."""
    picture = Image.open(samples / "image-parse-v3" / "00006_00.png")
    parse = merge(np.array(picture.resize((height * 3 // 4, height), Image.Resampling.NEAREST)))
    return torch.from_numpy(np.array(MERGE, np.uint8)[parse])[None]


def resident(what: str) -> int:
    """Bytes; not getrusage: its maximum includes the parent's."""
    return int(Path("/proc/self/status").read_text().split(what + ":")[1].split()[0]) * 1024


def show(rows: list[dict[str, Any]]) -> None:
    table = Table("", "height", "computed, GiB", "measured, GiB", "s a picture", "cores' s", "against plain")
    for column in table.columns[1:]:
        column.justify = "right"
    for found in rows:
        cells = [found["name"], str(found["height"]), f"{found['computed_gib']:.2f}"]
        if "left_out" in found:
            table.add_row(*cells, found["left_out"])
            continue
        plain = [other for other in rows if other["name"] == "plain" and other["height"] == found["height"]]
        times = (
            f"{plain[0]['core_seconds'] / found['core_seconds']:.1f} x" if plain and "core_seconds" in plain[0] else ""
        )
        table.add_row(
            *cells, f"{found['peak_gib']:.2f}", f"{found['seconds']:.0f}", f"{found['core_seconds']:.0f}", times
        )
    Console(width=120).print(table)


if __name__ == "__main__":
    main()
