"""One model's way from what it is shown to a picture, with what it keeps of people and garments."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from services.tryon.engines.leffa.checkpoint import Networks
from services.tryon.engines.leffa.inputs import Shown
from services.tryon.engines.leffa.networks import Features
from services.tryon.engines.leffa.sampling import Look, predictor
from services.tryon.latents import (
    CHANNELS,
    Step,
    decode,
    denoise,
    encode,
    latent_shape,
    make_scheduler,
    scaled,
    shrunk,
    steady_noise,
    thresholded,
)
from services.tryon.shelf import Shelf, digest

_LATENTS_BYTES = 2**26
"""Of some 100 people and garments at the published size."""


class How(NamedTuple):
    """How a picture is made."""

    steps: int
    guidance: float
    """1 for none."""
    once: bool
    """Whether the garment is looked at once, not anew for each step."""


class Painter:
    """A model's networks, with what they made of people and of garments: what depends on one alone is made once."""

    def __init__(
        self,
        networks: Networks,
        keep_bytes: float,
        encoding_noise: Callable[[tuple[int, ...]], Tensor] = steady_noise,
    ) -> None:
        """keep_bytes: for what is kept of garments; encoding_noise: for the autoencoder's samples of masked person and garment,
        by their shape."""
        self.networks = networks
        self._looks, self._latents = Shelf(keep_bytes), Shelf(_LATENTS_BYTES)
        self._encoding_noise = encoding_noise

    def paint(self, shown: Shown, how: How, noise: Iterator[Tensor], on_step: Step | None = None) -> np.ndarray:
        """uint8 RGB of the size shown. noise: of latents' size, for the beginning and for each step."""
        scheduler = make_scheduler(how.steps, to_the_end=True)
        timesteps = scheduler.timesteps.tolist()
        person = self._latents.of(digest(shown.person, shown.mask, shown.body), "seen", lambda: self._see(shown))
        garment = digest(shown.cloth)
        nothing = torch.zeros_like(person[:, :CHANNELS])

        def of_garment() -> Tensor:
            return self._latents.of(garment, "latents", lambda: self._encode(shown.cloth))

        predict = predictor(
            self.networks.generator,
            person,
            self._look(garment, of_garment, timesteps, how.once),
            self._look(f"nothing of {tuple(nothing.shape)}", lambda: nothing, timesteps, how.once),
            how.guidance,
        )
        return decode(self.networks.vae, denoise(predict, scheduler, noise, person.device, on_step))[0]

    def forget(self) -> None:
        """Keep nothing any more."""
        self._looks.clear()
        self._latents.clear()

    def _see(self, shown: Shown) -> Tensor:
        """What the generator is shown of the person besides noise: (1, 8, h, w) of mask, latents of the masked person, body."""
        mask = thresholded(shown.mask)
        latents = self._encode(shown.person, 1 - mask)
        return torch.cat((shrunk(mask).to(latents.device), latents, shrunk(scaled(shown.body)).to(latents.device)), 1)

    def _encode(self, picture: np.ndarray, kept: Tensor | float = 1.0) -> Tensor:
        """kept: 0 where the picture becomes grey."""
        noise = self._encoding_noise(latent_shape(picture.shape[:2]))
        return encode(self.networks.vae, scaled(picture) * kept, noise)

    def _look(self, garment: str, latents: Callable[[], Tensor], timesteps: list[int], once: bool) -> Look:
        """At the garment of this name: at each timestep, or at the middle one for all."""
        owner = (garment, len(timesteps), once)  # one schedule's looks make room for another's
        weight = self.networks.reference.unet.conv_in.weight

        def look(timestep: int) -> Features:
            at = timesteps[len(timesteps) // 2] if once else timestep
            return self._looks.of(
                owner, at, lambda: self.networks.reference(latents().to(weight.device, weight.dtype), at)
            )

        return look
