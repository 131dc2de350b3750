"""Leffa against the published implementation.

    python -m tests.parity leffa tests/specs/leffa/golden_1.npz

golden_1: one forward of both reduced networks, and three steps with repainting. golden_2_accelerated: four steps, the garment
looked at once. Exits with 1 beyond the tolerance.
"""

import argparse
import json
from pathlib import Path

import numpy as np

FORWARD, STEPS, PIXELS = 1e-4, 1e-3, 1e-3
"""Largest difference as a share of the output's spread, of one forward and of a few steps; largest share of unequal values."""


def main(arguments):
    parser = argparse.ArgumentParser(prog="python -m tests.parity leffa", description=__doc__)
    parser.add_argument("golden", type=Path, help="golden_....npz")
    golden = dict(np.load(parser.parse_args(arguments).golden))
    found = forward_differences(golden) + pipeline_differences(golden)
    for name, difference, allowed in found:
        print("  %-18s %.2e  %s" % (name, difference, "ok" if difference <= allowed else "BEYOND %g" % allowed))
    if any(difference > allowed for _, difference, allowed in found):
        raise SystemExit(1)


def forward_differences(golden):
    """(what, difference, allowed) of both networks on a batch of two, the first one's garment missing."""
    import torch

    from tests.specs.leffa.weights import configuration_of, filled

    networks = filled(configuration_of(golden))
    given = {name[4:]: torch.from_numpy(golden[name]).float() for name in golden if name.startswith("fwd_")}
    timestep = int(golden["fwd_timestep"])
    with torch.no_grad():
        features = networks.reference(given["reference"], timestep)
        x = torch.cat((given["latent"], given["mask"], given["masked_latent"], given["densepose"]), 1)
        noise = networks.generator(x, timestep, features)
    shapes = [list(each.shape) for each in features]
    found = [("features' shapes", float(shapes != json.loads(str(golden["feature_shapes"]))), 0)]
    for name in sorted(golden):
        if name[:8] == "feature_" and name[8:].isdigit():
            found.append((name, spread(features[int(name[8:])][1:], golden[name]), FORWARD))
    return found + [("noise", spread(noise, golden["out_eps"]), FORWARD)]


def pipeline_differences(golden):
    """(what, difference, allowed) of a whole run, with the noise that the published one drew."""
    import torch

    from services.tryon.engines.leffa.engine import EDGE
    from services.tryon.engines.leffa.inputs import Shown
    from services.tryon.engines.leffa.painter import How, Painter
    from services.tryon.latents import make_scheduler, repaint
    from tests.specs.leffa.weights import configuration_of, filled

    meta = json.loads(str(golden["meta"]))
    of_person, of_garment, *noise = (
        torch.from_numpy(golden[name]) for name in sorted(golden) if name.startswith("random_")
    )
    encoding = iter((of_person, of_garment))
    painter = Painter(filled(configuration_of(golden)), 1e9, lambda shape: next(encoding))
    shown = Shown(*(golden["in_" + name] for name in ("person", "mask", "densepose", "cloth")))
    latents = []
    with torch.no_grad():
        picture = painter.paint(
            shown,
            How(meta["steps"], meta["guidance"], meta["ref_acceleration"]),
            iter(noise),
            lambda done, of, x, heading: latents.append(x),
        )
    if meta["repaint"]:
        picture = repaint(shown.person, shown.mask, picture, EDGE)
    timesteps = make_scheduler(meta["steps"], to_the_end=True).timesteps.numpy()
    found = [("timesteps", float((timesteps != golden["timesteps"]).any()), 0)]
    for number, (mine, theirs) in enumerate(zip(latents, golden["out_latents"], strict=True), 1):
        found.append(("latents %d" % number, spread(mine, theirs), STEPS))
    apart = np.abs(picture.astype(int) - golden["out_image"])
    return found + [("image off by", float(apart.max()), 1), ("image unequal", float((apart > 0).mean()), PIXELS)]


def spread(mine, theirs):
    """The largest difference as a share of the golden output's spread."""
    return float(np.abs(mine.detach().numpy() - theirs).max() / theirs.std())
