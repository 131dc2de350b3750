"""A data set as WebDataset shards: tar files of about one size, a sample after the other, the same bytes for the same data set.

A sample is a pair of the list: `PERSON_CLOTH.image.jpg`, `.parse.png`, `.pose.json`, `.cloth.jpg` and so on, by the artifacts'
names. WebDataset takes a name up to its first dot for the sample's; a dot in the data set's own names becomes `-`.
"""

import hashlib
import io
import json
import tarfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from howsfit import files
from howsfit.dataset.layout import OF_CLOTHS, PLACES, Pair, path_of

INDEX = "shards.json"
_BLOCK = tarfile.BLOCKSIZE


class Sample(NamedTuple):
    """What belongs to one pair."""

    key: str
    members: dict[str, Path]
    """Name in the tar -> file, in the tar's order."""

    @property
    def size(self) -> int:
        """Bytes that it takes in a tar."""
        return sum(_BLOCK + -(-path.stat().st_size // _BLOCK) * _BLOCK for path in self.members.values())


class Written(NamedTuple):
    """What came of it."""

    shards: list[Path]
    samples: int
    incomplete: list[str]
    """Pairs that lack a file, and are in no shard."""


def write_shards(
    root: Path, part: str, pairs: Iterable[Pair], artifacts: Sequence[str], target: Path, size: int
) -> Written:
    """Write `target/PART-000000.tar` and so on, each of at most `size` bytes unless one sample has more, and PART-shards.json.

    artifacts: besides `person` and `cloth`. Each file is written whole or not at all, the index last; an index and shards of
    another time go. Raises OSError, and ValueError where two pairs would be one sample.
    """
    incomplete: list[str] = []
    files.sweep(target)
    keyed = _keyed(pairs)
    (target / f"{part}-{INDEX}").unlink(missing_ok=True)  # of what is there no word would be true
    groups = _groups(_samples(root, part, keyed, ("person", "cloth", *artifacts), incomplete), size)
    made = [_write(target / f"{part}-{number:06}.tar", some) for number, some in enumerate(groups)]
    index = {"part": part, "artifacts": ["person", "cloth", *artifacts], "incomplete": len(incomplete), "shards": made}
    files.write(target / f"{part}-{INDEX}", json.dumps(index, indent=2).encode())
    names = {each["name"] for each in made}
    for path in target.glob(f"{part}-??????.tar"):
        if path.name not in names:
            path.unlink()
    return Written([target / name for name in sorted(names)], sum(each["samples"] for each in made), incomplete)


def _samples(
    root: Path, part: str, keyed: Mapping[str, Pair], artifacts: Sequence[str], incomplete: list[str]
) -> Iterator[Sample]:
    for key, pair in keyed.items():
        members = {}
        for artifact in artifacts:
            name = pair.cloth if artifact in OF_CLOTHS else pair.person
            path = path_of(root, part, artifact, name)
            said = "image" if artifact == "person" else artifact
            members[f"{key}.{said}.{PLACES[artifact].ending.rpartition('.')[2]}"] = path
        if all(path.is_file() for path in members.values()):
            yield Sample(key, members)
        else:
            incomplete.append(key)


def _keyed(pairs: Iterable[Pair]) -> dict[str, Pair]:
    """The name of a sample -> its pair, in order. Raises ValueError."""
    keyed: dict[str, Pair] = {}
    for pair in sorted(set(pairs)):
        key = f"{pair.person}_{pair.cloth}".replace(".", "-")
        if (other := keyed.setdefault(key, pair)) != pair:
            raise ValueError(
                f"{' in '.join(other)} and {' in '.join(pair)} would both be the sample {key}. Rename one of the pictures."
            )
    return keyed


def _groups(samples: Iterable[Sample], size: int) -> Iterator[list[Sample]]:
    """As many after the other as a tar of this size holds, which ends with two empty blocks and fills its last record."""
    group: list[Sample] = []
    filled = 2 * _BLOCK
    for sample in samples:
        needed = -(-(filled + sample.size) // tarfile.RECORDSIZE) * tarfile.RECORDSIZE
        if group and needed > size:
            yield group
            group, filled = [], 2 * _BLOCK
        group.append(sample)
        filled += sample.size
    if group:
        yield group


def _write(path: Path, samples: Iterable[Sample]) -> dict[str, Any]:
    """Beside its place first; a file of a time before goes when it is whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    count = 0
    with files.beside(path) as part:
        # Nothing of the disk or the clock goes in: neither owner nor time.
        with tarfile.open(part, "w", format=tarfile.PAX_FORMAT) as tar:
            for sample in samples:
                count += 1
                for name, file in sample.members.items():
                    data = file.read_bytes()
                    member = tarfile.TarInfo(name)
                    member.size = len(data)
                    tar.addfile(member, io.BytesIO(data))
        with part.open("rb") as opened:
            digest = hashlib.file_digest(opened, "sha256").hexdigest()
        size = part.stat().st_size
    return {"name": path.name, "samples": count, "bytes": size, "digest": f"sha256:{digest}"}
