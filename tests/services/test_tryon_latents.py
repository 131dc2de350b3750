"""What engines on diffusers share, on small networks with made-up weights. Needs diffusers; `make test-diffusion` runs it."""

import itertools

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="no Torch here: `make test-diffusion` has it")
pytest.importorskip("diffusers", reason="no diffusers here: `make test-diffusion` has it")

from services.tryon.latents import (  # noqa: E402
    SCALE,
    decode,
    denoise,
    encode,
    make_scheduler,
    noises,
    repaint,
    scaled,
    shrunk,
    steady_noise,
    thresholded,
)
from services.tryon.stable_diffusion import (  # noqa: E402
    CROSS_ATTENTION,
    UNET,
    VAE,
    choose_precision,
    drop_cross_attention,
    forward_flops,
    give,
    make_unet,
    make_vae,
    shapes_of,
    transformer_blocks,
)
from tests.specs.fill import fill  # noqa: E402

CPU = torch.device("cpu")
SMALL_UNET = {
    **UNET,
    "block_out_channels": (16, 32, 32, 32),
    "attention_head_dim": 4,
    "cross_attention_dim": 8,
    "norm_num_groups": 8,
    "layers_per_block": 1,
}
SMALL_VAE = {**VAE, "block_out_channels": (8, 8, 16, 16), "norm_num_groups": 4, "layers_per_block": 1}


def filled(network, prefix=""):
    """Weights that a checkpoint of it would have."""
    return {name: torch.from_numpy(array) for name, array in fill(shapes_of(network, prefix)).items()}


@pytest.fixture(scope="module")
def vae():
    vae = make_vae(SMALL_VAE)
    give(vae, filled(vae), "", CPU, torch.float32)
    return vae


def test_networks_are_of_their_published_size_and_take_no_memory():
    unet, vae = make_unet(), make_vae()
    assert sum(array.numel() for array in unet.state_dict().values()) == 859_535_364
    assert sum(array.numel() for array in vae.state_dict().values()) == 83_653_863
    assert {array.device.type for array in [*unet.state_dict().values(), *vae.state_dict().values()]} == {"meta"}
    assert make_unet(in_channels=12).conv_in.in_channels == 12


def test_without_text_cross_attention_gives_back_what_it_is_given():
    plain, ours = make_unet(SMALL_UNET), make_unet(SMALL_UNET)
    arrays = filled(plain, "unet.")
    give(plain, arrays, "unet.", CPU, torch.float32)
    for name, module in plain.named_modules():
        if name.endswith(".attn2"):
            module.forward = lambda hidden_states, **others: hidden_states
    drop_cross_attention(ours)
    give(ours, arrays, "unet.", CPU, torch.float32)
    x = torch.randn((2, 9, 16, 16), generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        assert torch.equal(plain(x, 481, None).sample, ours(x, 481, None).sample)
    assert not [name for name in ours.state_dict() if CROSS_ATTENTION in name]


def test_at_full_size_44_million_numbers_are_not_kept():
    unet = make_unet()
    drop_cross_attention(unet)
    assert round((859_535_364 - sum(array.numel() for array in unet.state_dict().values())) / 1e6) == 44
    assert len(transformer_blocks(unet)) == 16


def test_blocks_come_in_the_order_in_which_they_run():
    unet, seen = make_unet(SMALL_UNET), []
    drop_cross_attention(unet)
    give(unet, filled(unet), "", CPU, torch.float32)
    blocks = transformer_blocks(unet)
    for number, block in enumerate(blocks):
        block.register_forward_hook(lambda *_, number=number: seen.append(number))
    with torch.no_grad():
        unet(torch.zeros((1, 9, 8, 8)), 1, None)
    assert seen == list(range(len(blocks)))


def test_a_picture_becomes_latents_of_an_eighth_of_its_size_and_one_again(vae):
    picture = np.random.default_rng(0).integers(0, 256, (64, 48, 3), dtype=np.uint8)
    assert np.allclose(scaled(picture)[0, :, 0, 0], picture[0, 0] / 127.5 - 1)
    noise = steady_noise((1, 4, 8, 6))
    with torch.no_grad():
        latents = encode(vae, scaled(picture), noise)
        said = vae.encode(scaled(picture)).latent_dist
        assert torch.allclose(latents, SCALE * (said.mean + said.std * noise), atol=1e-6)
        drawn = decode(vae, latents)
    assert drawn.shape == (1, 64, 48, 3) and drawn.dtype == np.uint8
    assert torch.equal(noise, steady_noise((1, 4, 8, 6)))


def test_masks_are_cut_at_128_and_shrunk_to_every_eighth_pixel():
    mask = np.zeros((16, 16), np.uint8)
    mask[8:, 8:] = 128
    mask[8:, :8] = 127
    assert shrunk(thresholded(mask))[0, 0].tolist() == [[0, 0], [0, 1]]


def test_repainting_keeps_the_person_beside_the_mask():
    person, result = np.full((200, 100, 3), 50, np.uint8), np.full((200, 100, 3), 200, np.uint8)
    mask = np.zeros((200, 100), np.uint8)
    mask[100:] = 255
    done = repaint(person, mask, result, 100)
    assert (done[:90] == 50).all() and (done[110:] == 200).all()
    assert len(np.unique(done[90:110])) > 4, "over a soft edge"


def test_noise_is_the_same_for_the_same_seed():
    first, again, other = (list(itertools.islice(noises(seed, (1, 4, 2, 2)), 3)) for seed in (1, 1, 2))
    assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))
    assert not any(torch.equal(a, b) for a, b in zip(first, other, strict=True))
    assert not torch.equal(first[0], first[1])


