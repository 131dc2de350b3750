"""Five stages that really speak the protocol, with engines that take a moment: for tests of what the gateway makes of them.

python -m stagekit.serve tests.gateway.small_stages:tryon

The artifacts have the real names, kinds and sizes, but each picture has the colour of what it was made from: the upper half
of a try-on is the photo's, the lower half the garment's. With the folder SMALL_STAGES_FOLDER in the environment, every run
that begins writes a line "time stage inputs" to its file `runs`, and waits while there is a file `hold-STAGE`. A stage that
starts waits while there is a file `hold-start-STAGE`, and lacks its weights while there is a file `no-weights-STAGE`. With a
file `steps-STAGE` runs take as many steps as stand there, and each writes a line "time stage done" to the file `steps`.
"""

import os
import time
from pathlib import Path

import numpy as np

from stagekit import Engine, Stage
from stagekit.app import create_app
from stagekit.errors import WeightsMissing
from stagekit.formats import HEIGHT, WIDTH

FOLDER = os.environ.get("SMALL_STAGES_FOLDER")
RUN_S, STEP_S = 0.02, 0.2


def colour(picture):
    """(upper, lower) colour of a picture, as "RRGGBB"."""
    return tuple("%02x%02x%02x" % tuple(map(int, picture[row, 0])) for row in (0, -1))


def filled(value, shape=(HEIGHT, WIDTH)):
    return np.broadcast_to(np.asarray(value, np.uint8), (*shape, *np.shape(value))).copy()


class SmallEngine(Engine):
    name = "small"

    def __init__(self, stage):
        self._stage = stage

    def load(self):
        if FOLDER:
            while Path(FOLDER, "hold-start-" + self._stage.name).exists():
                time.sleep(0.01)
            if Path(FOLDER, "no-weights-" + self._stage.name).exists():
                raise WeightsMissing("There are no weights. Fetch them.")

    def run(self, inputs, warn):
        if FOLDER:
            seen = [
                "".join(colour(inputs[name])) for name in self._stage.inputs if isinstance(inputs[name], np.ndarray)
            ]
            with Path(FOLDER, "runs").open("a") as runs:
                runs.write(f"{time.time():.3f} {self._stage.name} {'-'.join(seen)}\n")
            while Path(FOLDER, "hold-" + self._stage.name).exists():
                time.sleep(0.01)
            if Path(FOLDER, "steps-" + self._stage.name).exists():
                self._take_steps(int(Path(FOLDER, "steps-" + self._stage.name).read_text()), warn)
        time.sleep(RUN_S)
        return MAKE[self._stage.name](inputs)

    def _take_steps(self, steps, warn):
        warn.step(0, steps)
        for done in range(1, steps + 1):
            time.sleep(STEP_S)
            with Path(FOLDER, "steps").open("a") as written:
                written.write(f"{time.time():.3f} {self._stage.name} {done}\n")
            warn.step(done, steps, lambda: filled((9, 9, 9)))


def resized(inputs):
    photo = inputs["photo"]
    height, width = photo.shape[:2]
    frame = {"photo_size": [width, height], "box": [0, 0, width, height], "person_size": [WIDTH, HEIGHT]}
    return {"person": filled(photo[0, 0]), "frame": frame}


def dressed(inputs):
    picture = inputs["agnostic"].copy()
    picture[HEIGHT // 2 :] = inputs["cloth"][0, 0]
    return {"tryon": picture}


def pasted(inputs):
    picture = inputs["photo"].copy()
    picture[len(picture) // 2 :] = inputs["tryon"][-1, 0]
    return {"tryon_photo": picture}


MAKE = {
    "resize": resized,
    "cloth_mask": lambda inputs: {"cloth": filled(inputs["garment"][0, 0]), "cloth_mask": filled(255)},
    "agnostic": lambda inputs: {"agnostic": inputs["person"], "parse_agnostic": filled(5)},
    "tryon": dressed,
    "paste_back": pasted,
}
STAGES = {
    "resize": Stage("resize", {"photo": "picture"}, {"person": "image", "frame": "transform"}, "small"),
    "cloth_mask": Stage(
        "cloth_mask", {"garment": "picture"}, {"cloth": "image", "cloth_mask": "mask"}, "small", cut_out=("garment",)
    ),
    "agnostic": Stage("agnostic", {"person": "image"}, {"agnostic": "image", "parse_agnostic": "labels"}, "small"),
    "tryon": Stage("tryon", {"agnostic": "image", "cloth": "image"}, {"tryon": "image"}, "small"),
    "paste_back": Stage(
        "paste_back",
        {"photo": "picture", "frame": "transform", "tryon": "image"},
        {"tryon_photo": "picture"},
        "small",
    ),
}
resize, cloth_mask, agnostic, tryon, paste_back = (create_app(stage, SmallEngine(stage)) for stage in STAGES.values())
