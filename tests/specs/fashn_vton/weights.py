"""Deterministic weights for FASHN VTON, of its published size or of any other."""

import json
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file

from services.tryon.engines.fashn_vton.network import Network, Shape
from stagekit.weights import LOCK, digest
from tests.specs.fill import fill

SPECS = Path(__file__).parent


def published_shapes():
    """Name -> shape of every array of model.safetensors."""
    return {name: tuple(shape) for name, shape in json.loads((SPECS / "state_dict.json").read_text()).items()}


def shape_of(config):
    """Of a golden run's configuration."""
    height, width = config["input_shape"]
    return Shape(
        height=height,
        width=width,
        patch=config["patch_size"],
        hidden=config["hidden_size"],
        heads=config["n_heads"],
        axes=tuple(config["axes_dim"]),
        theta=float(config["theta"]),
        mixers=config["patch_mixer_depth"],
        doubles=config["double_blocks_depth"],
        singles=config["single_blocks_depth"],
        mlp_ratio=config["mlp_ratio"],
        categories=config["n_classes"],
    )


def filled(shape):
    """The network with made-up weights, ready to run."""
    with torch.device("meta"):
        network = Network(shape)
    for name, parameter in network.state_dict().items():
        array = fill({name: tuple(parameter.shape)})[name]  # one by one: at full size they are 4 GB
        put(network, name, torch.from_numpy(array))
    return network.eval().requires_grad_(False)


def put(network, name, tensor):
    owner, leaf = name.rpartition(".")[::2]
    setattr(network.get_submodule(owner), leaf, torch.nn.Parameter(tensor, requires_grad=False))


def write_weights(all_weights, shape):
    """model.safetensors in the engine's folder below that of all weights, in bfloat16 as published, of a network of that shape;
    recorded as somebody's own, so that the engine takes it whatever its size."""
    path = all_weights / "fashn_vton" / "model.safetensors"
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file({name: tensor.to(torch.bfloat16) for name, tensor in filled(shape).state_dict().items()}, str(path))
    path.chmod(0o644)  # safetensors' own are for their owner only, and in a container somebody else reads them
    found = {
        "digest": digest(str(path)),
        "size": path.stat().st_size,
        "mtime_ns": path.stat().st_mtime_ns,
        "trust": "own",
    }
    (all_weights / LOCK).write_text(json.dumps({"files": {"fashn_vton/model.safetensors": found}, "accepted": {}}))


def unpacked(golden, name):
    """An input that is kept as int8, in -1..1."""
    return torch.from_numpy(np.asarray(golden["in_" + name], np.float32) / 127)
