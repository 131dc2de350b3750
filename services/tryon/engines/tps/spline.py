"""Thin-plate splines: smooth maps through pairs of points (Bookstein, PAMI 1989)."""

from dataclasses import dataclass

import cv2
import numpy as np

from services.tryon.engines.tps.curves import Box

_STEP = 8
"""Pixels between the points where a spline is evaluated; between them the map is interpolated."""


@dataclass(frozen=True)
class Spline:
    """A map of the plane: an affine part and one bump per control point."""

    points: np.ndarray
    weights: np.ndarray
    scale: float

    def __call__(self, where: np.ndarray) -> np.ndarray:
        """Map points. where: (n, 2) x, y in pixels; gives (n, 2)."""
        where = where / self.scale
        design = np.hstack([_bump(where, self.points), np.ones((len(where), 1)), where])
        return design @ self.weights


def fit_spline(sources: np.ndarray, targets: np.ndarray, stiffness: float = 1e-4) -> Spline:
    """The spline that carries `sources` to `targets`, both (n, 2) in pixels, n >= 3.

    stiffness: 0 goes through every point; more gives up exactness for smoothness. It also keeps the system solvable when
    two sources coincide.
    """
    scale = float(np.ptp(sources, axis=0).max()) or 1.0
    points = sources / scale
    count = len(points)
    system = np.zeros((count + 3, count + 3))
    system[:count, :count] = _bump(points, points) + stiffness * np.eye(count)
    system[:count, count:] = np.hstack([np.ones((count, 1)), points])
    system[count:, :count] = system[:count, count:].T
    values = np.vstack([targets, np.zeros((3, 2))])
    return Spline(points, np.linalg.lstsq(system, values, rcond=None)[0], scale)


def _bump(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    square = ((a[:, None] - b[None]) ** 2).sum(axis=2)
    return 0.5 * square * np.log(np.maximum(square, 1e-12))


def warp(image: np.ndarray, spline: Spline, box: Box) -> np.ndarray:
    """Pull `image` through a spline from target to source pixels.

    image: (H, W) or (H, W, C); box: the part of the target to fill, not empty. Gives as many rows and columns; outside of
    the image it is 0.
    """
    top, bottom, left, right = box[0].start, box[0].stop, box[1].start, box[1].stop
    columns, rows = np.arange(left, right + _STEP, _STEP), np.arange(top, bottom + _STEP, _STEP)
    grid = np.stack(np.meshgrid(columns, rows), axis=-1).reshape(-1, 2).astype(np.float64)
    coarse = spline(grid).reshape(len(rows), len(columns), 2).astype(np.float32)
    x = (np.arange(right - left, dtype=np.float32)) / _STEP
    y = (np.arange(bottom - top, dtype=np.float32)) / _STEP
    lattice_x, lattice_y = np.meshgrid(x, y)
    fine = cv2.remap(coarse, lattice_x, lattice_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return cv2.remap(image, fine[..., 0], fine[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
