"""One step of the image generator and its discriminator. Lee et al., ECCV 2022, section 3.3."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from services.tryon.engines.hr_viton.condition import ConditionGenerator
from services.tryon.engines.hr_viton.generator import LABELS, ImageGenerator, Noise
from services.tryon.engines.hr_viton.passage import Inputs, Outputs, dress
from training.discriminators import ImageDiscriminator
from training.drawing import Labels, draw, scales
from training.perceptual import Vgg19, distance, features, perceptual
from training.profiles import PLAIN, Profile
from training.spectral import advance
from training.stepper import Stepper, Terms, add_up

FEATURE, VGG = 10.0, 10.0
"""The weights of the terms; the discriminator's has none."""

GENERATOR_RATE, DISCRIMINATOR_RATE = 1e-4, 4e-4
BETAS = (0.0, 0.9)

Judged = list[list[Tensor]]
"""A discriminator's features and score, by scale."""


class Batch(NamedTuple):
    """What the generator draws from, and what it should draw; no gradient."""

    picture: Tensor
    """(N, 9, H, W): agnostic, densepose, warped cloth, in -1..1."""
    parse: Tensor
    """(N, H, W) predicted ids 0..6."""
    image: Tensor
    """(N, 3, H, W) in -1..1."""


@torch.no_grad()
def conditions(network: ConditionGenerator, inputs: Inputs, image: Tensor, occlusion: bool) -> tuple[Batch, Outputs]:
    """What the frozen condition generator, in evaluation mode, makes of the inputs."""
    made = dress(inputs, network, lambda picture, _: picture, occlusion)
    return Batch(made.image, made.parse, image), made


class Part(NamedTuple):
    """Pictures of a batch that go through together."""

    batch: Batch
    labels: list[Labels]
    """The parse for each block."""
    share: float
    """Of the batch."""


