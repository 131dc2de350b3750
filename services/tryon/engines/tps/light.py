"""The light of the photo on the person: how dark it is, and how warm or cool, whatever the colour of skin and clothes.

Every surface but a white one is darker than the light, so the light is read from the brightest parts, never from a mean: the
highlights and eyes of the face, the brightest of the person, the backdrop around her. The brightest of these counts, so black
clothes, dark skin or a dark wall darken nothing by themselves. A tint is believed where backdrop and clothes are bright enough
for white, and agree on it with the skin.
"""

import cv2
import numpy as np

from services.tryon.engines.tps.body import UPPER
from services.tryon.engines.tps.curves import grow, labelled
from stagekit.formats import CIHP

_NORMAL = {"person": 220.0, "backdrop": 230.0}
"""8-bit brightness of these in normal light, at the percentiles below, where something in them is light."""

_NORMAL_FACE = ((1.2, 205.0), (1.31, 170.0))
"""The same of the face, by the red per green of its skin: dark skin is redder, and only its highlights are bright."""

_FACE, _PERSON, _BACKDROP = 99.5, 99.0, 90.0
_MOST_BACKLIT = 1.8  # times that the backdrop may count as brighter than the person
_BRIGHT, _DIM = 0.85, 0.7  # from the first on, light is normal; below the second it is followed
_DARKEST = 0.4
_LEAST_TINT, _MOST_TINT = 0.04, 0.16  # shift of red or blue against green, as a natural logarithm
_LEAST_WHITE = 205.0  # in normal light, of what may be white and so tell a tint
_LIGHTEST_SKIN = np.array([1.15, 0.91])
"""Red and blue per green of light skin in white light; all other skin is redder and less blue."""

_RING = (4, 60)  # pixels from the person, within which the backdrop is looked at, at half the size


def light_on(photo: np.ndarray, parse: np.ndarray) -> np.ndarray:
    """Factors (3,) float32 for the RGB values of a garment that was photographed in white light; ones in normal light.

    photo: uint8 RGB; parse: uint8 CIHP ids.
    """
    half = (parse.shape[1] // 2, parse.shape[0] // 2)
    small = cv2.GaussianBlur(cv2.resize(photo, half, interpolation=cv2.INTER_AREA), (0, 0), 0.7)
    labels = cv2.resize(parse, half, interpolation=cv2.INTER_NEAREST)
    person = labels > 0
    away = cv2.distanceTransform((~person).astype(np.uint8), cv2.DIST_L2, 3)
    backdrop = (away > _RING[0]) & (away < _RING[1])
    light = _brightness(small, labels, grow(person, -3), backdrop)
    return np.float32(_exposure(light)) * _tint(small, labels, backdrop, light)


def _brightness(photo: np.ndarray, labels: np.ndarray, person: np.ndarray, backdrop: np.ndarray) -> float:
    """Of the light on the person, 1 for a normal one, however much more; 1 too where nothing tells."""
    grey = cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY)

    def level(area: np.ndarray, share: float) -> float:
        return float(np.percentile(grey[area], share)) if area.sum() > 50 else 0.0

    own = level(person, _PERSON) / _NORMAL["person"]
    skin = grow(labels == CIHP["face"], -2)
    ratios = _ratios(photo, skin, 50)
    if ratios is not None:
        own = max(own, level(skin, _FACE) / float(np.interp(ratios[0], *np.transpose(_NORMAL_FACE))))
    if own == 0:
        return 1.0
    return min(1.0, max(own, min(level(backdrop, _BACKDROP) / _NORMAL["backdrop"], _MOST_BACKLIT * own)))


def _exposure(light: float) -> float:
    weight = float(np.clip((light - _DIM) / (_BRIGHT - _DIM), 0, 1))
    return max(weight + (1 - weight) * light, _DARKEST)


def _tint(photo: np.ndarray, labels: np.ndarray, backdrop: np.ndarray, light: float) -> np.ndarray:
    """Factors (3,) for red, green and blue, green not brighter than before."""
    clothes = grow(labelled(labels, UPPER + [CIHP["pants"], CIHP["skirt"]]), -3)
    seen = [_ratios(photo, area, 95, _LEAST_WHITE * light) for area in (backdrop, clothes)]
    seen.append(_ratios(photo, grow(labels == CIHP["face"], -2), 50))
    if any(ratios is None for ratios in seen):
        return np.ones(3, np.float32)
    shifts = np.log([seen[0], seen[1], seen[2] / _LIGHTEST_SKIN])
    agreed = np.sign(shifts[0]) * (np.sign(shifts) == np.sign(shifts[0])).all(axis=0)
    agreed = agreed * np.clip(np.abs(shifts).min(axis=0) - _LEAST_TINT, 0, _MOST_TINT)
    red, blue = np.exp(agreed)
    tint = np.array([red, 1.0, blue], np.float32)
    return np.asarray(tint / np.maximum(tint.max(), 1.0))


def _ratios(photo: np.ndarray, area: np.ndarray, share: float, least: float = 0.0) -> np.ndarray | None:
    """Red and blue per green of the brightest part of an area; None where it is small, or less bright than the least."""
    if area.sum() < 200:
        return None
    colours = photo[area].astype(np.float32)
    grey = colours @ np.array([0.299, 0.587, 0.114], np.float32)
    brightest = colours[grey >= np.percentile(grey, share)].mean(axis=0) + 1
    return None if brightest.max() < least else np.array([brightest[0], brightest[2]]) / brightest[1]
