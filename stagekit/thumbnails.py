"""Small pictures of artifacts for the debug page."""

import base64
import io
from typing import Any

import numpy as np
from PIL import Image

from stagekit.formats import BODY_25_JOINTS, CIHP_PALETTE, keypoints
from stagekit.images import on_white

SIDE = 256


def thumbnail(kind: str, value: Any) -> str:
    """A data: URL for an image; a line of text for a document."""
    if kind == "keypoints":
        people = keypoints(value)
        seen = int((people[0, :, 2] > 0).sum()) if len(people) else 0
        return "%d people; %d of %d joints on the first" % (len(people), seen, len(BODY_25_JOINTS))
    if not isinstance(value, np.ndarray):
        return str(value)[:200]
    # Striding first keeps this near a millisecond; it need not be beautiful.
    step = max(1, max(value.shape[:2]) // SIDE)
    value = value[::step, ::step]
    if kind == "labels":
        value = np.array(CIHP_PALETTE, dtype=np.uint8)[np.minimum(value, len(CIHP_PALETTE) - 1)]
    return _data_url(on_white(value) if value.ndim == 3 and value.shape[2] == 4 else value)


def _data_url(pixels: np.ndarray) -> str:
    buffer = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(pixels)).save(buffer, "JPEG", quality=80)
    return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")
