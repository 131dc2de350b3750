"""Which weight files an engine uses, as /info tells it."""

import functools
import hashlib
import importlib.util
import os
from typing import Dict, Tuple


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


@functools.lru_cache(maxsize=None)
def digest(path: str) -> str:
    """The file's sha256 as "sha256:hex". Read once: files in use do not change."""
    sha256 = hashlib.sha256()
    with open(path, "rb") as file:
        for chunk in iter(lambda: file.read(1 << 20), b""):
            sha256.update(chunk)
    return "sha256:" + sha256.hexdigest()
