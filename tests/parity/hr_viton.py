"""HR-VITON against the published implementation.

    python -m tests.parity hr_viton tests/specs/hr_viton/golden_1.npz [--path plain|fast|both]

Prints the largest error of each output relative to the output's spread; exits with 1 beyond the tolerance. The image is
drawn from the golden parse: where two labels are a rounding error apart, the processor decides, and a whole pixel changes.
"""

import argparse
import json
from pathlib import Path

import numpy as np
import torch

from services.tryon.engines.hr_viton.condition import ConditionGenerator, folded
from services.tryon.engines.hr_viton.fast import FastGenerator
from services.tryon.engines.hr_viton.generator import ImageGenerator
from services.tryon.engines.hr_viton.passage import Inputs, Outputs, dress
from tests.specs.fill import fill

SPECS = Path(__file__).parents[1] / "specs" / "hr_viton"
TOLERANCE = 4e-3
"""Of the output's spread: the golden files are float16."""

LEAST_EQUAL = 0.999
"""Of the parse's pixels."""


def main(arguments):
    parser = argparse.ArgumentParser(prog="python -m tests.parity hr_viton", description=__doc__)
    parser.add_argument("file", type=Path, help="golden run")
    parser.add_argument("--path", choices=("plain", "fast", "both"), default="both")
    chosen = parser.parse_args(arguments)
    torch.set_grad_enabled(False)
    golden = dict(np.load(chosen.file))
    generator = filled("gen", ImageGenerator())
    paths = {
        "plain": (filled("tocg", ConditionGenerator()), generator),
        "fast": (folded(filled("tocg", ConditionGenerator())), FastGenerator(generator)),
    }
    good = True
    for path in paths if chosen.path == "both" else (chosen.path,):
        predict, draw = paths[path]
        parse = torch.from_numpy(golden["out_parse"])
        outputs = dress(
            golden_inputs(golden),
            predict,
            lambda picture, _, draw=draw, parse=parse: draw(picture, parse),
            occlusion=bool(golden["occlusion"]),
        )
        print("%s, %s path, Torch %s" % (chosen.file.name, path, torch.__version__))
        good &= report(outputs, golden)
    if not good:
        raise SystemExit(1)


def filled(name, network):
    """The network with the made-up weights of its spec, ready to run."""
    shapes = json.loads((SPECS / (name + "_state_dict.json")).read_text())
    network.load_state_dict({key: torch.from_numpy(array) for key, array in fill(shapes).items()})
    return network.eval()


def golden_inputs(golden):
    """The inputs of a golden run."""

    def scaled(name):
        return torch.from_numpy(golden["in_" + name].astype(np.float32) / 127)

    labels = torch.from_numpy(golden["in_parse_agnostic_label"])
    return Inputs(scaled("cloth"), scaled("cloth_mask"), labels, scaled("densepose"), scaled("agnostic"))


def report(outputs: Outputs, golden):
    """Print each output's error; whether all are within tolerance."""
    ours = {
        "flow": outputs.condition.flow.permute(0, 2, 3, 1),
        "segmap": outputs.condition.segmentation,
        "warped_mask": outputs.condition.warped_mask,
        "warped_cloth": outputs.warped_cloth,
        "image": outputs.image,
    }
    good = True
    for name, mine in ours.items():
        theirs = golden["out_" + name].astype(np.float32)
        error = float(np.abs(mine.numpy() - theirs).max() / theirs.std())
        good &= error <= TOLERANCE
        print("  %-13s %.2e  %s" % (name, error, "ok" if error <= TOLERANCE else "BEYOND %g" % TOLERANCE))
    equal = float((outputs.parse.numpy() == golden["out_parse"]).mean())
    good &= equal >= LEAST_EQUAL
    print("  %-13s %.4f %% equal  %s" % ("parse", equal * 100, "ok" if equal >= LEAST_EQUAL else "BELOW 99.9"))
    return bool(good)
