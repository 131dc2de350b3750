"""A generator that takes many steps to what the default one does at once, beside it."""

import time
from typing import Any

import stagekit
from services.tryon.engines.tps.engine import Engine as Tps
from services.tryon.stage import STAGE
from stagekit import options
from stagekit.app import create_app
from stagekit.report import Report


class Stepping(Tps):
    name = "stepping"
    concurrency = 1

    def option_schema(self) -> options.OptionSchema:
        return super().option_schema() | {"steps": options.integer("Of half a second each.", 16, 1, 500)}

    def run_with(self, options: dict[str, Any], inputs: stagekit.Artifacts, warn: Report) -> stagekit.Artifacts:
        person, steps = inputs["person"], options["steps"]
        tryon = super().run_with(options, inputs, warn)["tryon"]
        warn.step(0, steps)
        for done in range(1, steps + 1):
            time.sleep(0.5)
            share = done / steps
            warn.step(done, steps, lambda: (share * tryon + (1 - share) * person).astype("uint8"))  # noqa: B023
        return {"tryon": tryon}


app = create_app(STAGE, Stepping())
