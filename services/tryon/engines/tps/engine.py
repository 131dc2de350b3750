"""Dress the person in the cloth by warping its picture; no learned model."""

import hashlib
import threading
from collections.abc import Mapping
from typing import Any

import cv2
import numpy as np

import stagekit
from garment_parser.parser import FILE, GarmentParser
from services.tryon.engines.tps.body import Body
from services.tryon.engines.tps.curves import (
    Box,
    box_around,
    disc,
    grow,
    largest_region,
    lay,
    opened,
    polygon_mask,
    soft,
)
from services.tryon.engines.tps.distortion import distorted_share
from services.tryon.engines.tps.erase import erase_lower, under_sleeves
from services.tryon.engines.tps.fit import Fit, Part, fit_garment
from services.tryon.engines.tps.garment import read_garment
from services.tryon.engines.tps.lower import covered_legs, fit_lower, read_lower
from services.tryon.engines.tps.settings import HEMS, LIGHTS, read_tps_settings
from services.tryon.engines.tps.skin import fill_smoothly
from services.tryon.engines.tps.spline import fit_spline, warp
from services.tryon.engines.tps.wearer import Place, Wearer, read_place, read_wearer
from stagekit.errors import GarmentNotFound, NoPerson
from stagekit.formats import keypoints
from stagekit.options import OptionSchema, choice, defaults
from stagekit.weights import in_folder

_SMALLEST, _NARROWEST = 2000, 40
"""Pixels of a garment: its area, and its shorter side."""

_REMEMBERED = 4
"""Wearers kept in memory, 15 MB each."""

_SURE = 0.9  # likelihood of a category from which another one that was said is doubted
_NAMES = {"upper": "a top", "lower": "trousers or a skirt", "dress": "a dress"}

_MOST_BENT = 0.36
"""Share of the trunk [0 to 0.33 on the sample people in sample garments and drawn tops, to 0.63 in a batwing; tight trousers,
flared and long dresses and shoes 0.38 to 0.9]."""

_SHADOW = 0.3
"""How much darker it gets just below the garment's edges."""

_EDGE = 2.5
"""Pixels over which a garment's outline is smoothed."""


