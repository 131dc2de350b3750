"""Run by `make test-training`, in the environment of the training."""

import pytest

torch = pytest.importorskip("torch", reason="no Torch here: `make test-training` has it")

from torch.nn import functional as F  # noqa: E402

from services.tryon.engines.hr_viton.generator import LABELS, ImageGenerator, Noise, Spade  # noqa: E402
from tests.parity.hr_viton_training import filled  # noqa: E402
from training.drawing import draw, scales  # noqa: E402
from training.lookup import Rows, spade_by_lookup  # noqa: E402
from training.profiles import EIGHT_GB, PLAIN  # noqa: E402

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
    looked_up, gradients = run(lambda: spade_by_lookup(spade, x, Rows.of(parse), noise))
    torch.testing.assert_close(looked_up, plain, rtol=0, atol=1e-10)
    for ours, theirs in zip(gradients, plain_gradients, strict=True):
        assert theirs.norm() > 0
        assert (ours - theirs).norm() <= LIMIT * theirs.norm()


@pytest.mark.parametrize("activate", [False, True])
def test_the_lookups_own_backward_is_that_of_finite_differences(monkeypatch, activate):
    """Of all that it has a gradient for, with the picture in several bands."""
    monkeypatch.setattr("training.lookup.BAND", 60)
    spade = Spade(3).double()
    x = torch.randn(2, 3, 7, 5, dtype=torch.float64, requires_grad=True)
    noise = torch.randn(2, 1, 7, 5, dtype=torch.float64)
    rows = Rows.of(torch.randint(LABELS, (2, 7, 5)))
    names, values = zip(*spade.named_parameters(), strict=True)
    values = [torch.randn_like(value).requires_grad_() for value in values]

    def run(x, *values):
        return torch.func.functional_call(
            _Called(spade), {"spade." + n: v for n, v in zip(names, values, strict=True)}, (x, rows, noise, activate)
        )

    assert torch.autograd.gradcheck(run, (x, *values))


def test_the_whole_generators_gradients_by_lookup_are_those_of_the_plain_path():
    """On the same noise; what vanishes in exact arithmetic is left out."""
    network = filled(ImageGenerator(), torch.float64)
    picture = torch.randn(1, 9, 256, 256, dtype=torch.float64)
    parse = F.interpolate(torch.randint(LABELS, (1, 1, 8, 8)).float(), scale_factor=32)[:, 0].long()
    gradients = []
    for profile in (EIGHT_GB, PLAIN):
        network.zero_grad()
        drawn = draw(network, picture, scales(parse, picture.dtype, profile), Noise(3), profile)
        drawn.square().mean().backward()
        gradients.append({name: parameter.grad.clone() for name, parameter in network.named_parameters()})
    largest = max(gradient.norm() for gradient in gradients[1].values())
    compared = [name for name, gradient in gradients[1].items() if gradient.norm() > 1e-9 * largest]
    assert len(compared) > 180
    for name in compared:
        difference = (gradients[0][name] - gradients[1][name]).norm()
        assert difference <= LIMIT * gradients[1][name].norm(), name


class _Called(torch.nn.Module):
    """The lookup as a module's forward pass, so that its parameters can be exchanged."""

    def __init__(self, spade):
        super().__init__()
        self.spade = spade

    def forward(self, *given):
        return spade_by_lookup(self.spade, *given)
