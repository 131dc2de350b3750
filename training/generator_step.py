"""One step of the image generator and its discriminator. Lee et al., ECCV 2022, section 3.3."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.optim import Adam

from services.tryon.engines.hr_viton.condition import ConditionGenerator
from services.tryon.engines.hr_viton.generator import LABELS, ImageGenerator, Noise
from services.tryon.engines.hr_viton.passage import Inputs, Outputs, dress
from training.discriminators import ImageDiscriminator
from training.lookup import draw_by_lookup
from training.perceptual import Vgg19, perceptual
from training.spectral import advance

FEATURE, VGG = 10.0, 10.0
"""The weights of the terms; the discriminator's has none."""

GENERATOR_RATE, DISCRIMINATOR_RATE = 1e-4, 4e-4
BETAS = (0.0, 0.9)


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


class GeneratorTraining:
    """Both networks with their optimisers."""

    def __init__(
        self, network: ImageGenerator, discriminator: ImageDiscriminator, vgg: Vgg19, lookup: bool = False
    ) -> None:
        """lookup: take the normalisations' scale and shift from a table, which is exact and less work."""
        self._run = draw_by_lookup if lookup else ImageGenerator.with_noise
        self.generator, self.discriminator, self.vgg = network, discriminator, vgg
        self.generator_optimiser = Adam(network.parameters(), GENERATOR_RATE, BETAS)
        self.discriminator_optimiser = Adam(discriminator.parameters(), DISCRIMINATOR_RATE, BETAS)
        self.fake: Tensor | None = None
        """The last step's picture, of before the generator was stepped."""

    def step(self, batch: Batch, noise: Noise) -> dict[str, float]:
        """The terms with their weights, and `G` and `D`, which were stepped by. noise: draws for both passes."""
        terms = self._step_generator(batch, noise) | self._step_discriminator(batch, noise)
        return {name: float(term) for name, term in terms.items()}

    def _step_generator(self, batch: Batch, noise: Noise) -> dict[str, Tensor]:
        fake = self._draw(batch, noise)
        self.discriminator.requires_grad_(False)
        judged, real = self._judge(batch, fake)
        self.discriminator.requires_grad_(True)
        terms = {
            "gan": -_mean_over_scales([scale[-1].mean() for scale in judged]),
            "feat": FEATURE / 2 * _feature_distance(judged, real),
            "vgg": VGG * perceptual(self.vgg, fake, batch.image),
        }
        total = torch.stack(list(terms.values())).sum()
        self.generator_optimiser.zero_grad()
        total.backward()
        self.generator_optimiser.step()
        self.fake = fake.detach()
        return {name: term.detach() for name, term in (terms | {"G": total}).items()}

    def _step_discriminator(self, batch: Batch, noise: Noise) -> dict[str, Tensor]:
        with torch.no_grad():
            fake = self._draw(batch, noise)
        judged, real = self._judge(batch, fake)
        terms = {
            "D_fake": _mean_over_scales([F.relu(1 + scale[-1]).mean() for scale in judged]),
            "D_real": _mean_over_scales([F.relu(1 - scale[-1]).mean() for scale in real]),
        }
        total = terms["D_fake"] + terms["D_real"]
        self.discriminator_optimiser.zero_grad()
        total.backward()
        self.discriminator_optimiser.step()
        return {name: term.detach() for name, term in (terms | {"D": total}).items()}

    def _draw(self, batch: Batch, noise: Noise) -> Tensor:
        advance(self.generator)
        return self._run(self.generator, batch.picture, batch.parse, noise)

    def _judge(self, batch: Batch, fake: Tensor) -> tuple[list[list[Tensor]], list[list[Tensor]]]:
        """The outputs for the fake and for the real picture, which go through in one batch."""
        advance(self.discriminator)
        parse = F.one_hot(batch.parse.long(), LABELS).permute(0, 3, 1, 2).to(fake.dtype)
        outputs = self.discriminator(torch.cat([torch.cat([parse, fake], 1), torch.cat([parse, batch.image], 1)]))
        halves = [[output.chunk(2) for output in scale] for scale in outputs]
        return [[half[0] for half in scale] for scale in halves], [[half[1] for half in scale] for scale in halves]


def _mean_over_scales(terms: list[Tensor]) -> Tensor:
    return torch.stack(terms).mean()


def _feature_distance(fake: list[list[Tensor]], real: list[list[Tensor]]) -> Tensor:
    pairs = [
        (f, r.detach())
        for fakes, reals in zip(fake, real, strict=True)
        for f, r in zip(fakes[:-1], reals[:-1], strict=True)
    ]
    return torch.stack([F.l1_loss(f, r) for f, r in pairs]).sum()