class GeneratorTraining:
    """Both networks with their optimisers."""

    def __init__(
        self, network: ImageGenerator, discriminator: ImageDiscriminator, vgg: Vgg19, profile: Profile = PLAIN
    ) -> None:
        self.generator, self.discriminator, self.vgg, self.profile = network, discriminator, vgg, profile
        self.generator_stepper = Stepper(network, GENERATOR_RATE, BETAS, profile)
        self.discriminator_stepper = Stepper(discriminator, DISCRIMINATOR_RATE, BETAS, profile)
        self.fake: Tensor | None = None
        """The last step's pictures, of before the generator was stepped."""

    def step(self, batch: Batch, noise: Noise) -> dict[str, float]:
        """The terms with their weights, and `G` and `D`, which were stepped by. noise: draws for both passes."""
        parts = list(self._parts(batch))
        terms = self.step_generator(parts, noise) | self.step_discriminator(parts, noise)
        return {name: float(term) for name, term in terms.items()}

    def _parts(self, batch: Batch) -> Iterator[Part]:
        count = len(batch.picture)
        at_once = self.profile.at_once or count
        for start in range(0, count, at_once):
            part = Batch(*(pictures[start : start + at_once] for pictures in batch))
            labels = scales(part.parse, part.picture.dtype, self.profile)
            yield Part(part, labels, len(part.picture) / count)

    def step_generator(self, parts: list[Part], noise: Noise) -> Terms:
        self.discriminator.requires_grad_(False)
        advance(self.generator)
        advance(self.discriminator)
        sums: Terms = {}
        fakes = []
        for part in parts:
            fake = self._draw(part, noise)
            # Apart, the gradients are gathered at the picture, where the losses meet, and go on from there together.
            picture = fake.detach().requires_grad_() if self.profile.apart else fake
            add_up(sums, self._go_back(self.generator_stepper, self.losses(part, picture), part), part.share)
            if self.profile.apart:
                fake.backward(picture.grad)
            fakes.append(fake.detach())
        self.discriminator.requires_grad_(True)
        self.generator_stepper.step()
        self.fake = torch.cat(fakes)
        return sums | {"G": torch.stack(list(sums.values())).sum()}

    def step_discriminator(self, parts: list[Part], noise: Noise) -> Terms:
        advance(self.generator)
        advance(self.discriminator)
        sums: Terms = {}
        for part in parts:
            with torch.no_grad():
                fake = self._draw(part, noise)
            losses = self.discriminator_losses(part, fake)
            add_up(sums, self._go_back(self.discriminator_stepper, losses, part), part.share)
        self.discriminator_stepper.step()
        return sums | {"D": torch.stack(list(sums.values())).sum()}

    def _draw(self, part: Part, noise: Noise) -> Tensor:
        return draw(self.generator, part.batch.picture, part.labels, noise, self.profile)

    def _go_back(self, stepper: Stepper, losses: Iterator[Terms], part: Part) -> Terms:
        """Apart, from each of the losses before the next is made; else from all together. The terms."""
        found: Terms = {}
        together: Tensor | None = None
        for terms in losses:
            found |= {name: term.detach() for name, term in terms.items()}
            loss = part.share * torch.stack(list(terms.values())).sum()
            if self.profile.apart:
                stepper.scaled(loss).backward()
            else:
                together = loss if together is None else together + loss
        if together is not None:
            stepper.scaled(together).backward()
        return found

    def losses(self, part: Part, picture: Tensor) -> Iterator[Terms]:
        target = features(self.vgg, part.batch.image, self.profile)
        yield {"vgg": VGG * perceptual(self.vgg, picture, target, self.profile)}
        fake, real = self._judge_both(part, picture)
        yield {"gan": -_mean_over_scales([scale[-1].mean() for scale in fake]), "feat": _feature_distance(fake, real)}

    def discriminator_losses(self, part: Part, picture: Tensor) -> Iterator[Terms]:
        if self.profile.apart:
            yield {"D_fake": _hinge(self._judge(part, picture), -1)}
            yield {"D_real": _hinge(self._judge(part, part.batch.image), 1)}
        else:
            fake, real = self._judge_both(part, picture)
            yield {"D_fake": _hinge(fake, -1), "D_real": _hinge(real, 1)}

    def _judge_both(self, part: Part, picture: Tensor) -> tuple[Judged, Judged]:
        """Of the fake and of the real picture: in one batch, as published, or apart and the real one without gradient."""
        if self.profile.apart:
            with torch.no_grad():
                real = self._judge(part, part.batch.image)
            return self._judge(part, picture), real
        judged = self._judge(part, torch.cat([picture, part.batch.image]))
        halves = [[output.chunk(2) for output in scale] for scale in judged]
        return [[half[0] for half in scale] for scale in halves], [[half[1] for half in scale] for scale in halves]

    def _judge(self, part: Part, pictures: Tensor) -> Judged:
        """The scores in float32 or more."""
        parse = F.one_hot(part.batch.parse.long(), LABELS).permute(0, 3, 1, 2).to(pictures.dtype)
        times = len(pictures) // len(parse)
        with self.profile.autocast(pictures.device):
            judged = self.discriminator(self.profile.laid_out(torch.cat([parse.repeat(times, 1, 1, 1), pictures], 1)))
        return [[*scale[:-1], scale[-1].to(pictures.dtype)] for scale in judged]


def _hinge(judged: Judged, side: int) -> Tensor:
    """The discriminator's loss: side is 1 for what is real, -1 for what is not."""
    return _mean_over_scales([F.relu(1 - side * scale[-1]).mean() for scale in judged])


def _mean_over_scales(terms: list[Tensor]) -> Tensor:
    return torch.stack(terms).mean()


def _feature_distance(fake: Judged, real: Judged) -> Tensor:
    pairs = [
        (f, r.detach())
        for fakes, reals in zip(fake, real, strict=True)
        for f, r in zip(fakes[:-1], reals[:-1], strict=True)
    ]
    return FEATURE / 2 * torch.stack([distance(f, r) for f, r in pairs]).sum()
