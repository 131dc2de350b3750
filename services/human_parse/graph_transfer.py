"""How Graphonomy is used, whatever its network runs on: what goes in, which scales, and how the outputs are merged.

Source: Gong et al., "Graphonomy: Universal Human Parsing via Graph Transfer Learning", CVPR 2019, and the published
inference program.
"""

from typing import Callable, Iterable, List, Sequence

import numpy as np

from services.human_parse.multiscale import merge_mirror, resize, resize_image, scaled_size, with_mirror

Network = Callable[[List[np.ndarray]], Iterable[Sequence[np.ndarray]]]
"""For each (2, 3, h, w) float32 BGR in -1..1: logits (2, 20, h, w), as its one output."""


def look(network: Network, image: np.ndarray, scales: Sequence[float]) -> np.ndarray:
    """Parse a picture at several scales, each with its mirror image.

    image: (h, w, 3) uint8 RGB. Returns float32 logits (20, h, w): the mean over the scales (the published program adds them
    up, which has the same argmax).
    """
    height, width = image.shape[:2]
    pairs = []
    for scale in scales:
        scaled = resize_image(image, *scaled_size(height, width, scale))
        pairs.append(with_mirror(scaled[:, :, ::-1].transpose(2, 0, 1).astype(np.float32) * 2 / 255 - 1))
    parsings = [resize(merge_mirror(parsing), height, width, "corners") for (parsing,) in network(pairs)]
    return np.mean(parsings, axis=0)
