"""Choose the 3:4 part of a photo that shows a person, and cut it out."""

import math

import cv2
import numpy as np

from services.resize.engines.framing.extent import Box, Extent
from stagekit.formats import HEIGHT, WIDTH

_HEAD_ROOM = 0.05  # margins, in heights of the person
_FOOT_ROOM = 0.03
_SIDE_ROOM = 0.05
_CUT_OFF = 0.02  # somebody who comes this close to the bottom edge is cut off by it
_SMOOTHING = (0.002, 0.01, 0.05)  # how far the padding blurs the photo's edge along it, in lengths of the edge ...
_DISTANCES = (0.0, 0.01, 0.05)  # ... at these distances from it: sharp where it meets the photo, free of streaks beyond


def choose_box(extent: Extent, photo_width: int, photo_height: int) -> tuple[int, int, int, int]:
    """x0, y0, x1, y1 in whole photo pixels, exactly 3:4; parts outside of the photo are to be padded.

    Shows the whole person where the photo allows it without padding, and in any case her head, hands and joints.
    """
    least = _units_for(_with_room(extent.vital, photo_width, photo_height))
    wanted = _units_for(_with_room(extent.whole, photo_width, photo_height))
    without_padding = min(photo_width / 3, photo_height / 4)
    unit = math.ceil(max(least, min(wanted, without_padding)) - 1e-6)
    width, height = 3 * unit, 4 * unit
    vital, whole = extent.vital, extent.whole
    x = _place((whole[0] + whole[2]) / 2 - width / 2, vital[0], vital[2], width, photo_width)
    if _is_cut_off(whole, photo_height):
        # nothing is put below her, unless her head would be cut off above instead
        y = _place(photo_height - height, vital[1], vital[3], height, photo_height)
    else:
        spare = height - (whole[3] - whole[1])
        share = _HEAD_ROOM / (_HEAD_ROOM + _FOOT_ROOM)
        y = _place(whole[1] - spare * share, vital[1], vital[3], height, photo_height)
    return x, y, x + width, y + height


def _with_room(box: Box, photo_width: int, photo_height: int) -> Box:
    """A person's box and margins around it, as far as the photo has them: no padding is added for the sake of a margin."""
    x0, y0, x1, y1 = box
    height = y1 - y0
    x0, x1 = max(0.0, x0 - _SIDE_ROOM * height), min(float(photo_width), x1 + _SIDE_ROOM * height)
    return x0, max(0.0, y0 - _HEAD_ROOM * height), x1, min(float(photo_height), y1 + _FOOT_ROOM * height)


def _units_for(box: Box) -> float:
    """The size of the smallest frame around a box; a frame is 3 units wide and 4 high."""
    return max((box[2] - box[0]) / 3, (box[3] - box[1]) / 4)


def _is_cut_off(box: Box, photo_height: int) -> bool:
    return box[3] > photo_height - _CUT_OFF * (box[3] - box[1])


def _place(start: float, vital_start: float, vital_end: float, length: int, photo_length: int) -> int:
    """Where a frame side begins: near `start`, using photo rather than padding, and holding what is vital."""
    low, high = sorted((0, photo_length - length))
    start = min(max(start, low), high)
    return round(min(max(start, vital_end - length), vital_start))


def cut_out(photo: np.ndarray, box: tuple[int, int, int, int], inside: np.ndarray) -> np.ndarray:
    """photo (H, W, 3) uint8, a box from `choose_box`, the person's silhouette (h, w) bool of any size over the whole photo
    -> `person` (1024, 768, 3) uint8. What lies outside of the photo continues its background.
    """
    height, width = photo.shape[:2]
    x0, y0, x1, y1 = box
    left, top, right, bottom = max(0, -x0), max(0, -y0), max(0, x1 - width), max(0, y1 - height)
    part = photo[max(0, y0) : min(y1, height), max(0, x0) : min(x1, width)]
    if not (left or top or right or bottom):
        return _resize(part)
    mask = cv2.resize(inside.astype(np.uint8), (width, height), interpolation=cv2.INTER_NEAREST)
    mask = cv2.dilate(mask, np.ones((3, 3), np.uint8), iterations=max(1, width // 200))
    mask = mask[max(0, y0) : min(y1, height), max(0, x0) : min(x1, width)]
    padded = _pad(part, mask, top, bottom)
    mask = cv2.copyMakeBorder(mask, top, bottom, 0, 0, cv2.BORDER_CONSTANT, value=(0.0,))
    padded = _pad(padded.swapaxes(0, 1), mask.T, left, right).swapaxes(0, 1)
    return _resize(np.ascontiguousarray(padded))


def _resize(image: np.ndarray) -> np.ndarray:
    shrink = image.shape[1] > WIDTH
    return cv2.resize(image, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA if shrink else cv2.INTER_LANCZOS4)


def _pad(image: np.ndarray, mask: np.ndarray, before: int, after: int) -> np.ndarray:
    """Continue a picture's background above and below; mask: where it shows the person."""
    parts = [image]
    if before:
        parts.insert(0, _continuation(image[:4], mask[0], before)[::-1])
    if after:
        parts.append(_continuation(image[-4:], mask[-1], after))
    return np.concatenate(parts)


def _continuation(edge: np.ndarray, mask: np.ndarray, count: int) -> np.ndarray:
    """Rows that carry on a picture's background: (k, n, 3) outermost rows, (n,) where the person is -> (count, n, 3)."""
    line = _without_person(edge.astype(np.float32).mean(axis=0), mask)
    lines = [_blur(line, sigma * len(line)) for sigma in _SMOOTHING]
    distance = np.arange(count) / len(line)
    rows = np.empty((count, *line.shape), dtype=np.uint8)
    for row, level in enumerate(np.interp(distance, _DISTANCES, np.arange(len(lines)))):
        lower = min(int(level), len(lines) - 2)
        rows[row] = np.round(lines[lower] + (lines[lower + 1] - lines[lower]) * np.float32(level - lower))
    return rows


def _without_person(line: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """The colours of an edge, (n, 3) float32, with those of the background in place of the person's."""
    background = np.flatnonzero(mask == 0)
    if not len(background):
        return line
    everywhere = np.arange(len(line))
    channels = [np.interp(everywhere, background, line[background, channel]) for channel in range(3)]
    return np.stack(channels, axis=1).astype(np.float32)


def _blur(line: np.ndarray, sigma: float) -> np.ndarray:
    blurred: np.ndarray = cv2.GaussianBlur(line[None], (0, 0), max(0.5, sigma), borderType=cv2.BORDER_REPLICATE)[0]
    return blurred
