"""Dress the person in the cloth by warping its picture; no learned model."""

import hashlib
import threading
from typing import Any

import cv2
import numpy as np

import stagekit
from services.tryon.engines.tps.body import Body
from services.tryon.engines.tps.curves import Box, box_around, disc, grow, lay, opened, polygon_mask, soft
from services.tryon.engines.tps.erase import fill_smoothly, under_sleeves
from services.tryon.engines.tps.fit import Fit, Part, fit_garment
from services.tryon.engines.tps.garment import read_garment
from services.tryon.engines.tps.spline import fit_spline, warp
from services.tryon.engines.tps.wearer import Wearer, read_wearer
from stagekit.errors import GarmentNotFound, NoPerson
from stagekit.formats import keypoints

_REMEMBERED = 4
"""Wearers kept in memory, 15 MB each."""


class Engine(stagekit.Engine):
    """cloth, cloth_mask, person, parse, pose -> tryon: uint8 RGB (1024, 768, 3).

    Landmarks of the garment's outline are laid onto the body's, one thin-plate spline per part (trunk, sleeves); the
    worn top is painted over with skin, trousers or backdrop; hair, face, hands and bare arms stay in front. Outside of the
    old and the new top the photo stays as it is, pixel for pixel.

    Raises NoPerson, IncompletePose (shoulders and a hip are needed), GarmentNotFound (empty mask).
    """

    name = "tps"
    version = "2"
    inputs = ("cloth", "cloth_mask", "person", "parse", "pose")
    stand_in = True
    concurrency = 2

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._wearers: dict[bytes, Wearer] = {}  # the one used last comes last

    def run(self, inputs: stagekit.Artifacts, warn: stagekit.Warn) -> stagekit.Artifacts:
        people = keypoints(inputs["pose"])
        if not len(people):
            raise NoPerson("The pose lists nobody. Use a photo of one person who faces the camera.")
        mask = inputs["cloth_mask"] >= 128
        if mask.sum() < 2000:
            raise GarmentNotFound("The cloth mask is empty. Send a picture of one garment on a plain background.")
        wearer = self._wearer(inputs["person"], inputs["parse"], people[0])
        garment = read_garment(inputs["cloth"], mask)
        fit = fit_garment(garment, wearer.body, wearer.old_hem)
        return {"tryon": _compose(wearer, _bleed(inputs["cloth"], garment.mask), fit)}

    def _wearer(self, photo: np.ndarray, parse: np.ndarray, points: np.ndarray) -> Wearer:
        """Read the wearer, or remember her: most people try several garments on."""
        key = hashlib.sha256(b"".join(array.tobytes() for array in (photo, parse, points))).digest()
        with self._lock:
            wearer = self._wearers.pop(key, None)
        if wearer is None:
            wearer = read_wearer(photo, parse, points)
        with self._lock:
            self._wearers[key] = wearer
            while len(self._wearers) > _REMEMBERED:
                del self._wearers[next(iter(self._wearers))]
        return wearer

    def runtime(self) -> dict[str, Any]:
        return {"framework": "opencv " + cv2.__version__, "device": "cpu"}


def _compose(wearer: Wearer, cloth: np.ndarray, fit: Fit) -> np.ndarray:
    photo, body = wearer.photo, wearer.body
    worn, covered = np.zeros(photo.shape, np.float32), np.zeros(photo.shape[:2], np.float32)
    box, worn[box], covered[box] = _warp_part(cloth, fit.trunk, photo.shape)
    covered *= soft(_trunk_bound(fit, photo.shape)) * (1 - wearer.arms)
    for part in fit.sleeves:
        if part is not None:
            box, sleeve, alpha = _warp_part(cloth, part, photo.shape)
            worn[box] += (sleeve - worn[box]) * alpha[..., None]
            covered[box] = np.maximum(covered[box], alpha)
    _close_armpits(worn, covered, fit, body)
    _round_shoulders(covered, fit, body)
    result = wearer.undressed.under(under_sleeves(body, fit.sleeve_ends, photo.shape))
    box = box_around(covered > 0)
    lay(result[box], worn[box] * wearer.shading[box], covered[box])
    box = box_around(wearer.front > 0)
    lay(result[box], photo[box], wearer.front[box])
    return result


