"""Where an engine finds its weight files, and how /info tells of them."""

import functools
import hashlib
import importlib.util
import os
from typing import Dict, Tuple

from stagekit.settings import read_settings


def in_package(package: str, licence: str, *files: str) -> Tuple[Dict[str, str], ...]:
    """Describe weight files that an installed Python package carries, without importing it.

    files: paths below the package's folder. Raises ModuleNotFoundError, FileNotFoundError.
    """
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError("The package %s is not installed." % package, name=package)
    folder = spec.submodule_search_locations[0]
    return tuple(
        {"file": os.path.basename(name), "digest": digest(os.path.join(folder, name)), "licence": licence}
        for name in files
    )


def weights_folder(engine: str) -> str:
    """The folder in which an engine's weights belong; it need not exist."""
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    return os.path.join(read_settings().weights_dir or os.path.join(cache, "howsfit", "weights"), engine)


def in_folder(folder: str, licence: str, *files: str) -> Tuple[Dict[str, str], ...]:
    """Describe weight files that lie in a folder. Raises FileNotFoundError."""
    return tuple({"file": name, "digest": digest(os.path.join(folder, name)), "licence": licence} for name in files)


@functools.lru_cache(maxsize=None)
def digest(path: str) -> str:
    """The file's sha256 as "sha256:hex". Read once: files in use do not change."""
    sha256 = hashlib.sha256()
    with open(path, "rb") as file:
        for chunk in iter(lambda: file.read(1 << 20), b""):
            sha256.update(chunk)
    return "sha256:" + sha256.hexdigest()
