"""Run by `make test-training`, in the environment of the training."""

import pytest

torch = pytest.importorskip("torch", reason="no Torch here: `make test-training` has it")

from training.second_moment import SecondMomentAdam  # noqa: E402


def test_steps_are_those_of_adam_with_half_of_its_state():
    """Over several steps, after a resume, and with a parameter that has no gradient at first."""
    torch.manual_seed(1)
    pairs = [
        (start.clone().requires_grad_(), start.clone().requires_grad_()) for start in torch.randn(2, 5, 4).double()
    ]
    ours = SecondMomentAdam([one for one, _ in pairs], 1e-2, 0.9)
    adam = torch.optim.Adam([other for _, other in pairs], 1e-2, (0.0, 0.9))
    for number in range(4):
        for place, (one, other) in enumerate(pairs):
            if number or place:
                gradient = torch.randn(5, 4).double()
                one.grad, other.grad = gradient.clone(), gradient
        ours.step()
        adam.step()
        if number == 1:
            state = ours.state_dict()
            ours = SecondMomentAdam([one for one, _ in pairs], 1e-2, 0.9)
            ours.load_state_dict(state)
    for one, other in pairs:
        torch.testing.assert_close(one, other, rtol=1e-12, atol=0)
    kept, theirs = (sum(v.numel() for s in o.state.values() for v in s.values()) for o in (ours, adam))
    assert kept < 0.6 * theirs
