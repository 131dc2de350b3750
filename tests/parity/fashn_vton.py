"""FASHN VTON against the published implementation.

    python -m tests.parity fashn_vton tests/specs/fashn_vton/golden_1.npz

golden_1: the reduced network, and three steps of sampling. golden_full: one forward of the full size, which takes minutes and
5 GB. golden_pre_1, golden_pre_2: drawings and pictures, without Torch. Exits with 1 beyond the tolerance.
"""

import argparse
import hashlib
import json
from pathlib import Path

import numpy as np

FORWARD, STEPS, DRAWN = 1e-4, 1e-3, 1e-3
"""Largest difference as a share of the output's spread, of one forward and of three steps; largest share of unequal pixels."""


def main(arguments):
    parser = argparse.ArgumentParser(prog="python -m tests.parity fashn_vton", description=__doc__)
    parser.add_argument("golden", type=Path, help="golden_....npz")
    chosen = parser.parse_args(arguments)
    golden = dict(np.load(chosen.golden))
    if "out_latents" in golden:
        found = network_differences(golden)
    elif "recipe" in golden:
        found = full_differences(golden)
    elif "out_pose" in golden:
        found = preprocessing_differences(golden)
    else:
        raise SystemExit("no golden run of FASHN VTON is like %s" % chosen.golden)
    for name, difference, allowed in found:
        print("  %-18s %.2e  %s" % (name, difference, "ok" if difference <= allowed else "BEYOND %g" % allowed))
    if any(difference > allowed for _, difference, allowed in found):
        raise SystemExit(1)


def network_differences(golden):
    """(what, difference, allowed) of a golden run of a reduced network."""
    import torch

    from services.tryon.engines.fashn_vton.network import Conditions
    from services.tryon.engines.fashn_vton.sampling import plan_steps, sample, schedule, to_pictures
    from tests.specs.fashn_vton.weights import filled, shape_of, unpacked

    network = filled(shape_of(json.loads(str(golden["config"]))))
    taps = tapped(network)
    category, times = torch.from_numpy(golden["in_categories"]), torch.from_numpy(golden["in_times"])
    names = ("ca_images", "person_poses", "garment_images", "garment_poses")
    conditions = Conditions(*(unpacked(golden, name) for name in names), category)
    noise = torch.from_numpy(golden["in_noise"])
    found = [("v", spread(network(noise, conditions, network.modulations(times, category)), golden["out_v"]), FORWARD)]
    found += [(name, spread(taps[name], golden["tap_" + name]), FORWARD) for name in taps]

    keep = torch.from_numpy(golden["in_keep_mask"])
    kept = Conditions(*(each * keep.view(-1, *[1] * (each.ndim - 1)) for each in conditions))
    v = network(noise, kept, network.modulations(times, kept.category))
    found.append(("v_with_mask", spread(v, golden["out_v_with_mask"]), FORWARD))

    how = json.loads(str(golden["sampling"]))
    planned = schedule(how["steps"], how["mu"])
    found.append(("schedule", float(np.abs(np.array(planned) - golden["schedule"]).max()), 1e-6))
    latents = []
    plan = plan_steps(network.modulations, how["steps"], how["guidance"], category)
    x = sample(network, plan, noise, conditions, lambda done, of, x, velocity: latents.append(x))
    for number, (mine, theirs) in enumerate(zip(latents, golden["out_latents"], strict=True)):
        found.append(("latents %d" % (number + 1), spread(mine, theirs), STEPS))
    apart = np.abs(to_pictures(x).numpy().astype(int) - golden["out_uint8"])
    found.append(("uint8 off by", float(apart.max()), 1))
    found.append(("uint8 unequal", float((apart > 0).mean()), 1e-3))
    return found


def tapped(network):
    """Name -> what passed there in the latest forward. The last single block gives the person's half only."""
    taps = {}

    def keep(name, form=lambda output: output):
        def hook(module, inputs, output):
            taps.setdefault(name, form(output))

        return hook

    network.x_embedder.proj.register_forward_hook(keep("x_embedder"))
    network.t_embedder.register_forward_hook(keep("t_embedder"))
    for name, at in (("0", 0), ("last", -1)):
        network.x_patch_mixer[at].register_forward_hook(keep("mixer_" + name))
        network.double_blocks[at].register_forward_hook(keep("double_%s_img" % name, lambda output: output[0]))
        network.double_blocks[at].register_forward_hook(keep("double_%s_txt" % name, lambda output: output[1]))
    network.single_blocks[0].register_forward_hook(keep("single_0"))
    return taps


