"""The loop of a training, on one card or several: it may be killed at any moment, and goes on to the same end."""

from __future__ import annotations

import math
import resource
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from accelerate import Accelerator
from accelerate.utils import broadcast
from torch import Tensor, nn

from training.average import Average
from training.board import Board, Lines, grid, pixels
from training.checkpoints import Checkpoints, write_whole
from training.data import Order, Pairs, batches, first, on
from training.settings import Settings, differences
from training.tasks import Task

FORMAT = 1
LOSSES, JUDGED = "losses.jsonl", "judged.jsonl"
"""A line for each step, and one for each time that it was judged."""

BUCKET = 1 << 24
"""Numbers that processes exchange at once."""

Judge = Callable[[int, list[str], np.ndarray, np.ndarray], dict[str, float]]
"""Called with the step, names, and pictures and truths as uint8 (N, H, W, 3); gives mean measures by name."""


class NotFinite(ValueError):
    """A loss or a weight is no number any more."""


class OtherTraining(ValueError):
    """The folder holds a training with other settings."""


@dataclass(frozen=True)
class Rhythm:
    """After how many steps what is done; 0: never."""

    save: int = 1000
    look: int = 500
    """Pictures of the fixed pairs."""
    judge: int = 1000
    tell: int = 20
    keep: int = 3
    """Checkpoints, besides the best."""
    workers: int = 4
    shown: int = 4
    """Fixed pairs that are looked at."""
    judged: int = 64
    """Held-out pairs that are judged by."""


@dataclass(frozen=True)
class Pace:
    """How fast it goes."""

    pictures_a_second: float
    waiting: float
    """Share of the time that was spent waiting for data."""
    allocated: float
    reserved: float
    """GiB at most; on a CPU both are the process's."""


@dataclass(frozen=True)
class Listener:
    """Whom the trainer tells. Only the first process tells."""

    began: Callable[[int, int], None] = lambda step, steps: None
    stepped: Callable[[int, dict[str, float], Pace], None] = lambda step, terms, pace: None
    judged: Callable[[int, dict[str, float]], None] = lambda step, measures: None


