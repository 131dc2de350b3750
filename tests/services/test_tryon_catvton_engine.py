"""CatVTON's engine on small networks with made-up weights. Needs diffusers: `make test-diffusion`."""

import io

import numpy as np
import pytest
from PIL import Image

torch = pytest.importorskip("torch", reason="no Torch here: `make test-diffusion` has it")
pytest.importorskip("diffusers", reason="no diffusers here: `make test-diffusion` has it")

from services.tryon.engines.catvton import engine as engine_module  # noqa: E402
from services.tryon.engines.catvton.cost import cost_of  # noqa: E402
from services.tryon.engines.catvton.engine import Engine  # noqa: E402
from services.tryon.engines.catvton.pictures import VARIANTS, Form  # noqa: E402
from services.tryon.stable_diffusion import UNET, VAE  # noqa: E402
from stagekit.errors import BadOption, Cancelled, WeightsMissing, WrongKind  # noqa: E402
from stagekit.options import defaults  # noqa: E402
from stagekit.report import Report  # noqa: E402
from tests.specs.catvton.weights import SMALL_UNET, SMALL_VAE, write_weights  # noqa: E402

FORMS = {
    "mix-48k-1024": Form(128, 96, blur=9),
    "vitonhd-16k-512": Form(64, 48),
    "dresscode-16k-512": Form(64, 48),
}
HERE = ("mix-48k-1024", "vitonhd-16k-512")


@pytest.fixture(scope="module")
def weights_dir(tmp_path_factory):
    folder = tmp_path_factory.mktemp("weights")
    write_weights(folder, SMALL_UNET, SMALL_VAE, *HERE)
    return folder


def test_a_picture_costs_what_the_published_sizes_cost():
    large, small = (cost_of(VARIANTS[variant], UNET, VAE) for variant in ("mix-48k-1024", "vitonhd-16k-512"))
    assert [round(cost / 2e12, 2) for cost in (*large, *small)] == [4.15, 7.43, 0.62, 1.77]


@pytest.fixture(scope="module", autouse=True)
def small(weights_dir):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOWSFIT_WEIGHTS_DIR", str(weights_dir))
        patch.setenv("HOWSFIT_PRECISION", "fp32")
        patch.setattr(Engine, "unet_config", SMALL_UNET)
        patch.setattr(Engine, "vae_config", SMALL_VAE)
        patch.setattr(Engine, "forms", FORMS)
        yield


@pytest.fixture(scope="module")
def engine(small):
    made = Engine()
    made.load()
    return made


@pytest.fixture
def inputs():
    random = np.random.default_rng(5)
    mask = np.zeros((1024, 768), np.uint8)
    mask[300:700, 200:560] = 255
    picture, cloth = (random.integers(0, 256, (1024, 768, 3), dtype=np.uint8) for _ in range(2))
    return {"person": picture, "cloth": cloth, "agnostic_mask": mask}


def run(engine, inputs, report=None, **options):
    said = defaults(engine.option_schema()) | {"steps": 2} | options
    return engine.run_with(said, inputs, report or Report("tryon"))["tryon"]


def test_the_engine_dresses(engine, inputs):
    dressed = run(engine, inputs)
    assert dressed.shape == (1024, 768, 3) and dressed.dtype == np.uint8 and dressed.std() > 5
    assert np.array_equal(dressed, run(engine, inputs)), "the same seed, the same picture"
    for what in ({"seed": 1}, {"guidance": 1.0}, {"quality": "draft"}, {"repaint": True}, {"variant": HERE[1]}):
        assert not np.array_equal(dressed, run(engine, inputs, **what)), what
    assert np.array_equal(dressed, run(engine, inputs)), "after another variant, too"
    for name, value in (("cloth", inputs["person"]), ("person", inputs["cloth"])):
        assert not np.array_equal(dressed, run(engine, {**inputs, name: value})), name
    lower = np.roll(inputs["agnostic_mask"], 200, axis=0)
    assert not np.array_equal(dressed, run(engine, {**inputs, "agnostic_mask": lower})), "the mask"


def test_its_steps_are_told_with_a_preview_and_nothing_of_that_changes_the_picture(engine, inputs):
    report, told = Report("tryon", previews=True), []
    report.listen(lambda: told.append((report.document()["done"], report.document()["preview"])))
    assert np.array_equal(run(engine, inputs, report, steps=4), run(engine, inputs, steps=4))
    assert told == [(0, None), (1, 1), (2, 2), (3, 3), (4, 3)]
    assert Image.open(io.BytesIO(report.preview)).size == (48, 64), "the person alone, at half the size"


