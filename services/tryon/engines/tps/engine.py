"""Dress the person in the cloth by warping its picture; no learned model."""

from typing import Any

import cv2
import numpy as np

import stagekit
from services.tryon.engines.tps.body import ARMS, HEAD, UPPER, Body, read_body
from services.tryon.engines.tps.clean import without_mistaken_head
from services.tryon.engines.tps.curves import disc, grow, polygon_mask
from services.tryon.engines.tps.erase import erase_top, fill_smoothly
from services.tryon.engines.tps.fit import Fit, Part, fit_garment
from services.tryon.engines.tps.garment import read_garment
from services.tryon.engines.tps.spline import fit_spline, warp
from stagekit.errors import GarmentNotFound, NoPerson
from stagekit.formats import keypoints


class Engine(stagekit.Engine):
    """cloth, cloth_mask, person, parse, pose -> tryon: uint8 RGB (1024, 768, 3).

    Landmarks of the garment's outline are laid onto the body's, one thin-plate spline per part (trunk, sleeves); the
    worn top is painted over with skin, trousers or backdrop; hair, face, hands and bare arms stay in front. Outside of the
    old and the new top the photo stays as it is, pixel for pixel.

    Raises NoPerson, IncompletePose (shoulders and a hip are needed), GarmentNotFound (empty mask).
    """

    name = "tps"
    version = "1"
    inputs = ("cloth", "cloth_mask", "person", "parse", "pose")
    stand_in = True
    concurrency = 2

    def run(self, inputs: stagekit.Artifacts, warn: stagekit.Warn) -> stagekit.Artifacts:
        people = keypoints(inputs["pose"])
        if not len(people):
            raise NoPerson("The pose lists nobody. Use a photo of one person who faces the camera.")
        mask = inputs["cloth_mask"] >= 128
        if mask.sum() < 2000:
            raise GarmentNotFound("The cloth mask is empty. Send a picture of one garment on a plain background.")
        photo = inputs["person"]
        parse = without_mistaken_head(photo, inputs["parse"])
        body = read_body(people[0], parse)
        garment = read_garment(inputs["cloth"], mask)
        fit = fit_garment(garment, body, _old_hem(parse, body))
        return {"tryon": _compose(photo, parse, _bleed(inputs["cloth"], garment.mask), body, fit)}

    def runtime(self) -> dict[str, Any]:
        return {"framework": "opencv " + cv2.__version__, "device": "cpu"}


def _old_hem(parse: np.ndarray, body: Body) -> float:
    """Row where the worn top ends in the middle of the trunk; below the picture where that cuts it off, 0 without a top."""
    spread = int(0.3 * body.unit)
    centre = int(np.clip(body.hip[0], spread, parse.shape[1] - spread))
    strip = np.isin(parse[:, centre - spread : centre + spread], UPPER)
    rows = np.flatnonzero(strip.mean(axis=1) > 0.3)
    if not rows.size:
        return 0.0
    return float(rows[-1] if rows[-1] < parse.shape[0] - 8 else parse.shape[0] + 0.1 * body.unit)


def _compose(photo: np.ndarray, parse: np.ndarray, cloth: np.ndarray, body: Body, fit: Fit) -> np.ndarray:
    canvas = erase_top(photo, parse, body, fit.sleeve_ends)
    trunk, trunk_alpha = _warp_part(cloth, fit.trunk, photo.shape)
    trunk_alpha = trunk_alpha * _soft(_trunk_bound(fit, photo.shape))
    shading = _shading(photo, parse)
    front = np.isin(parse, HEAD)
    arms = _soft(_bare_arms(parse, body))
    worn, covered = trunk, trunk_alpha * (1 - arms)
    for part in fit.sleeves:
        if part is not None:
            sleeve, alpha = _warp_part(cloth, part, photo.shape)
            worn, covered = _over(worn, sleeve, alpha), np.maximum(covered, alpha)
    worn, covered = _close_armpits(worn, covered, fit, body)
    covered = _round_shoulders(covered, fit, body)
    canvas = _over(canvas, worn * shading, covered)
    canvas = _over(canvas, photo.astype(np.float32), _soft(front))
    return np.clip(canvas + 0.5, 0, 255).astype(np.uint8)


def _close_armpits(worn: np.ndarray, covered: np.ndarray, fit: Fit, body: Body) -> tuple[np.ndarray, np.ndarray]:
    """Close the slits that open where trunk and sleeve part, a little below the armpit."""
    area = np.zeros(covered.shape, bool)
    for part in fit.sleeves:
        if part is not None:
            spot = np.zeros(covered.shape, np.uint8)
            cv2.circle(spot, tuple(int(v) for v in part.outline[-1]), int(0.3 * body.unit), 1, -1)
            area |= spot > 0
    solid = covered > 0.5
    closed = cv2.morphologyEx(solid.astype(np.uint8), cv2.MORPH_CLOSE, disc(int(0.05 * body.unit)))
    slit = (closed > 0) & ~(covered > 0.95) & area
    if not slit.any():
        return worn, covered
    rows, columns = np.nonzero(grow(slit, 30))
    box = slice(rows.min(), rows.max() + 1), slice(columns.min(), columns.max() + 1)
    filled = fill_smoothly(worn[box], covered[box] > 0.95) * 0.85
    alpha = _soft(slit)
    worn = worn.copy()
    worn[box] = np.where(slit[box][..., None], filled, worn[box])
    return worn, np.where(slit, 1.0, np.maximum(covered, np.where(closed > 0, alpha, 0) * area)).astype(np.float32)


