"""What was begun of many jobs, and how it ended, so that who is killed at any moment goes on where it was.

A file of lines, each a JSON object, which only grows. A line that was not written whole, at its end, counts as not written.
"""

import fcntl
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any


@dataclass
class Entry:
    """One thing to do."""

    url: str = ""
    """The gateway that was sent it last; empty for the one in this process."""

    job: str = ""
    """The job's id there, as long as the gateway may know it."""

    failures: list[dict[str, Any]] = field(default_factory=list)
    """Why it failed, each time: `code`, `detail`, `stage`."""

    failed: bool = False
    """It failed the last time, and is not tried again by itself."""


class Journal:
    """Use `opened` to have one."""

    def __init__(self, path: Path, file: IO[str]) -> None:
        self.path = path
        self._file = file
        self.entries: dict[str, Entry] = {}
        file.seek(0)
        whole = file.read()
        if whole and not whole.endswith("\n"):
            kept = whole[: whole.rfind("\n") + 1]
            file.truncate(len(kept.encode()))
            whole = kept
        for line in whole.splitlines():
            self._take(json.loads(line))

    def entry(self, name: str) -> Entry:
        return self.entries.get(name) or Entry()

    def began(self, name: str, url: str, job: str) -> None:
        self._write({"name": name, "url": url, "job": job})

    def failed(self, name: str, problem: dict[str, Any]) -> None:
        self._write(
            {"name": name, "failed": {key: problem[key] for key in ("code", "detail", "stage") if key in problem}}
        )

    def again(self, name: str) -> None:
        """What failed is to be tried once more."""
        self._write({"name": name, "again": True})

    def forgotten(self, name: str) -> None:
        """All is written, and the gateway knows nothing of it any more."""
        self._write({"name": name, "forgotten": True})

    def _write(self, line: dict[str, Any]) -> None:
        self._file.write(json.dumps(line, separators=(",", ":")) + "\n")
        self._file.flush()  # to the system: it keeps the line whatever becomes of this process
        self._take(line)

    def _take(self, line: dict[str, Any]) -> None:
        entry = self.entries.setdefault(line["name"], Entry())
        if "job" in line:
            entry.url, entry.job = line["url"], line["job"]
        elif "failed" in line:
            entry.failures.append(line["failed"])
            entry.failed, entry.job = True, ""
        elif "again" in line:
            entry.failed = False
        elif entry.failures:
            entry.failed, entry.job = False, ""
        else:
            del self.entries[line["name"]]  # a set of 50 000 that goes well needs no memory


@contextmanager
def opened(path: Path) -> Iterator[Journal]:
    """The journal in this file, made with its folder where it is not there. Raises ValueError while another command has it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ValueError(f"Another command is at work in '{path.parent.parent}'. Wait for it.") from None
        yield Journal(path, file)
