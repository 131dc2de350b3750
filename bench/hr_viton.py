"""HR-VITON's image generator at 1024 x 768 on two threads: the plain network, ours, and the plain one exported to OpenVINO.

    python -m bench.hr_viton [--samples FOLDER] [--rounds N] [--openvino] [--json FILE]

Needs an environment with Torch (`make .venv-torch2/ready`), and for --openvino the package openvino. Weights are
made up, noise included; the label map is a real parse. All run in one process on the same inputs, in turns, so that other
load on the machine meets all of them; the least time of each counts. Peak memory is measured in a process of its own each.
The plain network runs twice: as Torch runs it, and with freed memory kept in the process as the fast path keeps it, which
alone makes it a good deal faster.
"""

import argparse
import ctypes
import json
import math
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from services.tryon.engines.hr_viton.fast import FastGenerator
from services.tryon.engines.hr_viton.generator import BLOCKS, ImageGenerator, Noise
from services.tryon.engines.hr_viton.inputs import merge
from services.tryon.engines.hr_viton.memory import keep_freed_memory
from services.tryon.engines.hr_viton.passage import MERGE
from tests.parity.hr_viton import filled

SAMPLES = Path(os.environ.get("HOWSFIT_SAMPLES", Path(__file__).resolve().parents[2] / "shared" / "samples"))
SIZE = (1024, 768)
MULTIPLY_ADDS = 147e9
"""Of the convolutions that are left when the modulation is looked up."""

KEEPS_MEMORY = {"plain, kept", "fp32", "bf16"}

Draw = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", type=Path, default=SAMPLES, help="folder in the VITON-HD layout")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument(
        "--openvino", action="store_true", help="also the plain network on OpenVINO, float32 and bfloat16"
    )
    parser.add_argument("--json", type=Path, help="write the figures here")
    parser.add_argument("--peak", choices=("plain", "fp32", "bf16"), help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    torch.set_grad_enabled(False)
    torch.set_num_threads(2)
    inputs = picture(), labels(chosen.samples)
    if chosen.peak:
        keep_freed_memory() if chosen.peak in KEEPS_MEMORY else None
        makers(made_up())[chosen.peak]()(*inputs)
        # Not getrusage: its maximum includes the parent's.
        print(int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0]) / 1024)
        return
    figures = measure(made_up(), inputs, chosen)
    for name in [name for name in figures if name in ("plain", "fp32", "bf16")]:
        figures[name]["peak_mib"] = round(peak(name, chosen.samples))
    show(figures)
    if chosen.json:
        about = {"torch": torch.__version__, "python": platform.python_version(), "load": os.getloadavg()[0]}
        chosen.json.parent.mkdir(parents=True, exist_ok=True)
        chosen.json.write_text(json.dumps({"about": about, **figures}, indent=1))


def made_up() -> ImageGenerator:
    """The generator with made-up weights, and noise as loud as a tenth of the signal."""
    network = filled("gen", ImageGenerator())
    random = torch.Generator().manual_seed(1)
    for name, parameter in network.named_parameters():
        if name.endswith("noise_scale"):
            parameter.copy_(0.1 * torch.randn(parameter.shape, generator=random))
    return network


def picture() -> torch.Tensor:
    return torch.rand(1, 9, *SIZE, generator=torch.Generator().manual_seed(2)) * 2 - 1


def labels(samples: Path) -> torch.Tensor:
    """The 7-label map of a real parse."""
    parse = merge(np.array(Image.open(samples / "image-parse-v3" / "00006_00.png")))
    return torch.from_numpy(np.array(MERGE, np.uint8)[parse])[None]


def makers(network: ImageGenerator) -> dict[str, Callable[[], Draw]]:
    made: dict[str, Callable[[], Draw]] = {"plain": lambda: network, "fp32": lambda: FastGenerator(network)}
    if int(torch.__version__.split(".")[0]) >= 2:
        made["bf16"] = lambda: FastGenerator(network, torch.bfloat16)
    return made