class Engine(stagekit.Engine):
    """cloth, cloth_mask, person, parse, pose -> tryon: uint8 RGB (1024, 768, 3); warped_cloth, on white, and warped_mask on
    request.

    Landmarks of the garment's outline are laid onto the body's, one thin-plate spline per part (trunk, sleeves); the
    worn top is painted over with skin, trousers or backdrop; hair, face, hands and bare arms stay in front. Outside of the
    old and the new top, and of the shadow that the new one casts, the photo stays as it is, pixel for pixel.
    Options: hem (hanging over the trousers or tucked in), light (of a dark or tinted photo: matched or not); the defaults are
    HOWSFIT_TRYON_HEM and HOWSFIT_TRYON_LIGHT.

    Raises NoPerson, IncompletePose (both shoulders are needed; hips that were not found are guessed), GarmentNotFound (empty
    mask).
    """

    name = "tps"
    version = "9"
    categories = ("upper", "lower", "dress")
    inputs = ("cloth", "cloth_mask", "person", "parse", "pose", "category")
    extras = {"warped_cloth": "image", "warped_mask": "map"}
    stand_in = True
    concurrency = 2

    def __init__(self) -> None:
        self._settings = read_tps_settings()
        self._lock = threading.Lock()
        self._weights: tuple[dict[str, str], ...] = ()
        self._wearers: dict[bytes, Wearer] = {}  # the one used last comes last

    def load(self) -> None:
        self._parser = GarmentParser()
        self._weights = in_folder(str(FILE.parent), self.licence, FILE.name)

    def weights(self) -> tuple[dict[str, str], ...]:
        return self._weights

    def option_schema(self) -> OptionSchema:
        hem = "How a top is worn: hanging over the trousers, or tucked into them as high as the photo shows them."
        light = "Whether the garment gets the light of a dark or tinted photo, or keeps the colours of its picture."
        return {
            "hem": choice(hem, self._settings.tryon_hem, HEMS),
            "light": choice(light, self._settings.tryon_light, LIGHTS),
        }

    def run_with(self, options: dict[str, Any], inputs: stagekit.Artifacts, warn: stagekit.Warn) -> stagekit.Artifacts:
        people = keypoints(inputs["pose"])
        if not len(people):
            raise NoPerson("The pose lists nobody. Use a photo of one person who faces the camera.")
        mask = inputs["cloth_mask"] >= 128
        if not _is_large_enough(mask):
            raise GarmentNotFound(
                "The cloth mask shows no garment. Send a picture of one garment on a plain background."
            )
        wearer = self._wearer(inputs["person"], inputs["parse"], people[0])
        category = inputs.get("category", "upper")
        if category == "lower":
            return self._dress_below(wearer, inputs["cloth"], mask, options, warn)
        garment = read_garment(self._parser, inputs["cloth"], mask)
        if "category" in inputs:
            _warn_of_another(category, garment.likely, warn)
        tucked = options["hem"] == "tucked" and category == "upper" and bool(wearer.lower.any())
        place = read_place(wearer) if category == "dress" else None
        lowest = None if place is None else max(float(leg.line[40, 1]) for leg in place.legs)
        fit = fit_garment(garment, wearer.body, wearer.old_hem, tucked, lowest)
        bent = distorted_share(fit.trunk, mask.shape)
        if bent > _MOST_BENT:
            warn(
                "doubtful-fit",
                f"The garment fits badly: {bent:.0%} of its trunk had to be stretched more than twice as far one way as the "
                f"other (above {_MOST_BENT:.0%}). Send a picture of one top, laid flat or hung, seen from the front.",
            )
        sleeves = under_sleeves(wearer.body, fit.sleeve_ends, mask.shape)
        worn, covered = _wear(wearer, _bleed(inputs["cloth"], garment.mask), fit, wearer.arms * ~sleeves, tucked)
        is_lit = options["light"] == "match" and bool((wearer.light != 1).any())
        canvas = wearer.undressed.under(sleeves | _over_shoulders(fit, wearer.body, mask.shape), fit.hem)
        if place is not None:
            bared = covered_legs(place.legs, place.reached(float(fit.hem[:, 1].max())), mask.shape)
            canvas = _without_lower(canvas, wearer, place, place.before, bared)
        return {
            "tryon": _compose(canvas, wearer, worn * wearer.light if is_lit else worn, covered, fit.like_old),
            "warped_cloth": lambda: _on_white(worn, covered),
            "warped_mask": lambda: (covered[0] * 255 + 0.5).astype(np.uint8),
        }

    def _dress_below(
        self, wearer: Wearer, cloth: np.ndarray, mask: np.ndarray, options: dict[str, Any], warn: stagekit.Warn
    ) -> stagekit.Artifacts:
        """Trousers or a skirt: the top stays in front of them."""
        garment = read_lower(self._parser, cloth, mask)
        _warn_of_another("lower", garment.likely, warn)
        place = read_place(wearer)
        fit = fit_lower(garment, wearer.body, place.legs, place.waist)
        colours = _bleed(cloth, garment.mask)
        worn, covered = np.zeros(wearer.photo.shape, np.float32), np.zeros(wearer.photo.shape[:2], np.float32)
        for part in fit.parts:
            box, picture, alpha = _warp_part(colours, part, wearer.photo.shape)
            worn[box] += (picture - worn[box]) * alpha[..., None]
            covered[box] = np.maximum(covered[box], alpha)
        _close_slits(worn, covered, covered > 0, np.zeros_like(covered), int(0.05 * wearer.body.unit), 0.9)
        if options["light"] == "match":
            worn = worn * wearer.light
        bared = covered_legs(place.legs, fit.ends, wearer.photo.shape)
        result = _without_lower(wearer.photo, wearer, place, place.kept, bared)
        covered *= 1 - soft(place.kept)
        above = np.where(place.kept, np.float32(1), np.float32(0))
        lay(result, worn * (1 - _shadow(above, wearer.body.unit))[..., None], covered)
        return {
            "tryon": result,
            "warped_cloth": lambda: _on_white(worn, covered[None]),
            "warped_mask": lambda: (covered * 255 + 0.5).astype(np.uint8),
        }

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

    def options(self) -> dict[str, Any]:
        return defaults(self.option_schema())

    def runtime(self) -> dict[str, Any]:
        return {"framework": "opencv " + cv2.__version__, "device": "cpu"}


def _wear(wearer: Wearer, cloth: np.ndarray, fit: Fit, arms: np.ndarray, tucked: bool) -> tuple[np.ndarray, np.ndarray]:
    """The garment on the person: float32 RGB (H, W, 3), and where it shows, float32 (2, H, W) 0..1: all of it, the sleeves.

    arms: float32 0..1, those that stay bare.
    """
    photo, body = wearer.photo, wearer.body
    worn, covered = np.zeros(photo.shape, np.float32), np.zeros(photo.shape[:2], np.float32)
    box, worn[box], covered[box] = _warp_part(cloth, fit.trunk, photo.shape)
    covered *= soft(_trunk_bound(fit, photo.shape)) * (1 - arms)
    if tucked or fit.like_old:
        covered *= 1 - wearer.lower
    # a bare arm lay against the worn top: the new one reaches as far
    if wearer.beside_arms.any():
        trunk = grow(polygon_mask(fit.trunk.outline, photo.shape), int(0.06 * body.unit))
        _close_slits(worn, covered, wearer.beside_arms & trunk, arms, int(0.05 * body.unit), 1.0)
    sleeved = np.zeros(photo.shape[:2], np.float32)
    for part in fit.sleeves:
        if part is not None:
            box, sleeve, alpha = _warp_part(cloth, part, photo.shape)
            worn[box] += (sleeve - worn[box]) * alpha[..., None]
            sleeved[box] = np.maximum(sleeved[box], alpha)
    sleeved *= 1 - wearer.before_arms
    covered = np.maximum(covered, sleeved)
    # trunk and sleeve part a little below the armpit
    armpits = _armpits(fit, body, photo.shape)
    _close_slits(worn, covered, armpits, np.zeros_like(covered), int(0.05 * body.unit), 0.85)
    _round_shoulders(covered, fit, body)
    return worn, np.stack([covered, sleeved])


