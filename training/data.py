"""What both trainings learn from: pairs as the published loader gives them, in an order that a step's number decides."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from services.tryon.engines.hr_viton.inputs import merge

PICTURES, MASKS, LABELS = ("person", "cloth", "densepose", "agnostic"), ("cloth_mask",), ("parse", "parse_agnostic")

OF_CONDITION = ("person", "cloth", "cloth_mask", "parse", "parse_agnostic", "densepose")
"""Artifacts that the condition generator is trained on."""

OF_GENERATOR = ("person", "cloth", "cloth_mask", "parse_agnostic", "densepose", "agnostic")
"""Those of the image generator."""


class SampleBroken(ValueError):
    """A file of the data set is not what the training can take. Says which, and what to do."""


class Place(NamedTuple):
    """Bytes of a file: all of them, or a member of an uncompressed tar."""

    path: str
    offset: int = 0
    size: int = -1

    def read(self) -> bytes:
        with open(self.path, "rb") as file:
            file.seek(self.offset)
            return file.read(self.size)


@dataclass(frozen=True)
class Pair:
    """A person in the garment that she wears."""

    name: str
    places: dict[str, Place]
    """Artifact -> where it lies."""


class Pairs(Dataset[dict[str, Any]]):
    """Pairs at one size. An item: `name`, and for each artifact a tensor of uint8: pictures (3, H, W), masks (1, H, W)
    of 0 and 1, labels (H, W) of the 13 ids."""

    def __init__(self, pairs: Sequence[Pair], artifacts: Sequence[str], height: int) -> None:
        """height: of pictures of 3:4."""
        self.pairs, self.artifacts, self.size = list(pairs), tuple(artifacts), (height * 3 // 4, height)

    def __len__(self) -> int:
        return len(self.pairs)

    def __getitem__(self, index: int) -> dict[str, Any]:
        """Raises SampleBroken."""
        pair = self.pairs[index]
        return {"name": pair.name} | {
            artifact: self._read(pair.places[artifact], artifact) for artifact in self.artifacts
        }

    def _read(self, place: Place, artifact: str) -> Tensor:
        try:
            return read(place.read(), artifact, self.size)
        except (OSError, SyntaxError, ValueError, IndexError) as error:
            raise SampleBroken(
                f"{artifact} in '{place.path}' cannot be taken ({error}). `howsfit dataset check` tells of every file what is "
                "wrong with it, and how to mend it."
            ) from error


def read(data: bytes, artifact: str, size: tuple[int, int]) -> Tensor:
    """An artifact's bytes as the published loader brings them to a size: pictures bilinear over all that a pixel covers, masks
    and labels by the pixel in the middle. size: width and height, 3:4. Raises OSError, ValueError, IndexError."""
    with Image.open(io.BytesIO(data)) as opened:
        if opened.width * 4 != opened.height * 3:
            raise ValueError(f"it has {opened.width} x {opened.height} pixels, which is not 3:4")
        if artifact in PICTURES:
            return torch.from_numpy(
                _sized(opened.convert("RGB"), size, Image.Resampling.BILINEAR).transpose(2, 0, 1).copy()
            )
        if artifact in MASKS:
            return torch.from_numpy(
                (_sized(opened.convert("L"), size, Image.Resampling.NEAREST) >= 128).astype(np.uint8)[None]
            )
        return torch.from_numpy(merge(_sized(opened, size, Image.Resampling.NEAREST)))


def _sized(picture: Image.Image, size: tuple[int, int], how: Image.Resampling) -> np.ndarray:
    return np.array(picture if picture.size == size else picture.resize(size, how))


class Order:
    """Which pairs each step takes: all of them in a drawn order, then again in another, the last incomplete batch dropped.

    A step's pairs follow from its number, so that a training goes on anywhere.
    """

    def __init__(self, count: int, batch: int, seed: int) -> None:
        """batch: of all processes together. Raises ValueError for fewer pairs than that."""
        if count < batch:
            raise ValueError(f"There are {count} pairs, fewer than a batch of {batch}. Take a smaller --batch.")
        self._count, self._batch, self._seed = count, batch, seed

    @property
    def steps(self) -> int:
        """Of a round through all pairs."""
        return self._count // self._batch

    def of(self, step: int) -> list[int]:
        """step: from 0."""
        turn, at = divmod(step, self.steps)
        return _shuffled(self._count, self._seed, turn)[at * self._batch : (at + 1) * self._batch].tolist()


@lru_cache(maxsize=4)
def _shuffled(count: int, seed: int, turn: int) -> np.ndarray:
    return np.random.default_rng((seed, turn)).permutation(count)


class _Steps:
    """The batches of some steps, this process's share of each."""

    def __init__(self, order: Order, steps: range, rank: int, ranks: int) -> None:
        self._order, self._steps, self._rank, self._ranks = order, steps, rank, ranks

    def __len__(self) -> int:
        return len(self._steps)

    def __iter__(self) -> Iterator[list[int]]:
        for step in self._steps:
            batch = self._order.of(step)
            share = len(batch) // self._ranks
            yield batch[self._rank * share : (self._rank + 1) * share]


def batches(
    pairs: Pairs, order: Order, steps: range, workers: int, rank: int = 0, ranks: int = 1, pinned: bool = False
) -> Iterator[dict[str, Any]]:
    """A batch for each of the steps, read ahead by `workers` processes; 0: by this one. rank, ranks: this process among all.

    Raises SampleBroken.
    """
    loader: DataLoader[dict[str, Any]] = DataLoader(
        pairs, batch_sampler=_Steps(order, steps, rank, ranks), num_workers=workers, pin_memory=pinned,
        prefetch_factor=4 if workers else None,
    )  # fmt: skip
    try:
        yield from loader
    except SampleBroken as error:  # a worker's comes with all that it was about
        raise SampleBroken(str(error).rpartition("SampleBroken: ")[2].strip()) from None


def first(pairs: Pairs, count: int) -> dict[str, Any]:
    """The first so many as a batch."""
    chosen: dict[str, Any] = torch.utils.data.default_collate([pairs[i] for i in range(min(count, len(pairs)))])
    return chosen


def scaled(picture: Tensor) -> Tensor:
    """uint8 to -1..1."""
    return picture.float() / 127.5 - 1


def on(batch: dict[str, Any], device: torch.device) -> dict[str, Any]:
    """The batch with its tensors on a device."""
    return {
        name: value.to(device, non_blocking=True) if isinstance(value, Tensor) else value
        for name, value in batch.items()
    }
