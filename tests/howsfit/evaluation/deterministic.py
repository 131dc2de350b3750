"""Backbones that are the same everywhere, in the place of the published weights, which no test downloads."""

import warnings
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch

from howsfit.evaluation.networks import import_torchvision
from howsfit.weights.lock import record
from tests.specs.fill import fill

FILES = {
    "alexnet": "alexnet-owt-7be5be79.pth",
    "squeezenet1_1": "squeezenet1_1-b8a52dc0.pth",
    "inception": "inception-2015-12-05.pt",
}


def write_backbones(folder: Path) -> None:
    """All of evaluation/weights.json below a folder of weights, each recorded as one's own."""
    home = folder / "evaluation"
    home.mkdir(parents=True)
    import_torchvision()
    import torchvision

    for name in ("alexnet", "squeezenet1_1"):
        shapes = {key: tuple(value.shape) for key, value in getattr(torchvision.models, name)().state_dict().items()}
        # Only the convolutions are used. The classifier of AlexNet, 200 MB, is one zero in many places.
        arrays: Mapping[str, np.ndarray] = fill({key: s for key, s in shapes.items() if key.startswith("features.")})
        whole = {
            key: torch.from_numpy(arrays[key]) if key in arrays else torch.zeros(1).expand(s)
            for key, s in shapes.items()
        }
        torch.save(whole, home / FILES[name])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # clean-fid takes TorchScript
        torch.jit.script(_Inception()).save(str(home / FILES["inception"]))
    for file in FILES.values():
        record(folder, "evaluation", file, "own", "a test")


class _Layers(torch.nn.Module):
    """2048 numbers of a picture, as Inception's last pooling gives: here of a single convolution."""

    def __init__(self) -> None:
        super().__init__()
        self.convolution = torch.nn.Conv2d(3, 2048, 3, stride=25)
        weights = fill({"convolution.weight": (2048, 3, 3, 3), "convolution.bias": (2048,)})
        self.load_state_dict({name: torch.from_numpy(array) for name, array in weights.items()})

    def forward(self, picture: torch.Tensor) -> torch.Tensor:
        return torch.relu(self.convolution(picture)).mean(dim=[2, 3])


class _Inception(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layers = _Layers()

    def forward(self, picture: torch.Tensor) -> torch.Tensor:
        return self.layers(picture)
