"""Leffa in its container with smaller networks of the same make.

python -m tests.engines.small_leffa write FOLDER    their made-up weights, into a folder of weights
python -m tests.engines.small_leffa serve           the stage
"""

import sys
from pathlib import Path

import numpy as np

from services.tryon.engines.leffa.engine import Engine
from stagekit import serve
from tests.specs.leffa.weights import SPECS, configuration_of, write_weights

SMALL = configuration_of(dict(np.load(SPECS / "golden_1.npz")))

if __name__ == "__main__":
    if sys.argv.pop(1) == "write":
        write_weights(Path(sys.argv[1]), SMALL)
    else:
        Engine.configuration = SMALL
        Engine.sizes = {128: 96}
        sys.argv.append("services.tryon.app:app")
        serve.main()
