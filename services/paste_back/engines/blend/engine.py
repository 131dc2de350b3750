"""Blends what the generator changed into the original photo; every other pixel stays as it was."""

import cv2
import numpy as np

import stagekit
from stagekit.errors import WrongKind
from stagekit.formats import HEIGHT, WIDTH

_CHANGED = 10
"""Grey levels (0..255) by which a channel must differ to count as changed: more than a generator's reconstruction noise."""

_SPECK = 5  # pixels of `person`: smaller spots of change are noise
_FEATHER = 3.0  # pixels of `person`: the seam fades over this distance


class Engine(stagekit.Engine):
    """photo, frame, person, tryon -> tryon_photo: uint8 RGB of the photo's own size.

    The photo is the upload as decoded: upright, sRGB. Outside of the changed region `tryon_photo` equals it bit for bit.
    Raises WrongKind for the frame of another photo.
    """

    name = "blend"
    version = "1"
    concurrency = 2

    def run(self, inputs: stagekit.Artifacts, warn: stagekit.Warn) -> stagekit.Artifacts:
        photo = inputs["photo"]
        height, width = photo.shape[:2]
        if inputs["frame"]["photo_size"] != [width, height]:
            meant = "{:g} x {:g}".format(*inputs["frame"]["photo_size"])
            raise WrongKind(
                f"'frame' is of a photo of {meant} pixels, but 'photo' has {width} x {height}. Send those that belong together."
            )
        x0, y0, x1, y1 = inputs["frame"]["box"]
        weight = edited_region(inputs["person"], inputs["tryon"])
        scale = (x1 - x0) / WIDTH, (y1 - y0) / HEIGHT
        if max(scale) > 1.5:
            warn(
                "result-enlarged",
                f"The photo is {max(scale):.1f} times as large as the result: the garment is softer there.",
            )
        share = _place(weight, scale, (x0, y0), photo.shape[:2])
        placed = _place(inputs["tryon"], scale, (x0, y0), photo.shape[:2])
        x, y, width, height = cv2.boundingRect((share > 0).astype(np.uint8))
        box = slice(y, y + height), slice(x, x + width)
        result = photo.copy()
        blended = photo[box] + share[box][..., None] * (placed[box].astype(np.float32) - photo[box])
        result[box] = np.clip(blended + 0.5, 0, 255).astype(np.uint8)
        return {"tryon_photo": result}

    def runtime(self) -> dict[str, str]:
        return {"framework": "opencv " + cv2.__version__, "device": "cpu"}


def edited_region(person: np.ndarray, tryon: np.ndarray) -> np.ndarray:
    """Where the generator changed the picture: (H, W) float32, 1 inside, fading to exactly 0 outside."""
    red, green, blue = cv2.split(cv2.absdiff(person, tryon))
    changed = (cv2.max(cv2.max(red, green), blue) > _CHANGED).astype(np.uint8)
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (_SPECK, _SPECK))
    changed = cv2.morphologyEx(cv2.morphologyEx(changed, cv2.MORPH_OPEN, disc), cv2.MORPH_CLOSE, disc)
    # The fade lies outside of the change, where both pictures are nearly alike: no seam can show.
    outside = cv2.distanceTransform(1 - changed, cv2.DIST_L2, 5)
    return np.clip(1 - outside / _FEATHER, 0, 1).astype(np.float32) if changed.any() else np.zeros_like(outside)


def _place(
    image: np.ndarray, scale: tuple[float, float], corner: tuple[float, float], size: tuple[int, int]
) -> np.ndarray:
    """Resample from `person` into the photo; outside of the frame it is 0."""
    if min(scale) < 1:  # shrink by area first: warpAffine alone would alias
        shrunk = (max(1, round(image.shape[1] * scale[0])), max(1, round(image.shape[0] * scale[1])))
        scale = scale[0] * image.shape[1] / shrunk[0], scale[1] * image.shape[0] / shrunk[1]
        image = cv2.resize(image, shrunk, interpolation=cv2.INTER_AREA)
    # Pixel centres lie at half coordinates.
    shift = [corner[k] + 0.5 * scale[k] - 0.5 for k in (0, 1)]
    matrix = np.array([[scale[0], 0, shift[0]], [0, scale[1], shift[1]]])
    return cv2.warpAffine(image, matrix, size[::-1], flags=cv2.INTER_LINEAR)
