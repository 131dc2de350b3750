"""The published clothing-agnostic representation of VITON-HD, in the version that HR-VITON uses."""

import math
from typing import Any

import stagekit
from services.agnostic.engines.viton_hd.below import hidden_by
from services.agnostic.engines.viton_hd.recipes import recipe_mask
from services.agnostic.engines.viton_hd.settings import RECIPES, read_agnostic_settings
from services.agnostic.joints import ADVICE, Joints, joints_of_first_person
from services.agnostic.outputs import outputs_of
from services.agnostic.rescue import rescue
from stagekit.errors import IncompletePose
from stagekit.formats import BODY_25, BODY_25_JOINTS
from stagekit.options import OptionSchema, choice, defaults

_NEEDED = [BODY_25[name] for name in ("neck", "right_shoulder", "left_shoulder", "right_hip", "left_hip")]
"""Without these the published algorithm has no scale or no torso. Arms may be missing."""


class Engine(stagekit.Engine):
    """person, parse, pose -> agnostic, agnostic_mask, parse_agnostic.

    Equal to the published `agnostic-v3.2` and `image-parse-agnostic-v3.2` pixel by pixel, given the same inputs, wherever neck,
    shoulders, hips and elbows are there. Uses the first person of the pose; joints outside of the picture are fine. What stands
    in for missing joints is told in rescue.py, and warned about. An arm without elbow and wrist is left out, as published,
    and warned about: the sleeve stays visible there. A forearm without its wrist is left out too.

    For trousers, skirts and dresses the forms of below.py take its place. Other recipes give the masks of today's inpainting
    models (recipes.py); `parse_agnostic` is the same for all of them. A person without a category is made ready for a top.

    Warns: joints-guessed, arm-not-hidden. Raises IncompletePose for what cannot be rescued.
    """

    name = "viton_hd"
    version = "4"
    inputs = ("person", "parse", "pose", "category")
    licence = "MIT"
    concurrency = 4

    def __init__(self) -> None:
        self._settings = read_agnostic_settings()

    def option_schema(self) -> OptionSchema:
        told = "Whose rules hide the worn garment: VITON-HD's, or those of an inpainting model (docs/agnostic.md)."
        return {"recipe": choice(told, self._settings.agnostic_recipe, RECIPES)}

    def options(self) -> dict[str, Any]:
        return defaults(self.option_schema())

    def run_with(self, options: dict[str, Any], inputs: stagekit.Artifacts, warn: stagekit.Warn) -> stagekit.Artifacts:
        found = joints_of_first_person(inputs["pose"])
        joints = rescued(found)
        guessed = [joint for joint in range(len(found)) if joints[joint] != found[joint]]
        if guessed:
            warn(
                "joints-guessed",
                f"These joints were guessed from the others: {_names(guessed)}. What is hidden of the worn garment may be too "
                f"much or too little there. {ADVICE}",
            )
        category = inputs.get("category", "upper")
        for side in ("left", "right") if category != "lower" else ():
            if not any(joints[BODY_25[side + "_elbow"]]):
                warn("arm-not-hidden", f"The {side} elbow was not found, so that sleeve may stay visible.")
        parse = inputs["parse"]
        if options["recipe"] == "viton_hd":
            mask = hidden_by(category, parse, joints)
        else:
            mask = recipe_mask(parse, joints, category, options["recipe"])
        return outputs_of(mask, inputs, joints)


def rescued(found: Joints) -> Joints:
    """The joints with all that the algorithm needs. Raises IncompletePose, naming the joints, where no rule helps."""
    joints = rescue(found)
    if not all(any(joints[joint]) for joint in _NEEDED):
        lacking = [joint for joint in _NEEDED if not any(found[joint])]
        raise IncompletePose(f"These joints were not found: {_names(lacking)}. {ADVICE}")
    for part in ("shoulder", "hip"):
        if math.dist(joints[BODY_25["right_" + part]], joints[BODY_25["left_" + part]]) == 0:
            raise IncompletePose(f"The right {part} and the left {part} lie on the same point. {ADVICE}")
    return joints


def _names(joints: list[int]) -> str:
    return ", ".join(BODY_25_JOINTS[joint].replace("_", " ") for joint in joints)
