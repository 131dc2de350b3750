"""Is the ground plain? By the border of the picture, most of which is no garment."""

import numpy as np

from services.cloth_mask.engines.cutout.background import Background

_ROUGH = 2.0  # Lab units of noise [catalogues 0 to 1.8; planks, small tiles, creased sheets 2.4 and more]
_SHADED = 16.0  # Lab units from the lightest to the darkest place [catalogues 0 to 9; gradients 21 and more]
_OTHER = 7.0  # Lab units from which a place is of another colour
_OFTEN = 2  # places of another colour on each of two sides [catalogues 0 or 1; large tiles 2 and more]
_THICK, _CORNER = 3, 16
"""Pixels of the border, and of a corner."""


def unevenness(lab: np.ndarray, background: Background) -> str | None:
    """What keeps the ground from being plain, with its measure; None where it is plain.

    lab: (H, W, 3) float32, about 512 pixels high or wide; background: as fitted to it.
    """
    if background.noise > _ROUGH:
        return f"it is rough by {background.noise:.1f} units of colour (above {_ROUGH:.0f})"
    shades = np.concatenate(_sides(background.colour))
    shaded = float(np.linalg.norm(np.subtract(*np.percentile(shades, (95, 5), axis=0))))
    if shaded > _SHADED:
        return f"it goes from light to dark by {shaded:.0f} units of colour (above {_SHADED:.0f})"
    distance = background.distance(lab)
    corners = [distance[rows, columns] for rows in _ENDS for columns in _ENDS]
    others = sum(bool(np.median(corner) > _OTHER) for corner in corners)
    if others:
        return f"{others} of its four corners have another colour than the rest"
    # A garment that its picture cuts off may cross one side often, but hardly two.
    changes = [_places(side > _OTHER) for side in _sides(distance)]
    if sorted(changes)[-2] >= _OFTEN:
        return f"its colour changes at {sum(changes)} places of the border"
    return None


_ENDS = (slice(None, _CORNER), slice(-_CORNER, None))


def _sides(plane: np.ndarray) -> list[np.ndarray]:
    """The four sides of a picture, (H, W) or (H, W, n), each (its length) or (its length, n)."""
    rows, columns = (plane[:_THICK], plane[-_THICK:]), (plane[:, :_THICK], plane[:, -_THICK:])
    return [np.median(strip, axis=axis) for axis, strips in enumerate((rows, columns)) for strip in strips]


def _places(along: np.ndarray) -> int:
    """How many runs of True there are."""
    return int(along[0]) + int(np.count_nonzero(along[1:] & ~along[:-1]))
