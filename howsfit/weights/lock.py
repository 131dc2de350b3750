"""weights.lock.json: which licences were accepted, and which files were trusted, by which digest, when, from where.

Engines read it (stagekit.weights); only `howsfit weights` and `howsfit export` write it.
"""

import contextlib
import fcntl
import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from stagekit.manifest import WeightSet
from stagekit.weights import LOCK, digest, read_lock


def accept(folder: Path, weights: WeightSet) -> None:
    """Record that the licence of a set was accepted."""
    with _changing(folder) as lock:
        lock["accepted"][weights.key] = {"licence": weights.licence, "at": _now()}


def accepted(folder: Path, weights: WeightSet) -> bool:
    """Whether this licence of the set was accepted before."""
    entry = read_lock(str(folder))["accepted"].get(weights.key)
    return bool(entry and entry.get("licence") == weights.licence)


def record(folder: Path, engine: str, name: str, trust: str, origin: str) -> None:
    """Record that a file, which lies in its place, is trusted.

    trust: `published` (it has the published digest), `first-use` (none is published; its structure is right), `own` (it was
    chosen in place of the published one) or `made` (by us, from other weights). origin: an address or a path.
    """
    path = folder / engine / name
    found = path.stat()
    with _changing(folder) as lock:
        lock["files"][f"{engine}/{name}"] = {
            "digest": digest(str(path)),
            "size": found.st_size,
            "mtime_ns": found.st_mtime_ns,
            "trust": trust,
            "from": origin,
            "at": _now(),
        }


@contextlib.contextmanager
def _changing(folder: Path) -> Iterator[dict[str, Any]]:
    """The lock file's content, written back whole at the end; who comes meanwhile waits."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / f".{LOCK}.busy").open("w") as busy:
        fcntl.flock(busy, fcntl.LOCK_EX)
        lock = read_lock(str(folder))
        yield lock
        temporary = folder / (LOCK + ".part")
        temporary.write_text(json.dumps(lock, indent=2, sort_keys=True) + "\n")
        temporary.chmod(0o644)  # the services run as somebody else
        os.replace(temporary, folder / LOCK)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
