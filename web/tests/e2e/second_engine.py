"""A second generator beside the default one: with an option of every type, and a licence that allows less."""

from typing import Any

import numpy as np

import stagekit
from services.tryon.engines.tps.engine import Engine as Tps
from services.tryon.stage import STAGE
from stagekit import options
from stagekit.app import create_app


class Second(Tps):
    name = "second"
    licence = "CC-BY-NC-4.0"
    commercial = "no"
    categories = ("upper", "dress")

    def option_schema(self) -> options.OptionSchema:
        return super().option_schema() | {
            "seed": options.integer("Of the noise: the same seed gives the same picture.", 7, 0, 99),
            "strength": options.number("How much of the garment shows.", 0.5, 0, 1),
            "mirrored": {"type": "boolean", "description": "Left is right, and right is left.", "default": False},
            "caption": {"type": "string", "description": "What the garment is called.", "default": "a garment"},
        }

    def run_with(self, options: dict[str, Any], inputs: stagekit.Artifacts, warn: stagekit.Warn) -> stagekit.Artifacts:
        tryon = super().run_with(options, inputs, warn)["tryon"]
        if (turns := options["seed"] % 3) != 1:  # the default's is as it was drawn
            worn = (tryon != inputs["person"]).any(axis=2)
            tryon = np.where(worn[..., None], np.roll(tryon, 1 + turns, axis=2), tryon)
        return {"tryon": np.ascontiguousarray(tryon[:, ::-1] if options["mirrored"] else tryon)}


app = create_app(STAGE, Second())
