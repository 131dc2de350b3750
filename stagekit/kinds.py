"""The one table of the artifacts' kinds, for stages and gateway. No NumPy here: the gateway's image has none.

What a file must be like is here; `artifacts.py` reads and writes the values.
"""

from typing import Dict, NamedTuple, Tuple

CANVAS = (768, 1024)
"""Width and height of every picture that stages exchange, but for those of the kind `picture`."""

CATEGORIES = ("upper", "lower", "dress")
"""What a garment may be: the values of the artifact `category`."""


class Kind(NamedTuple):
    """What the file of an artifact is."""

    modes: Tuple[str, ...] = ()
    """Pillow's modes in which a stage gives it; none named: any."""

    any_size: bool = False
    """It need not have the size CANVAS."""

    document: bool = False
    """It is JSON; all others are pictures."""


KINDS: Dict[str, Kind] = {
    "picture": Kind(any_size=True),
    "image": Kind(("RGB",)),
    "mask": Kind(("L", "1")),
    "map": Kind(("L",)),
    "labels": Kind(("P", "L")),
    "keypoints": Kind(document=True),
    "transform": Kind(document=True),
    "category": Kind(document=True),
}
