"""FASHN VTON's network and sampling on made-up weights. Needs Torch; `make test-parity` runs it.

Parity with the published network is tests/parity/fashn_vton.py.
"""

import io
import json
import math

import numpy as np
import pytest
from PIL import Image

torch = pytest.importorskip("torch", reason="no Torch here: `make test-parity` has it")
pytest.importorskip("safetensors", reason="no safetensors here: `make test-parity` has it")

from safetensors.torch import load_file  # noqa: E402

from services.tryon.engines.fashn_vton.checkpoint import MODULATION, Weights  # noqa: E402
from services.tryon.engines.fashn_vton.engine import Engine  # noqa: E402
from services.tryon.engines.fashn_vton.network import Conditions, Network, Shape, Turns, nothing_of  # noqa: E402
from services.tryon.engines.fashn_vton.sampling import forwards, noise_of, plan_steps, sample, schedule  # noqa: E402
from stagekit.errors import BadOption, Cancelled, GarmentNotFound, NoPerson, WeightsMissing  # noqa: E402
from stagekit.formats import CIHP, pose_document  # noqa: E402
from stagekit.options import defaults  # noqa: E402
from stagekit.report import Report  # noqa: E402
from tests.parity.fashn_vton import network_differences  # noqa: E402
from tests.specs.fashn_vton.weights import SPECS, filled, published_shapes, shape_of, write_weights  # noqa: E402

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
    together = sample(network, plan_steps(network.modulations, 2, 1.5, both.category), noises, both)
    for number in (0, 1):
        alone = Conditions(*(each[number : number + 1] for each in both))
        plan = plan_steps(network.modulations, 2, 1.5, alone.category)
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
        sample(network, plan_steps(network.modulations, 3, guidance, conditions.category), noise, conditions)
    finally:
        hook.remove()
    assert len(runs) == forwards(3, guidance) == (3 if guidance == 1 else 5)


def test_a_step_that_raises_ends_the_sampling(network, conditions, noise):
    seen = []

    def stop(done, of, x, velocity):
        seen.append((done, of))
        if done == 2:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        sample(network, plan_steps(network.modulations, 4, 1.0, conditions.category), noise, conditions, stop)
    assert seen == [(1, 4), (2, 4)]


def test_without_conditions_nothing_of_them_is_seen(network, conditions, noise):
    other = Conditions(*(-each for each in conditions[:4]), torch.tensor([3]))
    assert all(torch.equal(a, b) for a, b in zip(nothing_of(conditions), nothing_of(other), strict=True))


SMALL = Shape(height=144, width=96, hidden=128, heads=4, axes=(8, 12, 12), mixers=1, doubles=1, singles=2)


@pytest.fixture(scope="module")
def weights_dir(tmp_path_factory):
    folder = tmp_path_factory.mktemp("weights")
    write_weights(folder, SMALL)
    return folder


@pytest.fixture
def engine(weights_dir, monkeypatch):
    monkeypatch.setenv("HOWSFIT_WEIGHTS_DIR", str(weights_dir))
    monkeypatch.setenv("HOWSFIT_PRECISION", "fp32")
    monkeypatch.setattr(Engine, "shape", SMALL)
    return Engine()


@pytest.fixture
def inputs():
    random = np.random.default_rng(5)
    mask = np.zeros((1024, 768), np.uint8)
    mask[300:700, 200:560] = 255
    person = np.zeros((25, 3))
    person[:15] = [(100 + 40 * i, 100 + 60 * i, 0.9) for i in range(15)]
    return {
        "person": random.integers(0, 256, (1024, 768, 3), dtype=np.uint8),
        "cloth": random.integers(0, 256, (1024, 768, 3), dtype=np.uint8),
        "cloth_mask": mask,
        "pose": pose_document(person[None]),
        "parse": np.where(mask > 0, CIHP["upper_clothes"], 0).astype(np.uint8),
        "category": "upper",
    }


def run(engine, inputs, **options):
    said = defaults(engine.option_schema()) | {"steps": 2} | options
    return engine.run_with(said, inputs, Report("tryon"))["tryon"]


def test_modulation_of_a_schedule_is_the_networks_own_and_is_not_kept(weights_dir, conditions):
    weights = Weights(weights_dir / "fashn_vton" / "model.safetensors", SMALL)
    whole = Network(SMALL)
    whole.load_state_dict(load_file(str(weights_dir / "fashn_vton" / "model.safetensors")), assign=True)
    whole = whole.float().requires_grad_(False)
    lean = weights.network(torch.device("cpu"), torch.float32)
    kept = sum(array.numel() for array in lean.state_dict().values() if array.device.type != "meta")
    assert 0.6 < kept / sum(array.numel() for array in whole.state_dict().values()) < 0.85
    random = torch.Generator().manual_seed(4)
    shown = (torch.rand((1, channels, 144, 96), generator=random) * 2 - 1 for channels in (3, 1, 3, 1))
    conditions = Conditions(*shown, torch.tensor([2]))
    plain = sample(whole, plan_steps(whole.modulations, 3, 1.5, conditions.category), noise_of(1, 1, SMALL), conditions)
    ours = sample(lean, plan_steps(weights.modulations, 3, 1.5, conditions.category), noise_of(1, 1, SMALL), conditions)
    assert torch.equal(plain, ours)


