"""How fast `howsfit dataset check` is, and what memory it takes: files a second with all cores and with one, at several sizes.

    python -m bench.dataset [--files 10000] [--workers N] [--set FOLDER] [--json FILE]

Checks sets that are drawn for it (howsfit/dataset/drawn.py), of a tenth of the files and of all, in processes of their own.
The drawn pairs are given further names by hard links, so that 10,000 files take little room on the disk; each is read and
looked at all the same. `memory` is the most that all processes together had at a time, by their proportional set sizes; it
should be the same for a tenth of the files. The goal: at most 15 % more; and that all cores together spend at most half more
on a file than one does alone. How much faster they are depends on what else the machine does meanwhile.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

from howsfit.dataset.drawn import draw_set, write_lists
from howsfit.dataset.layout import PLACES, path_of
from howsfit.dataset.pool import cores

DRAWN = 20
"""Pairs that are drawn; the rest are links to them."""
MOST_GROWTH = 1.15
MOST_WASTE = 1.5
_PROGRAM = (
    "import sys; from pathlib import Path; from howsfit.dataset.checks.run import check; "
    "report = check(Path(sys.argv[1]), int(sys.argv[2])); print(report.files, report.seconds)"
)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=10_000)
    parser.add_argument("--workers", type=int, default=cores())
    parser.add_argument("--set", type=Path, help="a folder in the VITON-HD layout instead of a drawn one")
    parser.add_argument("--json", type=Path, help="write the figures here")
    arguments = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as made:
        for files in (arguments.files // 10, arguments.files) if arguments.set is None else (0,):
            root = arguments.set or Path(made, str(files))
            if arguments.set is None:
                draw_linked(root, files // len(PLACES))
            rows += [measure(root, workers) for workers in (1, arguments.workers)]
            if arguments.set is None:
                shutil.rmtree(root)
    print(f"{'files':>8}{'workers':>9}{'seconds':>9}{'files/s':>9}{'CPU s':>8}{'memory MB':>11}")
    for row in rows:
        print("{files:>8}{workers:>9}{seconds:>9.1f}{rate:>9.0f}{cpu_s:>8.1f}{memory_mb:>11.0f}".format(**row))
    if arguments.json:
        arguments.json.write_text(json.dumps(rows, indent=1))
    return int(arguments.set is None and missed(rows))


def draw_linked(root: Path, pairs: int) -> None:
    """So many pairs in root/train, of which only the first are drawn."""
    draw_set(root, train=min(pairs, DRAWN), test=0)
    names = [f"{number:05}_00" for number in range(1, pairs + 1)]
    for number, name in enumerate(names[DRAWN:]):
        for artifact in PLACES:
            path_of(root, "train", artifact, name).hardlink_to(path_of(root, "train", artifact, names[number % DRAWN]))
    write_lists(root, "train", names)


def measure(root: Path, workers: int) -> dict[str, Any]:
    before = os.times()
    program = subprocess.Popen([sys.executable, "-c", _PROGRAM, root, str(workers)], stdout=subprocess.PIPE, text=True)
    most = [0]

    def watch() -> None:
        while program.poll() is None:
            most[0] = max(most[0], sum(map(_proportional, _family(program.pid))))
            time.sleep(0.2)

    watcher = threading.Thread(target=watch)
    watcher.start()
    told, _ = program.communicate()
    watcher.join()
    if program.returncode:
        raise SystemExit(f"The check ended with {program.returncode}.")
    files, seconds = told.split()
    after = os.times()
    return {
        "files": int(files),
        "workers": workers,
        "seconds": float(seconds),
        "rate": int(files) / float(seconds),
        "cpu_s": after.children_user + after.children_system - before.children_user - before.children_system,
        "memory_mb": most[0] / 1e6,
    }


def missed(rows: list[dict[str, Any]]) -> bool:
    """Whether a figure is below its goal."""
    few_alone, few_together, alone, together = rows
    grown = ((few_alone, alone), (few_together, together))
    flat = all(more["memory_mb"] <= MOST_GROWTH * few["memory_mb"] for few, more in grown)
    return not flat or together["cpu_s"] > MOST_WASTE * alone["cpu_s"]


def _family(pid: int) -> list[int]:
    """A process and all that came of it."""
    found = [pid]
    for each in found:
        try:
            tasks = os.listdir(f"/proc/{each}/task")
            children = [Path(f"/proc/{each}/task/{task}/children").read_text().split() for task in tasks]
        except OSError:  # it ended
            continue
        found += [int(child) for listed in children for child in listed]
    return found


def _proportional(pid: int) -> int:
    """Bytes: what a process has alone, and its share of what it shares."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))


if __name__ == "__main__":
    raise SystemExit(main())
