"""A gateway with light stages in one process: python -m stagekit.serve tests.howsfit.dataset.light_gateway:app

Each run writes a line into `runs` in SMALL_STAGES_FOLDER, as small_stages tells. A person whose upper left pixel is red has
nobody in it.
"""

import os
from pathlib import Path

import numpy as np

from gateway.app import create_app
from gateway.settings import Settings
from stagekit.app import create_app as create_stage_app
from stagekit.errors import NoPerson
from tests.gateway.small_stages import STAGES, SmallEngine


class Engine(SmallEngine):
    def run(self, inputs, warn):
        outputs = super().run(inputs, warn)
        if self._stage.name == "agnostic":
            person = inputs["person"]
            red = person[0, 0, 0] > 250 and person[0, 0, 1:].max() < 5
            if red and not Path(os.environ["SMALL_STAGES_FOLDER"], "lenient").exists():
                raise NoPerson("There is nobody.")
            outputs["parse_agnostic"] = (person[..., 0] % 20).astype(np.uint8)
        return outputs


apps = {name: create_stage_app(stage, Engine(stage)) for name, stage in STAGES.items()}
app = create_app(
    Settings(stages={name: f"inproc://{name}" for name in STAGES}, web_dir=Path("none"), max_running=4), apps
)
