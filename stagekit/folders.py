"""The stages and engines that are here, by their folders: `services/NAME/` and `services/NAME/engines/NAME/`.

Nothing lists them by hand. A container has those of its own engine only, and the gateway's has none.
"""

import importlib
import os
from typing import Iterator, List, Tuple


def stage_names() -> Tuple[str, ...]:
    """In alphabetical order."""
    return tuple(sorted({path.split(os.sep)[-2] for path in _files("", "stage.py")}))


def engine_names(stage: str) -> Tuple[str, ...]:
    """In alphabetical order, whether or not their packages are installed."""
    return tuple(sorted({path.split(os.sep)[-2] for path in _files(os.path.join(stage, "engines"), "engine.py")}))


def engine_files(name: str) -> List[str]:
    """The paths of all files of this name in engines' folders, in the order of stages and engines."""
    return [path for stage in stage_names() for path in sorted(_files(os.path.join(stage, "engines"), name))]


def _files(below: str, name: str) -> Iterator[str]:
    """Of all folders below this one of `services`."""
    try:
        places = importlib.import_module("services").__path__
    except ModuleNotFoundError:
        return
    for place in places:
        folder = os.path.join(place, below)
        if os.path.isdir(folder):
            for each in os.listdir(folder):
                path = os.path.join(folder, each, name)
                if os.path.isfile(path):
                    yield path
