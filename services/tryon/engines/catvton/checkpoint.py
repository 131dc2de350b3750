"""The published files, none of which can run code: the UNet that CatVTON began with, the self-attention that it trained, the
autoencoder."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from services.tryon.arrays import Shapes, differences
from services.tryon.stable_diffusion import CROSS_ATTENTION, drop_cross_attention, give, make_unet, make_vae, shapes_of
from stagekit.torch_files import read_arrays
from stagekit.weights import not_right

UNET_FILE, VAE_FILE = "unet.bin", "vae.safetensors"

Arrays = dict[str, Tensor]

_ARRAYS = ("to_q.weight", "to_k.weight", "to_v.weight", "to_out.0.weight", "to_out.0.bias")
"""Of a self-attention."""
_FIRST = re.compile(r"(\d+)\.to_q\.weight")
_PARTS = ("down_blocks.", "up_blocks.", "mid_block.")
"""Of the UNet, in the order in which the trained file counts."""

_NAMES_OF_2022 = {".query.": ".to_q.", ".key.": ".to_k.", ".value.": ".to_v.", ".proj_attn.": ".to_out.0."}
"""What diffusers called the autoencoder's attention when its file was published, and calls it today."""


def attention_file(variant: str) -> str:
    """Name of the file of a variant's self-attention."""
    return variant + ".safetensors"


def load_unet(
    folder: Path, variant: str, config: Mapping[str, Any], device: torch.device, dtype: torch.dtype
) -> UNet2DConditionModel:
    """Without cross attention, with a variant's self-attention. Raises WeightsMissing with what is wrong with a file."""
    unet = make_unet(config)
    drop_cross_attention(unet)
    arrays = _read("catvton/unet", folder / UNET_FILE, lambda path: read_arrays(str(path), mapped=True))
    _hold("catvton/unet", UNET_FILE, {name: each for name, each in arrays.items() if CROSS_ATTENTION not in name}, unet)
    give(unet, {**arrays, **load_attention(folder, variant, unet)}, "", device, dtype)
    return unet


def load_attention(folder: Path, variant: str, unet: UNet2DConditionModel) -> Arrays:
    """A variant's self-attention, by the names that its arrays have in the UNet. Raises WeightsMissing as load_unet does."""
    key = f"catvton/{variant}"
    arrays = _read(key, folder / attention_file(variant), load_file)
    try:
        return self_attention(arrays, shapes_of(unet))
    except ValueError as error:
        raise not_right(key, f"{attention_file(variant)} {error}") from error


def load_vae(folder: Path, config: Mapping[str, Any], device: torch.device, dtype: torch.dtype) -> AutoencoderKL:
    """In float32 where the UNet is in bfloat16, which is too coarse for it. Raises WeightsMissing as load_unet does."""
    vae = make_vae(config)
    arrays = {_today(name): array for name, array in _read("catvton/autoencoder", folder / VAE_FILE, load_file).items()}
    _hold("catvton/autoencoder", VAE_FILE, arrays, vae)
    give(vae, arrays, "", device, torch.float32 if dtype == torch.bfloat16 else dtype)
    return vae


def self_attention(arrays: Mapping[str, Tensor], shapes: Shapes) -> Arrays:
    """The trained arrays by the names that they have in the UNet, whose shapes are given.

    The file numbers the modules of self-attention, with gaps. Raises ValueError where they are not the UNet's.
    """
    numbers = sorted(int(found[1]) for name in arrays if (found := _FIRST.fullmatch(name)))
    blocks = [
        name.removesuffix(_ARRAYS[0])
        for part in _PARTS
        for name in shapes
        if name.startswith(part) and name.endswith(".attn1." + _ARRAYS[0])
    ]
    if len(numbers) != len(blocks):
        raise ValueError(f"has {len(numbers)} modules of self-attention, not {len(blocks)}")
    places = {
        f"{number}.{each}": block + each for number, block in zip(numbers, blocks, strict=True) for each in _ARRAYS
    }
    wrong = differences(_shapes(arrays), {theirs: shapes[ours] for theirs, ours in places.items()})
    if wrong:
        raise ValueError("; ".join(wrong[:5]))
    return {ours: arrays[theirs] for theirs, ours in places.items()}


def _today(name: str) -> str:
    for before, now in _NAMES_OF_2022.items():
        name = name.replace(before, now)
    return name


def _read(key: str, path: Path, read: Callable[[Path], Arrays]) -> Arrays:
    try:
        return read(path)
    except (OSError, SafetensorError, ValueError) as error:
        raise not_right(key, f"{path.name} cannot be read: {error}") from error


def _hold(key: str, file: str, arrays: Mapping[str, Tensor], network: torch.nn.Module) -> None:
    wrong = differences(_shapes(arrays), shapes_of(network))
    if wrong:
        raise not_right(key, f"{file} " + "; ".join(wrong[:5]))


def _shapes(arrays: Mapping[str, Tensor]) -> Shapes:
    return {name: tuple(array.shape) for name, array in arrays.items()}
