"""One step of the condition generator and its discriminator."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.optim import Adam

from services.tryon.engines.hr_viton.condition import ConditionGenerator
from training.condition_losses import Forward, Recipe, Sample, forward, least_squares, losses, weighted
from training.discriminators import ConditionDiscriminator
from training.perceptual import Vgg19
from training.spectral import advance

RATE = 2e-4
BETAS = (0.5, 0.999)


class ConditionTraining:
    """Both networks with their optimisers."""

    def __init__(
        self, network: ConditionGenerator, discriminator: ConditionDiscriminator, vgg: Vgg19, recipe: Recipe
    ) -> None:
        self.generator, self.discriminator, self.vgg, self.recipe = network, discriminator, vgg, recipe
        self.generator_optimiser = Adam(network.parameters(), RATE, BETAS)
        self.discriminator_optimiser = Adam(discriminator.parameters(), RATE, BETAS)
        self.made: Forward | None = None
        """What the last step's generator made, before it was stepped."""

    def step(self, batch: Sample) -> dict[str, float]:
        """The terms, unweighted, and `G` and `D`, which were stepped by."""
        self.generator.train()
        self.discriminator.train()
        terms = self._step_generator(batch)
        if self.recipe.gan:
            terms |= self._step_discriminator(batch)
        return {name: float(term) for name, term in terms.items()}

    def _step_generator(self, batch: Sample) -> dict[str, Tensor]:
        made = forward(self.generator, batch, self.recipe)
        terms = losses(made, batch, self.recipe, self.vgg)
        if self.recipe.gan:
            self.discriminator.requires_grad_(False)
            terms["gan"] = least_squares(self._judge(batch, made.segmentation.softmax(1)), 1)
            self.discriminator.requires_grad_(True)
        total = weighted(terms)
        self.generator_optimiser.zero_grad()
        total.backward()
        self.generator_optimiser.step()
        self.made = Forward(*([x.detach() for x in part] if isinstance(part, list) else part.detach() for part in made))
        return {name: term.detach() for name, term in (terms | {"G": total}).items()}

    def _step_discriminator(self, batch: Sample) -> dict[str, Tensor]:
        fake = least_squares(self._judge(batch, self._fake(batch)), 0)
        real = least_squares(self._judge(batch, batch.parse), 1)
        self.discriminator_optimiser.zero_grad()
        (fake + real).backward()
        self.discriminator_optimiser.step()
        return {"D_fake": fake.detach(), "D_real": real.detach(), "D": (fake + real).detach()}

    def _fake(self, batch: Sample) -> Tensor:
        """The segmentation that the discriminator learns from: that of before the generator's step, unless apart."""
        if self.recipe.separate:
            with torch.no_grad():
                return self.generator(batch.cloth_input, batch.person_input).segmentation.softmax(1)
        assert self.made is not None
        return self.made.segmentation.softmax(1)

    def _judge(self, batch: Sample, segmentation: Tensor) -> list[Tensor]:
        advance(self.discriminator)
        return self.discriminator(torch.cat([batch.cloth_input, batch.person_input, segmentation], 1))
