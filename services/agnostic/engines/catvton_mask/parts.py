"""DensePose's parts, read back from their picture."""

import cv2
import numpy as np

from stagekit.densepose import PARTS, nearest_parts

_RIM = 3  # pixels: between two parts a JPEG has the colour of a third one, about this wide


def densepose_parts(image: np.ndarray) -> np.ndarray:
    """The part ids 0..24 that a picture shows, (h, w, 3) uint8 RGB -> (h, w) uint8: as they were painted, or, of what was a
    JPEG meanwhile, without the rims of wrong parts between them."""
    parts, exact = nearest_parts(image)
    return parts if exact else _without_rims(parts)


def _without_rims(parts: np.ndarray) -> np.ndarray:
    """What is too narrow becomes what it lies nearest to."""
    square, wide = np.ones((_RIM, _RIM), np.uint8), np.zeros(parts.shape, bool)
    for part in range(PARTS):
        wide |= cv2.morphologyEx((parts == part).astype(np.uint8), cv2.MORPH_OPEN, square) > 0
    _, nearest = cv2.distanceTransformWithLabels(
        (~wide).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5, labelType=cv2.DIST_LABEL_PIXEL
    )
    part_of = np.zeros(int(nearest.max()) + 1, np.uint8)
    part_of[nearest[wide]] = parts[wide]
    return part_of[nearest]
