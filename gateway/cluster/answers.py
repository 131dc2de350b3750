"""Whether what a stage gave is what it declares: names, kinds and sizes, in files that are whole. No pixel is decoded.

A stage made with stagekit has checked all this and more. What another server got wrong must go no further than here: once
recorded as the result of a step, or kept for reuse, it would come back in every retry.
"""

import io
import json
from collections.abc import Mapping

from PIL import Image

from stagekit.kinds import CANVAS, CATEGORIES, KINDS
from stagekit.wire import Part

FORMATS = {"image/png": "PNG", "image/jpeg": "JPEG", "image/webp": "WEBP"}


def check_answer(declared: Mapping[str, str], outputs: Mapping[str, Part]) -> None:
    """declared: artifact -> kind. Raises ValueError, which says what is wrong."""
    if outputs.keys() != declared.keys():
        raise ValueError(f"It gave {_listed(outputs)}, but declares {_listed(declared)}.")
    for name, part in outputs.items():
        check_artifact(name, declared[name], part)


def check_artifact(name: str, kind: str, part: Part) -> None:
    """Raises ValueError, which says what is wrong."""
    if KINDS[kind].document:
        _check_document(name, kind, part)
    else:
        _check_picture(name, kind, part)


def _check_picture(name: str, kind: str, part: Part) -> None:
    wanted = FORMATS.get(part.media_type)
    try:
        with Image.open(io.BytesIO(part.data), formats=[wanted] if wanted else []) as image:
            size, mode = image.size, image.mode
            image.verify()  # of a PNG the checksum of every chunk, to the last one
    except Exception:  # Pillow's plug-ins raise anything at all for broken files
        raise ValueError(f"'{name}' is no whole picture of type {part.media_type}.") from None
    known = KINDS[kind]
    if (not known.any_size and size != CANVAS) or (known.modes and mode not in known.modes):
        raise ValueError(f"'{name}' has {size[0]} x {size[1]} pixels in mode {mode}, which no {kind} has.")


def _check_document(name: str, kind: str, part: Part) -> None:
    try:
        document = json.loads(part.data)
    except (ValueError, RecursionError):
        document = None
    if part.media_type != "application/json" or not isinstance(document, dict):
        raise ValueError(f"'{name}' is no JSON object.")
    if kind == "category" and document.get("category") not in CATEGORIES:
        raise ValueError(f"'{name}' is none of {', '.join(CATEGORIES)}.")


def _listed(names: Mapping[str, object]) -> str:
    return ", ".join(map(repr, sorted(names))) or "nothing"
