"""Where an engine finds its weight files, whether they are the right ones, and how /info tells of them.

`weights.lock.json` in the folder of all weights holds what `howsfit weights` recorded: the digest of each file that was
trusted, when and from where it came, and which licences were accepted. Here it is only read.
"""

import functools
import hashlib
import importlib.util
import json
import os
from typing import Any, Dict, NamedTuple, Tuple

from stagekit.errors import WeightsMissing
from stagekit.manifest import WeightFile, WeightSet, read_manifest
from stagekit.settings import read_settings

LOCK = "weights.lock.json"

MISSING, ALTERED = "missing", "altered"
PUBLISHED = "published"
"""It has the digest that the manifest gives: its publisher's, or that of public copies."""
RECORDED = "recorded"
"""It has the digest that was recorded when it came here; none is published, or it was chosen in place of the published."""
UNRECORDED = "unrecorded"
"""There is no digest to hold it to: it was put there by hand. Its structure is all that can be checked."""


class State(NamedTuple):
    """How a file is."""

    state: str
    """One of the five above; MISSING and ALTERED are bad."""

    told: str = ""
    """What is wrong, in words."""

    digest: str = ""
    """"sha256:hex", where the file is good."""

    @property
    def good(self) -> bool:
        """Whether an engine may take it."""
        return self.state not in (MISSING, ALTERED)


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


def all_weights() -> str:
    """The folder that holds a folder of weights for each engine; it need not exist."""
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    return read_settings().weights_dir or os.path.join(cache, "howsfit", "weights")


def weights_folder(engine: str) -> str:
    """The folder in which an engine's weights belong; it need not exist."""
    return os.path.join(all_weights(), engine)


def folder_with(file: str, engine: str, built_in: str) -> str:
    """The engine's folder of weights if the file is there, else `built_in`, the folder that its image has the file in; where it
    is in neither, the first."""
    given = weights_folder(engine)
    return next((folder for folder in (given, built_in) if os.path.isfile(os.path.join(folder, file))), given)


def in_folder(folder: str, licence: str, *files: str) -> Tuple[Dict[str, str], ...]:
    """Describe weight files of a folder, of an engine that is not in the manifest. Raises FileNotFoundError."""
    return tuple({"file": name, "digest": digest(os.path.join(folder, name)), "licence": licence} for name in files)


def require(key: str) -> Tuple[Dict[str, str], ...]:
    """Describe the files of a set of the manifest, for /info, once all are there and unaltered.

    Each with `file`, `digest`, `licence`, `commercial` (yes, no, unclear) and `trust` (PUBLISHED, RECORDED, UNRECORDED).
    Raises WeightsMissing with the command that helps.
    """
    weights = read_manifest()[key]
    lock = read_lock(all_weights())
    described = []
    wrong = []
    for file in weights.files:
        state = check(all_weights(), weights, file, lock)
        wrong += [] if state.good else [state.told]
        described.append(
            {"file": file.name, "digest": state.digest, "licence": weights.licence, "commercial": weights.commercial,
             "trust": state.state}
        )  # fmt: skip
    if wrong:
        raise not_right(key, "; ".join(wrong))
    return tuple(described)


def not_right(key: str, what: str) -> WeightsMissing:
    """The refusal of an engine whose weights are not as they should be: what is wrong, and what to do about it."""
    weights = read_manifest()[key]
    addresses = [
        "%s from %s" % (f.name, f.addresses[0]) for f in weights.files + (weights.archive or (),) if f and f.addresses
    ]
    command = weights.command()
    if weights.made_by:
        advice = "`%s` makes them; docs/weights.md says of what." % weights.made_by
    else:
        in_cluster = "docker compose run --rm weights pull " + weights.pulled_as
        advice = (
            "`%s` fetches them (in the cluster: `%s`). Where that has no network, "
            "download them elsewhere and run `howsfit weights import` on them: %s."
            % (command, in_cluster, ", ".join(addresses) or weights.source)
        )  # fmt: skip
        if os.path.exists("/.dockerenv") or os.path.exists("/run/.containerenv"):
            command = in_cluster
    return WeightsMissing(
        "The weights of %s in %s are not right: %s. %s Licence: %s. %s"
        % (weights.title, weights_folder(weights.engine), what, advice, weights.licence, weights.terms),
        command,
    )