def alphas():
    betas = np.linspace(0.00085**0.5, 0.012**0.5, 1000) ** 2
    return np.cumprod(1 - betas)


@pytest.mark.parametrize("to_the_end", [True, False])
def test_steps_are_those_of_the_ancestral_formula(to_the_end):
    """DDPM's, and DDIM's with eta 1, after Ho et al. and Song et al., 2020."""
    latents, steps = [], 3
    noise = list(itertools.islice(noises(5, (1, 4, 2, 2)), steps + 1))
    denoise(
        lambda x, t: 0.3 * x,
        make_scheduler(steps, to_the_end),
        iter(noise),
        CPU,
        lambda done, of, x, heading: latents.append(x),
    )
    x, alpha = noise[0].double(), alphas()
    for number, t in enumerate((667, 334, 1)):
        e, before = 0.3 * x, t - 333
        now, then = alpha[t], alpha[before] if before >= 0 else (1.0 if to_the_end else alpha[0])
        variance = (1 - then) / (1 - now) * (1 - now / then)
        x0 = (x - (1 - now) ** 0.5 * e) / now**0.5
        x = then**0.5 * x0 + (1 - then - variance) ** 0.5 * e + variance**0.5 * noise[number + 1].double()
        assert float((latents[number] - x).abs().max() / x.std()) < 1e-4


def test_a_step_that_raises_ends_the_sampling():
    seen = []

    def stop(done, of, x, heading):
        seen.append((done, of))
        if done == 2:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        denoise(lambda x, t: x, make_scheduler(4, True), noises(0, (1, 4, 2, 2)), CPU, stop)
    assert seen == [(1, 4), (2, 4)]


def test_operations_are_counted_without_doing_any():
    unet = make_unet()
    drop_cross_attention(unet)
    at = torch.zeros((1, 9, 32, 24), device="meta")
    once = forward_flops(lambda: unet(at, torch.tensor(1, device="meta"), None))
    twice = forward_flops(lambda: unet(at.repeat(2, 1, 1, 1), torch.tensor(1, device="meta"), None))
    assert 1e11 < once < 2e11 and round(twice / once, 2) == 2


def test_half_precision_needs_a_card():
    assert choose_precision("fp32", CPU) == torch.float32 and choose_precision("bf16", CPU) == torch.bfloat16
    assert choose_precision("auto", torch.device("cuda")) == torch.float16
    with pytest.raises(ValueError, match="HOWSFIT_PRECISION=fp16"):
        choose_precision("fp16", CPU)