def _warn_of_another(category: str, likely: Mapping[str, float], warn: stagekit.Warn) -> None:
    """Where a garment is put on as something else than it looks like, as only who said so can have it."""
    looks_like = max(likely, key=likely.__getitem__)
    if looks_like != category and likely[looks_like] >= _SURE:
        warn(
            "not-a-top" if category == "upper" else "doubtful-category",
            f"By its picture the garment is {_NAMES[looks_like]} ({likely[looks_like]:.0%}); it was worn as "
            f"{_NAMES[category]}, as was said. If it is what it looks like, say category={looks_like}.",
        )


def _is_large_enough(mask: np.ndarray) -> bool:
    """Whether the mask's largest region can be a garment; specks and lines have no shoulders to be found."""
    if mask.sum() < _SMALLEST:
        return False
    region = largest_region(mask)
    sides = [np.ptp(np.flatnonzero(region.any(axis=axis))) for axis in (0, 1)]
    return bool(region.sum() >= _SMALLEST and min(sides) >= _NARROWEST)


def _without_lower(canvas: np.ndarray, wearer: Wearer, place: Place, kept: np.ndarray, bared: np.ndarray) -> np.ndarray:
    return erase_lower(canvas, wearer.photo, wearer.parse, wearer.body, wearer.undressed.backdrop, place.old, kept, place.legs,
                       bared)  # fmt: skip


def _compose(result: np.ndarray, wearer: Wearer, worn: np.ndarray, covers: np.ndarray, like_old: bool) -> np.ndarray:
    """The picture from back to front: person without her top, shadow of the new one, the new one, hair and face."""
    photo, body, (covered, sleeved) = wearer.photo, wearer.body, covers
    # arms are in front of the trunk: only sleeves cast a shadow on them
    box = box_around(covered > 0, int(0.1 * body.unit))
    if covered[box].size:
        shadow = _shadow(covered[box], body.unit) * wearer.behind[box]
        if like_old:  # the photo has the hem's shadow on the trousers
            shadow *= 1 - wearer.lower[box]
        shadow += _shadow(sleeved[box], body.unit) * wearer.arms[box]
        result[box] = (result[box] * (1 - shadow * (1 - covered[box]))[..., None] + 0.5).astype(np.uint8)
    lay(result[box], worn[box] * wearer.shading[box], covered[box])
    box = box_around(wearer.front > 0)
    lay(result[box], photo[box], wearer.front[box])
    return result


def _on_white(worn: np.ndarray, covers: np.ndarray) -> np.ndarray:
    canvas = np.full(worn.shape, 255, np.uint8)
    lay(canvas, worn, covers[0])
    return canvas


