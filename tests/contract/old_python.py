"""A stage on Python 3.6: what CIHP_PGN will need of the chassis. The engine is simple, but its output depends on its input.

Run by the contract suite: `python3.6 -m tests.contract.old_python PORT`.
"""

import platform
import sys

import numpy as np
import uvicorn

from services.human_parse.stage import STAGE
from stagekit import Engine
from stagekit.app import create_app
from stagekit.errors import NoPerson
from stagekit.formats import CIHP


class Silhouette(Engine):
    """Everything that differs from the colour of the corners is upper clothes."""

    name = "silhouette"
    inputs = ("person",)

    def runtime(self):
        return {"framework": "numpy " + np.__version__}

    def run(self, inputs, warn):
        person = inputs["person"].astype(np.int16)
        differs = np.abs(person - person[0, 0]).max(axis=2) > 40
        if not differs.any():
            raise NoPerson("Nothing stands out from the background. Send a photo of a person.")
        warn("old-python", "Made on Python %s." % platform.python_version())
        return {"parse": np.where(differs, CIHP["upper_clothes"], 0).astype(np.uint8)}


if __name__ == "__main__":
    uvicorn.run(create_app(STAGE, Silhouette()), host="127.0.0.1", port=int(sys.argv[1]), log_level="warning")
