"""The artifacts that stages exchange: one kind each, checked whenever one comes in or goes out.

| kind | Python value | file |
|---|---|---|
| picture | (H, W, 3) uint8 sRGB, any size from 64 pixels a side; (H, W, 4) where a garment is cut out | JPEG, PNG or WebP |
| image | (1024, 768, 3) uint8 RGB | PNG, or JPEG as VITON-HD has it |
| mask | (1024, 768) uint8, 0 or 255, garment (or what may be repainted) 255 | 8-bit grey PNG or JPEG |
| map | (1024, 768) uint8; a probability is 255 for certain | 8-bit grey PNG |
| labels | (1024, 768) uint8, CIHP ids 0..19 | palette (or grey) PNG |
| keypoints | dict, OpenPose JSON 1.3, BODY_25 | JSON |
| transform | dict, see services/resize | JSON |
| category | str: upper, lower or dress | JSON, `{"category": "upper"}` |
"""

import codecs
import json
from typing import Any, Callable, Dict, List, NamedTuple, Tuple

import numpy as np
from PIL import Image

from stagekit.errors import EngineFailed, WrongKind
from stagekit.formats import CIHP_LABELS, CIHP_PALETTE, HEIGHT, WIDTH
from stagekit.images import Limits, open_image, to_rgb, to_rgb_or_rgba
from stagekit.kinds import CATEGORIES
from stagekit.label_colours import labels_of_map, labels_of_palette
from stagekit.png import write_png
from stagekit.wire import Part

MAX_PEOPLE = 100
MAX_DOCUMENT = 5_000_000
"""Bytes; a hundred people with hands and faces need one."""

FARTHEST = 10_000
"""Pixels of `person` from its corner; a joint may lie outside of the picture, but not ten pictures away."""

_NORMALISED = 2.0  # no real body lies within two pixels; places in 0..1 may lie a little outside
_MOVED = 3  # labels under other ids, from which on a palette is that of the CIHP labels, but spoilt
_STRETCH = 1.5  # how much wider, or higher, than 3:4 a box may be


class Codec(NamedTuple):
    """How a kind is checked, read and written."""

    decode: Callable[[str, bytes, Limits], Any]
    check: Callable[[str, Any], None]
    encode: Callable[[Any], Part]


def decode(name: str, kind: str, data: bytes, limits: Limits, cut_out: bool = False) -> Any:
    """Read an artifact. cut_out: a picture's transparency is kept.

    Raises WrongKind, UnreadableImage, ImageTooLarge, ImageTooSmall.
    """
    codec = CUT_OUT if cut_out else CODECS[kind]
    value = codec.decode(name, data, limits)
    codec.check(name, value)
    return value


def encode(name: str, kind: str, value: Any) -> Part:
    """Write an artifact that an engine made. Raises EngineFailed when it is not of its kind."""
    codec = CODECS[kind]
    try:
        codec.check(name, value)
    except WrongKind as error:
        raise EngineFailed("The engine made a malformed artifact. %s" % error.detail) from None
    part: Part = codec.encode(value)
    return part


# -- images ------------------------------------------------------------------------------------------------------------


def _decode_picture(name: str, data: bytes, limits: Limits) -> np.ndarray:
    return to_rgb(open_image(data, limits))


def _check_picture(name: str, value: Any) -> None:
    _check_array(name, value, 3)


def _decode_cut_out(name: str, data: bytes, limits: Limits) -> np.ndarray:
    return to_rgb_or_rgba(open_image(data, limits))


def _check_cut_out(name: str, value: Any) -> None:
    _check_array(name, value, 3, channels=(3, 4))


def _decode_image(name: str, data: bytes, limits: Limits) -> np.ndarray:
    image = open_image(data, limits)
    if image.mode != "RGB":
        raise WrongKind("'%s' has mode %s; it must be RGB. Convert it." % (name, image.mode))
    return np.array(image)


def _check_image(name: str, value: Any) -> None:
    _check_array(name, value, 3)
    _check_canvas(name, value)


def _decode_mask(name: str, data: bytes, limits: Limits) -> np.ndarray:
    image = open_image(data, limits)
    if image.mode not in ("L", "1"):
        raise WrongKind("'%s' has mode %s; a mask is 8-bit grey (L), garment white on black." % (name, image.mode))
    grey = np.array(image.convert("L"))
    undecided = float(np.mean((grey > 63) & (grey < 192)))
    if undecided > 0.2:
        raise WrongKind("'%s' is %d %% mid-grey; a mask is white on black." % (name, round(undecided * 100)))
    # The data set keeps masks as JPEG: threshold as its loader does, at 128.
    return np.where(grey >= 128, np.uint8(255), np.uint8(0))


