"""The ground behind somebody, continued from the ground that shows."""

import cv2
import numpy as np

from services.tryon.engines.tps.curves import grow
from services.tryon.engines.tps.skin import fill_smoothly

_CELLS = (32, 16, 8)
"""Pixels of the photo per pixel of each level."""

_ROUNDS = (6, 4, 2)
_PATCH = 5
_PLAIN = 5.0
"""Grey levels by which a ground strays from its own gradient that goes on smoothly."""

_TORN = 150.0
"""Squared grey levels by which a patch may be worse for the sake of going on."""
_CELL_OF_STEP = 4
_HIGHEST_STEP = 25.0
_STEPS = np.array([(0, 1), (1, 0), (0, -1), (-1, 0)])
_MOST_SOURCES = 6000
_CHUNK = 512


def continue_ground(photo: np.ndarray, known: np.ndarray) -> np.ndarray:
    """The photo, uint8 RGB (H, W, 3), with what is not known of the ground filled in. known: bool (H, W).

    A plain ground goes on smoothly; one with stripes, bricks or leaves goes on with pieces of itself (Wexler, Shechtman and
    Irani, "Space-time completion of video", PAMI 2007, on a still; patches are searched for exactly, on small pictures).
    """
    if not known.any():
        return photo
    small = cv2.resize(photo.astype(np.float32), None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    seen = cv2.resize(known.astype(np.uint8), small.shape[1::-1], interpolation=cv2.INTER_NEAREST) > 0
    smooth = fill_smoothly(small, seen) if seen.any() else small
    smooth = cv2.resize(smooth, photo.shape[1::-1], interpolation=cv2.INTER_LINEAR)
    found = None if is_plain(photo, known) else _pieces(photo, known)
    if found is None:
        filled = smooth
    else:
        broad, sources = found
        filled = _put_together(np.where(known[..., None], photo, smooth).astype(np.float32), known, sources)
        # the light of the whole, the detail of the pieces
        coarse = cv2.resize(filled, broad.shape[1::-1], interpolation=cv2.INTER_AREA)
        light = cv2.GaussianBlur(broad - coarse, (0, 0), 1.5)
        filled += cv2.resize(light, photo.shape[1::-1], interpolation=cv2.INTER_LINEAR)
        filled += _step(photo, filled, known)
    return np.clip(np.where(known[..., None], photo, filled) + 0.5, 0, 255).astype(np.uint8)


def _step(photo: np.ndarray, filled: np.ndarray, known: np.ndarray) -> np.ndarray:
    """What the filling lacks to meet the photo at its border, float32 (H, W, 3): found there, and carried on smoothly inside
    (Perez, Gangnet and Blake, "Poisson image editing", SIGGRAPH 2003, section 2). Another thing's colour is no step."""
    size = (photo.shape[1] // _CELL_OF_STEP, photo.shape[0] // _CELL_OF_STEP)
    sides = []
    for picture, area in ((photo, known), (filled, ~known)):
        mass = cv2.resize(area.astype(np.float32), size, interpolation=cv2.INTER_AREA)
        sums = cv2.resize(picture * area[..., None].astype(np.float32), size, interpolation=cv2.INTER_AREA)
        sums, mass = cv2.GaussianBlur(sums, (0, 0), 1.5), cv2.GaussianBlur(mass, (0, 0), 1.5)
        sides.append((sums / np.maximum(mass, 1e-6)[..., None], mass > 0.2))
    step = sides[0][0] - sides[1][0]
    border = sides[0][1] & sides[1][1] & (np.abs(step).max(axis=2) < _HIGHEST_STEP)
    if not border.any():
        return np.zeros_like(filled)
    return cv2.resize(fill_smoothly(step, border), photo.shape[1::-1], interpolation=cv2.INTER_LINEAR)


def is_plain(photo: np.ndarray, known: np.ndarray) -> bool:
    """Whether the ground that is known has but a gradient."""
    colours, seen = _level(photo, known, _CELLS[-1])
    if not seen.any():
        return True
    mass = cv2.GaussianBlur(seen.astype(np.float32), (0, 0), 6)
    usual = cv2.GaussianBlur(colours * seen[..., None], (0, 0), 6) / np.maximum(mass, 1e-3)[..., None]
    return float(np.abs(colours - usual).mean(axis=2)[seen].mean()) < _PLAIN


def _level(photo: np.ndarray, known: np.ndarray, cell: int) -> tuple[np.ndarray, np.ndarray]:
    size = (photo.shape[1] // cell, photo.shape[0] // cell)
    mass = cv2.resize(known.astype(np.float32), size, interpolation=cv2.INTER_AREA)
    sums = cv2.resize(photo * known[..., None].astype(np.float32), size, interpolation=cv2.INTER_AREA)
    return sums / np.maximum(mass, 1e-6)[..., None], mass > 0.5


def _pieces(photo: np.ndarray, known: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
    """The filled picture of the last level, and for each pixel row and column (h, w, 2) of the known one to copy.

    None where the ground shows too little.
    """
    picture: np.ndarray | None = None
    sources = np.zeros((0, 0, 2), int)
    for cell, rounds in zip(_CELLS, _ROUNDS, strict=True):
        colours, seen = _level(photo, known, cell)
        if not (~grow(~seen, _PATCH // 2)).any():
            if picture is None:
                continue  # a ground in strips shows no whole patch so coarsely
            return None
        before = fill_smoothly(colours, seen) if picture is None else cv2.resize(picture, seen.shape[::-1])
        picture = np.where(seen[..., None], colours, before)
        for _ in range(rounds):
            sources = _nearest(picture, seen)
            picture = np.where(seen[..., None], colours, _voted(picture, sources))
    if picture is None:
        return None
    return picture, _in_whole_pieces(picture, seen, sources)


def _patches(picture: np.ndarray) -> np.ndarray:
    """(h, w, patch * patch * 3) the colours around each pixel."""
    padded = np.pad(picture, ((_PATCH // 2,) * 2, (_PATCH // 2,) * 2, (0, 0)), mode="edge")
    height, width = picture.shape[:2]
    views = [padded[down : down + height, right : right + width] for down in range(_PATCH) for right in range(_PATCH)]
    return np.concatenate(views, axis=2).astype(np.float32)


def _nearest(picture: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """(h, w, 2) row and column: of a known pixel its own, of another that of the known patch most like its own."""
    found = np.moveaxis(np.indices(seen.shape), 0, -1).copy()
    # whole numbers: their products are exact in any order of adding, so that threads and processors change nothing
    patches = _patches(np.rint(picture))
    places = np.argwhere(_whole(seen))
    if not len(places):
        return found
    places = places[:: -(-len(places) // _MOST_SOURCES)]
    offered = patches[tuple(places.T)]
    halves = 0.5 * np.square(offered).sum(axis=1)
    wanted = np.argwhere(~seen)
    for start in range(0, len(wanted), _CHUNK):
        part = wanted[start : start + _CHUNK]
        best = (halves - patches[tuple(part.T)] @ offered.T).argmin(axis=1)
        found[tuple(part.T)] = places[best]
    return found


def _whole(seen: np.ndarray) -> np.ndarray:
    """Where all of a patch is known, and in the picture."""
    whole = ~grow(~seen, _PATCH // 2)
    whole[: _PATCH // 2] = whole[-(_PATCH // 2) :] = False
    whole[:, : _PATCH // 2] = whole[:, -(_PATCH // 2) :] = False
    return whole


def _in_whole_pieces(picture: np.ndarray, seen: np.ndarray, sources: np.ndarray) -> np.ndarray:
    """Like `sources`, but from the known ground inwards each pixel goes on copying where one of its neighbours did.

    Unless its patch were much worse for that. Else a brick is torn to pieces, and a wall copied from one place alone.
    """
    patches, whole = _patches(picture), _whole(seen)
    here = np.moveaxis(np.indices(seen.shape), 0, -1)
    ways = sources - here
    last = np.array(seen.shape) - 1
    depth = cv2.distanceTransform((~seen).astype(np.uint8), cv2.DIST_L1, 3).astype(int)

    def worse(at: np.ndarray, way: np.ndarray) -> np.ndarray:
        source = np.clip(at + way, 0, last)
        off = np.square(patches[tuple(at.T)] - patches[tuple(source.T)]).mean(axis=1)
        return np.where(whole[tuple(source.T)] & (source == at + way).all(axis=1), off, np.inf)

    for ring in range(2, depth.max() + 1):
        at = np.argwhere(depth == ring)
        best = ways[tuple(at.T)]
        least = worse(at, best) + _TORN
        for step in _STEPS:
            beside = np.clip(at + step, 0, last)
            way = ways[tuple(beside.T)]
            other = np.where(depth[tuple(beside.T)] == ring - 1, worse(at, way), np.inf)
            best, least = np.where((other < least)[:, None], way, best), np.minimum(other, least)
        ways[tuple(at.T)] = best
    return ways + here


def _voted(picture: np.ndarray, sources: np.ndarray) -> np.ndarray:
    """Each pixel as the patches around it would have it, on average."""
    height, width = picture.shape[:2]
    rows, columns = np.indices((height, width))
    total = np.zeros_like(picture)
    for down in range(-(_PATCH // 2), _PATCH // 2 + 1):
        for right in range(-(_PATCH // 2), _PATCH // 2 + 1):
            source = sources[np.clip(rows - down, 0, height - 1), np.clip(columns - right, 0, width - 1)]
            total += picture[
                np.clip(source[..., 0] + down, 0, height - 1), np.clip(source[..., 1] + right, 0, width - 1)
            ]
    return total / _PATCH**2


def _put_together(photo: np.ndarray, known: np.ndarray, sources: np.ndarray) -> np.ndarray:
    """The photo, float32 (H, W, 3), with its own pixels where the pieces come from, the four nearest pieces blended."""
    cell = _CELLS[-1]
    down, right = np.moveaxis(sources, -1, 0) - np.indices(sources.shape[:2])
    height, width = photo.shape[:2]
    y, x = np.nonzero(~known)
    v, u = (y + 0.5) / cell - 0.5, (x + 0.5) / cell - 0.5
    top, left = np.floor(v).astype(int), np.floor(u).astype(int)
    result = np.zeros((len(y), 3), np.float32)
    for below in (0, 1):
        for beside in (0, 1):
            at = np.clip(top + below, 0, down.shape[0] - 1), np.clip(left + beside, 0, down.shape[1] - 1)
            share = np.abs(1 - below - (v - top)) * np.abs(1 - beside - (u - left))
            source = np.clip(y + cell * down[at], 0, height - 1), np.clip(x + cell * right[at], 0, width - 1)
            result += share[:, None].astype(np.float32) * photo[source]
    filled = photo.copy()
    filled[y, x] = result
    return filled
