"""HR-VITON's trainings against the published ones: losses, gradients, pictures, parameters after each step.

    python -m tests.parity hr_viton_training tests/specs/hr_viton_training/golden_train_condition.npz [--case A] [--profile 8gb]

Golden steps of `golden_train_*` are run in float64, those of `golden_f32_*` in float32. Exits with 1 beyond the tolerance.
What vanishes in exact arithmetic is left out: it is rounding noise, which Adam turns into steps.
"""

import argparse
import json
import zlib
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional as F

from services.tryon.engines.hr_viton.condition import ConditionGenerator
from services.tryon.engines.hr_viton.generator import ImageGenerator, Noise
from services.tryon.engines.hr_viton.passage import Inputs
from tests.specs.fill import fill
from training.condition_losses import Recipe, Sample, forward, one_hot
from training.condition_step import ConditionTraining
from training.discriminators import ConditionDiscriminator, ImageDiscriminator, odds
from training.generator_step import GeneratorTraining, conditions
from training.perceptual import Vgg19
from training.profiles import PLAIN, PROFILES

LOSSES, NORMS, PARAMETERS = 1e-4, 1e-3, 1e-3
"""Relative; of parameters, of the projection's change by the step."""

LATER_LOSSES, LATER_GAN = 1e-3, 3e-3
"""Of the steps after the first, in float32; the generator's side of the image discriminator's."""

NORMS_FLOAT32, MEDIAN_FLOAT32, MEDIAN_AFTER_A_STEP = 2e-2, 5e-4, 2e-3
"""Gradients' norms in float32, where the sign of a number near a kink decides: each, and their median. The published classes
themselves differ by as much from their float64. The image discriminator sees the stepped generator's picture: the golden
median itself is 1.1e-3 away from float64, in which all is the same to 1e-9."""

VARIANT_LOSSES, OUTPUTS, LABELS_THAT_DIFFER = 1e-4, 1e-5, 1e-4
"""Relative, relative to the spread (the files have float32), and a share: a label may be a near tie."""

VANISHES, VANISHES_FLOAT32 = 1e-9, 1e-5
"""A gradient's norm under this is none; in float32 as a share of the network's largest."""

NAMES = {
    "loss_G": "G", "loss_l1_cloth": "l1", "loss_vgg": "vgg", "loss_tv": "tv", "CE_loss": "ce", "loss_G_GAN": "gan",
    "loss_D": "D", "loss_D_fake": "D_fake", "loss_D_real": "D_real",
    "loss_gen": "G", "loss_dis": "D", "GAN": "gan", "GAN_Feat": "feat", "VGG": "vgg", "D_Fake": "D_fake", "D_Real": "D_real",
    "L1": "l1", "TV": "tv", "CE": "ce",
}  # fmt: skip
"""Golden names of terms, and ours."""


def main(arguments):
    parser = argparse.ArgumentParser(prog="python -m tests.parity hr_viton_training", description=__doc__)
    parser.add_argument("file", type=Path, help="golden steps")
    parser.add_argument("--case", help="only this one (A, B, ...)")
    parser.add_argument("--steps", type=int, default=9, help="at most so many")
    parser.add_argument("--profile", default="plain", choices=PROFILES, help="how the steps save memory")
    chosen = parser.parse_args(arguments)
    golden = dict(np.load(chosen.file))
    profile = PROFILES[chosen.profile]
    checks = Checks()
    if "grad_G" in golden:
        _quick(golden, chosen.steps, profile, checks)
    else:
        cases = sorted({name.split("_")[0] for name in golden if name.endswith("_flags")})
        for case in [chosen.case] if chosen.case else cases:
            _case(golden, case, chosen.steps, profile, checks)
        if "variants" in golden and chosen.case in (None, "A"):
            _variants(golden, profile, checks)
        if "rejection_B" in golden and chosen.case in (None, "B"):
            _rejection(golden, checks)
    if not checks.good:
        raise SystemExit(1)


class Checks:
    """Prints comparisons, and remembers whether all were good."""

    def __init__(self):
        self.good = True

    def say(self, what, error, allowed):
        good = bool(error <= allowed)
        self.good &= good
        print("  %-42s %.2e  %s" % (what, error, "ok" if good else "BEYOND %g" % allowed), flush=True)


