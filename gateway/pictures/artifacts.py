"""Artifacts that a request brings in the place of those that a stage would make. Pure: bytes in, bytes out."""

import io
import json

from PIL import Image

from gateway.cluster.answers import FORMATS, check_artifact
from stagekit.errors import WrongKind
from stagekit.kinds import CANVAS, KINDS
from stagekit.pictures import Picture
from stagekit.wire import Part


def given_part(name: str, kind: str, data: bytes) -> Part:
    """The artifact as a stage takes it, which looks at its values once more.

    A mask that was painted, in colour or with transparency, is turned grey; a label map may be one in the colours of CIHP.
    Raises WrongKind, UnreadableImage.
    """
    part = _document(name, data) if KINDS[kind].document else _picture(name, kind, data)
    if not _is_coloured_map(kind, part):
        try:
            check_artifact(name, kind, part)
        except ValueError as error:
            raise WrongKind(f"{error} {_wanted(kind)}") from None
    return part


def _document(name: str, data: bytes) -> Part:
    """As stages write it, so that reuse knows it again."""
    try:
        document = json.loads(data.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        raise WrongKind(f"'{name}' is no JSON object in UTF-8. Send the document as a stage gives it.")
    return Part(json.dumps(document, separators=(",", ":"), sort_keys=True).encode(), "application/json")


def _picture(name: str, kind: str, data: bytes) -> Part:
    picture = Picture(data, name)
    if not KINDS[kind].any_size and picture.size != CANVAS:
        width, height = picture.size
        raise WrongKind(f"'{name}' has {width} x {height} pixels. {_wanted(kind)}")
    image = picture.decode()
    media_type = picture.media_type or ""
    if media_type in FORMATS and (kind != "mask" or image.mode in KINDS[kind].modes):
        return Part(picture.file, media_type)
    return _as_png(_on_black(image) if kind == "mask" else image)


def _on_black(image: Image.Image) -> Image.Image:
    """What is painted on nothing, or in white on black; grey."""
    painted = image.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", painted.size, "black"), painted).convert("L")


def _as_png(image: Image.Image) -> Part:
    encoded = io.BytesIO()
    image.save(encoded, "PNG")
    return Part(encoded.getvalue(), "image/png")


def _is_coloured_map(kind: str, part: Part) -> bool:
    """A stage reads those; only it knows the colours."""
    if kind != "labels":
        return False
    with Image.open(io.BytesIO(part.data)) as image:
        return image.mode in ("RGB", "RGBA")


def _wanted(kind: str) -> str:
    if KINDS[kind].document:
        return "Send the document as a stage gives it: GET its address in `artifacts` of any job."
    if KINDS[kind].any_size:
        return "Save it anew as JPEG or PNG."
    modes = {"mask": "white on black", "labels": "a palette or grey PNG with the ids 0 to 19", "map": "8-bit grey"}
    return f"It must be {CANVAS[0]} x {CANVAS[1]} pixels, {modes.get(kind, 'RGB')}."
