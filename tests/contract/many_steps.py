"""A stage whose engine takes many short steps. Runs on Python 3.6 too.

Run by test_steps: `python -m tests.contract.many_steps PORT`. The /info's `runtime` tells how many steps it has done in all.
"""

import sys
import time

import numpy as np
import uvicorn

from stagekit import Engine, Stage
from stagekit.app import create_app
from stagekit.options import integer

STAGE = Stage("shadow", {"person": "image"}, {"tryon": "image"}, "patient")


class Patient(Engine):
    """Gives the person back after so many steps; a preview is grey, lighter from step to step."""

    name = "patient"

    def __init__(self):
        self.steps = 0

    def rest(self):
        """It has no models; but with HOWSFIT_DEVICE_LOCK it waits for its turn like one that has."""

    def option_schema(self):
        return {
            "steps": integer("How many.", 20, 1, 10000),
            "pause_ms": integer("Of each step.", 20, 0, 10000),
        }

    def runtime(self):
        return {"steps": str(self.steps)}

    def run_with(self, options, inputs, warn):
        steps = options["steps"]
        warn.step(0, steps)
        for done in range(1, steps + 1):
            time.sleep(options["pause_ms"] / 1000)
            self.steps += 1
            warn.step(done, steps, lambda: np.full((1024, 768, 3), 255 * done // steps, np.uint8))  # noqa: B023
        return {"tryon": inputs["person"]}


app = create_app(STAGE, Patient())

if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_level="warning")
