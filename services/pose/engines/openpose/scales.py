"""One pair of maps from several sizes of a picture: their mean, as OpenPose's --scale_number makes it."""

import cv2
import numpy as np

from services.pose.engines.openpose.models import Model
from services.pose.engines.openpose.network import Network

_MULTIPLE = 16  # pixels; the networks take heights and widths that this divides


class Pyramid:
    """A network at some scales of its model's size. Not for several threads at a time."""

    def __init__(self, model: Model, folder: str, scales: tuple[float, ...]) -> None:
        """Raises WeightsMissing as Network does."""
        self._networks = [Network(model._replace(size=scaled(model.size, scale)), folder) for scale in scales]
        self._height, self._width = (pixels // Network.STRIDE for pixels in model.size)

    def look(self, picture: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """RGB picture (H, W, 3) uint8 -> heat maps (joints + background, h, w) and fields (2 * limbs, h, w), float32.

        h, w: those of the model's own size.
        """
        looks = [network.look(picture) for network in self._networks]
        heat, fields = (np.mean([self._fit(maps) for maps in same], axis=0) for same in zip(*looks, strict=True))
        return heat, fields

    def _fit(self, maps: np.ndarray) -> np.ndarray:
        size = (self._width, self._height)
        if maps.shape[1:] == size[::-1]:
            return maps
        # Cubic keeps the peaks; OpenCV takes some channels at a time only.
        return np.stack([cv2.resize(plane, size, interpolation=cv2.INTER_CUBIC) for plane in maps])


def scaled(size: tuple[int, int], scale: float) -> tuple[int, int]:
    """The height and width that a network takes which are nearest to a scale of others."""
    height, width = (max(1, round(pixels * scale / _MULTIPLE)) * _MULTIPLE for pixels in size)
    return height, width
