"""The stages and engines that are here, by their folders: `services/NAME/` and `services/NAME/engines/NAME/`.

Nothing lists them by hand. A container has those of its own engine only, and the gateway's has none.
"""

import glob
import importlib
import os
from typing import List, Tuple


def stage_names() -> Tuple[str, ...]:
    """In alphabetical order."""
    return _folders_of(_found("*", "stage.py"))


def engine_names(stage: str) -> Tuple[str, ...]:
    """In alphabetical order, whether or not their packages are installed."""
    return _folders_of(_found(stage, "engines", "*", "engine.py"))


def engine_files(name: str) -> List[str]:
    """The paths of all files of this name in engines' folders, in alphabetical order."""
    return _found("*", "engines", "*", name)


def _found(*pattern: str) -> List[str]:
    try:
        places = importlib.import_module("services").__path__
    except ModuleNotFoundError:
        return []
    return sorted(path for place in places for path in glob.glob(os.path.join(glob.escape(place), *pattern)))


def _folders_of(paths: List[str]) -> Tuple[str, ...]:
    return tuple(sorted({os.path.basename(os.path.dirname(path)) for path in paths}))
