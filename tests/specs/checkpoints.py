"""Checkpoint files of the published form with made-up weights, so that a whole engine can run where there are no real ones.

    python -m tests.specs.checkpoints FOLDER      writes mtviton.pth and gen.pth of HR-VITON (0.6 GB); needs Torch

What such a network draws is noise.
"""

import json
import sys
from pathlib import Path

import torch

from tests.specs.fill import fill

SPECS = Path(__file__).parent


def write_hr_viton(folder: Path) -> None:
    """Fill both networks and save them as the authors did."""
    folder.mkdir(parents=True, exist_ok=True)
    for spec, name in (("tocg", "mtviton.pth"), ("gen", "gen.pth")):
        shapes = json.loads((SPECS / "hr_viton" / (spec + "_state_dict.json")).read_text())
        torch.save({key: torch.from_numpy(array) for key, array in fill(shapes).items()}, str(folder / name))


if __name__ == "__main__":
    write_hr_viton(Path(sys.argv[1]))
