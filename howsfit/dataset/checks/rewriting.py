"""Pixels as a file of the kind that a path names: what mends write."""

import io
from pathlib import Path

import numpy as np
from PIL import Image

from stagekit.formats import CIHP_PALETTE
from stagekit.png import write_png

QUALITY = 95


def picture_file(pixels: np.ndarray, path: Path) -> bytes | None:
    """pixels: (H, W) or (H, W, 3) uint8. None for a path that is neither .jpg nor .png."""
    suffix = path.suffix.lower()
    if suffix == ".png":
        return write_png(pixels)
    if suffix not in (".jpg", ".jpeg"):
        return None
    encoded = io.BytesIO()
    # 4:4:4: colours that mean something must not bleed.
    Image.fromarray(np.ascontiguousarray(pixels)).save(encoded, "JPEG", quality=QUALITY, subsampling=0)
    return encoded.getvalue()


def labels_file(labels: np.ndarray, path: Path) -> bytes | None:
    """labels: (H, W) uint8 CIHP ids. None for a path that is not .png: another file would spoil them."""
    return write_png(labels, CIHP_PALETTE) if path.suffix.lower() == ".png" else None
