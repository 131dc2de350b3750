"""A data set as WebDataset shards."""

import hashlib
import json
import os
import shutil
import tarfile

import pytest

from howsfit.dataset.layout import Pair, path_of
from howsfit.dataset.shards import write_shards

ARTIFACTS = ("parse", "pose", "cloth_mask")


def data_set(root, count):
    """Files of the layout with anything in them, some hundred bytes to some thousand each. Gives the pairs."""
    pairs = [Pair(f"p.{number}", f"c{number}") for number in range(count)]
    for number, pair in enumerate(pairs):
        for artifact in ("person", "cloth", *ARTIFACTS):
            path = path_of(root, "train", artifact, pair.cloth if artifact.startswith("cloth") else pair.person)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(f"{artifact} {number} ".encode() * (50 + 30 * number))
    return pairs


def test_each_pair_is_a_sample_and_shards_are_as_large_as_asked(tmp_path):
    pairs = data_set(tmp_path / "set", 12)
    written = write_shards(tmp_path / "set", "train", pairs, ARTIFACTS, tmp_path / "shards", 60_000)
    assert written.samples == 12 and written.incomplete == [] and len(written.shards) > 2
    seen = []
    for path in written.shards:
        assert path.stat().st_size <= 60_000
        with tarfile.open(path) as tar:
            members = tar.getmembers()
            names = [member.name for member in members]
            for at in range(0, len(names), 5):
                key = names[at].split(".")[0]
                endings = ("image.jpg", "cloth.jpg", "parse.png", "pose.json", "cloth_mask.jpg")
                assert names[at : at + 5] == [f"{key}.{ending}" for ending in endings]
                seen.append(key)
            assert {(m.uid, m.gid, m.mtime, m.uname, m.gname, m.mode) for m in members} == {(0, 0, 0, "", "", 0o644)}
            first = tar.extractfile(members[2]).read()
    assert seen == [f"p-{pair.person[2:]}_{pair.cloth}" for pair in sorted(pairs)], "a dot would end the sample's name"
    assert first.startswith(b"parse ")
    index = json.loads((tmp_path / "shards/train-shards.json").read_bytes())
    assert [each["name"] for each in index["shards"]] == [path.name for path in written.shards]
    for each in index["shards"]:
        data = (tmp_path / "shards" / each["name"]).read_bytes()
        assert each["bytes"] == len(data) and each["digest"] == f"sha256:{hashlib.sha256(data).hexdigest()}"


def test_the_same_data_set_gives_the_same_bytes_anywhere(tmp_path):
    pairs = data_set(tmp_path / "set", 6)
    first = write_shards(tmp_path / "set", "train", pairs, ARTIFACTS, tmp_path / "one", 40_000)
    shutil.copytree(tmp_path / "set", tmp_path / "copy")
    for path in (tmp_path / "copy").rglob("*"):
        os.utime(path, (1, 1))
        path.chmod(0o755 if path.is_dir() else 0o600)
    second = write_shards(tmp_path / "copy", "train", reversed(pairs), ARTIFACTS, tmp_path / "two", 40_000)
    assert [path.read_bytes() for path in first.shards] == [path.read_bytes() for path in second.shards]


def test_incomplete_pairs_and_shards_of_another_time_are_left_out(tmp_path):
    pairs = data_set(tmp_path / "set", 6)
    assert len(write_shards(tmp_path / "set", "train", pairs, ARTIFACTS, tmp_path / "shards", 15_000).shards) > 3
    path_of(tmp_path / "set", "train", "pose", "p.2").unlink()
    (tmp_path / "shards/.0123456789ab.part").touch()
    written = write_shards(tmp_path / "set", "train", pairs, ARTIFACTS, tmp_path / "shards", 10**6)
    assert written.incomplete == ["p-2_c2"] and written.samples == 5
    assert {path.name for path in (tmp_path / "shards").iterdir()} == {"train-000000.tar", "train-shards.json"}


def test_no_two_pairs_are_one_sample(tmp_path):
    pairs = [*data_set(tmp_path / "set", 1), Pair("p-0", "c0")]
    shutil.copy(
        path_of(tmp_path / "set", "train", "person", "p.0"), path_of(tmp_path / "set", "train", "person", "p-0")
    )
    with pytest.raises(ValueError, match="p-0 in c0 and p.0 in c0 would both be the sample p-0_c0"):
        write_shards(tmp_path / "set", "train", pairs, (), tmp_path / "shards", 10**6)


def test_shards_that_were_broken_off_have_no_index(tmp_path, monkeypatch):
    pairs = data_set(tmp_path / "set", 6)
    write_shards(tmp_path / "set", "train", pairs, ARTIFACTS, tmp_path / "shards", 15_000)

    def full(*_):
        raise OSError("No space left on device")

    monkeypatch.setattr("tarfile.TarFile.addfile", full)
    with pytest.raises(OSError, match="No space"):
        write_shards(tmp_path / "set", "train", pairs, ARTIFACTS, tmp_path / "shards", 15_000)
    assert not (tmp_path / "shards/train-shards.json").exists()
