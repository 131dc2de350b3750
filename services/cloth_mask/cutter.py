"""What the engines have in common: from the garment's outline to the stage's outputs."""

import cv2
import numpy as np

import stagekit
from services.cloth_mask.framing import frame
from services.cloth_mask.hanger import garment_top
from services.cloth_mask.transparency import CUT_OUT, EMPTY, FRAMED, cut_out, read_transparency, without_clear
from stagekit.errors import GarmentNotFound
from stagekit.formats import HEIGHT, WIDTH
from stagekit.images import on_white

_HANGER_SIDE = 512  # pixels of the height at which a hanger is looked for
_PRINT = 0.4
"""Share of the picture's height and width that a print spans at most: of 65 drawn ones that were found in a garment's place 59
do, of 77 garments none."""


class Cutter(stagekit.Engine):
    """garment -> cloth: uint8 RGB (1024, 768, 3), the garment centred on a near-white backdrop; a picture that already has
    this size passes through pixel for pixel. cloth_mask: uint8 (1024, 768), 0 or 255.

    Of a garment that comes cut out, on transparent ground, the alpha is the mask, whatever the engine.

    Warns: garment-fills-picture, print-alone. Raises GarmentNotFound where `find` finds nothing.
    """

    inputs = ("garment",)

    def find(self, garment: np.ndarray, warn: stagekit.Warn) -> np.ndarray:
        """Which pixels are garment. garment: uint8 RGB (H, W, 3) of any size, without transparency; gives bool (H, W)."""
        raise NotImplementedError

    def run(self, inputs: stagekit.Artifacts, warn: stagekit.Warn) -> stagekit.Artifacts:
        garment = inputs["garment"]
        right_size = garment.shape[:2] == (HEIGHT, WIDTH)
        transparency = read_transparency(garment)
        if transparency == EMPTY:
            raise GarmentNotFound(
                "This picture is all but empty: it is transparent. Save it again with the garment opaque, or send the picture "
                "from before the background was removed."
            )
        if transparency == CUT_OUT:
            garment, mask = cut_out(garment, keep_size=right_size)
            mask = _without_hanger(garment, mask)
        else:
            garment, mask = self._find_on_ground(garment, transparency, warn)
        if not mask.any():
            raise GarmentNotFound(
                "No garment stands out from the background of this picture. Send one garment, laid flat or hung, "
                "on a plain background of another colour, with some room around it."
            )
        if transparency != CUT_OUT:
            _warn_of_doubts(mask, warn)
        if right_size:
            cloth = garment.copy()
        else:
            cloth, mask = frame(garment, mask)
        return {"cloth": cloth, "cloth_mask": np.where(mask, 255, 0).astype(np.uint8)}

    def _find_on_ground(
        self, garment: np.ndarray, transparency: str, warn: stagekit.Warn
    ) -> tuple[np.ndarray, np.ndarray]:
        """The picture without its alpha, and what `find` finds in it."""
        if garment.shape[2] == 3:
            return garment, self.find(garment, warn)
        if transparency != FRAMED:
            garment = on_white(garment)
            return garment, self.find(garment, warn)
        garment, within = without_clear(garment)
        found = self.find(garment, warn) & within
        # A plain rectangle that nothing stands out from is the garment itself.
        return garment, found if found.any() else within


def _without_hanger(garment: np.ndarray, mask: np.ndarray) -> np.ndarray:
    if not mask.any():
        return mask
    scale = min(1.0, _HANGER_SIDE / mask.shape[0])
    size = max(1, round(mask.shape[1] * scale)), max(1, round(mask.shape[0] * scale))
    small = cv2.resize(garment, size, interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    inside = cv2.resize(mask.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST) > 0
    if not inside.any():
        return mask
    first = garment_top(inside, cv2.cvtColor(small, cv2.COLOR_RGB2LAB))
    if first > np.flatnonzero(inside.any(axis=1))[0]:
        mask = mask.copy()
        mask[: int(first / scale)] = False
    return mask


def _warn_of_doubts(mask: np.ndarray, warn: stagekit.Warn) -> None:
    borders = (mask[0], mask[-1], mask[:, 0], mask[:, -1])
    if all(border.mean() > 0.02 for border in borders):
        warn(
            "garment-fills-picture",
            "The garment touches all four borders of its picture, so its outline is a guess. "
            "Send a picture that shows the whole garment with some background around it.",
        )
    span = max(np.ptp(np.flatnonzero(mask.any(axis=side))) / mask.shape[1 - side] for side in (0, 1))
    if span < _PRINT:
        warn(
            "print-alone",
            f"What stands out spans {100 * span:.0f} % of its picture (below {100 * _PRINT:.0f} %): it may be no more than "
            "what is printed on a garment of the ground's colour. Send a picture that the garment fills, on a ground that is "
            "clearly darker or lighter than its cloth.",
        )
