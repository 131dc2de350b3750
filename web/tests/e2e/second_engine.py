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
        made = super().run_with(options, inputs, warn)
        return made | {"tryon": np.ascontiguousarray(made["tryon"][:, ::-1])} if options["mirrored"] else made


app = create_app(STAGE, Second())
