"""How CIHP_PGN is used, whatever its network runs on: what goes in, which scales, and how the outputs are merged.

Source: Gong et al., "Instance-level Human Parsing via Part Grouping Network", ECCV 2018, and the published test program.
"""

from typing import Callable, Iterable, List, Sequence, Tuple

import numpy as np

from services.human_parse.multiscale import merge_mirror, resize, scaled_size, with_mirror

MEAN_BGR = (125.0, 114.4, 107.9)

Network = Callable[[List[np.ndarray]], Iterable[Sequence[np.ndarray]]]
"""For each (2, 3, h, w) float32 BGR less the mean: logits (2, 20, h/8, w/8) of classes and (2, 1, h/8, w/8) of edges."""


def look(network: Network, image: np.ndarray, scales: Sequence[float]) -> Tuple[np.ndarray, np.ndarray]:
    """Parse a picture at several scales, each with its mirror image.

    image: (h, w, 3) uint8 RGB. Returns float32 logits (20, h, w) of the classes and (h, w) of an edge being there. Edges
    are the mean over the scales from 1 on: smaller ones blur them.
    """
    height, width = image.shape[:2]
    planes = image[:, :, ::-1].transpose(2, 0, 1) - np.array(MEAN_BGR, np.float32).reshape(3, 1, 1)
    pair = with_mirror(planes)
    pairs = [resize(pair, *scaled_size(height, width, scale), convention="tf1") for scale in scales]
    parsings, edges = [], []
    for number, (parsing, edge) in enumerate(network(pairs)):
        parsings.append(resize(parsing, height, width, "tf1"))
        if scales[number] >= 1 or max(scales) < 1:
            edges.append(resize(edge, height, width, "tf1"))
    parsing, edge = np.mean(parsings, axis=0), np.mean(edges, axis=0)
    return merge_mirror(parsing), (edge[0, 0] + edge[1, 0, :, ::-1]) / 2
