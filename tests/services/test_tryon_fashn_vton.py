"""FASHN VTON's network and sampling on made-up weights. Needs Torch; `make test-parity` runs it.

Parity with the published network is tests/parity/fashn_vton.py.
"""

import json

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="no Torch here: `make test-parity` has it")
pytest.importorskip("safetensors", reason="no safetensors here: `make test-parity` has it")

from services.tryon.engines.fashn_vton.network import Conditions, Network, nothing_of  # noqa: E402
from services.tryon.engines.fashn_vton.sampling import forwards, plan_steps, sample, schedule  # noqa: E402
from tests.parity.fashn_vton import network_differences  # noqa: E402
from tests.specs.fashn_vton.weights import SPECS, filled, published_shapes, shape_of  # noqa: E402

GOLDEN = SPECS / "golden_1.npz"


@pytest.fixture(scope="module")
def golden():
    return dict(np.load(GOLDEN))


@pytest.fixture(scope="module")
def network(golden):
    return filled(shape_of(json.loads(str(golden["config"]))))


@pytest.fixture(scope="module")
def conditions(network):
    random = torch.Generator().manual_seed(1)
    size = (network.shape.height, network.shape.width)
    pictures = (torch.rand((1, channels, *size), generator=random) * 2 - 1 for channels in (3, 1, 3, 1))
    return Conditions(*pictures, torch.tensor([1]))


@pytest.fixture(scope="module")
def noise(network):
    return torch.randn((1, 3, network.shape.height, network.shape.width), generator=torch.Generator().manual_seed(2))


def test_network_and_three_steps_are_the_published_ones(golden):
    assert not [found for found in network_differences(golden) if found[1] > found[2]]


def test_names_and_shapes_are_the_published_ones():
    with torch.device("meta"):
        network = Network()
    assert {name: tuple(array.shape) for name, array in network.state_dict().items()} == published_shapes()


def test_the_last_block_gives_the_same_for_the_tokens_that_are_kept(network):
    block, count = network.single_blocks[-1], network.shape.tokens
    from services.tryon.engines.fashn_vton.network import Turns

    turns = Turns.of(network.shape, torch.device("cpu")).twice()
    random = torch.Generator().manual_seed(3)
    x = torch.randn((2, 2 * count, network.shape.hidden), generator=random)
    modulation = torch.randn((2, 3 * network.shape.hidden), generator=random)
    whole = block(x, modulation, turns)[:, -count:]
    part = block.of_the_last(x, count, modulation, turns)
    assert float((whole - part).abs().max() / whole.std()) < 1e-5


def test_samples_made_together_are_those_made_alone(network, conditions, noise):
    both = Conditions(*(torch.cat((each, each.flip(-1))) for each in conditions[:4]), torch.tensor([1, 2]))
    noises = torch.cat((noise, -noise))
    together = sample(network, plan_steps(network, 2, 1.5, both.category), noises, both)
    for number in (0, 1):
        alone = Conditions(*(each[number : number + 1] for each in both))
        plan = plan_steps(network, 2, 1.5, alone.category)
        difference = sample(network, plan, noises[number : number + 1], alone) - together[number]
        assert float(difference.abs().max() / together.std()) < 1e-4


def test_steps_are_shifted_towards_the_noise():
    assert np.allclose(schedule(3), (0, 0.100368, 0.308562, 1), atol=1e-6)
    assert np.allclose(schedule(30)[-3:], (0.757507, 0.866145, 1), atol=1e-6)


@pytest.mark.parametrize("guidance", [1.0, 1.5])
def test_the_network_runs_no_more_often_than_it_must(network, conditions, noise, guidance):
    runs = []
    hook = network.final_layer.register_forward_hook(lambda *_: runs.append(1))
    try:
        sample(network, plan_steps(network, 3, guidance, conditions.category), noise, conditions)
    finally:
        hook.remove()
    assert len(runs) == forwards(3, guidance) == (3 if guidance == 1 else 5)


def test_a_step_that_raises_ends_the_sampling(network, conditions, noise):
    seen = []

    def stop(done, of, x):
        seen.append((done, of))
        if done == 2:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        sample(network, plan_steps(network, 4, 1.0, conditions.category), noise, conditions, stop)
    assert seen == [(1, 4), (2, 4)]


def test_without_conditions_nothing_of_them_is_seen(network, conditions, noise):
    other = Conditions(*(-each for each in conditions[:4]), torch.tensor([3]))
    assert all(torch.equal(a, b) for a, b in zip(nothing_of(conditions), nothing_of(other), strict=True))
