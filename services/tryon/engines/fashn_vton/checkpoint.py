"""model.safetensors, as its authors publish it: names and shapes are held to the network's own; it cannot hold code."""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn
from torch.nn import functional as F

from services.tryon.arrays import differences
from services.tryon.engines.fashn_vton.network import Modulations, Network, Shape
from stagekit.weights import not_right

FILE = "model.safetensors"

MODULATION = (".modulation.", "img_mod.", "txt_mod.", "adaLN_modulation.")
"""In the names of the layers that see nothing but time and category: 27 % of all numbers."""


class Weights:
    """The file, of which arrays are read when they are needed."""

    def __init__(self, path: Path, shape: Shape) -> None:
        """Raises WeightsMissing with what is wrong with it."""
        self.shape = shape
        try:
            self._file = safe_open(str(path), framework="pt")
            there = {name: tuple(self._file.get_slice(name).get_shape()) for name in self._file.keys()}  # noqa: SIM118, it is no mapping
        except (OSError, SafetensorError) as error:
            raise not_right("fashn_vton", f"{path.name} cannot be read: {error}") from error
        with torch.device("meta"):
            wanted = {name: tuple(array.shape) for name, array in Network(shape).state_dict().items()}
        wrong = differences(there, wanted)
        if wrong:
            raise not_right("fashn_vton", f"{path.name} " + "; ".join(wrong[:5]))

    def network(self, device: torch.device, dtype: torch.dtype) -> Network:
        """The network without its modulation, which `modulations` gives instead."""
        with torch.device("meta"):
            network = Network(self.shape)
        for name in network.state_dict():
            if not any(part in name for part in MODULATION):
                owner, leaf = name.rpartition(".")[::2]
                array = nn.Parameter(self._file.get_tensor(name).to(device, dtype), requires_grad=False)
                setattr(network.get_submodule(owner), leaf, array)
        return network.eval()

    def modulations(self, time: Tensor, category: Tensor) -> Modulations:
        """As `Network.modulations`, in float32 on the CPU: one layer after another is read, used and forgotten."""
        shape = self.shape
        with torch.device("meta"):
            network = Network(shape)
        for embedder in ("t_embedder", "y_embedder"):
            self._give(network.get_submodule(embedder), embedder + ".")
        vector = F.silu(network.t_embedder(time) + network.y_embedder(category))

        def of(layer: str) -> Tensor:
            weight, bias = (self._file.get_tensor(f"{layer}.{leaf}").float() for leaf in ("weight", "bias"))
            return F.linear(vector, weight, bias)

        return Modulations(
            tuple(of(f"x_patch_mixer.{number}.modulation.lin") for number in range(shape.mixers)),
            tuple(
                (of(f"double_blocks.{number}.img_mod.lin"), of(f"double_blocks.{number}.txt_mod.lin"))
                for number in range(shape.doubles)
            ),
            tuple(of(f"single_blocks.{number}.modulation.lin") for number in range(shape.singles)),
            of("final_layer.adaLN_modulation.1"),
        )

    def _give(self, module: nn.Module, prefix: str) -> None:
        arrays = {name: self._file.get_tensor(prefix + name).float() for name in module.state_dict()}
        module.load_state_dict(arrays, assign=True)
