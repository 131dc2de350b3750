"""CatVTON's network, its weights and its sampling, on small networks with made-up weights. Needs diffusers: `make
test-diffusion`.

Parity with the published implementation is tests/parity/catvton.py.
"""

import itertools

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="no Torch here: `make test-diffusion` has it")
pytest.importorskip("diffusers", reason="no diffusers here: `make test-diffusion` has it")

from safetensors.torch import load_file, save, save_file  # noqa: E402

from services.tryon.engines.catvton.checkpoint import load_attention, load_unet, load_vae, self_attention  # noqa: E402
from services.tryon.engines.catvton.conditions import Conditions, person_latents  # noqa: E402
from services.tryon.engines.catvton.sampling import forwards, sample  # noqa: E402
from services.tryon.latents import noises, steady_noise  # noqa: E402
from services.tryon.stable_diffusion import UNET, drop_cross_attention, make_unet, shapes_of  # noqa: E402
from stagekit.errors import WeightsMissing  # noqa: E402
from stagekit.manifest import read_manifest  # noqa: E402
from tests.parity.catvton import differences  # noqa: E402
from tests.specs.catvton.weights import (  # noqa: E402
    SMALL_UNET,
    SMALL_VAE,
    SPECS,
    attention_names,
    attention_shapes,
    unet_of,
    vae_of,
    write_weights,
)

CPU = torch.device("cpu")


def test_network_steps_and_picture_are_the_published_ones():
    found = differences(dict(np.load(SPECS / "golden_1.npz")))
    assert not [each for each in found if each[1] > each[2]]


# -- Weights --


def test_the_trained_file_is_mapped_as_its_publisher_numbers_it():
    arrays = {name: torch.empty(shape, device="meta") for name, shape in attention_shapes().items()}
    unet = make_unet()
    drop_cross_attention(unet)
    mapped = self_attention(arrays, shapes_of(unet))
    assert {ours: arrays[theirs] for theirs, ours in attention_names().items()} == mapped
    assert len(mapped) == 80 and sum(array.numel() for array in mapped.values()) == 49_574_080


def test_such_a_file_has_the_published_number_of_bytes():
    arrays = {name: torch.zeros(shape) for name, shape in attention_shapes().items()}
    (file,) = read_manifest()["catvton/mix-48k-1024"].files
    assert len(save(arrays, {"format": "pt"})) == file.size


@pytest.mark.parametrize(
    "change, said",
    [
        (lambda arrays: arrays.pop("8.to_q.weight"), "has 15 modules of self-attention, not 16"),
        (lambda arrays: arrays.pop("8.to_k.weight"), "lacks 8.to_k.weight"),
        (lambda arrays: arrays.update({"0.to_q.bias": torch.zeros(16)}), "has the unknown 0.to_q.bias"),
        (
            lambda arrays: arrays.update({"0.to_q.weight": torch.zeros(8, 8)}),
            r"has 0.to_q.weight of \(8, 8\), not \(16",
        ),
    ],
)
def test_another_file_in_its_place_is_refused(weights_dir, tmp_path, change, said):
    arrays = load_file(str(weights_dir / "catvton" / "mix-48k-1024.safetensors"))
    change(arrays)
    save_file(arrays, str(tmp_path / "mix-48k-1024.safetensors"))
    with pytest.raises(WeightsMissing, match=said):
        load_attention(tmp_path, "mix-48k-1024", make_unet(SMALL_UNET))


@pytest.fixture(scope="module")
def weights_dir(tmp_path_factory):
    folder = tmp_path_factory.mktemp("weights")
    write_weights(folder, SMALL_UNET, SMALL_VAE, "mix-48k-1024")
    return folder


def test_the_base_network_attends_as_it_was_trained_to(weights_dir):
    folder = weights_dir / "catvton"
    loaded = load_unet(folder, "mix-48k-1024", SMALL_UNET, CPU, torch.float32).state_dict()
    wanted = unet_of(SMALL_UNET).state_dict()
    assert loaded.keys() == wanted.keys() and all(torch.equal(loaded[name], wanted[name]) for name in wanted)
    assert not [name for name in loaded if ".attn2." in name]


