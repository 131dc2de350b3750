"""Untrusted pictures as arrays: no engine meets a bomb, a broken file or metadata."""

import io
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageCms

from stagekit.errors import ImageTooLarge, ImageTooSmall
from stagekit.pictures import Picture

MIN_SIDE = 64
"""Pixels; below it nothing can be recognised."""


class Limits(NamedTuple):
    """What a service takes."""

    max_bytes: int = 25_000_000
    max_pixels: int = 50_000_000


def open_image(data: bytes, limits: Limits) -> Image.Image:
    """Decode a picture whole and turn it upright; the mode is left as it is.

    Raises ImageTooLarge, ImageTooNarrow, ImageTooSmall, UnreadableImage.
    """
    if len(data) > limits.max_bytes:
        raise ImageTooLarge(
            "The file has %.1f MB; at most %.1f MB are taken. Send a smaller one."
            % (len(data) / 1e6, limits.max_bytes / 1e6)
        )
    picture = Picture(data)
    width, height = picture.size
    if min(width, height) < MIN_SIDE:
        raise ImageTooSmall(
            "The picture has %d x %d pixels; at least %d on each side are needed. Send a larger one."
            % (width, height, MIN_SIDE)
        )
    picture.check_size(limits.max_pixels)
    return picture.upright(picture.decode())


def to_rgb(image: Image.Image) -> np.ndarray:
    """Any mode to sRGB, (H, W, 3) uint8: colour profile applied, transparency laid on white, 16 bits to 8."""
    pixels = to_rgb_or_rgba(image)
    return pixels if pixels.shape[2] == 3 else on_white(pixels)


def to_rgb_or_rgba(image: Image.Image) -> np.ndarray:
    """The same, but (H, W, 4) with straight alpha where parts of it are transparent."""
    if image.mode in ("LA", "PA") or ("transparency" in image.info and image.mode in ("1", "L", "P", "RGB")):
        image = image.convert("RGBA")
    image = _to_srgb(image)
    if image.mode.startswith("I") or image.mode == "F":
        return _grey_to_rgb(np.asarray(image, dtype=np.float64))
    if image.mode == "RGBA" and image.getchannel("A").getextrema() != (255, 255):
        return np.array(image)
    # Copied, so that nothing refers to the decoder's buffer and the array can be written to.
    return np.array(image.convert("RGB"))


def on_white(rgba: np.ndarray) -> np.ndarray:
    """(H, W, 4) uint8 to (H, W, 3)."""
    white = Image.new("RGBA", (rgba.shape[1], rgba.shape[0]), (255, 255, 255, 255))
    white.alpha_composite(Image.fromarray(rgba))
    return np.array(white.convert("RGB"))


def _to_srgb(image: Image.Image) -> Image.Image:
    profile = image.info.get("icc_profile")
    if not profile or image.mode not in ("RGB", "RGBA", "L", "CMYK"):
        return image
    target = "RGBA" if image.mode == "RGBA" else "RGB"
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        return ImageCms.profileToProfile(image, source, ImageCms.createProfile("sRGB"), outputMode=target) or image
    except (ImportError, ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return image  # a broken or foreign profile, or no LittleCMS: the plain values are the best guess


def _grey_to_rgb(values: np.ndarray) -> np.ndarray:
    # 16-bit greys; Pillow hands some of them over as 32-bit integers. Floats are taken as 0..1 or 0..255.
    top = max(float(np.nanmax(values)), 0.0)
    full = 1.0 if top <= 1.0 else 255.0 if top <= 255.0 else 65535.0
    grey = np.clip(np.nan_to_num(values) * (255.0 / full), 0, 255).round().astype(np.uint8)
    return np.repeat(grey[:, :, None], 3, axis=2)