def _close_armpits(worn: np.ndarray, covered: np.ndarray, fit: Fit, body: Body) -> None:
    """Close, in place, the slits that open where trunk and sleeve part, a little below the armpit."""
    area = np.zeros(covered.shape, bool)
    for part in fit.sleeves:
        if part is not None:
            spot = np.zeros(covered.shape, np.uint8)
            cv2.circle(spot, tuple(int(v) for v in part.outline[-1]), int(0.3 * body.unit), 1, -1)
            area |= spot > 0
    if not area.any():
        return
    radius = int(0.05 * body.unit)
    box = box_around(area, 2 * radius)
    closed = np.zeros_like(area)
    closed[box] = cv2.morphologyEx((covered[box] > 0.5).astype(np.uint8), cv2.MORPH_CLOSE, disc(radius)) > 0
    slit = closed & ~(covered > 0.95) & area
    if not slit.any():
        return
    box = box_around(slit, 30)
    filled = fill_smoothly(worn[box], covered[box] > 0.95) * 0.85
    slit = slit[box]
    worn[box][slit] = filled[slit]
    covered[box] = np.maximum(covered[box], soft(slit) * (closed & area)[box])
    covered[box][slit] = 1.0


def _round_shoulders(covered: np.ndarray, fit: Fit, body: Body) -> None:
    """Take the corner off, in place, where trunk and sleeve meet on top of the shoulder."""
    for part in fit.sleeves:
        if part is not None:
            x, y = part.outline[0].astype(int)
            reach, radius = int(0.28 * body.unit), int(0.17 * body.unit)
            box = (slice(max(y - reach, 0), y + reach), slice(max(x - reach, 0), x + reach))
            padded = (slice(max(y - 2 * reach, 0), y + 2 * reach), slice(max(x - 2 * reach, 0), x + 2 * reach))
            round_ = np.zeros(covered.shape, bool)
            round_[padded] = opened(covered[padded] > 0.5, radius)
            spot = cv2.circle(np.zeros(covered.shape, np.float32), (int(x), int(y)), int(0.8 * reach), 1.0, -1)[box]
            spot = cv2.GaussianBlur(spot, (0, 0), 2)
            covered[box] *= 1 - spot * (1 - soft(grow(round_[box], 1)))


def _warp_part(cloth: np.ndarray, part: Part, shape: tuple) -> tuple[Box, np.ndarray, np.ndarray]:
    """The part on the person: where, uint8 RGB (h, w, 3) and float32 alpha (h, w) 0..1 there."""
    bound = grow(polygon_mask(part.outline, shape), 13)
    box = box_around(bound, 1)
    if not bound[box].size:
        return box, np.zeros((0, 0, 3), np.uint8), np.zeros((0, 0), np.float32)
    spline = fit_spline(part.target, part.source, stiffness=1e-4)
    layers = cv2.merge([*cv2.split(cloth), np.where(part.mask, np.uint8(255), np.uint8(0))])
    warped = warp(layers, spline, box)
    alpha = cv2.GaussianBlur(warped[..., 3].astype(np.float32) / 255, (0, 0), 0.9)
    return box, warped[..., :3], alpha * bound[box]


def _trunk_bound(fit: Fit, shape: tuple) -> np.ndarray:
    """Where the trunk may show: its lap under a sleeve must not stick out at the shoulder."""
    sleeves = [part.outline for part in fit.sleeves if part is not None]
    bound = grow(polygon_mask(fit.trunk.outline, shape), 2 if sleeves else 14)
    for outline in sleeves:
        bound |= polygon_mask(outline, shape)
    return bound


def _bleed(cloth: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Carry the garment's colours a little over its edge, so that no backdrop mixes in along the seams."""
    result = cloth.copy()
    box = box_around(mask, 15)
    core = grow(mask, -2)[box].astype(np.uint8)
    weight = cv2.boxFilter(core, cv2.CV_32F, (15, 15))
    sums = cv2.boxFilter(cloth[box] * core[..., None], cv2.CV_32F, (15, 15))
    rim = (core == 0) & (weight > 1e-3)
    result[box][rim] = sums[rim] / weight[rim][:, None]
    return result