def _round_shoulders(covered: np.ndarray, fit: Fit, body: Body) -> np.ndarray:
    """Take the corner off where trunk and sleeve meet on top of the shoulder."""
    covered = covered.copy()
    for part in fit.sleeves:
        if part is not None:
            x, y = part.outline[0].astype(int)
            reach, radius = int(0.28 * body.unit), int(0.17 * body.unit)
            box = (slice(max(y - reach, 0), y + reach), slice(max(x - reach, 0), x + reach))
            padded = (slice(max(y - 2 * reach, 0), y + 2 * reach), slice(max(x - 2 * reach, 0), x + 2 * reach))
            round_ = np.zeros(covered.shape, np.uint8)
            round_[padded] = cv2.morphologyEx((covered[padded] > 0.5).astype(np.uint8), cv2.MORPH_OPEN, disc(radius))
            spot = cv2.circle(np.zeros(covered.shape, np.float32), (int(x), int(y)), int(0.8 * reach), 1.0, -1)[box]
            spot = cv2.GaussianBlur(spot, (0, 0), 2)
            covered[box] *= 1 - spot * (1 - _soft(grow(round_[box] > 0, 1)))
    return covered


def _warp_part(cloth: np.ndarray, part: Part, shape: tuple) -> tuple[np.ndarray, np.ndarray]:
    """The part on the person: float32 RGB (H, W, 3) and alpha (H, W) 0..1."""
    height, width = shape[:2]
    margin = 14
    low = np.floor(part.outline.min(axis=0)).astype(int) - margin
    high = np.ceil(part.outline.max(axis=0)).astype(int) + margin
    left, top = max(int(low[0]), 0), max(int(low[1]), 0)
    right, bottom = min(int(high[0]), width), min(int(high[1]), height)
    image = np.zeros((height, width, 3), np.float32)
    alpha = np.zeros((height, width), np.float32)
    if right <= left or bottom <= top:
        return image, alpha
    spline = fit_spline(part.target, part.source, stiffness=1e-4)
    box = (left, top, right, bottom)
    layers = np.dstack([cloth, np.where(part.mask, 255, 0).astype(np.uint8)])
    warped = warp(layers, spline, box)
    image[top:bottom, left:right] = warped[..., :3]
    alpha[top:bottom, left:right] = warped[..., 3] / 255.0
    bound = grow(polygon_mask(part.outline, shape), margin - 1)
    return image, np.clip(cv2.GaussianBlur(alpha, (0, 0), 0.9), 0, 1) * bound


def _trunk_bound(fit: Fit, shape: tuple) -> np.ndarray:
    """Where the trunk may show: its lap under a sleeve must not stick out at the shoulder."""
    sleeves = [part.outline for part in fit.sleeves if part is not None]
    bound = grow(polygon_mask(fit.trunk.outline, shape), 2 if sleeves else 14)
    for outline in sleeves:
        bound |= polygon_mask(outline, shape)
    return bound


def _bleed(cloth: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Carry the garment's colours a little over its edge, so that no backdrop mixes in along the seams."""
    core = grow(mask, -2)
    weight = cv2.blur(core.astype(np.float32), (15, 15))
    rim = ~core & (weight > 1e-3)
    sums = cv2.blur(np.where(core[..., None], cloth, 0).astype(np.float32), (15, 15))
    result = cloth.copy()
    result[rim] = sums[rim] / weight[rim][:, None]
    return result


def _bare_arms(parse: np.ndarray, body: Body) -> np.ndarray:
    """Bare arms and hands hide the trunk of the garment, but not the shoulders that it covers."""
    arms = np.isin(parse, ARMS)
    for joint in body.shoulder:
        cap = np.zeros(parse.shape, np.uint8)
        cv2.circle(cap, (int(joint[0]), int(joint[1])), int(0.3 * body.unit), 1, -1)
        arms &= cap == 0
    return arms


def _shading(photo: np.ndarray, parse: np.ndarray) -> np.ndarray:
    """Folds and light of the worn top, faint and smooth: (H, W, 1) factors around 1."""
    top = grow(np.isin(parse, UPPER), -3).astype(np.float32)
    light = cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY).astype(np.float32) + 20
    fine, broad = (_masked_blur(light, top, sigma) for sigma in (9, 60))
    ratio = np.clip(fine / np.maximum(broad, 1), 0.8, 1.1)
    weight = cv2.GaussianBlur(top, (0, 0), 9)
    return (1 + 0.5 * _plainness(photo, top > 0) * (ratio - 1) * weight)[..., None]


def _plainness(photo: np.ndarray, top: np.ndarray) -> float:
    """1 for a worn top of one colour, 0 for a patterned one, whose pattern would pass for folds."""
    if not top.any():
        return 0.0
    colours = cv2.cvtColor(photo, cv2.COLOR_RGB2LAB)[top][::7].astype(np.float32)
    return float(np.clip(1.6 - colours[:, 1:].std(axis=0).max() / 5 - colours[:, 0].std() / 45, 0, 1))


def _masked_blur(values: np.ndarray, mask: np.ndarray, sigma: float) -> np.ndarray:
    shrink = max(1, int(sigma / 4))
    size = (values.shape[1] // shrink, values.shape[0] // shrink)
    top = cv2.resize(values * mask, size, interpolation=cv2.INTER_AREA)
    mass = cv2.resize(mask, size, interpolation=cv2.INTER_AREA)
    top, mass = (cv2.GaussianBlur(v, (0, 0), sigma / shrink) for v in (top, mass))
    return cv2.resize(top / np.maximum(mass, 1e-3), values.shape[::-1], interpolation=cv2.INTER_LINEAR)


def _soft(mask: np.ndarray) -> np.ndarray:
    return cv2.GaussianBlur(mask.astype(np.float32), (0, 0), 1.0)


def _over(below: np.ndarray, above: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    return below + (above - below) * alpha[..., None]
