"""Weights that a training begins from, or that lie behind it: the official ones, a file, or another training's."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from howsfit.weights.sets import every_set
from stagekit.weights import all_weights, check, digest, read_lock

if TYPE_CHECKING:
    from torch import Tensor, nn

    from training.perceptual import Vgg19

OFFICIAL = "official"
RUN = "run.json"
"""What a training's folder says of it."""

FILES = {"condition": "mtviton.pth", "generator": "gen.pth"}
"""The published names of the two networks' files."""

VGG = "training/vgg19"


class Origin(NamedTuple):
    """Weights, and what is known of them."""

    name: str
    """official with its digest, a digest, or the folder of a training."""
    licence: str
    """Empty where it is not known."""
    commercial: str
    """yes, no or unclear; empty where only our own data is behind it."""
    data: str
    """What they learned from, in a sentence."""
    state: "dict[str, Tensor]"


def origin(said: str, side: str) -> Origin:
    """said: official, a folder of a training, or a file in the published form; side: condition or generator.

    Raises WeightsMissing, ValueError with what to do.
    """
    if said == OFFICIAL:
        return _official(side)
    path = Path(said)
    if (path / RUN).is_file():
        return _of_run(path, side)
    if path.is_dir() and (path / FILES[side]).is_file():
        path = path / FILES[side]
    if not path.is_file():
        raise ValueError(
            f"'{said}' is neither `official`, nor a folder of `howsfit train {side}`, nor a file of weights."
        )
    return Origin(digest(str(path)), "", "unclear", "", _read(path, side))


def _official(side: str) -> Origin:
    from stagekit.weights import require

    described = {each["file"]: each for each in require("hr_viton")}[FILES[side]]
    state = _read(Path(all_weights()) / "hr_viton" / FILES[side], side)
    return Origin(
        f"{OFFICIAL} {described['digest']}", described["licence"], described["commercial"],
        "VITON-HD, by the authors of HR-VITON", state,
    )  # fmt: skip


def _of_run(folder: Path, side: str) -> Origin:
    """The averaged weights of its best checkpoint, or where nothing was judged, of the last."""
    document = read_run(folder)
    if document["settings"]["kind"] != side:
        raise ValueError(f"'{folder}' is a training of the {document['settings']['kind']}, not of the {side}.")
    state = averaged(folder, side)
    return Origin(str(folder), document["licence"], document["commercial"], document["data"], state)


def averaged(folder: Path, side: str) -> "dict[str, Tensor]":
    """The averaged weights of a training, whole and under the published names. Raises ValueError where there is none yet."""
    from training.average import Average
    from training.checkpoints import Checkpoints

    checkpoints = Checkpoints(folder / "checkpoints", keep=1)
    steps = checkpoints.steps()
    if not steps:
        raise ValueError(f"'{folder}' has no checkpoint yet: let `howsfit train {side}` run longer.")
    best = int(checkpoints.load(steps[-1])["best"].get("step", steps[-1]))
    state = checkpoints.load(best)
    network = _network(side)
    network.load_state_dict(state["networks"]["generator"])
    average = Average(network, 0)
    average.load(state["average"])
    return average.weights()


def read_run(folder: Path) -> dict[str, Any]:
    """Raises ValueError for a folder that no training is in."""
    try:
        found: dict[str, Any] = json.loads((folder / RUN).read_bytes())
    except FileNotFoundError:
        raise ValueError(f"'{folder}' is no folder of a training: it has no {RUN}.") from None
    return found


def vgg(perceptual: str, seed: int) -> "Vgg19":
    """The frozen network of the perceptual loss: with ImageNet's weights, or with drawn ones. Raises WeightsMissing."""
    import torch

    from howsfit.evaluation.backbones import backbones
    from stagekit.torch_files import read_arrays
    from training.perceptual import Vgg19

    network = Vgg19()
    if perceptual == "random":
        drawn = torch.Generator().manual_seed(seed)
        for name, array in network.state_dict().items():
            spread = (2 / array[0].numel()) ** 0.5 if name.endswith("weight") else 0.0
            array.copy_(spread * torch.randn(array.shape, generator=drawn))
        return network
    (file,) = backbones([VGG]).values()
    arrays = read_arrays(str(file.path))
    network.load_state_dict({name: arrays[name] for name in network.state_dict()})
    return network


def has_vgg() -> bool:
    """Whether ImageNet's weights are here."""
    weights = every_set()[VGG]
    folder = all_weights()
    return all(check(folder, weights, file, read_lock(folder), quick=True).good for file in weights.files)


def _network(side: str) -> "nn.Module":
    from services.tryon.engines.hr_viton.condition import ConditionGenerator
    from services.tryon.engines.hr_viton.generator import ImageGenerator

    return ConditionGenerator() if side == "condition" else ImageGenerator()


def _read(path: Path, side: str) -> "dict[str, Tensor]":
    from services.tryon.engines.hr_viton import checkpoint

    network = _network(side)
    checkpoint.load(network, path)
    return dict(network.state_dict())
