"""virtual_tryon.pth, as its authors publish it: names and shapes are held to the networks', and nothing in it is executed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import torch
from diffusers import AutoencoderKL
from torch import Tensor

from services.tryon.arrays import Shapes, differences
from services.tryon.engines.leffa.networks import Generator, Reference
from services.tryon.latents import CHANNELS
from services.tryon.stable_diffusion import UNET, VAE, give, make_unet, make_vae, shapes_of
from stagekit.torch_files import read_arrays
from stagekit.weights import not_right

FILES = {"viton_hd": "virtual_tryon.pth", "dress_code": "virtual_tryon_dc.pth"}
"""Model -> its file."""

AUTOENCODER, REFERENCE, GENERATOR = "vae.", "unet_encoder.", "unet."
"""What the names in the file begin with."""

INPUT_CHANNELS = 12


class Configuration(NamedTuple):
    """Of the networks, as diffusers takes it. A test may run smaller ones of the same make."""

    unet: Mapping[str, Any] = UNET
    vae: Mapping[str, Any] = VAE


class Networks(NamedTuple):
    """Of one model."""

    vae: AutoencoderKL
    reference: Reference
    generator: Generator

    @property
    def modules(self) -> tuple[torch.nn.Module, ...]:
        """All that has parameters."""
        return self.vae, self.reference.unet, self.generator.unet


def published_shapes(configuration: Configuration) -> Shapes:
    """Name -> shape of every array of the file."""
    reference, generator = _unets(configuration)
    return {
        **shapes_of(make_vae(configuration.vae), AUTOENCODER),
        **shapes_of(reference, REFERENCE),
        **shapes_of(generator, GENERATOR),
    }


def make_networks(configuration: Configuration) -> Networks:
    """On the meta device, without what is never used: all cross attention, and what follows the last look at the garment."""
    reference, generator = _unets(configuration)
    return Networks(make_vae(configuration.vae), Reference(reference), Generator(generator))


def read(path: Path, model: str, configuration: Configuration) -> dict[str, Tensor]:
    """All arrays of the file, still on the disk. Raises WeightsMissing with what is wrong with it."""
    try:
        arrays = read_arrays(str(path), mapped=True)
    except ValueError as error:
        raise not_right(f"leffa/{model}", f"{path.name}: {error}") from error
    wrong = differences({name: tuple(array.shape) for name, array in arrays.items()}, published_shapes(configuration))
    if wrong:
        raise not_right(f"leffa/{model}", f"{path.name} " + "; ".join(wrong[:5]))
    return arrays


def fill(networks: Networks, arrays: Mapping[str, Tensor], device: torch.device, precision: torch.dtype) -> None:
    """The autoencoder stays in float32 where the UNets are in bfloat16, which is too coarse for it."""
    of_vae = torch.float32 if precision == torch.bfloat16 else precision
    give(networks.vae, arrays, AUTOENCODER, device, of_vae)
    give(networks.reference.unet, arrays, REFERENCE, device, precision)
    give(networks.generator.unet, arrays, GENERATOR, device, precision)


def _unets(configuration: Configuration) -> tuple[Any, Any]:
    return (
        make_unet(configuration.unet, in_channels=CHANNELS),
        make_unet(configuration.unet, in_channels=INPUT_CHANNELS),
    )
