"""The engines that paint in steps: seconds of a step and memory, ours against the plain wiring of the same network.

    python -m bench.engines [ENGINE ...] [--rounds N] [--json FILE]

Needs an environment with Torch, for some engines with more: those that lack something are left out. Weights are made up.
Each way runs in a process of its own, ours and the plain one alive at the same time and asked in turns, so that other load
on the machine meets both; the least time of each counts.

On a processor, two threads: float32, and bfloat16 where it multiplies that; of each network only as many blocks as the
table says, in their true size, and what a step of the whole network would take by its multiply-adds. Memory is the most
that the process had of its own, pages of the file of weights not counted. On CUDA: the whole network in bfloat16, seconds a
picture at 30 and 8 steps, 1 and 4 samples in a batch, and the most memory of the card.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import json
import os
import pkgutil
import platform
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import torch

import bench.wired
from stagekit.torch_device import multiplies_bfloat16

WAYS = {"plain": "Plain", "ours": "Ours"}
ON_CARD = [(steps, count) for steps in (30, 8) for count in (1, 4)]
DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16}
THREADS = 2


def main() -> None:
    names = [module.name for module in pkgutil.iter_modules(bench.wired.__path__)]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("engines", nargs="*", metavar="ENGINE", help=f"of {', '.join(names)}; all by default")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", type=Path, help="write the figures here")
    parser.add_argument("--child", nargs=5, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    torch.set_grad_enabled(False)
    torch.set_num_threads(THREADS)
    if chosen.child:
        return serve(*chosen.child)
    if unknown := set(chosen.engines) - set(names):
        parser.error(f"there is no {', '.join(sorted(unknown))}; there are {', '.join(names)}")
    device = "cuda" if torch.cuda.is_available() else "cpu"
    engines = [name for name in chosen.engines or names if usable(name)]
    figures = {name: measure(name, device, chosen.rounds) for name in engines}
    show(figures)
    if chosen.json:
        about = {"torch": torch.__version__, "python": platform.python_version(), "load": os.getloadavg()[0]}
        about["device"] = torch.cuda.get_device_name() if device == "cuda" else f"cpu, {THREADS} threads"
        chosen.json.parent.mkdir(parents=True, exist_ok=True)
        chosen.json.write_text(json.dumps({"about": about, **figures}, indent=1))


def usable(engine: str) -> bool:
    """Whether the packages that it needs are here."""
    try:
        wired(engine)
    except ImportError as error:
        print(f"{engine} is left out: {error}")
        return False
    return True


def wired(engine: str) -> Any:
    return importlib.import_module(f"bench.wired.{engine}")


def measure(engine: str, device: str, rounds: int) -> dict[str, Any]:
    """What stays of the network, and precision -> way -> its figures."""
    on_card = device == "cuda"
    precisions = ["bf16"] if on_card else ["fp32", "bf16"] if multiplies_bfloat16() else ["fp32"]
    figures: dict[str, Any] = {} if on_card else {"blocks": wired(engine).REDUCED, "share": wired(engine).SHARE}
    with tempfile.TemporaryDirectory() as folder:
        # In a process of its own: what it used is then no part of what is measured, or of the card.
        subprocess.run([*CHILD, engine, "write", folder, device, "-"], check=True)
        for precision in precisions:
            ways = {way: Child(engine, way, folder, device, precision) for way in WAYS}
            figures[precision] = turns(engine, ways, ON_CARD if on_card else [()], rounds)
            figures[precision]["apart"] = apart(Path(folder))
    return figures


CHILD = [sys.executable, "-m", "bench.engines", "--child"]


class Child:
    """One way in a process of its own, which does one thing after the other."""

    def __init__(self, *arguments: str) -> None:
        pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        self._process = subprocess.Popen([*CHILD, *arguments], **pipes)

    def ask(self, *what: int) -> dict[str, float]:
        """The seconds and the MiB so far, of a step or of (steps, count) pictures. Raises RuntimeError when it has died."""
        print(json.dumps(what), file=self._process.stdin, flush=True)
        answer = self._process.stdout.readline()
        if not answer:
            raise RuntimeError(f"{' '.join(self._process.args)} ended with {self._process.wait()}")
        return json.loads(answer)

    def end(self) -> None:
        self._process.stdin.close()
        self._process.wait()


def turns(engine: str, ways: dict[str, Child], tasks: list[tuple[int, ...]], rounds: int) -> dict[str, Any]:
    """Way -> seconds by task, least of the rounds, and MiB."""
    figures: dict[str, Any] = {way: {} for way in ways}
    for task in tasks:
        name = "step" if not task else f"{task[0]} steps, {task[1]} at once"
        told = [{way: child.ask(*task) for way, child in ways.items()} for _ in range(rounds + 1)]
        for way in ways:
            # The first round warms up.
            figures[way][name] = {"seconds": round(min(each[way]["seconds"] for each in told[1:]), 3)}
            figures[way][name]["mib"] = round(told[-1][way]["mib"])
        print(f"{engine}, {name}: " + ", ".join(f"{w} {figures[w][name]['seconds']:.2f} s" for w in ways), flush=True)
    for child in ways.values():
        child.end()
    return figures


def serve(engine: str, way: str, folder: str, device: str, precision: str) -> None:
    """In a child: do what each line asks for."""
    on_card = device == "cuda"
    if way == "write":
        return wired(engine).write(Path(folder), not on_card)
    memory = CardMemory() if on_card else OwnMemory()
    network = getattr(wired(engine), WAYS[way])(Path(folder), not on_card, torch.device(device), DTYPES[precision])
    for line in sys.stdin:
        task = json.loads(line)
        began = time.perf_counter()
        made = (network.pictures(*task) if task else network.step()).float().cpu()  # waits for the card
        seconds = time.perf_counter() - began
        torch.save(made, Path(folder) / f"{way}.pt")
        print(json.dumps({"seconds": seconds, "mib": memory.most / 2**20}), flush=True)


def apart(folder: Path) -> float:
    """The largest difference of what both made at last, as a share of its spread."""
    plain, ours = (torch.load(folder / f"{way}.pt") for way in WAYS)
    return float((ours - plain).abs().max() / plain.std())


class OwnMemory:
    """The most memory in bytes that this process has had, without pages of files."""

    def __init__(self) -> None:
        self.most = 0
        threading.Thread(target=self._watch, daemon=True).start()

    def _watch(self) -> None:
        while True:
            held = int(Path("/proc/self/status").read_text().split("RssAnon:")[1].split()[0])
            self.most = max(self.most, held * 1024)
            time.sleep(0.01)


class CardMemory:
    """The most of the card's memory in bytes that arrays of this process have had."""

    @property
    def most(self) -> int:
        return torch.cuda.max_memory_allocated()


def show(figures: dict[str, Any]) -> None:
    for engine, found in figures.items():
        share = found.get("share", 1)
        print(f"\n{engine}" + (f": {found['blocks']}; {share:.1%} of the work" if "blocks" in found else ""))
        for precision, ways in found.items():
            if precision not in DTYPES:
                continue
            print(f"{precision}, apart {ways['apart']:.1e}")
            for task in ways["plain"]:
                for way in WAYS:
                    row = ways[way][task]
                    faster = ways["plain"][task]["seconds"] / row["seconds"]
                    whole = f", {row['seconds'] / share:.0f} s the whole network" if share < 1 else ""
                    print(f"  {task:22}{way:6} {row['seconds']:8.2f} s {faster:5.2f} x {row['mib']:7} MiB{whole}")


if __name__ == "__main__":
    main()