def _shadow(covered: np.ndarray, unit: float) -> np.ndarray:
    """How much darker (0..1) it gets a little below what is covered."""
    half = cv2.resize(covered, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    drop = max(1, int(0.012 * unit))
    half = cv2.GaussianBlur(half, (0, 0), max(1.0, 0.012 * unit))
    half[drop:] = half[:-drop].copy()
    return np.asarray(_SHADOW * cv2.resize(half, covered.shape[::-1], interpolation=cv2.INTER_LINEAR))


def _over_shoulders(fit: Fit, body: Body, shape: tuple) -> np.ndarray:
    """What lies above the garment's shoulder seams: no skin is painted there."""
    above = np.zeros(shape[:2], bool)
    for seam in fit.seams:
        above |= polygon_mask(np.vstack([seam, seam[::-1] + 0.3 * body.unit * body.up]), shape)
    return above


def _armpits(fit: Fit, body: Body, shape: tuple) -> np.ndarray:
    around = np.zeros(shape[:2], np.uint8)
    for part in fit.sleeves:
        if part is not None:
            cv2.circle(around, tuple(int(v) for v in part.outline[-1]), int(0.3 * body.unit), 1, -1)
    return around > 0


def _close_slits(
    worn: np.ndarray, covered: np.ndarray, area: np.ndarray, arms: np.ndarray, radius: int, shade: float
) -> None:
    """Close, in place, slits in the garment, and between it and bare arms, up to twice `radius` wide.

    area: bool, where to look; arms: float32 0..1; shade: the light in the slits, 1 for as much as beside them.
    """
    box = box_around(area, 2 * radius)
    if not area[box].any():
        return
    area, arms = area[box], arms[box]
    solid = np.maximum(covered[box], arms) > 0.5
    closed = (cv2.morphologyEx(solid.astype(np.uint8), cv2.MORPH_CLOSE, disc(radius)) > 0) & area
    slit = closed & (covered[box] <= 0.95) & (arms < 0.05)
    if not slit.any():
        return
    height, width = slit.shape
    half = (max(1, width // 2), max(1, height // 2))  # half the size is enough for anything so smooth
    known = cv2.resize((covered[box] > 0.95).astype(np.float32), half, interpolation=cv2.INTER_AREA) > 0.99
    filled = fill_smoothly(cv2.resize(worn[box], half, interpolation=cv2.INTER_AREA), known)
    worn[box][slit] = shade * cv2.resize(filled, (width, height), interpolation=cv2.INTER_LINEAR)[slit]
    covered[box] = np.maximum(covered[box], np.where(slit, 1, soft(slit) * closed) * (1 - arms))


def _round_shoulders(covered: np.ndarray, fit: Fit, body: Body) -> None:
    """Take the corner off, in place, where trunk and sleeve meet on top of the shoulder."""
    for part, seam in zip(fit.sleeves, fit.seams, strict=True):
        if part is not None:
            x, y = part.outline[0].astype(int)
            reach, radius = int(0.28 * body.unit), int(0.14 * body.unit)
            box, padded = (
                (slice(max(y - room, 0), max(y + room, 0)), slice(max(x - room, 0), max(x + room, 0)))
                for room in (reach, 2 * reach)
            )
            if not covered[box].size:  # that shoulder lies outside of the picture
                continue
            inner = tuple(slice(b.start - p.start, b.stop - p.start) for b, p in zip(box, padded, strict=True))
            round_ = opened(covered[padded] > 0.5, radius)[inner]
            away = min(0.8 * reach, 0.7 * float(np.linalg.norm(seam[1] - seam[0])))  # not as far as the collar
            spot = np.zeros(round_.shape, np.float32)
            cv2.circle(spot, (int(x) - box[1].start, int(y) - box[0].start), int(away), 1.0, -1)
            spot = cv2.GaussianBlur(spot, (0, 0), 2)
            covered[box] *= 1 - spot * (1 - soft(grow(round_, 1)))


def _warp_part(cloth: np.ndarray, part: Part, shape: tuple) -> tuple[Box, np.ndarray, np.ndarray]:
    """The part on the person: where, uint8 RGB (h, w, 3) and float32 alpha (h, w) 0..1 there."""
    bound = grow(polygon_mask(part.outline, shape), 13)
    box = box_around(bound, 1)
    if not bound[box].size:
        return box, np.zeros((0, 0, 3), np.uint8), np.zeros((0, 0), np.float32)
    source = box_around(part.mask, 10)
    if not part.mask[source].size:
        return box, np.zeros((*bound[box].shape, 3), np.uint8), np.zeros(bound[box].shape, np.float32)
    spline = fit_spline(part.target, part.source - (source[1].start, source[0].start), stiffness=1e-4)
    # a mask's edge follows single pixels: blurred and made steep again it is a smooth line, a little inside of the old one
    mask = cv2.GaussianBlur(np.where(part.mask[source], np.uint8(255), np.uint8(0)), (0, 0), _EDGE)
    warped = warp(cv2.merge([*cv2.split(cloth[source]), mask]), spline, box)
    alpha = np.clip((warped[..., 3].astype(np.float32) / 255 - 0.62) * _EDGE + 0.5, 0, 1)
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
    core = grow(mask, -3)[box]
    height, width = core.shape
    half = (max(1, width // 2), max(1, height // 2))  # half the size does for an edge
    known = (cv2.resize(core.astype(np.uint8) * 255, half, interpolation=cv2.INTER_AREA) == 255).astype(np.float32)
    small = cv2.resize(cloth[box], half, interpolation=cv2.INTER_AREA) * known[..., None]
    sums, weight = (cv2.boxFilter(values, cv2.CV_32F, (9, 9)) for values in (small, known))
    beyond = cv2.resize(sums / np.maximum(weight, 1e-6)[..., None], (width, height), interpolation=cv2.INTER_LINEAR)
    rim = ~core & (cv2.resize(weight, (width, height), interpolation=cv2.INTER_NEAREST) > 1e-3)
    result[box][rim] = beyond[rim]
    return result
