"""Write DensePose's weight file with deterministic weights: python -m tests.specs.detectron2.weights FOLDER [--nobody]

The weights are random, but the same everywhere, but for the score: every box that the network proposes is a person, or with
--nobody none. state_dict.json has the names and shapes of densepose_rcnn_R_50_FPN_s1x, as Detectron2's pinned commit builds it.
The file is as the model zoo's own: a pickle of arrays under `model`, with the constants that older versions kept there.
"""

import json
import pickle
import sys
from collections import OrderedDict
from pathlib import Path

import numpy as np

from tests.specs.fill import fill

FILE = "model_final_162be9.pkl"


def write_weights(folder, nobody=False, change=None):
    """change: a function that changes the arrays before (name -> array)."""
    arrays = OrderedDict(fill(json.loads(Path(__file__).with_name("state_dict.json").read_text())))
    person = -4 if nobody else 4
    arrays["roi_heads.box_predictor.cls_score.weight"] *= 0
    arrays["roi_heads.box_predictor.cls_score.bias"][:] = person, -person
    # Boxes near their anchors; the random features would throw them out of the picture.
    for name in ("proposal_generator.rpn_head.anchor_deltas", "roi_heads.box_predictor.bbox_pred"):
        arrays[name + ".weight"] *= 1e-3
    if change is not None:
        change(arrays)
    arrays["pixel_mean"] = np.array([103.53, 116.28, 123.675], np.float32).reshape(3, 1, 1)
    arrays["pixel_std"] = np.ones((3, 1, 1), np.float32)
    for level in range(5):
        arrays[f"proposal_generator.anchor_generator.cell_anchors.{level}"] = np.zeros((3, 4), np.float32)
    arrays._metadata = OrderedDict(backbone={"version": 1})  # as Torch's own state_dict has it
    Path(folder).mkdir(parents=True, exist_ok=True)
    with Path(folder, FILE).open("wb") as file:
        pickle.dump({"model": arrays, "__author__": "Detectron2 Model Zoo"}, file, protocol=3)


if __name__ == "__main__":
    write_weights(sys.argv[1], nobody="--nobody" in sys.argv[2:])
