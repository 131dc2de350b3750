"""A published network on OpenCV: from a picture to heat maps and affinity fields."""

import os

import cv2
import numpy as np

from services.pose.engines.openpose.models import Model
from services.pose.engines.openpose.tensorflow_graph import with_constant_sizes
from stagekit.weights import not_right


class Network:
    """Looks at pictures of one shape, 3 to 4. Not for several threads at a time."""

    STRIDE = 8
    """Pixels of the input per cell of a map."""

    def __init__(self, model: Model, folder: str) -> None:
        """folder: holds the model's files. Raises WeightsMissing for files that are unreadable, or another network's."""
        self._model = model
        try:
            self._net = _read(model, folder)
            output = self._forward(np.zeros((*model.size, 3), dtype=np.uint8))
        except (cv2.error, ValueError) as error:
            raise not_right(model.weights, f"they cannot be read ({str(error).strip()})") from None
        height, width = model.size
        wanted = (1, self._heats() + 2 * len(model.skeleton.limbs), height // self.STRIDE, width // self.STRIDE)
        if output.shape != wanted:
            what = f"they are another network's, whose output is {output.shape} and not {wanted}"
            raise not_right(model.weights, what)

    def look(self, picture: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """RGB picture (H, W, 3) uint8 -> heat maps (joints + background, h, w) and fields (2 * limbs, h, w), float32."""
        height, width = self._model.size
        (maps,) = self._forward(cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA))
        return maps[: self._heats()], maps[self._heats() :]

    def _forward(self, picture: np.ndarray) -> np.ndarray:
        # The networks take blue first; Caffe's -0.5 to 0.5, the TensorFlow graph 0 to 255.
        planes = np.ascontiguousarray(picture[..., ::-1].transpose(2, 0, 1)[None], dtype=np.float32)
        if not _is_tensorflow(self._model):
            planes = planes / 256 - 0.5
        self._net.setInput(planes)
        return np.asarray(self._net.forward())

    def _heats(self) -> int:
        return len(self._model.skeleton.joints) + 1


def _read(model: Model, folder: str) -> cv2.dnn.Net:
    paths = [os.path.join(folder, name) for name in model.files]
    if not _is_tensorflow(model):
        return cv2.dnn.readNetFromCaffe(*paths)
    with open(paths[0], "rb") as file:
        graph = file.read()
    height, width = model.size
    graph = with_constant_sizes(graph, height // Network.STRIDE, width // Network.STRIDE)
    return cv2.dnn.readNetFromTensorflow(np.frombuffer(graph, dtype=np.uint8))


def _is_tensorflow(model: Model) -> bool:
    return model.files[0].endswith(".pb")