def _check_mask(name: str, value: Any) -> None:
    _check_array(name, value, 2)
    _check_canvas(name, value)
    if not np.isin(value, (0, 255)).all():
        raise WrongKind("'%s' must hold 0 and 255 only." % name)


def _decode_map(name: str, data: bytes, limits: Limits) -> np.ndarray:
    image = open_image(data, limits)
    if image.mode != "L":
        raise WrongKind("'%s' has mode %s; it is 8-bit grey (L)." % (name, image.mode))
    return np.array(image)


def _check_map(name: str, value: Any) -> None:
    _check_array(name, value, 2)
    _check_canvas(name, value)


def _decode_labels(name: str, data: bytes, limits: Limits) -> np.ndarray:
    image = open_image(data, limits)
    found = np.array(image)
    if image.mode == "L":
        return found
    _check_canvas(name, found)
    if image.mode == "P":
        return _by_palette(name, image, found)
    labels = labels_of_map(image) if image.mode in ("RGB", "RGBA") else None
    if labels is None:
        raise WrongKind(
            "'%s' has mode %s: that is a colour map, and in other colours than those of the CIHP labels. Send the label ids "
            "0..19 as a palette or grey PNG." % (name, image.mode)
        )
    return labels


def _by_palette(name: str, image: Image.Image, ids: np.ndarray) -> np.ndarray:
    """Some programs write the labels' colours under ids of their own (an adaptive palette): those are mapped back."""
    used = np.unique(ids)
    labels = labels_of_palette(image, used)
    moved = sum(label is not None and label != used[place] for place, label in enumerate(labels))
    if moved and None not in labels:
        table = np.zeros(256, np.uint8)
        table[used] = labels
        return np.asarray(table[ids])
    if moved >= _MOVED:
        raise WrongKind(
            "'%s' is a palette image with colours of the CIHP labels under other ids, and with other colours too. Write the "
            "label ids 0..19 themselves." % name
        )
    return ids


def _check_labels(name: str, value: Any) -> None:
    _check_array(name, value, 2)
    _check_canvas(name, value)
    if value.max() >= len(CIHP_LABELS):
        raise WrongKind(
            "'%s' holds the value %d; label ids go from 0 to 19 (CIHP order). "
            "A grey rendering, a lossy JPEG or a palette in other colours is no label map." % (name, value.max())
        )


def _check_array(name: str, value: Any, dimensions: int, channels: Tuple[int, ...] = (3,)) -> None:
    if not isinstance(value, np.ndarray) or value.dtype != np.uint8 or value.ndim != dimensions:
        found = "%s %s" % (value.dtype, value.shape) if isinstance(value, np.ndarray) else type(value).__name__
        raise WrongKind("'%s' must be a uint8 array of %d dimensions, not %s." % (name, dimensions, found))
    if dimensions == 3 and value.shape[2] not in channels:
        raise WrongKind("'%s' must have 3 channels, not %d." % (name, value.shape[2]))


def _check_canvas(name: str, value: np.ndarray) -> None:
    height, width = value.shape[:2]
    if (width, height) != (WIDTH, HEIGHT):
        raise WrongKind("'%s' has %d x %d pixels; it must have %d x %d." % (name, width, height, WIDTH, HEIGHT))


def _encode_png(value: np.ndarray) -> Part:
    return Part(write_png(value), "image/png")


def _encode_labels(value: np.ndarray) -> Part:
    return Part(write_png(value, CIHP_PALETTE), "image/png")


# -- documents ---------------------------------------------------------------------------------------------------------


def _decode_document(name: str, data: bytes, limits: Limits) -> Any:
    if len(data) > min(MAX_DOCUMENT, limits.max_bytes):
        raise WrongKind("'%s' has %.1f MB; that is no such document." % (name, len(data) / 1e6))
    try:
        return json.loads(data.decode(_encoding(data)), parse_int=_integer)
    except (ValueError, RecursionError):
        raise WrongKind("'%s' is not JSON. Send the document as UTF-8 text." % name) from None


def _encoding(data: bytes) -> str:
    """UTF-8, with or without a byte order mark, as Windows writes it; UTF-16 with one."""
    return "utf-16" if data[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE) else "utf-8-sig"


def _integer(digits: str) -> float:
    # Of very many digits Python makes a number slowly or not at all; nothing here needs one.
    return int(digits) if len(digits) < 20 else float(digits)


