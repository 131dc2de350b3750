"""Leffa's networks, sampling and engine on made-up weights. Needs diffusers; `make test-diffusion` runs it.

Parity with the published networks is tests/parity/leffa.py.
"""

import io
import json
from collections import Counter

import numpy as np
import pytest
from PIL import Image

torch = pytest.importorskip("torch", reason="no Torch here: `make test-diffusion` has it")
pytest.importorskip("diffusers", reason="no diffusers here: `make test-diffusion` has it")

from services.tryon.engines.leffa.checkpoint import (  # noqa: E402
    INPUT_CHANNELS,
    Configuration,
    make_networks,
    published_shapes,
    read,
)
from services.tryon.engines.leffa.costs import costs_of, seconds_per_flop  # noqa: E402
from services.tryon.engines.leffa.engine import Engine  # noqa: E402
from services.tryon.engines.leffa.inputs import Shown, body_for  # noqa: E402
from services.tryon.engines.leffa.painter import How, Painter  # noqa: E402
from services.tryon.engines.leffa.sampling import rescaled  # noqa: E402
from services.tryon.latents import latent_shape, noises  # noqa: E402
from stagekit.errors import BadOption, Cancelled, WeightsMissing, WrongKind  # noqa: E402
from stagekit.formats import DENSEPOSE_PALETTE  # noqa: E402
from stagekit.options import defaults, is_schema  # noqa: E402
from stagekit.report import Report  # noqa: E402
from tests.parity.leffa import forward_differences, pipeline_differences  # noqa: E402
from tests.specs.leffa.weights import SPECS, configuration_of, filled, state_dict_shapes, write_weights  # noqa: E402

SIZES = {64: 48, 32: 24}
SIZE = (64, 48)


@pytest.fixture(scope="module", params=["golden_1.npz", "golden_2_accelerated.npz"])
def golden(request):
    return dict(np.load(SPECS / request.param))


@pytest.fixture(scope="module")
def small():
    """A smaller configuration yet."""
    configuration = configuration_of(dict(np.load(SPECS / "golden_1.npz")))
    unet = {**configuration.unet, "block_out_channels": (16, 32, 32, 32), "layers_per_block": 1}
    return Configuration(unet, {**configuration.vae, "block_out_channels": (16, 16, 16, 16)})


@pytest.fixture(scope="module")
def networks(small):
    return filled(small)


@pytest.fixture
def counted(networks):
    """How often each network ran."""
    counts, hooks = Counter(), []
    parts = {
        "encode": networks.vae.encoder,
        "look": networks.reference.unet.conv_in,
        "step": networks.generator.unet.conv_in,
    }
    for name, module in parts.items():
        hooks.append(module.register_forward_hook(lambda *_, name=name: counts.update([name])))
    yield counts
    for hook in hooks:
        hook.remove()


@pytest.fixture
def shown():
    random = np.random.default_rng(5)
    mask = np.zeros(SIZE, np.uint8)
    mask[15:45, 10:35] = 255
    person, body, cloth = (random.integers(0, 256, (*SIZE, 3), dtype=np.uint8) for _ in range(3))
    return Shown(person, mask, body, cloth)


def paint(painter, shown, steps=3, guidance=2.5, once=False, seed=0, on_step=None):
    with torch.no_grad():
        return painter.paint(shown, How(steps, guidance, once), noises(seed, latent_shape(SIZE)), on_step)


def test_networks_and_steps_are_the_published_ones(golden):
    assert not [found for found in forward_differences(golden) if found[1] > found[2]]
    assert not [found for found in pipeline_differences(golden) if found[1] > found[2]]


def test_names_and_shapes_are_the_published_ones():
    assert published_shapes(Configuration()) == state_dict_shapes()


def test_what_is_never_used_is_not_kept():
    networks = make_networks(Configuration())
    reference, generator = networks.reference.unet, networks.generator.unet
    kept = [sum(array.numel() for array in unet.state_dict().values()) for unet in (reference, generator)]
    assert kept[1] == 859_544_004 - 43_962_560
    assert kept[0] < 859_520_964 - 43_962_560 - 1_000_000
    assert not [name for unet in (reference, generator) for name in unet.state_dict() if ".attn2." in name]


