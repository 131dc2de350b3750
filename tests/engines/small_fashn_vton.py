"""FASHN VTON in its container with a smaller network of the same make, whose steps take some hundredths of a second.

python -m tests.engines.small_fashn_vton write FOLDER    its made-up weights, into a folder of weights
python -m tests.engines.small_fashn_vton serve           the stage
"""

import sys
from pathlib import Path

from services.tryon.engines.fashn_vton.engine import Engine
from services.tryon.engines.fashn_vton.network import Shape
from stagekit import serve
from tests.specs.fashn_vton.weights import write_weights

SMALL = Shape(height=288, width=192, hidden=256, heads=4, axes=(8, 28, 28), mixers=1, doubles=1, singles=2)

if __name__ == "__main__":
    if sys.argv.pop(1) == "write":
        write_weights(Path(sys.argv[1]), SMALL)
    else:
        Engine.shape = SMALL
        sys.argv.append("services.tryon.app:app")
        serve.main()