def test_at_full_size_27_percent_are_not_kept():
    shapes = published_shapes()
    left_out = sum(math.prod(shape) for name, shape in shapes.items() if any(part in name for part in MODULATION))
    assert round(100 * left_out / sum(map(math.prod, shapes.values()))) == 27


def test_the_engine_dresses(engine, inputs):
    engine.load()
    dressed = run(engine, inputs)
    assert dressed.shape == (1024, 768, 3) and dressed.dtype == np.uint8 and dressed.std() > 5
    assert np.array_equal(dressed, run(engine, inputs)), "the same seed, the same picture"
    for what in ({"seed": 1}, {"guidance": 1.0}, {"garment": "worn"}, {"mode": "masked"}, {"quality": "draft"}):
        assert not np.array_equal(dressed, run(engine, inputs, **what)), what
    for name, value in (("category", "lower"), ("cloth", inputs["person"]), ("person", inputs["cloth"])):
        assert not np.array_equal(dressed, run(engine, {**inputs, name: value})), name


def test_its_steps_are_told_with_a_preview_and_nothing_of_that_changes_the_picture(engine, inputs):
    engine.load()
    plain, told = run(engine, inputs, steps=4), []
    report = Report("tryon", previews=True)
    report.listen(lambda: told.append((report.document()["done"], report.document()["preview"])))
    said = defaults(engine.option_schema()) | {"steps": 4}
    assert np.array_equal(engine.run_with(said, inputs, report)["tryon"], plain)
    assert told == [(0, None), (1, 1), (2, 2), (3, 3), (4, 3)]
    assert Image.open(io.BytesIO(report.preview)).size == (288, 384)


def test_its_network_leaves_the_device_and_comes_back(engine, inputs):
    engine.load()
    plain = run(engine, inputs)
    away = {}
    moved = next(engine._network.parameters())
    for move, at in ((engine.rest, "rest"), (engine.wake, "wake")):
        move()
        away[at] = moved.device.type
    assert away == {"rest": "cpu", "wake": engine._device.type}
    assert np.array_equal(run(engine, inputs), plain)


def test_a_canceled_run_ends_before_its_next_step(engine, inputs):
    engine.load()
    report = Report("tryon")
    report.listen(lambda: report.document()["done"] == 2 and not report.is_cancelled and report.cancel())
    with pytest.raises(Cancelled):
        engine.run_with(defaults(engine.option_schema()) | {"steps": 5}, inputs, report)
    assert report.document()["done"] == 2


def test_what_is_masked_is_not_seen(engine, inputs):
    engine.load()
    hidden = inputs["parse"] == CIHP["upper_clothes"]
    other = {**inputs, "person": np.where(hidden[..., None], 255 - inputs["person"], inputs["person"])}
    assert np.array_equal(run(engine, inputs, mode="masked"), run(engine, other, mode="masked"))
    assert not np.array_equal(run(engine, inputs), run(engine, other))


def test_what_would_take_too_long_is_refused_with_a_sentence(engine, inputs, monkeypatch):
    engine.load()
    engine._forward_s = 140.0
    with pytest.raises(BadOption, match="30 steps would take about 2.3 hours on this cpu.*HOWSFIT_FASHN_BUDGET_S"):
        run(engine, inputs, steps=30)
    monkeypatch.setenv("HOWSFIT_FASHN_BUDGET_S", "0")
    unlimited = Engine()
    unlimited.load()
    unlimited._forward_s = 140.0
    assert run(unlimited, inputs).any()


def test_inputs_that_show_nothing_are_refused(engine, inputs):
    engine.load()
    with pytest.raises(NoPerson):
        run(engine, {**inputs, "pose": pose_document(np.zeros((0, 25, 3)))})
    with pytest.raises(GarmentNotFound):
        run(engine, {**inputs, "cloth_mask": np.zeros((1024, 768), np.uint8)})


def test_missing_and_wrong_weights_are_told(tmp_path, monkeypatch, weights_dir):
    monkeypatch.setenv("HOWSFIT_WEIGHTS_DIR", str(tmp_path))
    with pytest.raises(WeightsMissing, match="weights pull fashn_vton.*model.safetensors from https://.*Apache-2.0"):
        Engine().load()
    with pytest.raises(WeightsMissing, match="lacks x_patch_mixer.1.linear1.weight"):
        Weights(weights_dir / "fashn_vton" / "model.safetensors", Shape())
    (tmp_path / "model.safetensors").write_bytes(b"<!DOCTYPE html>")
    with pytest.raises(WeightsMissing, match="cannot be read"):
        Weights(tmp_path / "model.safetensors", SMALL)


def test_bfloat16_differs_little(engine, inputs, monkeypatch):
    engine.load()
    monkeypatch.setenv("HOWSFIT_PRECISION", "bf16")
    low = Engine()
    low.load()
    apart = run(engine, inputs).astype(float) - run(low, inputs)
    assert 0 < np.sqrt((apart**2).mean()) < 8
