"""Deterministic weights for Leffa, of its published size or of any other."""

import json
from pathlib import Path

import torch

from services.tryon.engines.leffa.checkpoint import FILES, Configuration, fill, make_networks, published_shapes
from stagekit.weights import LOCK, digest
from tests.specs.fill import fill as made_up

SPECS = Path(__file__).parent


def state_dict_shapes():
    """Name -> shape of every array of virtual_tryon.pth."""
    return {name: tuple(shape) for name, shape in json.loads((SPECS / "state_dict.json").read_text()).items()}


def configuration_of(golden):
    """Of a golden run's reduced networks."""
    return Configuration(*(json.loads(str(golden["config_" + name])) for name in ("unet", "vae")))


def arrays_of(configuration):
    """Name -> array of a whole file."""
    return {name: torch.from_numpy(array) for name, array in made_up(published_shapes(configuration)).items()}


def filled(configuration, precision=torch.float32):
    """The networks with made-up weights, ready to run."""
    networks = make_networks(configuration)
    fill(networks, arrays_of(configuration), torch.device("cpu"), precision)
    return networks


def write_weights(all_weights, configuration, models=("viton_hd",)):
    """The models' files in the engine's folder below that of all weights, of networks of that configuration; recorded as
    somebody's own, so that the engine takes them whatever their size."""
    folder = all_weights / "leffa"
    folder.mkdir(parents=True, exist_ok=True)
    arrays, recorded = arrays_of(configuration), {}
    for model in models:
        path = folder / FILES[model]
        torch.save({name: array * (1 if model == "viton_hd" else 0.9) for name, array in arrays.items()}, str(path))
        found = path.stat()
        recorded["leffa/" + path.name] = {
            "digest": digest(str(path)),
            "size": found.st_size,
            "mtime_ns": found.st_mtime_ns,
            "trust": "own",
        }
    (all_weights / LOCK).write_text(json.dumps({"files": recorded, "accepted": {}}))