def check(folder: str, weights: WeightSet, file: WeightFile, lock: Dict[str, Any], quick: bool = False) -> State:
    """How a file of a set is. folder: that of all weights; lock: as read_lock gives it.

    quick: a file that has size and time of what is recorded is not read again.
    """
    path = os.path.join(folder, weights.engine, file.name)
    entry = lock["files"].get("%s/%s" % (weights.engine, file.name))
    try:
        found = os.stat(path)
    except PermissionError:
        return State(
            ALTERED, "%s may not be entered by user %d: `chmod a+rx` it" % (os.path.dirname(path), os.getuid())
        )
    except OSError:
        return State(MISSING, "there is no %s" % file.name)
    if not os.access(path, os.R_OK):
        return State(ALTERED, "%s may not be read by user %d: `chmod a+r` it" % (file.name, os.getuid()))
    chosen = bool(entry and entry["trust"] == "own")  # in place of the published one, whose size and digest say nothing
    short = wrong_size(file, found.st_size)
    if short and not chosen:
        return State(ALTERED, "%s %s" % (file.name, short))
    known = bool(quick and entry and [entry["size"], entry["mtime_ns"]] == [found.st_size, found.st_mtime_ns])
    sha256 = entry["digest"] if known else digest(path)
    if file.digests and not chosen:
        if known and entry["trust"] == PUBLISHED:
            return State(PUBLISHED, digest=sha256)
        wrong = [wanted for wanted in file.digests if digest(path, wanted.split(":")[0]) != wanted]
        return State(ALTERED, _other_digest(file, wrong[0])) if wrong else State(PUBLISHED, digest=sha256)
    if entry is None:
        return State(UNRECORDED, digest=sha256)
    if entry["digest"] != sha256:
        return State(ALTERED, _other_digest(file, entry["digest"]))
    return State(RECORDED, digest=sha256)


def wrong_size(file: WeightFile, size: int) -> str:
    """What is wrong with a size in bytes, in words; empty where nothing is."""
    if file.size and size != file.size:
        return "has %d bytes, not %d" % (size, file.size)
    if size < max(1, file.at_least):
        return "has %d bytes, which is too short (at least %d)" % (size, max(1, file.at_least))
    return ""


def read_lock(folder: str) -> Dict[str, Any]:
    """`files` and `accepted` of the lock file in the folder of all weights; both empty where there is none.

    Raises WeightsMissing for a file that is none.
    """
    path = os.path.join(folder, LOCK)
    lock = {"files": {}, "accepted": {}}  # type: Dict[str, Any]
    try:
        with open(path, encoding="utf-8") as file:
            lock.update(dict(**json.load(file)))
        for entry in lock["files"].values():
            if not {"digest", "size", "mtime_ns", "trust"} <= set(entry):
                raise ValueError("an entry is incomplete")
        lock["accepted"].items()
    except FileNotFoundError:
        pass
    except PermissionError:
        raise WeightsMissing("%s may not be read by user %d: `chmod a+r` it." % (path, os.getuid())) from None
    except (AttributeError, OSError, TypeError, ValueError) as error:
        raise WeightsMissing(
            "%s cannot be read (%s). Remove it, and run `howsfit weights verify`." % (path, error)
        ) from None
    return lock


def digest(path: str, algorithm: str = "sha256") -> str:
    """The file's digest as "algorithm:hex". A file is read once, as long as neither its size nor its time changes."""
    found = os.stat(path)
    return _digests(path, found.st_size, found.st_mtime_ns, algorithm)


@functools.lru_cache(maxsize=None)
def _digests(path: str, size: int, mtime_ns: int, algorithm: str) -> str:
    made = hashlib.new(algorithm)
    with open(path, "rb") as file:
        for chunk in iter(lambda: file.read(1 << 20), b""):
            made.update(chunk)
    return "%s:%s" % (algorithm, made.hexdigest())


def _other_digest(file: WeightFile, wanted: str) -> str:
    return "%s is not the file that it should be: its %s is not %s" % (file.name, *wanted.split(":"))
