"""Where a training stands, on the disk: written beside its place and renamed, so that a kill leaves a whole one."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import torch

_NAME = re.compile(r"step-(\d{8})\.pt")


class CheckpointBroken(ValueError):
    """A checkpoint cannot be read. Says what to do."""


class Checkpoints:
    """The last few of a folder, and the best one."""

    def __init__(self, folder: Path, keep: int) -> None:
        self._folder, self._keep = folder, keep

    def steps(self) -> list[int]:
        """Of which there is one, in order."""
        names = [_NAME.fullmatch(path.name) for path in self._folder.glob("step-*.pt")]
        return sorted(int(name[1]) for name in names if name)

    def path(self, step: int) -> Path:
        return self._folder / f"step-{step:08}.pt"

    def save(self, step: int, state: dict[str, Any], best: int | None = None) -> None:
        """Write it whole or not at all, then remove all but the last few and the best. Raises OSError."""
        self._folder.mkdir(parents=True, exist_ok=True)
        write_whole(self.path(step), state)
        for old in self.steps()[: -self._keep]:
            if old != best:
                self.path(old).unlink(missing_ok=True)

    def sweep(self) -> None:
        """Remove what a save that was killed has left."""
        for path in self._folder.glob("*.part"):
            path.unlink(missing_ok=True)

    def load(self, step: int) -> dict[str, Any]:
        """On the CPU. Raises CheckpointBroken."""
        return read_whole(self.path(step))


def write_whole(path: Path, state: dict[str, Any]) -> None:
    """torch.save, beside the path and then in its place. Raises OSError."""
    beside = path.with_name(path.name + ".part")
    with beside.open("wb") as file:
        torch.save(state, file)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def read_whole(path: Path) -> dict[str, Any]:
    """What write_whole wrote, on the CPU; nothing in it is executed. Raises CheckpointBroken."""
    try:
        found: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch.load raises whatever the bytes lead to
        raise CheckpointBroken(
            f"'{path}' cannot be read ({error}). Remove it: the training goes on from the one before."
        ) from error
    return found
