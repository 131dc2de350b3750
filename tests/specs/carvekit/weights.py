"""Write files like CarveKit's with deterministic weights: python -m tests.specs.carvekit.weights FOLDER (0.6 GB)

Names and shapes are those of CarveKit's own networks; what networks with such weights see is noise.
"""

import os
import sys
from pathlib import Path

import torch
from carvekit.ml.wrap.fba_matting import FBAMatting
from carvekit.ml.wrap.tracer_b7 import TracerUniversalB7
from carvekit.ml.wrap.u2net import U2NET

from tests.specs.fill import fill


def write_weights(folder: Path) -> None:
    """tracer_b7.pth, u2net.pth and fba_matting.pth."""
    folder.mkdir(parents=True, exist_ok=True)
    networks = {
        "tracer_b7.pth": TracerUniversalB7(load_pretrained=False, model_path=os.devnull),
        "u2net.pth": U2NET(load_pretrained=False),
        "fba_matting.pth": FBAMatting(load_pretrained=False),
    }
    for name, network in networks.items():
        shapes = {key: tuple(array.shape) for key, array in network.state_dict().items()}
        torch.save({key: torch.from_numpy(array) for key, array in fill(shapes).items()}, str(folder / name))


if __name__ == "__main__":
    write_weights(Path(sys.argv[1]))