def full_differences(golden):
    """(what, difference, allowed) of the one forward of the full size."""
    import torch

    from services.tryon.engines.fashn_vton.network import Conditions, Shape
    from tests.specs.fashn_vton.weights import filled

    recipe, stats, shape = json.loads(str(golden["recipe"])), json.loads(str(golden["stats"])), Shape()
    random, size = np.random.default_rng(recipe["rng_seed"]), (shape.height, shape.width)
    channels = {"ca_images": 3, "garment_images": 3, "person_poses": 1, "garment_poses": 1}
    drawn = {
        name: random.integers(-127, 128, (1, channels[name], *size)).astype(np.int8).astype(np.float32) / 127
        for name in recipe["order"]
        if name != "noise"
    }
    noise = random.standard_normal((1, 3, *size)).astype(np.float32)
    pictures = (torch.from_numpy(drawn[n]) for n in ("ca_images", "person_poses", "garment_images", "garment_poses"))
    conditions = Conditions(*pictures, torch.tensor([recipe["category"]]))
    network = filled(shape)
    modulations = network.modulations(torch.tensor([recipe["time"]]), conditions.category)
    v = network(torch.from_numpy(noise), conditions, modulations)[0].numpy()
    means = v.reshape(3, size[0] // shape.patch, shape.patch, size[1] // shape.patch, shape.patch).mean((2, 4))
    found = [
        ("crop", float(np.abs(v[:, 400:432, 272:304] - golden["out_crop"]).max() / stats["std"]), FORWARD),
        ("means of patches", float(np.abs(means - golden["out_patch_mean"]).max() / stats["std"]), FORWARD),
    ]
    mine = {"mean": v.mean(), "std": v.std(), "min": v.min(), "max": v.max()}
    mine.update(channel_mean=v.mean((1, 2)), channel_std=v.std((1, 2)))
    return found + [
        (name, float(np.abs(value - np.array(stats[name])).max() / stats["std"]), FORWARD)
        for name, value in mine.items()
    ]


def preprocessing_differences(golden):
    """(what, share of unequal values, allowed) of the way into the network and out of it."""
    from services.tryon.engines.fashn_vton.mask import mask_steps
    from services.tryon.engines.fashn_vton.pictures import first_resize, fit, without
    from services.tryon.engines.fashn_vton.pose import Body, draw

    meta = json.loads(str(golden["meta"]))
    height, width = meta["H"], meta["W"]
    body = Body(golden["in_candidate"], golden["in_subset"][0] >= 0, golden["in_hands"], golden["in_faces"][0])
    pose, photo = draw(body, height, width), formula_photo(height, width, meta["photo_k"])
    padded, borders = fit(photo)
    found = [
        ("pose", float((pose != golden["out_pose"]).mean()), DRAWN),
        ("pose, padded", float((fit(pose, drawing=True)[0] != golden["out_pose_padded"]).mean()), DRAWN),
        ("person, padded", float(sha256(padded) != meta["sha256"]["maskless_padded"]), 0),
        ("borders", float(list(borders) != meta["padding_l_t_r_b"]), 0),
        ("without them", float(without(padded, borders).shape != fit_size(height, width)), 0),
    ]
    small = first_resize(formula_photo(*meta["preresize"]["of"], meta["preresize"]["k"]))
    large = fit(formula_photo(*meta["upscale"]["of"], meta["upscale"]["k"]))[0]
    for category, name in (("upper", "tops"), ("lower", "bottoms"), ("dress", "one-pieces")):
        steps = mask_steps(golden["in_labels"], category)
        known = {"mask": "out_mask_" + name}
        if name == "tops":
            known.update((step, "tops_" + step) for step in ("base", "buffer", "contour", "hybrid", "dilated"))
        for step, array in known.items():
            unpacked = np.unpackbits(golden[array], axis=1)[:, :width] > 0
            found.append(("%s, %s" % (name, step), float((getattr(steps, step) != unpacked).mean()), 0))
        hidden = np.where(steps.mask[..., None], np.uint8(127), photo)
        found.append((name + ", hidden", float(sha256(hidden) != meta["sha256"]["agnostic_" + name]), 0))
    return found + [
        ("first resize", float(sha256(small) != meta["preresize"]["sha256"]), 0),
        ("first and second", float(sha256(fit(small)[0]) != meta["preresize"]["padded_sha256"]), 0),
        ("enlarged", float(sha256(large) != meta["upscale"]["sha256"]), 0),
    ]


def formula_photo(height, width, k):
    """The golden runs' photograph: uint8 RGB."""
    y, x = np.mgrid[:height, :width]
    return np.stack((3 * x + y * k, x * y // 64 + 7 * k, x ^ y), axis=2).astype(np.uint8)


def fit_size(height, width):
    factor = min(576 / width, 864 / height)
    return int(factor * height), int(factor * width), 3


def sha256(array):
    return hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()


def spread(mine, theirs):
    """The largest difference as a share of the golden output's spread."""
    return float(np.abs(mine.detach().numpy() - theirs).max() / theirs.std())