class Trainer:
    """Trains a task in a folder."""

    def __init__(
        self,
        folder: Path,
        settings: Settings,
        task: Task,
        pairs: Pairs,
        held_out: Pairs | None,
        accelerator: Accelerator,
        rhythm: Rhythm = Rhythm(),
        judge: Judge | None = None,
        listener: Listener = Listener(),
    ) -> None:
        """held_out: pairs that are never learned from. judge: measures what the average makes of them."""
        self._folder, self._settings, self._task, self._pairs, self._held_out = folder, settings, task, pairs, held_out
        self._accelerator, self._rhythm, self._judge, self._listener = accelerator, rhythm, judge, listener
        self._order = Order(len(pairs), settings.batch, settings.seed)
        if settings.batch % accelerator.num_processes:
            raise ValueError(
                f"A batch of {settings.batch} cannot be shared by {accelerator.num_processes} processes evenly."
            )
        self._checkpoints = Checkpoints(folder / "checkpoints", rhythm.keep)
        lean = settings.profile != "plain"  # the average waits in main memory, and is brought there now and then
        self._average = Average(
            task.generator, settings.average, 8 if lean else 1, torch.device("cpu") if lean else None
        )
        self._best: dict[str, float] = {}
        self._rates = [float(stepper.optimiser.param_groups[0]["lr"]) for stepper in task.steppers.values()]
        if accelerator.num_processes > 1:
            for stepper in task.steppers.values():
                stepper.after_backward = self._exchange_gradients

    def train(self) -> None:
        """To the last step. Raises NotFinite, OtherTraining, CheckpointBroken, SampleBroken, OSError."""
        done = self._resume()
        steps = range(done, self._settings.steps)
        main = self._accelerator.is_main_process
        self._board = Board(self._folder / "board", done) if main else None
        self._losses = Lines(self._folder / LOSSES, done) if main else None
        self._judged = Lines(self._folder / JUDGED, done) if main else None
        if main:
            self._listener.began(done, self._settings.steps)
            if done == 0:
                self._look(0)
        try:
            self._run(steps)
        finally:
            for kept in (self._board, self._losses, self._judged):
                if kept is not None:
                    kept.close()

    def _run(self, steps: range) -> None:
        rank, ranks = self._accelerator.process_index, self._accelerator.num_processes
        pinned = self._accelerator.device.type == "cuda"
        loaded = batches(self._pairs, self._order, steps, self._rhythm.workers, rank, ranks, pinned)
        clock = _Clock(self._settings.batch)
        for step in steps:
            with clock.waiting():
                batch = next(loaded)
            terms = self._step(step, on(batch, self._accelerator.device), batch)
            self._average.update(step + 1)
            self._tell(step + 1, terms, clock)
            self._now_and_then(step + 1)
            if step == steps[0]:
                clock = _Clock(self._settings.batch)  # workers and libraries have begun

    def _step(self, step: int, batch: dict[str, Any], given: dict[str, Any]) -> dict[str, float]:
        """Every random number of a step follows from its number."""
        seed = _seed(self._settings.seed, step, self._accelerator.process_index)
        torch.manual_seed(seed)
        for stepper, rate in zip(self._task.steppers.values(), self._rates, strict=True):
            for group in stepper.optimiser.param_groups:
                group["lr"] = rate * self._settings.factor(step)
        terms = self._task.step(batch, seed)
        if self._accelerator.num_processes > 1:
            mean: Any = self._accelerator.reduce(
                torch.tensor(list(terms.values()), device=self._accelerator.device), "mean"
            )
            terms = dict(zip(terms, mean.tolist(), strict=True))
        if wrong := [name for name, term in terms.items() if not math.isfinite(term)]:
            self._give_up(step, given, f"the losses {', '.join(wrong)} are no numbers")
        return terms

    def _give_up(self, step: int, batch: dict[str, Any], why: str) -> None:
        rank = self._accelerator.process_index
        path = self._folder / f"not-finite-step-{step:08}{f'-{rank}' if rank else ''}.pt"
        write_whole(path, {"step": step, "seed": self._settings.seed, "why": why, "batch": batch})
        last = self._checkpoints.steps()[-1:]
        raise NotFinite(
            f"In step {step + 1} {why}. '{path}' holds the batch ({', '.join(batch['name'][:4])}). Look at these pairs; "
            "else begin anew with a lower --rate, or in full --precision. The last checkpoint, of step "
            f"{last[0] if last else 0}, is sound."
        )

    def _now_and_then(self, done: int) -> None:
        last = done == self._settings.steps

        def due(every: int) -> bool:
            return bool(every) and (done % every == 0 or last)

        if due(self._rhythm.look) and self._accelerator.is_main_process:
            self._look(done)
        if due(self._rhythm.judge):
            measures = self._judge_now(done)
            value = measures.get(self._task.best_by, -math.inf)
            if due(self._rhythm.save) and value > self._best.get("value", -math.inf):
                self._best = {"step": float(done), "value": value}
        if due(self._rhythm.save):
            self._save(done)

    # -- what is kept --------------------------------------------------------------------------------------------------

    def _save(self, done: int) -> None:
        self._share_buffers()
        wrong = [
            f"{side}.{name}"
            for side, network in self._task.networks.items()
            for name, array in network.state_dict().items()
            if not bool(torch.isfinite(array).all())
        ]
        if wrong:
            raise NotFinite(
                f"After step {done} the weights {', '.join(wrong[:3])} are no numbers. The last checkpoint is sound: begin "
                "anew with a lower --rate, or in full --precision."
            )
        if self._accelerator.is_main_process:
            state = {
                "format": FORMAT,
                "step": done,
                "settings": self._settings.document(),
                "networks": {side: network.state_dict() for side, network in self._task.networks.items()},
                "steppers": {side: stepper.state_dict() for side, stepper in self._task.steppers.items()},
                "average": self._average.state(),
                "best": self._best,
            }
            self._checkpoints.save(done, state, int(self._best["step"]) if self._best else None)
        self._accelerator.wait_for_everyone()

    def _resume(self) -> int:
        """How many steps were done."""
        if self._accelerator.is_main_process:
            self._checkpoints.sweep()
        self._accelerator.wait_for_everyone()
        there = self._checkpoints.steps()
        if not there:
            return 0
        state = self._checkpoints.load(there[-1])
        if told := differences(state["settings"], self._settings):
            raise OtherTraining(
                f"'{self._folder}' holds a training with other settings ({'; '.join(told)}). Say the same, or name "
                "another folder."
            )
        for side, network in self._task.networks.items():
            network.load_state_dict(state["networks"][side])
        for side, stepper in self._task.steppers.items():
            stepper.load_state_dict(state["steppers"][side])
        self._average.load(state["average"])
        self._best = state["best"]
        return int(state["step"])

    # -- what is looked at ---------------------------------------------------------------------------------------------

    def _look(self, done: int) -> None:
        """Pictures of the fixed pairs: in their own garment, and in the next one's."""
        pairs = self._held_out or self._pairs
        batch = on(first(pairs, self._rhythm.shown), self._accelerator.device)
        with self._average.shown():
            own = self._task.make(batch)
            other = self._task.make(batch | {name: batch[name].roll(-1, 0) for name in ("cloth", "cloth_mask")})
        assert self._board is not None
        self._board.picture("own garment", done, grid([*own.columns, own.pictures, own.truth]))
        self._board.picture("another garment", done, grid([*other.columns, other.pictures]))

    def _judge_now(self, done: int) -> dict[str, float]:
        """What the averaged weights are worth on held-out pairs; nothing in other processes than the first."""
        if not self._held_out or self._judge is None:
            return {}
        self._share_buffers()
        measures = {}
        if self._accelerator.is_main_process:
            measures = self._measured(done)
            assert self._board is not None and self._judged is not None
            self._board.scalars("judged", done, measures)
            self._judged.add(done, measures)
            self._listener.judged(done, measures)
        self._accelerator.wait_for_everyone()
        return measures

    def _measured(self, done: int) -> dict[str, float]:
        assert self._held_out is not None and self._judge is not None
        names: list[str] = []
        made, true = [], []
        measures: dict[str, list[float]] = {}
        with self._average.shown():
            for index in range(min(self._rhythm.judged, len(self._held_out))):
                batch = torch.utils.data.default_collate([self._held_out[index]])
                found = self._task.make(on(batch, self._accelerator.device))
                names += batch["name"]
                made.append(pixels(found.pictures.permute(0, 2, 3, 1)))
                true.append(pixels(found.truth.permute(0, 2, 3, 1)))
                for name, values in found.measures.items():
                    measures.setdefault(name, []).extend(values)
        means = {name: sum(values) / len(values) for name, values in measures.items()}
        return means | self._judge(done, names, np.concatenate(made), np.concatenate(true))

    def _tell(self, done: int, terms: dict[str, float], clock: _Clock) -> None:
        if self._losses is None or self._board is None:
            return
        self._losses.add(done, terms)
        clock.count()
        pace = clock.pace(self._accelerator.device)
        self._listener.stepped(done, terms, pace)
        if done % self._rhythm.tell == 0:
            self._board.scalars("loss", done, terms)
            self._board.scalars(
                "pace", done, {"pictures a second": pace.pictures_a_second, "waiting for data": pace.waiting}
            )
            self._board.scalars("memory, GiB", done, {"allocated": pace.allocated, "reserved": pace.reserved})
            self._board.scalars(
                "rate",
                done,
                {side: stepper.optimiser.param_groups[0]["lr"] for side, stepper in self._task.steppers.items()},
            )

    # -- several processes ---------------------------------------------------------------------------------------------

    def _exchange_gradients(self, network: nn.Module) -> None:
        """Every process gets the mean of all."""
        bucket: list[Tensor] = []
        for gradient in [*(p.grad for p in network.parameters() if p.grad is not None), None]:
            if bucket and (gradient is None or sum(each.numel() for each in bucket) + gradient.numel() > BUCKET):
                mean: Any = self._accelerator.reduce(torch.cat([each.flatten() for each in bucket]), "mean")
                for each, part in zip(bucket, mean.split([each.numel() for each in bucket]), strict=True):
                    each.copy_(part.view_as(each))
                bucket = []
            if gradient is not None:
                bucket.append(gradient)

    def _share_buffers(self) -> None:
        """Running statistics differ between processes: all take the first one's, which is what is kept."""
        if self._accelerator.num_processes > 1:
            for network in self._task.networks.values():
                for buffer in network.buffers():
                    buffer.copy_(broadcast(buffer))


class _Clock:
    """Counts steps and the time that was spent waiting for data."""

    def __init__(self, batch: int) -> None:
        self._batch, self._began, self._waited, self._steps = batch, time.perf_counter(), 0.0, 0

    def waiting(self) -> _Waiting:
        return _Waiting(self)

    def wait(self, seconds: float) -> None:
        self._waited += seconds

    def count(self) -> None:
        self._steps += 1

    def pace(self, device: torch.device) -> Pace:
        seconds = max(time.perf_counter() - self._began, 1e-9)
        if device.type == "cuda":
            allocated, reserved = torch.cuda.max_memory_allocated(device), torch.cuda.max_memory_reserved(device)
        else:
            allocated = reserved = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        return Pace(self._steps * self._batch / seconds, self._waited / seconds, allocated / 2**30, reserved / 2**30)


class _Waiting:
    def __init__(self, clock: _Clock) -> None:
        self._clock = clock

    def __enter__(self) -> None:
        self._began = time.perf_counter()

    def __exit__(self, *_: object) -> None:
        self._clock.wait(time.perf_counter() - self._began)


def _seed(seed: int, step: int, rank: int) -> int:
    return int(np.random.SeedSequence((seed, step, rank)).generate_state(1)[0])
