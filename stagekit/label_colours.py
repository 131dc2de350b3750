"""From the colours that label maps are painted in back to the labels."""

from typing import List, Optional

import numpy as np
from PIL import Image

from stagekit.formats import CIHP_PALETTE

_OFF = 1  # of 255: the palette was published with 255 as well as with 254


def labels_of(colours: np.ndarray) -> List[Optional[int]]:
    """colours: (n, 3) RGB -> of each the CIHP label that is painted so; None: of none."""
    off = np.abs(colours.astype(int)[:, None] - np.array(CIHP_PALETTE)).max(axis=2)
    return [int(row.argmin()) if row.min() <= _OFF else None for row in off]


def labels_of_map(image: Image.Image) -> Optional[np.ndarray]:
    """A colour map, RGB or RGBA -> (H, W) uint8 CIHP labels; None where any of its pixels has another colour."""
    pixels = np.array(image)
    if pixels.shape[2] == 4 and pixels[..., 3].min() < 255:
        return None
    packed = pixels[..., 0].astype(np.int32) << 16 | pixels[..., 1].astype(np.int32) << 8 | pixels[..., 2]
    used, places = np.unique(packed, return_inverse=True)
    if len(used) > 3 * len(CIHP_PALETTE):
        return None
    labels = labels_of(np.stack([used >> 16, used >> 8 & 255, used & 255], axis=1))
    if None in labels:
        return None
    return np.asarray(np.array(labels, np.uint8)[places].reshape(packed.shape))


def labels_of_palette(image: Image.Image, used: np.ndarray) -> List[Optional[int]]:
    """A palette image and the ids in use in it -> of each the label that its colour stands for; None: for none."""
    palette = np.array(image.getpalette() or [], np.uint8).reshape(-1, 3)
    known = labels_of(palette[used[used < len(palette)]]) if len(palette) else []
    return known + [None] * (len(used) - len(known))
