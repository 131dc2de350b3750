"""Run by `make test-training`, in the environment of the training."""

from dataclasses import replace

import pytest

torch = pytest.importorskip("torch", reason="no Torch here: `make test-training` has it")

from torch.nn import functional as F  # noqa: E402

from services.tryon.engines.hr_viton.generator import LABELS, ImageGenerator  # noqa: E402
from tests.parity.hr_viton_training import Zero, filled  # noqa: E402
from training.discriminators import ImageDiscriminator  # noqa: E402
from training.generator_step import Batch, GeneratorTraining  # noqa: E402
from training.perceptual import Vgg19  # noqa: E402
from training.profiles import EIGHT_GB, named  # noqa: E402


def _step(profile, batch):
    """The terms, and where a parameter of the generator and one of the discriminator went."""
    networks = (ImageGenerator(), ""), (ImageDiscriminator(), "D."), (Vgg19(), "")
    training = GeneratorTraining(*(filled(network, torch.float32, prefix) for network, prefix in networks), profile)
    seen = {}
    training.generator_stepper.after_backward = lambda network: seen.update(
        G=network.up_4.conv_1.weight_orig.grad.clone()
    )
    training.discriminator_stepper.after_backward = lambda network: seen.update(
        D=network.discriminator_0.model3[0].weight.grad.clone()
    )
    return training.step(batch, Zero()), seen


@pytest.fixture(scope="module")
def batch():
    """Two pictures."""
    random = torch.Generator().manual_seed(5)
    parse = torch.randint(LABELS, (2, 1, 8, 8), generator=random).float()
    pictures = (torch.rand(2, channels, 256, 256, generator=random) * 2 - 1 for channels in (9, 3))
    picture, image = pictures
    return Batch(picture, F.interpolate(parse, scale_factor=32)[:, 0].to(torch.uint8), image)


@pytest.fixture(scope="module")
def whole(batch):
    """The batch at once, in float32."""
    return _step(replace(EIGHT_GB, at_once=None, apart=False), batch)


def test_a_batch_in_parts_is_the_batch_at_once(batch, whole):
    """Terms and gradients, with the losses apart besides; the discriminator's come after Adam's first step, which makes
    much of rounding."""
    terms, gradients = _step(EIGHT_GB, batch)
    assert terms == pytest.approx(whole[0], rel=5e-3)
    for side, allowed in (("G", 1e-2), ("D", 5e-2)):
        assert (gradients[side] - whole[1][side]).norm() < allowed * whole[1][side].norm(), side


def test_bfloat16_is_near(batch, whole):
    terms, gradients = _step(named("8gb", "bfloat16"), batch)
    assert terms == pytest.approx(whole[0], rel=0.05, abs=0.01)
    for side, gradient in gradients.items():
        assert gradient.dtype == torch.float32
        assert F.cosine_similarity(gradient.flatten(), whole[1][side].flatten(), 0) > 0.9, side


def test_a_profile_that_is_not_there_is_refused():
    with pytest.raises(ValueError, match="choose from plain, 8gb"):
        named("9gb")