def test_at_the_published_size_a_step_costs_what_the_published_one_does():
    costs = costs_of(make_networks(Configuration()), (1024, 768))
    assert [round(each / 2e12, 2) for each in (costs.step, costs.look)] == [2.11, 1.41]
    thirty = [costs.of(How(30, 2.5, once)) / 2e12 for once in (False, True)]
    assert [round(each) for each in thirty] == [219, 137]
    assert costs.of(How(30, 1, True)) < costs.of(How(30, 2.5, True)) * 0.6


def test_the_second_garment_of_a_person_runs_no_network_of_the_person_again(networks, counted, shown):
    painter = Painter(networks, 1e9)
    first = paint(painter, shown)
    assert counted == {"encode": 2, "look": 6, "step": 3}, "person and garment; of garment and nothing at each step"
    counted.clear()
    other = shown._replace(cloth=shown.cloth[::-1])
    second = paint(painter, other)
    assert counted == {"encode": 1, "look": 3, "step": 3}, "of the garment alone"
    assert np.array_equal(second, paint(Painter(networks, 1e9), other)), "what was kept changes nothing"
    assert not np.array_equal(first, second)


def test_the_second_person_in_a_garment_does_not_look_at_it_again(networks, counted, shown):
    painter = Painter(networks, 1e9)
    paint(painter, shown)
    counted.clear()
    other = shown._replace(person=shown.person[::-1])
    second = paint(painter, other)
    assert counted == {"encode": 1, "step": 3}
    assert np.array_equal(second, paint(Painter(networks, 0), other))


@pytest.mark.parametrize("part", ["mask", "body"])
def test_another_mask_or_body_is_another_person(networks, shown, part):
    painter = Painter(networks, 1e9)
    first = paint(painter, shown)
    assert not np.array_equal(first, paint(painter, shown._replace(**{part: getattr(shown, part)[::-1]})))


def test_a_garment_is_looked_at_once_if_so_wished(networks, counted, shown):
    painter = Painter(networks, 1e9)
    once = paint(painter, shown, steps=4, once=True)
    assert counted["look"] == 2 and counted["step"] == 4
    assert not np.array_equal(once, paint(painter, shown, steps=4))


def test_without_guidance_the_generator_sees_one_sample(networks, shown):
    batches = []
    hook = networks.generator.unet.conv_in.register_forward_hook(lambda module, given, out: batches.append(len(out)))
    try:
        plain = paint(Painter(networks, 0), shown, guidance=1)
        guided = paint(Painter(networks, 0), shown, guidance=2.5)
    finally:
        hook.remove()
    assert batches == [1, 1, 1, 2, 2, 2] and not np.array_equal(plain, guided)


def test_guidance_of_one_is_no_guidance():
    towards = torch.randn((2, 4, 8, 6), generator=torch.Generator().manual_seed(1))
    assert torch.allclose(rescaled(towards, towards, 1.0), towards, atol=1e-6)


def test_nothing_is_kept_where_nothing_may_be(networks, counted, shown):
    painter = Painter(networks, 0)
    paint(painter, shown)
    paint(painter, shown)
    assert counted["look"] == 12


def test_a_step_that_raises_ends_the_painting(networks, counted, shown):
    seen = []

    def stop(done, of, latents, heading):
        seen.append((done, of, tuple(latents.shape)))
        raise InterruptedError

    with pytest.raises(InterruptedError):
        paint(Painter(networks, 0), shown, on_step=stop)
    assert seen == [(1, 3, latent_shape(SIZE))] and counted["step"] == 1


@pytest.fixture(scope="module")
def weights_dir(tmp_path_factory, small):
    folder = tmp_path_factory.mktemp("weights")
    write_weights(folder, small, ("viton_hd", "dress_code"))
    return folder


@pytest.fixture
def make_engine(weights_dir, monkeypatch, small):
    def make(**settings):
        monkeypatch.setenv("HOWSFIT_WEIGHTS_DIR", str(weights_dir))
        monkeypatch.setenv("HOWSFIT_PRECISION", "fp32")
        monkeypatch.setenv("HOWSFIT_LEFFA_BUDGET_S", "0")  # what is timed is a busy machine
        for name, value in settings.items():
            monkeypatch.setenv("HOWSFIT_" + name.upper(), value)
        monkeypatch.setattr(Engine, "configuration", small)
        monkeypatch.setattr(Engine, "sizes", SIZES)
        engine = Engine()
        engine.load()
        return engine

    return make


