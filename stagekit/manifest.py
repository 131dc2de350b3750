"""The weights that engines need and that are not part of this repository: weights.json in the folder of each such engine.

It says of each file where it comes from, how it is recognised, and under which licence. A file is recognised by the digest
that its publisher gives, or that of public copies. Where there is none, the first file that has the right structure is trusted,
and its digest is recorded (weights.lock.json, see stagekit.weights).
"""

import json
import os
from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Tuple

from stagekit.folders import engine_files

FILE = "weights.json"


class WeightFile(NamedTuple):
    """One file, or the archive that a set comes in."""

    name: str

    addresses: Tuple[str, ...] = ()
    """Where it can be downloaded, tried in this order. None: it comes in the set's archive, or is made here."""

    size: int = 0
    """Exact size in bytes; 0: not published."""

    at_least: int = 0
    """Bytes that it cannot have less of, where the exact size is not published."""

    digests: Tuple[str, ...] = ()
    """"algorithm:hex" of md5, sha256 or sha512, all of which it must have; none: none is known."""

    structure: Optional[Mapping[str, Any]] = None
    """`kind` (torch, safetensors or tensorflow), number of `arrays` and of their `elements`, some of their `shapes`."""


class WeightSet(NamedTuple):
    """Files that one model of an engine needs, all of one origin and one licence."""

    key: str
    """The engine's name; "engine/model" where it has a choice of them, "engine/part" of several that it needs."""

    title: str
    source: str
    licence: str

    commercial: str
    """Whether commercial use is allowed: yes, no or unclear."""

    terms: str
    """What the licence asks, in a sentence or two."""

    files: Tuple[WeightFile, ...]

    archive: Optional[WeightFile] = None
    """The ZIP archive that holds those files without an address of their own."""

    made_by: str = ""
    """The command that makes the files, where they are not downloaded."""

    when: Optional[Mapping[str, Any]] = None
    """`setting` and `value`, one or a list, that choose this model; `default` for the one without the setting. None: always
    needed."""

    @property
    def engine(self) -> str:
        """Name of the engine, and of its folder."""
        return self.key.split("/")[0]

    @property
    def pulled_as(self) -> str:
        """What to ask `howsfit weights pull` for: a part that is always needed comes with the others."""
        return self.key if self.when else self.engine

    def command(self) -> str:
        """What brings the files here."""
        return self.made_by or "howsfit weights pull " + self.pulled_as

    def needed(self, environ: Mapping[str, str]) -> bool:
        """Whether the settings in the environment choose this model of the engine."""
        if self.when is None:
            return True
        chosen = environ.get(self.when["setting"])
        if not chosen:
            return bool(self.when.get("default"))
        values = self.when["value"]
        return chosen in (values if isinstance(values, list) else [values])


def read_manifest() -> Dict[str, WeightSet]:
    """All sets by key, of the engines that are here. Raises OSError, ValueError as read_sets does."""
    return {key: weights for path in engine_files(FILE) for key, weights in read_sets(path).items()}


def read_sets(path: str) -> Dict[str, WeightSet]:
    """The sets of one such file by key. Raises OSError, ValueError naming what is wrong with it."""
    with open(path, encoding="utf-8") as file:
        try:
            return {key: _set(key, entry) for key, entry in json.load(file).items()}
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise ValueError("%s is no manifest of weights (%r). docs/weights.md shows one." % (path, error)) from None


def sets_of(engine: str, manifest: Mapping[str, WeightSet], environ: Mapping[str, str]) -> List[WeightSet]:
    """The sets that an engine needs under these settings, in the manifest's order; empty for one that needs none."""
    return [each for each in manifest.values() if each.engine == engine and each.needed(environ)]


def _set(key: str, entry: Dict[str, Any]) -> WeightSet:
    entry = dict(entry, files=tuple(_file(each) for each in entry["files"]))
    if "archive" in entry:
        entry["archive"] = _file(entry["archive"])
    found = WeightSet(key=key, **entry)
    if found.commercial not in ("yes", "no", "unclear"):
        raise ValueError("commercial is %r" % found.commercial)
    return found


def _file(entry: Dict[str, Any]) -> WeightFile:
    if os.path.basename(entry["name"]) != entry["name"] or entry["name"] in ("", ".", ".."):
        raise ValueError("%r is no file name" % entry["name"])
    known = {name: tuple(entry[name]) for name in ("addresses", "digests") if name in entry}
    return WeightFile(**dict(entry, **known))
