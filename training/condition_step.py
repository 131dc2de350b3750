"""One step of the condition generator and its discriminator."""

from __future__ import annotations

import torch
from torch import Tensor

from services.tryon.engines.hr_viton.condition import ConditionGenerator
from training.condition_losses import (
    WEIGHTS,
    Forward,
    Recipe,
    Sample,
    Warp,
    forward,
    least_squares,
    losses,
    warps,
    weighted,
)
from training.discriminators import ConditionDiscriminator
from training.perceptual import Vgg19, features, perceptual
from training.profiles import PLAIN, Profile
from training.spectral import advance
from training.stepper import Stepper, Terms

RATE = 2e-4
BETAS = (0.5, 0.999)


class ConditionTraining:
    """Both networks with their optimisers. Of the profile's precision only discriminator and perceptual network make use:
    a flow in 16 bits would be off by half a pixel."""

    def __init__(
        self,
        network: ConditionGenerator,
        discriminator: ConditionDiscriminator,
        vgg: Vgg19,
        recipe: Recipe,
        profile: Profile = PLAIN,
    ) -> None:
        self.generator, self.discriminator, self.vgg, self.recipe = network, discriminator, vgg, recipe
        self.profile = profile
        self.generator_stepper = Stepper(network, RATE, BETAS, profile)
        self.discriminator_stepper = Stepper(discriminator, RATE, BETAS, profile)
        self.made: Forward | None = None
        """What the last step's generator made, before it was stepped."""

    def step(self, batch: Sample) -> dict[str, float]:
        """The terms, unweighted, and `G` and `D`, which were stepped by."""
        self.generator.train()
        self.discriminator.train()
        terms = self.step_generator(batch)
        if self.recipe.gan:
            terms |= self.step_discriminator(batch)
        return {name: float(term) for name, term in terms.items()}

    def step_generator(self, batch: Sample) -> Terms:
        made = forward(self.generator, batch, self.recipe)
        judged = warps(made, batch, self.recipe)
        # Apart, the gradients of the warped cloths are taken one after the other, and go on from there together.
        cloths = [warp.cloth.detach().requires_grad_() if self.profile.apart else warp.cloth for warp in judged]
        seen = self._perceptual(judged, cloths, batch)
        terms = losses(made, judged, batch, self.recipe)
        if self.recipe.gan:
            self.discriminator.requires_grad_(False)
            terms["gan"] = least_squares(self._judge(batch, made.segmentation.softmax(1)), 1)
            self.discriminator.requires_grad_(True)
        if self.profile.apart:
            before = [self.generator_stepper.scaled(weighted(terms)), *(warp.cloth for warp in judged)]
            torch.autograd.backward(before, [None, *(cloth.grad for cloth in cloths)])
        else:
            self.generator_stepper.scaled(weighted(terms | {"vgg": seen})).backward()
        self.generator_stepper.step()
        self.made = Forward(*([x.detach() for x in part] if isinstance(part, list) else part.detach() for part in made))
        terms |= {"vgg": seen}
        return {name: term.detach() for name, term in (terms | {"G": weighted(terms)}).items()}

    def _perceptual(self, judged: list[Warp], cloths: list[Tensor], batch: Sample) -> Tensor:
        """Unweighted. Apart, the gradients are in the cloths afterwards."""
        worn = list(features(self.vgg, batch.worn, self.profile))
        total = batch.cloth.new_zeros(())
        for warp, cloth in zip(judged, cloths, strict=True):
            seen = warp.weight * perceptual(self.vgg, cloth, worn, self.profile)
            if self.profile.apart:
                self.generator_stepper.scaled(WEIGHTS["vgg"] * seen).backward()
                seen = seen.detach()
            total = total + seen
        return total

    def step_discriminator(self, batch: Sample) -> Terms:
        fake = least_squares(self._judge(batch, self._fake(batch)), 0)
        real = least_squares(self._judge(batch, batch.parse), 1)
        self.discriminator_stepper.scaled(fake + real).backward()
        self.discriminator_stepper.step()
        return {"D_fake": fake.detach(), "D_real": real.detach(), "D": (fake + real).detach()}

    def _fake(self, batch: Sample) -> Tensor:
        """The segmentation that the discriminator learns from: that of before the generator's step, unless apart."""
        if self.recipe.separate:
            with torch.no_grad():
                return self.generator(batch.cloth_input, batch.person_input).segmentation.softmax(1)
        assert self.made is not None
        return self.made.segmentation.softmax(1)

    def _judge(self, batch: Sample, segmentation: Tensor) -> list[Tensor]:
        """The scores, in float32 or more."""
        advance(self.discriminator)
        x = self.profile.laid_out(torch.cat([batch.cloth_input, batch.person_input, segmentation], 1))
        with self.profile.autocast(x.device):
            return [score.to(x.dtype) for score in self.discriminator(x)]