def measure(network: ImageGenerator, inputs: tuple, chosen: argparse.Namespace) -> dict[str, Any]:
    """Name -> seconds (each round's), max_difference and psnr_db against the plain network."""
    draws = {name: make() for name, make in makers(network).items()}
    if chosen.openvino:
        draws.update(openvino_draws(network, inputs))
    draws = {"plain": draws["plain"], "plain, kept": draws["plain"], **draws}
    figures: dict[str, Any] = {name: {"seconds": []} for name in draws}
    reference = None
    for number in range(chosen.rounds + 1):
        for name, draw in draws.items():
            keep_freed_memory() if name in KEEPS_MEMORY else return_freed_memory()
            began = time.perf_counter()
            drawn = draw(*inputs)
            seconds = time.perf_counter() - began
            if number:  # the first round warms up
                figures[name]["seconds"].append(round(seconds, 2))
            else:
                reference = drawn if reference is None else reference
                difference = (drawn - reference).abs()
                figures[name]["max_difference"] = float(difference.max())
                figures[name]["psnr_db"] = (
                    float(10 * torch.log10(4 / (difference**2).mean())) if name != "plain" else None
                )
            print(f"round {number}: {name:14} {seconds:.2f} s", flush=True)
    return figures


class Exported(torch.nn.Module):
    """The plain network with noise drawn beforehand: an export knows no random generator, and takes it for constants."""

    def __init__(self, network: ImageGenerator) -> None:
        super().__init__()
        self.network = network
        noise = Noise(0)
        counts = [2 if inputs == outputs else 3 for _, inputs, outputs in BLOCKS]
        self.planes = [
            noise.plane(1, SIZE[0] // 128 << i, SIZE[1] // 128 << i)
            for i, count in enumerate(counts)
            for _ in range(count)
        ]

    def forward(self, picture: torch.Tensor, parse: torch.Tensor) -> torch.Tensor:
        return self.network.with_noise(picture, parse, Drawn(self.planes))


class Drawn(Noise):
    """Noise drawn beforehand."""

    def __init__(self, planes: list[torch.Tensor]) -> None:
        self._planes = iter(planes)

    def draw(self, x: torch.Tensor) -> torch.Tensor:
        return next(self._planes)


def openvino_draws(network: ImageGenerator, inputs: tuple) -> dict[str, Draw]:
    """The plain network, its noise included as a constant, on OpenVINO as a user would export it."""
    import openvino

    with tempfile.TemporaryDirectory() as folder:
        traced = torch.jit.trace(Exported(network), inputs, check_trace=False)
        model = openvino.convert_model(traced, example_input=inputs)
        openvino.save_model(model, Path(folder) / "plain.xml", compress_to_fp16=False)
        core = openvino.Core()
        read = core.read_model(Path(folder) / "plain.xml")
        options = {"INFERENCE_NUM_THREADS": 2, "PERFORMANCE_HINT": "LATENCY"}
        compiled = {
            kind: core.compile_model(read, "CPU", {**options, "INFERENCE_PRECISION_HINT": kind})
            for kind in ("f32", "bf16")
        }

    def draws(kind: str) -> Draw:
        return lambda *given: torch.from_numpy(compiled[kind]([value.numpy() for value in given])[0])

    return {"openvino " + kind: draws(kind) for kind in compiled}


def return_freed_memory() -> None:
    """What glibc does by itself once large arrays have come and gone: these are its own upper limits."""
    libc = ctypes.CDLL(None)
    m_trim_threshold, m_mmap_threshold, m_mmap_max = -1, -3, -4
    libc.mallopt(m_mmap_max, 65536)
    libc.mallopt(m_mmap_threshold, 32 << 20)
    libc.mallopt(m_trim_threshold, 64 << 20)
    libc.malloc_trim(0)


def peak(name: str, samples: Path) -> float:
    """Most memory in MiB of a process that makes one picture."""
    command = [sys.executable, "-m", "bench.hr_viton", "--peak", name, "--samples", str(samples)]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()[-1])


def show(figures: dict[str, Any]) -> None:
    plain = min(figures["plain"]["seconds"])
    print(f"{'':14}{'s':>8}{'x':>8}{'max diff':>10}{'dB':>8}{'MiB':>8}{'GMAC/s':>8}")
    for name, row in figures.items():
        best = min(row["seconds"])
        row["times_faster"] = round(plain / best, 2)
        quality = f"{row['psnr_db']:.1f}" if 0 < (row["psnr_db"] or 0) < math.inf else "-"
        print(
            f"{name:14}{best:8.2f}{plain / best:8.2f}{row['max_difference']:10.1e}{quality:>8}"
            f"{row.get('peak_mib', '-'):>8}{MULTIPLY_ADDS / best / 1e9:8.0f}"
        )


if __name__ == "__main__":
    main()