def _check_keypoints(name: str, value: Any) -> None:
    _check_no_list(name, value)
    people = value.get("people") if isinstance(value, dict) else None
    if not isinstance(people, list) or len(people) > MAX_PEOPLE:
        raise WrongKind("'%s' must be OpenPose JSON: an object with a list 'people' (at most 100)." % name)
    for person in people:
        flat = person.get("pose_keypoints_2d") if isinstance(person, dict) else None
        if not isinstance(flat, list) or not all(_is_number(v) for v in flat):
            raise WrongKind("'%s': every person needs 'pose_keypoints_2d', a list of finite numbers." % name)
        if len(flat) == 54:
            raise WrongKind(
                "'%s' has 54 numbers a person: that is COCO-18, whose hips are elsewhere. Convert it to BODY_25 (75)."
                % name
            )
        if len(flat) != 75:
            raise WrongKind(
                "'%s' has %d numbers a person; BODY_25 has 75 (25 times x, y, confidence)." % (name, len(flat))
            )
    _check_places(name, [person["pose_keypoints_2d"] for person in people])


def _check_places(name: str, people: List[List[float]]) -> None:
    """people: 75 numbers of each: x, y and confidence of every joint; joints that were not found are 0, 0, 0."""
    places = [abs(v) for flat in people for i, v in enumerate(flat) if i % 3 != 2]
    farthest = max(places) if places else 0
    if farthest > FARTHEST:
        raise WrongKind(
            "'%s' has a joint at %g, beyond any picture: places are pixels of 'person', which has %d x %d."
            % (name, farthest, WIDTH, HEIGHT)
        )
    if 0 < farthest <= _NORMALISED:
        raise WrongKind(
            "'%s' is normalised: no place in it is above %g. Places are pixels of 'person': multiply x by %d and y by %d."
            % (name, farthest, WIDTH, HEIGHT)
        )


def _check_no_list(name: str, value: Any) -> None:
    if isinstance(value, list) and value and isinstance(value[0], dict):
        raise WrongKind(
            "'%s' is a list of %d documents, as ComfyUI saves them. Send one of them alone, without the list around it."
            % (name, len(value))
        )


def _is_number(value: Any) -> bool:
    """Finite, and not beyond what any document here may hold."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < 1e6


def _check_transform(name: str, value: Any) -> None:
    _check_no_list(name, value)
    lengths = {"photo_size": 2, "box": 4, "person_size": 2}
    for key, length in lengths.items():
        numbers = value.get(key) if isinstance(value, dict) else None
        if not isinstance(numbers, list) or len(numbers) != length or not all(_is_number(v) for v in numbers):
            raise WrongKind("'%s' must be an object whose '%s' is a list of %d numbers." % (name, key, length))
    if value["person_size"] != [WIDTH, HEIGHT]:
        raise WrongKind("'%s': 'person_size' must be [%d, %d]." % (name, WIDTH, HEIGHT))
    if min(value["photo_size"]) < 1:
        raise WrongKind("'%s': 'photo_size' must be width and height in pixels." % name)
    x0, y0, x1, y1 = value["box"]
    if x1 - x0 < 1 or y1 - y0 < 1:
        raise WrongKind("'%s': 'box' must be [x0, y0, x1, y1], at least a pixel wide and high." % name)
    stretch = ((x1 - x0) / WIDTH) / ((y1 - y0) / HEIGHT)
    if not 1 / _STRETCH <= stretch <= _STRETCH:
        raise WrongKind(
            "'%s': 'box' has %g x %g pixels, a strip: it is as wide as high as 'person', 3 to 4."
            % (name, x1 - x0, y1 - y0)
        )


def _decode_category(name: str, data: bytes, limits: Limits) -> Any:
    document = _decode_document(name, data, limits)
    return document.get("category") if isinstance(document, dict) else None


def _check_category(name: str, value: Any) -> None:
    if not isinstance(value, str) or value not in CATEGORIES:
        raise WrongKind(
            "'%s' must be an object whose 'category' is one of %s, like {\"category\": \"upper\"}."
            % (name, ", ".join(CATEGORIES))
        )


def _encode_category(value: str) -> Part:
    return _encode_document({"category": value})


def _encode_document(value: Any) -> Part:
    return Part(json.dumps(value, separators=(",", ":"), sort_keys=True).encode("utf-8"), "application/json")


CODECS: Dict[str, Codec] = {
    "picture": Codec(_decode_picture, _check_picture, _encode_png),
    "image": Codec(_decode_image, _check_image, _encode_png),
    "mask": Codec(_decode_mask, _check_mask, _encode_png),
    "map": Codec(_decode_map, _check_map, _encode_png),
    "labels": Codec(_decode_labels, _check_labels, _encode_labels),
    "keypoints": Codec(_decode_document, _check_keypoints, _encode_document),
    "transform": Codec(_decode_document, _check_transform, _encode_document),
    "category": Codec(_decode_category, _check_category, _encode_category),
}
"""Of the kinds in kinds.py."""

CUT_OUT = Codec(_decode_cut_out, _check_cut_out, _encode_png)
"""Of a picture whose transparency is kept."""