def _case(golden, case, steps, profile, checks):
    """One of the float64 files."""
    got = _of_case(golden, case)
    flags, losses = json.loads(bytes(got["flags"])), json.loads(bytes(got["losses"]))
    is_generator = "in_agnostic" in got
    print("case %s, %s" % (case, "image generator" if is_generator else "condition generator"))
    make = generator_training if is_generator else condition_training
    training, step, made = make(got, flags, torch.float64, profile)
    names = {side: json.loads(bytes(golden[side + "_names"])) for side in "GD"}
    gradients = _watched(training)
    for number in range(min(steps, len(losses))):
        before = {side: _table(network.named_parameters()) for side, network in _networks(training)}
        terms = step()
        _compare_losses(terms, losses[number], number, LOSSES, checks)
        for side, network in _networks(training):
            rows = _table(network.named_parameters()), gradients[side], before[side]
            _compare_tables(side, names[side], *rows, got, number, checks)
            _compare_vectors(side, network, got, number, checks)
        if number == 0:
            _compare_whole(gradients, got, checks)
            _compare_made(made(), got, checks)
    _compare_buffers(training.generator, got, number + 1 == len(losses), checks)


def _of_case(golden, case):
    return {name[len(case) + 1 :]: value for name, value in golden.items() if name.startswith(case + "_")}


def _variants(golden, profile, checks):
    """What else the published program can do: one float32 step each, on case A's inputs."""
    for label, variant in json.loads(bytes(golden["variants"])).items():
        print("variant %s, float32" % label)
        step = condition_training(_of_case(golden, "A"), variant["flags"], torch.float32, profile)[1]
        _compare_losses(step(), variant["losses"], 0, VARIANT_LOSSES, checks)


@torch.no_grad()
def _rejection(golden, checks):
    """The condition discriminator's say at test time, of case B's inputs, in float32."""
    print("discriminator rejection, float32")
    wanted = json.loads(bytes(golden["rejection_B"]))
    got = _of_case(golden, "B")
    training = condition_training(got, {"Ddownx2": True}, torch.float32)[0]
    discriminator = training.discriminator.eval()
    batch = sample_of(got, torch.float32)
    made = forward(training.generator.eval(), batch, training.recipe)
    for kind, segmentation in (("real", batch.parse), ("fake", made.segmentation.softmax(1))):
        found = odds(discriminator, torch.cat([batch.cloth_input, batch.person_input, segmentation], 1))
        for name, values in zip(("l", "odds"), found, strict=True):
            theirs = np.array(wanted["%s_%s" % (kind, name)])
            checks.say("%s of the %s" % (name, kind), np.abs(values.numpy() / theirs - 1).max(), LOSSES)


def _compare_losses(terms, wanted, number, allowed, checks):
    for name, value in wanted.items():
        checks.say("step %d %s" % (number, name), abs(terms[NAMES[name]] - value) / abs(value), allowed)


def _compare_tables(side, names, params, gradients, before, got, number, checks):
    wanted_grads, wanted_params = got["grad_%s_%d" % (side, number)], got["param_%s_%d" % (side, number)]
    alive = wanted_grads[:, 0] > VANISHES
    grads = _table(gradients.items())
    ours = np.array([grads.get(name, (np.nan,) * 3) for name in names])
    assert np.isnan(ours[np.isnan(wanted_grads[:, 0]), 0]).all(), "some have a gradient that should have none"
    norms = np.abs(ours[alive, 0] - wanted_grads[alive, 0]) / wanted_grads[alive, 0]
    checks.say("step %d gradients' norms of %s" % (number, side), norms.max(), NORMS)
    lines = np.abs(ours[alive, 2] - wanted_grads[alive, 2]) / wanted_grads[alive, 0]
    checks.say("step %d gradients' projections of %s" % (number, side), lines.max(), NORMS)
    after = np.array([params[name] for name in names])
    moved = wanted_params[:, 2] - np.array([before[name][2] for name in names])
    scale = np.abs(moved).max()
    error = np.abs(after[alive, 2] - wanted_params[alive, 2]).max() / scale
    checks.say("step %d parameters of %s, of their change" % (number, side), error, PARAMETERS)


def _compare_vectors(side, network, got, number, checks):
    """Those of the spectral norms' power iterations."""
    start = "vector_%d_%s." % (number, side)
    state = network.state_dict()
    errors = [_spread(state[name[len(start) :]], wanted) for name, wanted in got.items() if name.startswith(start)]
    if errors:
        checks.say("step %d spectral vectors of %s" % (number, side), max(errors), OUTPUTS)


def _compare_whole(gradients, got, checks):
    for side, ours in gradients.items():
        start = "whole_grad_%s." % side
        whole = {name[len(start) :]: wanted for name, wanted in got.items() if name.startswith(start)}
        errors = [
            np.linalg.norm(ours[n] - w) / np.linalg.norm(w) for n, w in whole.items() if np.linalg.norm(w) > VANISHES
        ]
        checks.say("%d whole gradients of %s" % (len(errors), side), max(errors), OUTPUTS)