@pytest.fixture
def inputs():
    random = np.random.default_rng(5)
    mask, densepose = np.zeros((1024, 768), np.uint8), np.zeros((1024, 768, 3), np.uint8)
    mask[300:700, 200:560] = 255
    densepose[200:900, 250:500] = DENSEPOSE_PALETTE[2]
    densepose[200:400, 250:500] = DENSEPOSE_PALETTE[23]
    return {
        "person": random.integers(0, 256, (1024, 768, 3), dtype=np.uint8),
        "agnostic_mask": mask,
        "densepose": densepose,
        "cloth": random.integers(0, 256, (1024, 768, 3), dtype=np.uint8),
        "category": "upper",
    }


def run(engine, inputs, report=None, **options):
    said = defaults(engine.option_schema()) | {"steps": 2} | options
    return engine.run_with(said, inputs, report or Report("tryon"))["tryon"]


def test_the_engine_dresses(make_engine, inputs):
    engine = make_engine()
    assert is_schema(engine.option_schema())
    dressed = run(engine, inputs)
    assert dressed.shape == (1024, 768, 3) and dressed.dtype == np.uint8 and dressed.std() > 5
    assert np.array_equal(dressed, run(engine, inputs)), "the same seed, the same picture"
    changes = (
        {"seed": 1}, {"guidance": 1.0}, {"quality": "draft"}, {"height": 32}, {"repaint": True}, {"steps": 3},
        {"ref_acceleration": True},
    )  # fmt: skip
    for what in changes:
        assert not np.array_equal(dressed, run(engine, inputs, **what)), what
    shifted = np.roll(inputs["densepose"], 80, 0)
    for name, value in (("cloth", inputs["person"]), ("person", inputs["cloth"]), ("densepose", shifted)):
        assert not np.array_equal(dressed, run(engine, {**inputs, name: value})), name


