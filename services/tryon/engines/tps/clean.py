"""Second thoughts about the parse: dark collars and rings that were taken for hair or neck."""

import cv2
import numpy as np

from services.tryon.engines.tps.body import NECK
from services.tryon.engines.tps.curves import grow, to_lab
from stagekit.formats import CIHP

_FAR = 38.0
"""Lab distance from the head's own hair or skin at which a region below the chin is part of the top."""


def without_mistaken_head(photo: np.ndarray, parse: np.ndarray) -> np.ndarray:
    """A copy of the parse in which regions below the chin that look like neither hair nor skin are upper_clothes."""
    face = parse == CIHP["face"]
    if face.sum() < 400:
        return parse
    chin = int(np.flatnonzero(face.any(axis=1))[-1])
    height = int(np.ptp(np.flatnonzero(face.any(axis=1))))
    below = (np.arange(parse.shape[0]) > chin - 0.35 * height)[:, None]
    smooth = cv2.GaussianBlur(photo, (0, 0), 2)
    parse = parse.copy()
    least = 0.1 * face.sum()  # strands of hair and shadows are small
    hair = parse == CIHP["hair"]
    above_hair = hair & ~below
    if above_hair.sum() > 400 and _give_away(parse, hair & below, smooth, _usual(smooth, above_hair), least):
        # a stiff collar stands around the neck, and its rim is often taken for background
        collar = grow(parse == CIHP["upper_clothes"], int(0.15 * height)) & (parse == 0)
        columns = np.flatnonzero(hair.any(axis=0))
        collar[:, : columns[0] - height // 5] = collar[:, columns[-1] + height // 5 :] = False
        collar[: chin - int(0.5 * height)] = collar[chin + int(0.8 * height) :] = False
        parse[collar] = CIHP["upper_clothes"]
    _give_away(parse, parse == NECK, smooth, _usual(smooth, grow(face, -3)) * (0.8, 1, 1), least)
    return parse


def _usual(photo: np.ndarray, region: np.ndarray) -> np.ndarray:
    return np.median(to_lab(photo[region]), axis=0)


def _give_away(parse: np.ndarray, region: np.ndarray, photo: np.ndarray, usual: np.ndarray, least: float) -> bool:
    """Relabel what is far from the usual colour, if that is a large part of the region."""
    odd = np.zeros_like(region)
    odd[region] = np.linalg.norm(to_lab(photo[region]) - usual.astype(np.float32), axis=1) > _FAR
    odd = grow(grow(odd, -4), 6) & region
    if odd.sum() < max(0.25 * region.sum(), least):
        return False
    parse[grow(odd, 15) & region] = CIHP["upper_clothes"]
    return True
