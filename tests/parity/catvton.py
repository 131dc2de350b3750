"""CatVTON against the published implementation, on reduced networks.

    python -m tests.parity catvton tests/specs/catvton/golden_1.npz

One forward of the UNet, then the whole way from pictures to a picture in three steps. Exits with 1 beyond the tolerance.
"""

import argparse
import json
from pathlib import Path

import numpy as np

FORWARD, STEPS = 1e-4, 1e-3
"""Largest difference as a share of the output's spread, of one forward and of each of the steps."""


def main(arguments):
    parser = argparse.ArgumentParser(prog="python -m tests.parity catvton", description=__doc__)
    parser.add_argument("golden", type=Path, help="golden_....npz")
    found = differences(dict(np.load(parser.parse_args(arguments).golden)))
    for name, difference, allowed in found:
        print("  %-18s %.2e  %s" % (name, difference, "ok" if difference <= allowed else "BEYOND %g" % allowed))
    if any(difference > allowed for _, difference, allowed in found):
        raise SystemExit(1)


def differences(golden):
    """(what, difference, allowed)."""
    import torch

    from services.tryon.engines.catvton.sampling import sample, upper
    from services.tryon.latents import decode
    from tests.specs.catvton.weights import unet_of, vae_of

    how = json.loads(str(golden["meta"]))
    unet, vae = (
        make(json.loads(str(golden[name]))) for make, name in ((unet_of, "config_unet"), (vae_of, "config_vae"))
    )
    with torch.no_grad():
        eps = unet(torch.from_numpy(golden["fwd_input"]), int(golden["fwd_timestep"]), None).sample
        random = iter(torch.from_numpy(golden[name]) for name in sorted(golden) if name.startswith("random_"))
        conditions = conditions_of(golden, vae, next(random), next(random))
        latents = []
        done = sample(
            unet, conditions, random, how["steps"], how["guidance"], lambda number, of, x, heading: latents.append(x)
        )
        picture = decode(vae, done)[0]
    found = [("eps", spread(eps, golden["out_eps"]), FORWARD)]
    for number, (mine, theirs) in enumerate(zip(latents, golden["out_latents"], strict=True)):
        found.append(("latents %d" % (number + 1), spread(mine, theirs), STEPS))
    apart = np.abs(picture.astype(int) - golden["out_image"])
    return found + [
        ("upper half", spread(done, upper(torch.from_numpy(golden["out_latents"][-1])).numpy()), STEPS),
        ("uint8 off by", float(apart.max()), 1),
        ("uint8 unequal", float((apart > 0).mean()), 1e-3),
    ]


def conditions_of(golden, vae, person_noise, garment_noise):
    """The run's pictures, as the engine makes them ready."""
    from services.tryon.engines.catvton.conditions import Conditions, garment_latents, person_latents
    from services.tryon.latents import shrunk, thresholded

    person, cloth, mask = (golden[name] for name in ("in_person", "in_cloth", "in_mask"))
    return Conditions(
        person_latents(vae, person, mask, person_noise),
        garment_latents(vae, cloth, garment_noise),
        shrunk(thresholded(mask)),
    )


def spread(mine, theirs):
    """The largest difference as a share of the golden output's spread."""
    return float(np.abs(mine.detach().numpy() - theirs).max() / theirs.std())