def test_an_autoencoder_of_2022_is_read_by_the_names_of_its_time(weights_dir, tmp_path):
    names = {".to_q.": ".query.", ".to_k.": ".key.", ".to_v.": ".value.", ".to_out.0.": ".proj_attn."}
    old = {}
    for name, array in load_file(str(weights_dir / "catvton" / "vae.safetensors")).items():
        for now, then in names.items():
            name = name.replace(now, then)
        old[name] = array
    assert "encoder.mid_block.attentions.0.proj_attn.bias" in old
    save_file(old, str(tmp_path / "vae.safetensors"))
    read, wanted = load_vae(tmp_path, SMALL_VAE, CPU, torch.float32).state_dict(), vae_of(SMALL_VAE).state_dict()
    assert read.keys() == wanted.keys() and all(torch.equal(read[name], wanted[name]) for name in wanted)


def test_files_of_another_network_are_refused(weights_dir, tmp_path):
    with pytest.raises(
        WeightsMissing, match=r"unet.bin lacks .*has conv_in.weight of \(16, 9, 3, 3\), not \(320, 9, 3, 3\)"
    ):
        load_unet(weights_dir / "catvton", "mix-48k-1024", UNET, CPU, torch.float32)
    (tmp_path / "vae.safetensors").write_bytes(b"<!DOCTYPE html>")
    with pytest.raises(WeightsMissing, match="vae.safetensors cannot be read"):
        load_vae(tmp_path, SMALL_VAE, CPU, torch.float32)


# -- Sampling --


@pytest.fixture(scope="module")
def unet():
    return unet_of(SMALL_UNET)


def conditions(samples=1):
    random = torch.Generator().manual_seed(1)
    person, garment = (torch.randn((samples, 4, 8, 8), generator=random) for _ in range(2))
    return Conditions(person, garment, (torch.rand((samples, 1, 8, 8), generator=random) > 0.5).float())


@pytest.mark.parametrize("guidance, seen", [(1.0, [1, 1, 1]), (2.5, [2, 2, 2])])
def test_the_network_sees_no_more_samples_than_it_must(unet, guidance, seen):
    found = []
    hook = unet.conv_in.register_forward_hook(lambda module, inputs, output: found.append(len(inputs[0])))
    try:
        with torch.no_grad():
            sample(unet, conditions(), noises(0, (1, 4, 16, 8)), 3, guidance)
    finally:
        hook.remove()
    assert found == seen and sum(found) == forwards(3, guidance)


def test_samples_made_together_are_those_made_alone(unet):
    both = conditions(2)
    noise = list(itertools.islice(noises(3, (2, 4, 16, 8)), 3))
    with torch.no_grad():
        together = sample(unet, both, iter(noise), 2, 2.5)
        for k in (0, 1):
            one = slice(k, k + 1)
            alone = sample(unet, Conditions(*(each[one] for each in both)), iter(each[one] for each in noise), 2, 2.5)
            assert float((alone[0] - together[k]).abs().max() / together.std()) < 1e-4


def test_what_is_to_be_painted_is_not_seen():
    vae = vae_of(SMALL_VAE)
    random = np.random.default_rng(0)
    person, mask = random.integers(0, 256, (64, 48, 3), dtype=np.uint8), np.zeros((64, 48), np.uint8)
    mask[20:40, 10:30] = 128
    other = person.copy()
    other[20:40, 10:30] = 0
    with torch.no_grad():
        seen, same = (person_latents(vae, each, mask, steady_noise((1, 4, 8, 6))) for each in (person, other))
        without = person_latents(vae, person, np.zeros_like(mask), steady_noise((1, 4, 8, 6)))
    assert torch.equal(seen, same) and not torch.equal(seen, without)