def test_a_canceled_run_ends_before_its_next_step(engine, inputs):
    report = Report("tryon")
    report.listen(lambda: report.document()["done"] == 2 and not report.is_cancelled and report.cancel())
    with pytest.raises(Cancelled):
        run(engine, inputs, report, steps=5)
    assert report.document()["done"] == 2


def test_its_networks_leave_the_device_with_what_they_keep_and_come_back(engine, inputs):
    plain = run(engine, inputs)
    engine.rest()
    assert engine._latents.size == 0
    engine.wake()
    assert np.array_equal(run(engine, inputs), plain)


def test_repainting_keeps_the_person_beside_the_mask(engine, inputs):
    inputs["person"] = np.full((1024, 768, 3), 90, np.uint8)
    done = run(engine, inputs, repaint=True)
    assert (done[:100] == 90).all() and (done[900:] == 90).all() and not (done[400:600, 300:400] == 90).all()


def test_person_and_garment_are_encoded_once(engine, inputs, monkeypatch):
    people, garments = [], []
    for name, seen in (("person_latents", people), ("garment_latents", garments)):
        real = getattr(engine_module, name)
        monkeypatch.setattr(engine_module, name, lambda *args, real=real, seen=seen: (seen.append(1), real(*args))[1])
    inputs["person"], inputs["cloth"] = inputs["person"] // 2, inputs["cloth"] // 2
    first = run(engine, inputs)
    run(engine, inputs, seed=4)
    run(engine, {**inputs, "cloth": inputs["cloth"][::-1].copy()})
    assert (len(people), len(garments)) == (1, 2)
    run(engine, {**inputs, "person": inputs["person"][::-1].copy()})
    assert (len(people), len(garments)) == (2, 2)
    assert np.array_equal(first, run(engine, inputs)) and (len(people), len(garments)) == (2, 2)


def test_a_variant_that_is_not_here_is_refused_with_the_command_that_brings_it(engine, inputs):
    with pytest.raises(BadOption, match="weights pull catvton/dresscode-16k-512.*Here: mix-48k-1024, vitonhd-16k-512"):
        run(engine, inputs, variant="dresscode-16k-512")
    assert [each["file"] for each in engine.weights()] == [
        "unet.bin", "vae.safetensors", "mix-48k-1024.safetensors", "vitonhd-16k-512.safetensors"
    ]  # fmt: skip


def test_a_mask_that_shows_nothing_is_refused(engine, inputs):
    with pytest.raises(WrongKind, match="'agnostic_mask' is black"):
        run(engine, {**inputs, "agnostic_mask": np.zeros((1024, 768), np.uint8)})


def test_what_would_take_too_long_is_refused_with_a_sentence(engine, inputs, monkeypatch):
    of_published_size = {
        FORMS[variant]: cost_of(VARIANTS[variant], UNET, VAE) for variant in ("mix-48k-1024", "vitonhd-16k-512")
    }
    monkeypatch.setattr(engine, "_costs", of_published_size)
    monkeypatch.setattr(engine, "_flops_per_s", 94e9)
    with pytest.raises(BadOption, match="50 steps would take about 2.5 hours on this cpu.*HOWSFIT_CATVTON_BUDGET_S"):
        run(engine, inputs, steps=50)
    with pytest.raises(BadOption, match="50 steps would take about 23 minutes"):
        run(engine, inputs, steps=50, variant=HERE[1])
    monkeypatch.setattr(engine, "_settings", engine._settings._replace(catvton_budget_s=0.0))
    assert run(engine, inputs).any()


def test_bfloat16_differs_little(engine, inputs, monkeypatch):
    monkeypatch.setenv("HOWSFIT_PRECISION", "bf16")
    low = Engine()
    low.load()
    apart = run(engine, inputs).astype(float) - run(low, inputs)
    assert 0 < np.sqrt((apart**2).mean()) < 8


def test_missing_weights_are_told_with_the_one_command_that_brings_all(tmp_path, monkeypatch):
    monkeypatch.setenv("HOWSFIT_WEIGHTS_DIR", str(tmp_path))
    with pytest.raises(WeightsMissing, match="weights pull catvton`.*unet.bin from https://.*OpenRAIL") as told:
        Engine().load()
    assert told.value.members["command"].endswith("weights pull catvton")
