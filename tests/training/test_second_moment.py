"""Run by `make test-training`, in the environment of the training."""

import pytest

torch = pytest.importorskip("torch", reason="no Torch here: `make test-training` has it")

from training.second_moment import SecondMomentAdam, whole_adam  # noqa: E402


def _stepped(optimisers, parameters, steps):
    """The same gradients for each; the first parameter has none at first."""
    for number in steps:
        for place, alike in enumerate(parameters):
            gradient = torch.randn(5, 4, generator=torch.Generator().manual_seed(10 * number + place)).double()
            for parameter in alike:
                parameter.grad = gradient.clone() if number or place else None
        for optimiser in optimisers:
            optimiser.step()


@pytest.fixture
def parameters():
    """Two parameters, twice."""
    torch.manual_seed(1)
    return [[start.clone().requires_grad_() for _ in range(2)] for start in torch.randn(2, 5, 4).double()]


def test_steps_are_those_of_adam_with_half_of_its_state(parameters):
    ours = SecondMomentAdam([alike[0] for alike in parameters], 1e-2, 0.9)
    adam = torch.optim.Adam([alike[1] for alike in parameters], 1e-2, (0.0, 0.9))
    _stepped([ours, adam], parameters, range(4))
    for one, other in parameters:
        torch.testing.assert_close(one, other, rtol=1e-12, atol=0)
    kept, theirs = (sum(v.numel() for s in o.state.values() for v in s.values()) for o in (ours, adam))
    assert kept < 0.6 * theirs


@pytest.mark.parametrize("turned", [False, True])
def test_either_goes_on_where_the_other_stopped(parameters, turned):
    """A training may go on in another profile."""
    makes = [lambda given: SecondMomentAdam(given, 1e-2, 0.9), lambda given: whole_adam(given, 1e-2, (0.0, 0.9))]
    first, second = reversed(makes) if turned else makes
    unbroken = first([alike[0] for alike in parameters])
    begun = first([alike[1] for alike in parameters])
    _stepped([unbroken, begun], parameters, range(2))
    goes_on = second([alike[1] for alike in parameters])
    goes_on.load_state_dict(begun.state_dict())
    _stepped([unbroken, goes_on], parameters, range(2, 4))
    for one, other in parameters:
        torch.testing.assert_close(one, other, rtol=1e-12, atol=0)
