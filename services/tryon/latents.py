"""Pictures as latent diffusion has them, and the way from noise to a picture.

For engines on diffusers: nothing else imports this. Latents are an eighth as high and wide as their picture: (B, 4, h, w).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import torch
from diffusers import AutoencoderKL, DDIMScheduler
from PIL import Image, ImageFilter
from torch import Tensor
from torch.nn import functional as F

from stagekit.report import Report

SCALE = 0.18215
"""What Stable Diffusion 1.5 multiplies latents by, so that they spread like noise."""

FACTOR = 8

CHANNELS = 4

Step = Callable[[int, int, Tensor, Tensor], None]
"""on_step(done, of, latents, heading): called after each step with what there is, and with those of the picture that it is
heading for; what it raises ends the sampling."""


def latent_shape(size: tuple[int, ...]) -> tuple[int, int, int, int]:
    """Of the latents of one picture of that height and width."""
    return (1, CHANNELS, size[0] // FACTOR, size[1] // FACTOR)


def scaled(picture: np.ndarray) -> Tensor:
    """uint8 RGB (H, W, 3) to float32 (1, 3, H, W) in -1..1."""
    return torch.from_numpy(picture.copy()).permute(2, 0, 1)[None].float() / 127.5 - 1


def thresholded(mask: np.ndarray) -> Tensor:
    """uint8 grey (H, W) to float32 (1, 1, H, W): 1, to be painted, from 128 on; else 0."""
    return torch.from_numpy(mask >= 128)[None, None].float()


def shrunk(x: Tensor) -> Tensor:
    """A mask or drawing at the size of latents: every eighth pixel."""
    return x[..., ::FACTOR, ::FACTOR]


def encode(vae: AutoencoderKL, pictures: Tensor, noise: Tensor) -> Tensor:
    """Latents of pictures in -1..1: the sample that this noise, float32 of their size, picks of what the autoencoder says."""
    weight = vae.encoder.conv_in.weight
    found = vae.encode(pictures.to(weight.device, weight.dtype)).latent_dist
    return SCALE * (found.mean.float() + found.std.float() * noise.to(weight.device))


def decode(vae: AutoencoderKL, latents: Tensor) -> np.ndarray:
    """uint8 RGB (B, H, W, 3), rounded."""
    weight = vae.decoder.conv_in.weight
    pictures = vae.decode((latents / SCALE).to(weight.device, weight.dtype)).sample.float()
    return ((pictures / 2 + 0.5).clamp(0, 1) * 255).round().to(torch.uint8).permute(0, 2, 3, 1).cpu().numpy()


def repaint(person: np.ndarray, mask: np.ndarray, result: np.ndarray, share: int) -> np.ndarray:
    """The person as she is where nothing was to be painted, over a soft edge: uint8 RGB (H, W, 3), cut off.

    mask: grey (H, W), white where the result holds, from 128 on; share: the edge's radius is this part of the height, 100 for a
    hundredth.
    """
    radius = mask.shape[0] // share
    soft = Image.fromarray(np.where(mask >= 128, np.uint8(255), np.uint8(0))).filter(
        ImageFilter.GaussianBlur(radius if radius % 2 else radius + 1)
    )
    weight = np.asarray(soft)[..., None] / 255
    return (person * (1 - weight) + result * weight).astype(np.uint8)


def noises(seed: int, shape: tuple[int, ...]) -> Iterator[Tensor]:
    """Normal noise for the beginning, then for each step: the same seed gives the same noise on every device."""
    random = torch.Generator().manual_seed(seed)
    while True:
        yield torch.randn(shape, generator=random)


def steady_noise(shape: tuple[int, ...]) -> Tensor:
    """For `encode`: always the same, so that a picture's latents depend on nothing but the picture."""
    return next(noises(0, shape))


def telling(report: Report, vae: AutoencoderKL, part: Callable[[Tensor], Tensor] = lambda latents: latents) -> Step:
    """Tells the run's readers its steps, with a preview at half the size. part: of the latents what is the picture."""

    def tell(done: int, of: int, latents: Tensor, heading: Tensor) -> None:
        if latents.is_cuda:
            torch.cuda.synchronize()  # else steps would be told that have only been ordered
        report.step(done, of, lambda: decode(vae, F.avg_pool2d(part(heading), 2))[0])

    return tell


def make_scheduler(steps: int, to_the_end: bool) -> DDIMScheduler:
    """The ancestral steps of Stable Diffusion's schedule. to_the_end: the last one leaves no noise, as DDPM's does."""
    scheduler = DDIMScheduler(
        beta_start=0.00085,
        beta_end=0.012,
        beta_schedule="scaled_linear",
        clip_sample=False,
        set_alpha_to_one=to_the_end,
        steps_offset=1,
        timestep_spacing="leading",
    )
    scheduler.set_timesteps(steps)
    return scheduler


def denoise(
    predict: Callable[[Tensor, int], Tensor],
    scheduler: DDIMScheduler,
    noise: Iterator[Tensor],
    device: torch.device,
    on_step: Step | None = None,
) -> Tensor:
    """Latents, float32. predict(latents, timestep): the noise that is in them, guidance included."""
    latents = next(noise).to(device)
    timesteps = scheduler.timesteps.tolist()
    for done, timestep in enumerate(timesteps, 1):
        found = predict(latents, timestep).float()
        step = scheduler.step(found, timestep, latents, eta=1.0, variance_noise=next(noise).to(device))
        latents = step.prev_sample
        if on_step is not None:
            on_step(done, len(timesteps), latents, step.pred_original_sample)
    return latents
