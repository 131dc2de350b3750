"""Deterministic weights for CatVTON, of its published size or of any other."""

import json
import os
from pathlib import Path

import torch
from safetensors.torch import save_file

from services.tryon.engines.catvton.checkpoint import UNET_FILE, VAE_FILE, attention_file
from services.tryon.stable_diffusion import UNET, VAE, drop_cross_attention, give, make_unet, make_vae, shapes_of
from stagekit.weights import LOCK, digest
from tests.specs.fill import fill

SPECS = Path(__file__).parent

SMALL_UNET = {
    **UNET,
    "block_out_channels": (16, 32, 32, 32),
    "attention_head_dim": 4,
    "cross_attention_dim": 8,
    "norm_num_groups": 8,
}
SMALL_VAE = {**VAE, "block_out_channels": (8, 8, 16, 16), "norm_num_groups": 4, "layers_per_block": 1}


def attention_names():
    """Name in the trained file -> name in the UNet."""
    lines = (line.split() for line in (SPECS / "attention_keys.txt").read_text().splitlines())
    return {theirs: ours for theirs, _, ours in lines}


def attention_shapes():
    """Name in the trained file -> published shape."""
    lines = (line.split() for line in (SPECS / "attention_keys.txt").read_text().splitlines())
    return {theirs: tuple(map(int, shape.split("x"))) for theirs, shape, _ in lines}


def arrays_of(network, prefix):
    """Weights that a checkpoint of it has, filled by their names below the prefix."""
    filled = fill(shapes_of(network, prefix))
    return {name[len(prefix) :]: torch.from_numpy(array) for name, array in filled.items()}


def unet_of(config):
    """A golden run's UNet, ready to run."""
    unet = make_unet(config)
    drop_cross_attention(unet)
    give(unet, arrays_of(unet, "unet."), "", torch.device("cpu"), torch.float32)
    return unet


def vae_of(config):
    vae = make_vae(config)
    give(vae, arrays_of(vae, "vae."), "", torch.device("cpu"), torch.float32)
    return vae


def write_weights(all_weights, unet_config, vae_config, *variants):
    """The published files, of networks of these configurations, in the engine's folder below that of all weights; recorded as
    somebody's own, so that the engine takes them whatever their size. Each variant but the first has a self-attention of its
    own; the base's is that of none."""
    folder = all_weights / "catvton"
    folder.mkdir(parents=True, exist_ok=True)
    arrays = arrays_of(make_unet(unet_config), "unet.")
    for number, variant in enumerate(variants):
        trained = {
            theirs: (arrays[ours] * (1 - 0.5 * number)).contiguous()
            for theirs, ours in attention_names().items()
            if ours in arrays
        }
        save_file(trained, str(folder / attention_file(variant)), {"format": "pt"})
    base = {name: array * (0.9 if ".attn1." in name else 1) for name, array in arrays.items()}
    torch.save(base, str(folder / UNET_FILE))
    save_file(arrays_of(make_vae(vae_config), "vae."), str(folder / VAE_FILE))
    files = [UNET_FILE, VAE_FILE, *map(attention_file, variants)]
    for name in files:
        (folder / name).chmod(
            0o644
        )  # safetensors' own are for their owner only, and in a container somebody else reads them
    (all_weights / LOCK).write_text(
        json.dumps({"files": {f"catvton/{name}": recorded(folder / name) for name in files}, "accepted": {}})
    )


def recorded(path):
    found = os.stat(path)
    return {"digest": digest(str(path)), "size": found.st_size, "mtime_ns": found.st_mtime_ns, "trust": "own"}
