"""What the trained parsers have in common: the size they work at, and how their logits become a parse."""

from typing import Any, Dict, Optional, Sequence, Tuple

import numpy as np

import stagekit
from services.human_parse.multiscale import (
    PARSE_HEIGHT,
    PARSE_WIDTH,
    confidence,
    enlarge,
    finish,
    resize_image,
    scaled_size,
)
from services.human_parse.settings import read_scales
from stagekit.errors import NoPerson


class Parser(stagekit.Engine):
    """person -> parse, and parse_confidence on request. Subclasses load a network and look at a picture with it.

    The person is parsed at 256 x 192; the logits are enlarged to 1024 x 768 and smoothed before the argmax, as
    HR-VITON's authors made the parses of their data set (their Preprocessing.md; docs/human_parse.md says what is not known
    of it). `parse_confidence` is the probability of the label, 255 for certain.

    Raises NoPerson where nothing but background is found. Raises ValueError (at start) for scales that are none.
    """

    inputs = ("person",)
    extras = {"parse_confidence": "map"}

    def __init__(self) -> None:
        self.scales = read_scales()
        self._weights: Tuple[Dict[str, str], ...] = ()

    def look(self, image: np.ndarray, scales: Sequence[float]) -> Tuple[np.ndarray, Optional[np.ndarray]]:
        """image: (h, w, 3) uint8 RGB. Returns float32 logits (20, h, w) of the classes and (h, w) of edges, or None."""
        raise NotImplementedError

    def run(self, inputs: stagekit.Artifacts, warn: stagekit.Warn) -> stagekit.Artifacts:
        logits, edges = self.look(resize_image(inputs["person"], PARSE_HEIGHT, PARSE_WIDTH), self.scales)
        logits = finish(logits)
        parse = logits.argmax(axis=0).astype(np.uint8)
        if not parse.any():
            raise NoPerson("Nobody was found in the photo. Use a photo of one person who faces the camera.")
        made: stagekit.Artifacts = {"parse": parse, "parse_confidence": lambda: confidence(logits)}
        if edges is not None:
            made["parse_edges"] = lambda: _edge_map(edges)
        return made

    def options(self) -> Dict[str, Any]:
        return {"scales": list(self.scales)}

    def weights(self) -> Tuple[Dict[str, str], ...]:
        return self._weights

    def sizes(self) -> Sequence[Tuple[int, int]]:
        """Heights and widths that the network will be asked for."""
        return [scaled_size(PARSE_HEIGHT, PARSE_WIDTH, scale) for scale in self.scales]

    def warm_up(self) -> None:
        """Look once at the smallest scale: what a runtime does at its first run is done then."""
        self.look(np.full((PARSE_HEIGHT, PARSE_WIDTH, 3), 127, np.uint8), self.scales[:1])


def _edge_map(logits: np.ndarray) -> np.ndarray:
    return np.rint(255 / (1 + np.exp(-np.clip(enlarge(logits), -80, 80)))).astype(np.uint8)
