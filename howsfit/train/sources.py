"""The pairs of a data set, in a folder of the VITON-HD layout or in shards of `howsfit dataset preprocess --shards`; looked at
first."""

import hashlib
import json
import tarfile
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console

from howsfit import files
from howsfit.dataset.layout import OF_CLOTHS, PARTS, pairs_file, pairs_of, path_of
from howsfit.dataset.shards import INDEX

if TYPE_CHECKING:
    from training.data import Pair

CHECKED = "check.json"
"""What the last check found, beside the training."""


class DataBroken(ValueError):
    """A data set that nothing should be learned from. Says what to do."""


def is_shards(data: Path) -> bool:
    return any((data / f"{part}-{INDEX}").is_file() for part in PARTS)


def pairs(data: Path, part: str, artifacts: Sequence[str]) -> "list[Pair]":
    """The persons of a part in the garments that they wear, in the order of its list; empty for a part that is not there.

    Raises DataBroken where a file is not there.
    """
    return _of_shards(data, part, artifacts) if is_shards(data) else _of_folder(data, part, artifacts)


def digest(found: "Iterable[Pair]") -> str:
    """Of the names, in their order."""
    return hashlib.sha256("\n".join(pair.name for pair in found).encode()).hexdigest()


def _of_folder(data: Path, part: str, artifacts: Sequence[str]) -> "list[Pair]":
    from training.data import Pair, Place

    listed = pairs_file(data, part)
    if not listed.is_file():
        return []
    found = []
    lacking: dict[str, list[str]] = {}
    for person, other in dict.fromkeys(pairs_of(listed)):
        # In VITON-HD, the list's second name is of another garment; the person's own has her name.
        cloth = person if path_of(data, part, "cloth", person).is_file() else other
        paths = {
            artifact: path_of(data, part, artifact, cloth if artifact in OF_CLOTHS else person)
            for artifact in artifacts
        }
        for artifact, path in paths.items():
            if not path.is_file():
                lacking.setdefault(artifact, []).append(str(path.relative_to(data)))
        found.append(Pair(person, {artifact: Place(str(path)) for artifact, path in paths.items()}))
    if lacking:
        told = "; ".join(f"{artifact} of {len(paths)}, first {paths[0]}" for artifact, paths in lacking.items())
        raise DataBroken(
            f"'{data}' lacks files of pairs in {listed.name} ({told}). `howsfit dataset preprocess {data}` makes what is not "
            "there; else take the pairs out of the list."
        )
    return list({pair.name: pair for pair in found}.values())


def _of_shards(data: Path, part: str, artifacts: Sequence[str]) -> "list[Pair]":
    """Members of a tar lie in it as they are, so each is read from its place: any order costs the same."""
    from training.data import Pair, Place

    index = data / f"{part}-{INDEX}"
    if not index.is_file():
        return []
    document = json.loads(index.read_bytes())
    if lacking := [artifact for artifact in artifacts if artifact not in document["artifacts"]]:
        raise DataBroken(
            f"The shards in '{data}' hold no {', '.join(lacking)}. Write them anew: "
            "`howsfit dataset preprocess FOLDER --shards …`."
        )
    said = {"image" if artifact == "person" else artifact: artifact for artifact in artifacts}
    found = []
    for shard in document["shards"]:
        path = data / shard["name"]
        if not path.is_file() or path.stat().st_size != shard["bytes"]:
            raise DataBroken(
                f"'{path}' is not there, or has not {shard['bytes']} bytes. Copy or write the shards anew."
            )
        places: dict[str, dict[str, Place]] = {}
        with tarfile.open(path, "r:") as tar:
            for member in tar:
                key, what, _ = member.name.split(".")
                if what in said:
                    places.setdefault(key, {})[said[what]] = Place(str(path), member.offset_data, member.size)
        found += [Pair(key, some) for key, some in places.items()]
    if other := [pair.name for pair in found if not _is_own(pair.name)]:
        raise DataBroken(
            f"{len(other)} pairs in '{data}' do not show a person in the garment of her name ({other[0]}), so nothing can be "
            f"learned from them. Let {part}_pairs.txt name each person's own garment, and write the shards anew."
        )
    return found


def _is_own(key: str) -> bool:
    """Whether PERSON_CLOTH has the same name twice."""
    half = len(key) // 2
    return key[:half] == key[half + 1 :] and key[half] == "_"


def check(data: Path, run: Path, out: Console, begin: Callable[[int], None], tell: Callable[[], None]) -> None:
    """Run `howsfit dataset check`, if the files are not those of the last time, and refuse a set with errors.

    Shards are held to their index when they are opened: their files were checked before they were packed. begin, tell: as of
    dataset.checks.run.check. Raises DataBroken, UnusableFolder.
    """
    if is_shards(data):
        return
    from howsfit.dataset.catalogue import read_catalogue
    from howsfit.dataset.checks import report
    from howsfit.dataset.checks import run as checks

    seen = _state(data, read_catalogue(data).subjects())
    if _known(run / CHECKED) == seen:
        return
    found = checks.check(data, begin=begin, tell=tell)
    if found.errors():
        report.print_report(found, out, 3, False)
        raise DataBroken(
            f"'{data}' has {found.errors()} errors, which would spoil the training. `howsfit dataset check {data} --mend` "
            "mends what needs no guess; `--no-check` trains all the same."
        )
    files.write(run / CHECKED, json.dumps({"sound": seen}).encode())


def _state(data: Path, subjects: Iterable[Any]) -> str:
    """Of all files: names, sizes, times."""
    whole = hashlib.sha256(str(data.resolve()).encode())
    for subject in subjects:
        for path in subject.paths.values():
            found = path.stat()
            whole.update(f"{path} {found.st_size} {found.st_mtime_ns}\n".encode())
    return whole.hexdigest()


def _known(path: Path) -> str:
    try:
        return str(json.loads(path.read_bytes())["sound"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""
