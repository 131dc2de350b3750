"""The mask that CatVTON makes of a photo by itself."""

from typing import Any

import stagekit
from services.agnostic.engines.catvton_mask.mask import both_parses, inpainting_mask
from services.agnostic.engines.catvton_mask.parts import densepose_parts
from services.agnostic.joints import joints_of_first_person
from services.agnostic.outputs import outputs_of
from services.agnostic.rescue import rescue
from stagekit.densepose import check_densepose
from stagekit.options import OptionSchema, choice, defaults

LAYERS = ("all", "inner", "outer")


class Engine(stagekit.Engine):
    """person, parse, pose, densepose, category -> agnostic, agnostic_mask, parse_agnostic.

    The mask follows the body under the clothes, of DensePose, and one parse in the place of CatVTON's two. The pose is for
    `parse_agnostic` alone; arms that it lacks stay there. A person without a category is made ready for a top.

    Raises WrongKind for a densepose that is not part colours on black, IncompletePose where the pose lists nobody.
    """

    name = "catvton_mask"
    version = "1"
    inputs = ("person", "parse", "pose", "densepose", "category")
    licence = "MIT"
    concurrency = 4

    def option_schema(self) -> OptionSchema:
        told = "Which layer a top takes the place of: all of it, what is worn under an open jacket, or the jacket."
        return {"layer": choice(told, "all", LAYERS)}

    def options(self) -> dict[str, Any]:
        return defaults(self.option_schema())

    def run_with(self, options: dict[str, Any], inputs: stagekit.Artifacts, warn: stagekit.Warn) -> stagekit.Artifacts:
        check_densepose(inputs["densepose"])
        joints = rescue(joints_of_first_person(inputs["pose"]))
        kind = inputs.get("category", "upper")
        if kind == "upper" and options["layer"] != "all":
            kind = options["layer"]
        mask = inpainting_mask(both_parses(inputs["parse"]), densepose_parts(inputs["densepose"]), kind)
        return outputs_of(mask, inputs, joints)
