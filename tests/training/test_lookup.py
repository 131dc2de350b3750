"""Run by `make test-training`, in the environment of the training."""

import pytest

torch = pytest.importorskip("torch", reason="no Torch here: `make test-training` has it")

from torch.nn import functional as F  # noqa: E402

from services.tryon.engines.hr_viton.generator import LABELS, ImageGenerator, Noise, Spade  # noqa: E402
from services.tryon.engines.hr_viton.neighbourhoods import Neighbourhoods  # noqa: E402
from tests.parity.hr_viton_training import filled  # noqa: E402
from training.lookup import draw_by_lookup, spade_by_lookup  # noqa: E402

LIMIT = 1e-6
"""Of each gradient's norm, in float64."""


@pytest.fixture(autouse=True)
def _seed():
    torch.manual_seed(7)


def test_gradients_by_lookup_are_those_of_the_plain_path():
    """Of every parameter and of x, at the borders and where labels meet, for two different parses."""
    spade = Spade(12).double()
    torch.nn.init.normal_(spade.noise_scale)
    x = torch.randn(2, 12, 24, 16, dtype=torch.float64, requires_grad=True)
    noise = torch.randn(2, 1, 24, 16, dtype=torch.float64)
    parse = F.interpolate(torch.randint(LABELS, (2, 1, 6, 4)).float(), scale_factor=4)[:, 0].long()
    labels = F.one_hot(parse, LABELS).permute(0, 3, 1, 2).double()
    towards = torch.randn(2, 12, 24, 16, dtype=torch.float64)

    def run(draw):
        result = draw()
        return result.detach(), torch.autograd.grad((result * towards).sum(), [x, *spade.parameters()])

    plain, plain_gradients = run(lambda: spade(x, labels, noise))
    looked_up, gradients = run(lambda: spade_by_lookup(spade, x, [Neighbourhoods(one) for one in parse], noise))
    torch.testing.assert_close(looked_up, plain, rtol=0, atol=1e-10)
    for ours, theirs in zip(gradients, plain_gradients, strict=True):
        assert theirs.norm() > 0
        assert (ours - theirs).norm() <= LIMIT * theirs.norm()


def test_the_whole_generators_gradients_by_lookup_are_those_of_the_plain_path():
    """On the same noise; what vanishes in exact arithmetic is left out."""
    network = filled(ImageGenerator(), torch.float64)
    picture = torch.randn(1, 9, 256, 256, dtype=torch.float64)
    parse = F.interpolate(torch.randint(LABELS, (1, 1, 8, 8)).float(), scale_factor=32)[:, 0].long()
    gradients = []
    for run in (draw_by_lookup, ImageGenerator.with_noise):
        network.zero_grad()
        run(network, picture, parse, Noise(3)).square().mean().backward()
        gradients.append({name: parameter.grad.clone() for name, parameter in network.named_parameters()})
    largest = max(gradient.norm() for gradient in gradients[1].values())
    compared = [name for name, gradient in gradients[1].items() if gradient.norm() > 1e-9 * largest]
    assert len(compared) > 180
    for name in compared:
        difference = (gradients[0][name] - gradients[1][name]).norm()
        assert difference <= LIMIT * gradients[1][name].norm(), name