def _compare_made(made, got, checks):
    """What was drawn, at the pixels that the golden file has."""
    for name, (ours, every) in made.items():
        wanted = got["out_" + name]
        wanted = wanted.transpose(0, 3, 1, 2) if name.startswith("flow") else wanted
        ours = ours.detach()[..., ::every, ::every]
        if wanted.dtype == np.uint8:
            checks.say("labels of %s that differ" % name, (ours.numpy() != wanted).mean(), LABELS_THAT_DIFFER)
        else:
            checks.say(name, _spread(ours, wanted), OUTPUTS)


def _compare_buffers(network, got, complete, checks):
    """Running statistics, which the golden file has of after all steps."""
    state = network.state_dict()
    errors = [_spread(state[name[7:]], wanted) for name, wanted in got.items() if name.startswith("buffer_")]
    if errors and complete:
        checks.say("running statistics", max(errors), OUTPUTS)


def _spread(ours, wanted):
    """The largest difference, relative to the spread."""
    return np.abs(ours.numpy() - wanted).max() / wanted.std()


def _watched(training):
    """The gradients that the last step used, by network and parameter."""
    kept = {"G": {}, "D": {}}

    def keep(side):
        def look(network):
            kept[side].clear()
            kept[side].update({name: p.grad.clone() for name, p in network.named_parameters() if p.grad is not None})

        return look

    training.generator_stepper.after_backward = keep("G")
    training.discriminator_stepper.after_backward = keep("D")
    return kept


def _table(arrays):
    """Norm, sum and projection of each."""
    rows = {}
    for name, array in arrays:
        probe = np.random.default_rng(zlib.crc32(b"probe." + name.encode())).standard_normal(tuple(array.shape))
        rows[name] = _three(array.detach(), torch.from_numpy(probe.astype(np.float32)).to(array.dtype))
    return rows


def _three(array, probe):
    return float(array.norm()), float(array.sum()), float((array * probe).sum())


def _networks(training):
    return (("G", training.generator), ("D", training.discriminator))


def _quick(golden, steps, profile, checks):
    """One of the float32 files."""
    is_generator = "loss0_feat" in golden
    flags = json.loads(str(golden["flags"])) if "flags" in golden else {}
    print("%s, float32" % ("image generator" if is_generator else "condition generator"))
    if is_generator:
        training, step = generator_training(
            golden, {"occlusion": True, **flags, "noise": "zero"}, torch.float32, profile
        )
    else:
        training, step, made = condition_training(_shrunk(golden), flags, torch.float32, profile)
    gradients = _watched(training)
    for number in range(min(steps, 2)):
        terms = step()
        prefix = "loss%d_" % number
        wanted = {name[len(prefix) :]: float(value) for name, value in golden.items() if name.startswith(prefix)}
        for name, value in wanted.items():
            ours = terms[NAMES.get(name, name)]
            checks.say(
                "step %d %s" % (number, name), abs(ours - value) / abs(value), LATER_LOSSES if number else LOSSES
            )
        if number == 0:
            for side, network in _networks(training):
                _compare_norms(side, network, gradients[side], golden, checks)


def _compare_norms(side, network, gradients, golden, checks):
    wanted = json.loads(str(golden["grad_" + side]))
    alive = {name for name, norm in wanted.items() if norm > VANISHES_FLOAT32 * max(wanted.values())}
    ours = {name: float(gradient.norm()) for name, gradient in gradients.items()}
    errors = np.array([abs(ours[name] - wanted[name]) / wanted[name] for name in sorted(alive)])
    checks.say("gradients' norms of %s" % side, errors.max(), NORMS_FLOAT32)
    stepped = side == "D" and "loss0_feat" in golden
    checks.say("their median", np.median(errors), MEDIAN_AFTER_A_STEP if stepped else MEDIAN_FLOAT32)
    params = json.loads(str(golden["param_" + side]))
    ours = {name: float(p.detach().norm()) for name, p in network.named_parameters()}
    checks.say(
        "parameters' norms of %s" % side, max(abs(ours[n] - params[n]) / params[n] for n in alive & set(params)), NORMS
    )


