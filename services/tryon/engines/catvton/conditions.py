"""What the network is shown of person and garment. Both depend on nothing but the one picture, so that they can be kept."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from diffusers import AutoencoderKL
from torch import Tensor

from services.tryon.latents import encode, scaled, thresholded


class Conditions(NamedTuple):
    """At the size of latents."""

    person: Tensor
    """(B, 4, h, w): latents of the person without what is to be painted."""
    garment: Tensor
    """(B, 4, h, w): its latents."""
    mask: Tensor
    """(B, 1, h, w): 1 where the person is to be painted, else 0."""


def person_latents(vae: AutoencoderKL, person: np.ndarray, mask: np.ndarray, noise: Tensor) -> Tensor:
    """(1, 4, h, w), float32. person: uint8 RGB (H, W, 3); mask: uint8 (H, W), painted from 128 on; noise: for `encode`."""
    return encode(vae, scaled(person) * (1 - thresholded(mask)), noise)


def garment_latents(vae: AutoencoderKL, cloth: np.ndarray, noise: Tensor) -> Tensor:
    """(1, 4, h, w), float32. cloth: uint8 RGB (H, W, 3), on white."""
    return encode(vae, scaled(cloth), noise)
