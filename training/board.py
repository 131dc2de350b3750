"""What a training shows while it runs: TensorBoard's scalars and pictures, and a line of losses for each step."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F
from torch.utils.tensorboard import SummaryWriter

TALLEST = 384
"""Pixels of a picture in a grid."""


class Board:
    """Goes on where the training does: what was written of later steps is forgotten."""

    def __init__(self, folder: Path, step: int) -> None:
        self._writer = SummaryWriter(str(folder), purge_step=step + 1, flush_secs=30)

    def scalars(self, group: str, step: int, values: dict[str, float]) -> None:
        for name, value in values.items():
            self._writer.add_scalar(f"{group}/{name}", value, step)

    def picture(self, name: str, step: int, pixels: np.ndarray) -> None:
        """pixels: uint8 (H, W, 3)."""
        self._writer.add_image(name, pixels, step, dataformats="HWC")

    def close(self) -> None:
        self._writer.close()


class Lines:
    """A JSON line for each step, nothing of clocks in it, so that equal trainings write equal files.

    Lines of later steps than the training goes on from are forgotten.
    """

    def __init__(self, path: Path, step: int) -> None:
        """step: how many were done."""
        there = path.read_bytes().splitlines(keepends=True) if path.exists() else []
        # A kill may have left half a line.
        path.write_bytes(b"".join(line for line in there if line.endswith(b"\n") and json.loads(line)["step"] <= step))
        self._file = path.open("a")

    def add(self, step: int, values: dict[str, float]) -> None:
        """step: how many were done, this one included."""
        self._file.write(json.dumps({"step": step, **values}) + "\n")
        self._file.flush()

    def close(self) -> None:
        self._file.close()


def grid(columns: list[Tensor]) -> np.ndarray:
    """Pictures of pairs side by side, a row for each pair. columns: (N, 3, H, W) in -1..1 of one N. uint8 (H, W, 3)."""
    height = min(TALLEST, max(column.shape[2] for column in columns))
    size = (height, height * 3 // 4)
    shown = [F.interpolate(column.float().cpu(), size, mode="area") for column in columns]
    rows = torch.cat(shown, 3).permute(0, 2, 3, 1).flatten(0, 1)
    return pixels(rows)


def pixels(values: Tensor) -> np.ndarray:
    """-1..1 to uint8, cut off, not rounded, as the engine does."""
    array: np.ndarray = ((values + 1) * 127.5).clamp(0, 255).to(torch.uint8).cpu().numpy()
    return array