def condition_training(got, flags, dtype, profile=PLAIN):
    """The training with the made-up weights, what steps it, and what tells what was made: (array, every so many pixels)."""
    network = filled(ConditionGenerator(), dtype)
    discriminator = ConditionDiscriminator(
        bool(flags.get("Ddownx2")), bool(flags.get("Ddropout")), bool(flags.get("spectral"))
    )
    recipe = Recipe(
        occlusion=bool(flags.get("occlusion")),
        intermediate_flows=bool(flags.get("interflowloss")),
        last_flow_only=bool(flags.get("lasttvonly")),
        edge_aware=flags.get("edgeawaretv", "none").replace("no_edge", "none"),
        add_last_flow=bool(flags.get("add_lasttv")),
        composition=flags.get("clothmask_composition", "warp_grad"),
        gan=not flags.get("no_GAN_loss"),
        separate=bool(flags.get("G_D_seperate")),
    )
    training = ConditionTraining(network, filled(discriminator, dtype, "D."), filled(Vgg19(), dtype), recipe, profile)
    batch = sample_of(got, dtype)

    def made():
        found = training.made
        return {
            "flow_0": (found.flows[0], 1),
            "flow_4": (found.flows[4], 1),
            "segmentation": (found.segmentation, 4),
            "warped_mask": (found.warped_mask, 2),
            "warped_cloth": (found.warped_cloth, 2),
        }

    return training, lambda: training.step(batch), made


def sample_of(got, dtype):
    """A golden file's inputs of the condition generator."""
    return Sample(
        scaled(got["in_cloth"], dtype),
        torch.from_numpy(got["in_cloth_mask"]).to(dtype),
        one_hot(torch.from_numpy(got["in_parse_agnostic"]), dtype),
        scaled(got["in_densepose"], dtype),
        scaled(got["in_image"], dtype),
        torch.from_numpy(got["in_label"]),
    )


def generator_training(got, flags, dtype, profile=PLAIN):
    """The training with the made-up weights, what steps it, and what tells what was made: (array, every so many pixels)."""
    condition = filled(ConditionGenerator(), dtype).eval()
    training = GeneratorTraining(
        filled(ImageGenerator(), dtype), filled(ImageDiscriminator(), dtype, "D."), filled(Vgg19(), dtype), profile
    )
    inputs = Inputs(
        scaled(got["in_cloth"], dtype),
        torch.from_numpy((got["in_cloth_mask"] > 0).astype(np.uint8)).to(dtype),
        torch.from_numpy(got["in_parse_agnostic"]),
        scaled(got["in_densepose"], dtype),
        scaled(got["in_agnostic"], dtype),
    )
    batch, found = conditions(condition, inputs, scaled(got["in_image"], dtype), bool(flags.get("occlusion")))
    noise = Formula() if flags.get("noise") == "formula" else Zero()

    def step():
        terms = training.step(batch, noise)
        if isinstance(noise, Zero):  # its gradient is rounding noise
            _silence(training.generator)
        return terms

    def made():
        return {
            "parse7": (batch.parse, 2),
            "fake": (training.fake, 8),
            "warped_cloth": (found.warped_cloth, 8),
            "warped_mask": (found.warped_mask, 8),
        }

    return training, step, made


def _silence(network):
    for name, parameter in network.named_parameters():
        if name.endswith("noise_scale"):
            parameter.data.zero_()


class Zero(Noise):
    """No noise."""

    def __init__(self):
        super().__init__(0)

    def draw(self, x):
        """(N, 1, h, w)"""
        return x.new_zeros(x.shape[0], 1, *x.shape[2:])


class Formula(Noise):
    """The golden runs' noise: cos(0.9 n + 1.3 w + 2.1 h)."""

    def __init__(self):
        super().__init__(0)

    def draw(self, x):
        """(N, 1, h, w)"""
        n, h, w = (torch.arange(size, dtype=x.dtype) for size in (x.shape[0], *x.shape[2:]))
        return torch.cos(0.9 * n.view(-1, 1, 1, 1) + 1.3 * w.view(1, 1, 1, -1) + 2.1 * h.view(1, 1, -1, 1))


def filled(network, dtype, prefix=""):
    """The network with the made-up weights of its names."""
    shapes = {prefix + name: tuple(array.shape) for name, array in network.state_dict().items()}
    arrays = fill(shapes)
    network.load_state_dict({name[len(prefix) :]: torch.from_numpy(array) for name, array in arrays.items()})
    return network.to(dtype)


def scaled(array, dtype):
    """A picture of a golden file in -1..1."""
    return torch.from_numpy(array.astype(np.float32) / 127).to(dtype)


def _shrunk(golden):
    """The float32 condition golden's inputs at half the size, in the golden files' types."""
    got = dict(golden)
    size = (256, 192)
    for name in ("cloth", "densepose", "image"):
        picture = F.interpolate(scaled(golden["in_" + name], torch.float32), size, mode="bilinear", align_corners=False)
        got["in_" + name] = picture.numpy() * 127
    got["in_cloth_mask"] = (golden["in_cloth_mask"][:, :, ::2, ::2] > 0).astype(np.uint8)
    for name in ("label", "parse_agnostic"):
        got["in_" + name] = golden["in_" + name][:, ::2, ::2].copy()
    return got