def test_its_steps_are_told_with_a_preview_and_nothing_of_that_changes_the_picture(make_engine, inputs):
    engine, report, told = make_engine(), Report("tryon", previews=True), []
    report.listen(lambda: told.append((report.document()["done"], report.document()["preview"])))
    assert np.array_equal(run(engine, inputs, report, steps=4), run(engine, inputs, steps=4))
    assert told == [(0, None), (1, 1), (2, 2), (3, 3), (4, 3)]
    assert Image.open(io.BytesIO(report.preview)).size == (48 // 2, 64 // 2)


def test_a_canceled_run_ends_before_its_next_step(make_engine, inputs):
    report = Report("tryon")
    report.listen(lambda: report.document()["done"] == 2 and not report.is_cancelled and report.cancel())
    with pytest.raises(Cancelled):
        run(make_engine(), inputs, report, steps=5)
    assert report.document()["done"] == 2


def test_its_networks_leave_the_device_with_what_they_keep_and_come_back(make_engine, inputs):
    engine = make_engine()
    plain = run(engine, inputs)
    engine.rest()
    assert not any(painter._looks.size + painter._latents.size for painter in engine._painters.values())
    engine.wake()
    assert np.array_equal(run(engine, inputs), plain)


def test_repainting_keeps_what_is_not_to_be_painted(make_engine, inputs):
    kept = run(make_engine(), inputs, repaint=True)
    assert np.array_equal(kept[:250], inputs["person"][:250])
    assert not np.array_equal(kept[400:600, 300:500], inputs["person"][400:600, 300:500])


def test_the_category_chooses_the_model_where_both_are_here(make_engine, inputs):
    engine = make_engine(leffa_model="both")
    assert engine.categories == ("upper", "lower", "dress") and len(engine.weights()) == 2
    for_tops, for_all = (run(engine, inputs, model=model) for model in ("viton_hd", "dress_code"))
    assert not np.array_equal(for_tops, for_all)
    assert np.array_equal(run(engine, inputs), for_tops)
    assert np.array_equal(run(engine, {**inputs, "category": "dress"}), for_all)


def test_the_model_for_tops_says_that_it_is_for_tops(make_engine, inputs):
    engine, report = make_engine(), Report("tryon")
    assert engine.categories == ("upper",)
    run(engine, {**inputs, "category": "lower"}, report)
    assert [warning["code"] for warning in report.warnings] == ["worn-as-top"]
    assert engine.option_schema()["model"]["enum"] == ["auto", "viton_hd"]


def test_each_model_is_shown_the_body_as_it_knows_it(inputs):
    assert np.array_equal(body_for("viton_hd", inputs["densepose"]), inputs["densepose"])
    ids = body_for("dress_code", inputs["densepose"])
    assert ids.shape == (1024, 768, 3) and (ids == ids[..., :1]).all()
    assert [int(ids[y, 300, 0]) for y in (0, 300, 800)] == [0, 23, 2]


def test_what_would_take_too_long_is_refused_with_a_sentence(make_engine, inputs):
    engine = make_engine(leffa_budget_s="120")
    engine._seconds_per_flop = 1 / 190e9
    engine._costs[SIZE] = costs_of(make_networks(Configuration()), (1024, 768))
    with pytest.raises(BadOption, match="30 steps would take about 38 minutes on this cpu.*HOWSFIT_LEFFA_BUDGET_S"):
        run(engine, inputs, steps=30)
    unlimited = make_engine()
    unlimited._seconds_per_flop = 1e9
    assert run(unlimited, inputs).any()


def test_the_estimate_is_of_the_machine(networks):
    assert 1e-13 < seconds_per_flop(networks) < 1e-6


def test_inputs_that_show_nothing_are_refused(make_engine, inputs):
    engine = make_engine()
    with pytest.raises(WrongKind, match="'densepose' is black"):
        run(engine, {**inputs, "densepose": np.zeros_like(inputs["densepose"])})
    with pytest.raises(WrongKind, match="'agnostic_mask' is black"):
        run(engine, {**inputs, "agnostic_mask": np.zeros((1024, 768), np.uint8)})


def test_missing_and_wrong_weights_are_told(tmp_path, monkeypatch, weights_dir):
    monkeypatch.setenv("HOWSFIT_WEIGHTS_DIR", str(tmp_path))
    with pytest.raises(WeightsMissing, match="weights pull leffa/viton_hd.*virtual_tryon.pth from https://.*unclear"):
        Engine().load()
    with pytest.raises(WeightsMissing, match="virtual_tryon.pth lacks vae.encoder.down_blocks.0.resnets.1"):
        read(weights_dir / "leffa" / "virtual_tryon.pth", "viton_hd", Configuration())
    (tmp_path / "virtual_tryon.pth").write_bytes(b"<!DOCTYPE html>")
    with pytest.raises(WeightsMissing, match="cannot be read"):
        read(tmp_path / "virtual_tryon.pth", "viton_hd", Configuration())


def test_a_file_that_would_run_code_is_refused(tmp_path, small):
    torch.save({"vae.encoder.conv_in.weight": json.dumps}, str(tmp_path / "evil.pth"))
    with pytest.raises(WeightsMissing, match="it names json.dumps"):
        read(tmp_path / "evil.pth", "viton_hd", small)


@pytest.mark.parametrize("zipped", [True, False])
def test_files_of_both_forms_are_read(tmp_path, small, zipped):
    from tests.specs.leffa.weights import arrays_of

    arrays = arrays_of(small)
    torch.save(arrays, str(tmp_path / "a.pth"), _use_new_zipfile_serialization=zipped)
    found = read(tmp_path / "a.pth", "viton_hd", small)
    assert found.keys() == arrays.keys() and all(torch.equal(found[name], arrays[name]) for name in arrays)


def test_bfloat16_differs_little(make_engine, inputs):
    apart = run(make_engine(), inputs).astype(float) - run(make_engine(precision="bf16"), inputs)
    assert 0 < np.sqrt((apart**2).mean()) < 12


@pytest.mark.parametrize(
    "setting, value",
    [
        ("leffa_model", "sdxl"),
        ("leffa_steps", "0"),
        ("leffa_budget_s", "-1"),
        ("leffa_keep_mb", "-1"),
        ("precision", "int8"),
    ],
)
def test_settings_that_cannot_be_are_named(monkeypatch, setting, value):
    monkeypatch.setenv("HOWSFIT_" + setting.upper(), value)
    with pytest.raises(ValueError, match="HOWSFIT_" + setting.upper()):
        Engine()


def test_the_generator_takes_twelve_channels():
    assert INPUT_CHANNELS == 4 + 1 + 4 + 3
