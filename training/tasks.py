"""The two trainings as the trainer sees them: networks, optimisers, a step, and pictures of what they make."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from services.tryon.engines.hr_viton.condition import ConditionGenerator
from services.tryon.engines.hr_viton.generator import COARSEST, ImageGenerator, Noise
from services.tryon.engines.hr_viton.inputs import SHOWN_AS
from services.tryon.engines.hr_viton.passage import Inputs, Outputs
from stagekit.formats import CIHP_PALETTE
from training.condition_losses import Recipe, Sample, forward, one_hot
from training.condition_step import ConditionTraining
from training.data import OF_CONDITION, OF_GENERATOR, scaled
from training.discriminators import ConditionDiscriminator, ImageDiscriminator
from training.generator_step import Batch, GeneratorTraining, conditions
from training.initial import begin_condition, begin_images
from training.perceptual import Vgg19
from training.profiles import named
from training.settings import Settings
from training.stepper import Stepper


class Made(NamedTuple):
    """What a network makes of pairs, and what it should make; (N, 3, H, W) in -1..1."""

    pictures: Tensor
    truth: Tensor
    columns: list[Tensor]
    """What it made them of and on the way, to be looked at."""
    measures: dict[str, list[float]]
    """Of each pair, besides what is measured on the pictures."""


class Task(ABC):
    """One of the two trainings."""

    artifacts: tuple[str, ...]
    best_by: str
    """The measure by which the best checkpoint is kept; higher is better."""
    generator: nn.Module
    discriminator: nn.Module

    @property
    def networks(self) -> dict[str, nn.Module]:
        return {"generator": self.generator, "discriminator": self.discriminator}

    steppers: dict[str, Stepper]
    """Of both networks."""

    @abstractmethod
    def step(self, batch: dict[str, Any], seed: int) -> dict[str, float]:
        """Learn from a batch of training.data; the loss terms by name. seed: of the step's noise."""

    @abstractmethod
    def make(self, batch: dict[str, Any]) -> Made:
        """In evaluation mode, without gradient."""


class ConditionTask(Task):
    """The condition generator: where the cloth goes, and what the dressed person's labels are."""

    artifacts = OF_CONDITION
    best_by = "iou"

    def __init__(self, settings: Settings, vgg: Vgg19, device: torch.device) -> None:
        torch.manual_seed(settings.seed)
        self._recipe = Recipe(occlusion=settings.occlusion)
        self.generator, self.discriminator = ConditionGenerator(), ConditionDiscriminator()
        begin_condition(self.discriminator)
        self._training = ConditionTraining(
            self.generator.to(device), self.discriminator.to(device), vgg.to(device), self._recipe,
            named(settings.profile, settings.precision),
        )  # fmt: skip
        self.steppers = _steppers(self._training)

    def step(self, batch: dict[str, Any], seed: int) -> dict[str, float]:
        return self._training.step(_sample(batch))

    @torch.no_grad()
    def make(self, batch: dict[str, Any]) -> Made:
        """The garment as it is worn. Measures: `iou` of the predicted labels, as published."""
        self.generator.eval()
        sample = _sample(batch)
        made = forward(self.generator, sample, self._recipe)
        labels = made.segmentation.argmax(1)
        columns = [sample.cloth, coloured(batch["parse_agnostic"]), coloured(labels), coloured(batch["parse"])]
        return Made(made.warped_cloth, sample.worn, columns, {"iou": _iou(made.segmentation, sample.parse)})


class GeneratorTask(Task):
    """The image generator, behind a condition generator that learns no more."""

    artifacts = OF_GENERATOR
    best_by = "ssim"

    def __init__(self, settings: Settings, condition: ConditionGenerator, vgg: Vgg19, device: torch.device) -> None:
        torch.manual_seed(settings.seed)
        self._occlusion = settings.occlusion
        self._condition = condition.to(device).eval().requires_grad_(False)
        self.generator, self.discriminator = ImageGenerator(), ImageDiscriminator()
        for network in (self.generator, self.discriminator):
            begin_images(network)
        self._training = GeneratorTraining(
            self.generator.to(device), self.discriminator.to(device), vgg.to(device),
            named(settings.profile, settings.precision),
        )  # fmt: skip
        self.steppers = _steppers(self._training)

    def step(self, batch: dict[str, Any], seed: int) -> dict[str, float]:
        self.generator.train()
        self.discriminator.train()
        learned, _ = self._conditions(batch)
        return self._training.step(_widened(learned), Noise(seed))

    @torch.no_grad()
    def make(self, batch: dict[str, Any]) -> Made:
        self.generator.eval()
        given, found = self._conditions(batch)
        wide = _widened(given)
        drawn = self.generator.with_noise(wide.picture, wide.parse, Noise(0))
        pictures = _narrowed(drawn, given.image.shape[3])
        columns = [scaled(batch["cloth"]), scaled(batch["agnostic"]), found.warped_cloth, coloured(found.labels)]
        return Made(pictures, given.image, columns, {})

    def _conditions(self, batch: dict[str, Any]) -> tuple[Batch, Outputs]:
        inputs = Inputs(
            scaled(batch["cloth"]),
            batch["cloth_mask"].float(),
            batch["parse_agnostic"],
            scaled(batch["densepose"]),
            scaled(batch["agnostic"]),
        )
        return conditions(self._condition, inputs, scaled(batch["person"]), self._occlusion)


def _steppers(training: ConditionTraining | GeneratorTraining) -> dict[str, Stepper]:
    return {"generator": training.generator_stepper, "discriminator": training.discriminator_stepper}


def _sample(batch: dict[str, Any]) -> Sample:
    return Sample(
        scaled(batch["cloth"]),
        batch["cloth_mask"].float(),
        one_hot(batch["parse_agnostic"], torch.float32),
        scaled(batch["densepose"]),
        scaled(batch["person"]),
        batch["parse"],
    )


def _iou(scores: Tensor, truth: Tensor) -> list[float]:
    """Of each pair, over all channels and pixels together."""
    predicted = (scores.softmax(1) > 0.5).flatten(1).float()
    true = truth.flatten(1)
    both = (predicted * true).sum(1)
    found: list[float] = ((both + 1e-7) / (predicted.sum(1) + true.sum(1) - both + 1e-7)).tolist()
    return found


def _widened(batch: Batch) -> Batch:
    """With its sides carried on outwards, where the width is no multiple of the coarsest block's pixel: 192 becomes 256."""
    width = batch.image.shape[3]
    more = -width % COARSEST
    if not more:
        return batch
    sides = (more // 2, more - more // 2, 0, 0)
    parse = F.pad(batch.parse.unsqueeze(1).float(), sides, mode="replicate").squeeze(1).to(batch.parse.dtype)
    return Batch(F.pad(batch.picture, sides, mode="replicate"), parse, F.pad(batch.image, sides, mode="replicate"))


def _narrowed(pictures: Tensor, width: int) -> Tensor:
    left = (pictures.shape[3] - width) // 2
    return pictures[..., left : left + width]


def coloured(labels: Tensor) -> Tensor:
    """(N, H, W) of the 13 labels to (N, 3, H, W) in -1..1, in the data sets' colours."""
    colours = torch.tensor(CIHP_PALETTE, dtype=torch.uint8)[torch.from_numpy(SHOWN_AS).long()]
    return scaled(colours.to(labels.device)[labels.long()].permute(0, 3, 1, 2))
