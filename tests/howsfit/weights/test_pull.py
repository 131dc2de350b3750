"""Every kind of address that weights come from, and every way in which one fails."""

import contextlib
import fcntl
import hashlib
import io
import json
import os
import zipfile

import pytest

from howsfit.weights import download as downloads
from howsfit.weights.errors import AddressFailed, NoRoom, WeightsError
from howsfit.weights.pull import pull
from stagekit.weights import read_lock
from tests.howsfit.weights.conftest import entry


@pytest.fixture
def bring(client, folder):
    """bring(set): what was said."""

    def bring(weights):
        said = []
        pull(
            client,
            folder,
            weights,
            lambda name: contextlib.nullcontext(lambda done, total: None),
            said.append,
            pause_s=0,
        )
        return said

    return bring


def ranges(publisher):
    return [asked for _, asked in publisher.asked]


@pytest.mark.parametrize("digest", ["md5", "sha256", "sha512"])
@pytest.mark.parametrize(
    "kind", ["plain", "moved", "no-range", "drive", "cut", "no-version", "weak-etag", "busy", "changing", "slow"]
)
def test_a_file_comes_whole(kind, digest, publisher, manifest, folder, bring):
    data = publisher.publish("a.bin")
    bring(manifest(entry("a.bin", data, publisher.at(kind, "a.bin"), digest=digest)))
    assert (folder / "model/a.bin").read_bytes() == data
    recorded = read_lock(str(folder))["files"]["model/a.bin"]
    assert recorded["digest"] == "sha256:" + hashlib.sha256(data).hexdigest()
    assert recorded["trust"] == "published" and recorded["from"] == publisher.at(kind, "a.bin") and recorded["at"]
    assert {path.name for path in (folder / "model").iterdir() if not path.name.startswith(".")} == {"a.bin"}


def test_a_cut_connection_goes_on_where_it_was(publisher, manifest, bring):
    data = publisher.publish("a.bin", 350_000)
    bring(manifest(entry("a.bin", data, publisher.at("cut", "a.bin"))))
    starts = [int(asked[6:-1]) for asked in ranges(publisher) if asked]
    assert starts == [100_000, 200_000, 300_000]


def test_without_a_digest_the_version_decides_whether_bytes_are_continued(publisher, manifest, folder, bring):
    data = publisher.publish("a.bin", 250_000)
    bring(manifest(entry("a.bin", data, publisher.at("cut", "a.bin"), digest=None)))
    assert (folder / "model/a.bin").read_bytes() == data
    assert read_lock(str(folder))["files"]["model/a.bin"]["trust"] == "first-use"
    assert [asked for asked in ranges(publisher) if asked], "the same version was continued"


def test_a_changed_version_begins_anew(publisher, manifest, folder, bring):
    data = publisher.publish("a.bin", 90_000)
    address = publisher.at("plain", "a.bin")
    (folder / "model").mkdir(parents=True)
    (folder / "model/a.bin.part").write_bytes(b"old" * 1000)
    (folder / "model/a.bin.part.json").write_text(json.dumps({"address": address, "version": '"old"', "total": 90_000}))
    bring(manifest(entry("a.bin", data, address, digest=None)))
    assert (folder / "model/a.bin").read_bytes() == data
    assert ranges(publisher) == ["bytes=3000-"], "the server saw another version in If-Range and sent all of it"


def test_bytes_of_nobody_knows_where_are_not_continued_without_a_digest(publisher, manifest, folder, bring):
    data = publisher.publish("a.bin", 90_000)
    (folder / "model").mkdir(parents=True)
    (folder / "model/a.bin.part").write_bytes(b"old" * 1000)
    bring(manifest(entry("a.bin", data, publisher.at("no-version", "a.bin"), digest=None)))
    assert ranges(publisher) == [None]
    assert (folder / "model/a.bin").read_bytes() == data


def test_wrong_bytes_that_were_continued_are_fetched_once_more(publisher, manifest, folder, bring):
    data = publisher.publish("a.bin", 90_000)
    (folder / "model").mkdir(parents=True)
    (folder / "model/a.bin.part").write_bytes(b"bad" * 1000)
    said = bring(manifest(entry("a.bin", data, publisher.at("plain", "a.bin"))))
    assert (folder / "model/a.bin").read_bytes() == data
    assert ranges(publisher) == ["bytes=3000-", None] and "once more from the beginning" in said[0]


def test_all_bytes_that_had_come_are_enough(publisher, manifest, folder, bring):
    data = publisher.publish("a.bin", 90_000)
    (folder / "model").mkdir(parents=True)
    (folder / "model/a.bin.part").write_bytes(data)
    bring(manifest(entry("a.bin", data, publisher.at("plain", "a.bin"))))
    assert (folder / "model/a.bin").read_bytes() == data and ranges(publisher) == ["bytes=90000-"]


@pytest.mark.parametrize(
    "kind, why",
    [
        ("missing", "404"),
        ("wrong", "its sha256 is"),
        ("short", "299999 bytes there, not 300000"),
        ("login", r"a web page \(Sign in\) instead of a file"),
        ("quota", "quota"),
        ("elsewhere", "leads to example.org"),
        ("packed", "compressed"),
        ("page-as-file", "its sha256 is"),
        ("endless", "more than the"),
        ("cut-no-range", "broke off 5 times"),
    ],
)
def test_a_mirror_takes_over_and_is_told_why(kind, why, publisher, manifest, folder, bring):
    data = publisher.publish("a.bin")
    good = publisher.at("plain", "a.bin")
    file = entry("a.bin", data, publisher.at(kind, "a.bin"), good) | {"at_least": len(data)}
    said = bring(manifest(file))
    assert (folder / "model/a.bin").read_bytes() == data
    assert read_lock(str(folder))["files"]["model/a.bin"]["from"] == good
    with pytest.raises(AddressFailed, match=why) as told:
        (folder / "model/a.bin").unlink()
        bring(manifest(file | {"addresses": [publisher.at(kind, "a.bin")]}))
    assert "howsfit weights import" in str(told.value) and publisher.at(kind, "a.bin") in str(told.value)
    assert not (folder / "model/a.bin").exists(), "nothing wrong takes its place"
    assert len(said) == 2


def test_a_server_that_is_cut_here_and_there_is_given_up(publisher, manifest, folder, bring):
    data = publisher.publish("a.bin", 350_000)
    with pytest.raises(AddressFailed, match="without anything new"):
        bring(manifest(entry("a.bin", data, publisher.at("cut-here-and-there", "a.bin"))))
    assert len(publisher.asked) < 15


def test_nobody_answers(manifest, bring):
    with pytest.raises(AddressFailed, match="5 times"):
        bring(manifest(entry("a.bin", b"abc", "http://127.0.0.1:1/a.bin")))
    with pytest.raises(AddressFailed, match="could not be downloaded"):
        bring(manifest(entry("a.bin", b"abc", "gopher://127.0.0.1/a.bin")))


def test_without_a_digest_tls_is_asked_for(manifest, bring, monkeypatch):
    """Only this machine may send in the clear what nobody can check."""
    import httpx

    def answer(request):
        return httpx.Response(200, content=b"abc")

    client = httpx.Client(transport=httpx.MockTransport(answer))
    with pytest.raises(AddressFailed, match="without TLS"):
        downloads.download(client, "http://weights.example/a", downloads.Part(_NOWHERE), manifest(
            entry("a.bin", b"abc", digest=None)).files[0], lambda done, total: None)  # fmt: skip


_NOWHERE = downloads.Path("/nonexistent/a.part")


def test_a_set_without_digests_is_trusted_once_and_then_held_to_it(publisher, manifest, folder, bring):
    data = publisher.publish("a.bin", 50_000)
    weights = manifest(entry("a.bin", data, publisher.at("plain", "a.bin"), digest=None))
    assert "first-use" in bring(weights)[0]
    assert bring(weights) == ["model/a.bin: is here"]
    path = folder / "model/a.bin"
    path.write_bytes(b"x" + data[1:])
    bring(weights)
    assert path.read_bytes() == data, "what was altered is fetched again"


def test_files_put_there_by_hand_are_recorded_and_not_fetched(publisher, manifest, folder, bring):
    data = publisher.publish("a.bin", 50_000)
    (folder / "model").mkdir(parents=True)
    (folder / "model/a.bin").write_bytes(data)
    assert "was here" in bring(manifest(entry("a.bin", data, publisher.at("plain", "a.bin"), digest=None)))[0]
    assert publisher.asked == []
    assert read_lock(str(folder))["files"]["model/a.bin"]["trust"] == "first-use"


def archive_of(files, compression=zipfile.ZIP_DEFLATED):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def damaged(packed):
    """With some of what deflate wrote in the middle overwritten."""
    middle = len(packed) - 400
    return packed[:middle] + b"\xff" * 60 + packed[middle + 60 :]


def archived(manifest, publisher, packed, kind="plain"):
    publisher.files["set.zip"] = packed
    return manifest(
        {"name": "one", "at_least": 3},
        {"name": "two", "at_least": 3},
        archive={"name": "set.zip", "addresses": [publisher.at(kind, "set.zip")]},
    )


@pytest.mark.parametrize("kind", ["plain", "drive", "cut"])
def test_an_archive_is_unpacked(kind, publisher, manifest, folder, bring):
    packed = archive_of(
        {"CIHP/one": b"111", "CIHP/two": os.urandom(250_000), "__MACOSX/CIHP/one": b"x", "../../evil": b"e"}
    )
    bring(archived(manifest, publisher, packed, kind))
    assert (folder / "model/one").read_bytes() == b"111" and (folder / "model/two").stat().st_size == 250_000
    assert {path.name for path in folder.rglob("*") if path.is_file() and not path.name.startswith(".")} == {
        "one", "two", "weights.lock.json"
    }  # fmt: skip
    assert not list(folder.parent.rglob("evil"))


@pytest.mark.parametrize(
    "packed, why",
    [
        (archive_of({"one": b"111"}), "0 files two"),
        (archive_of({"one": b"111", "two": b"222", "sub/two": b"333"}), "2 files two"),
        (archive_of({"one": b"111", "two": b"2"}), "two: it has 1 bytes"),
        (archive_of({"one": b"111", "two": b"222"})[:-30], "no ZIP archive"),
        (archive_of({"one": b"111", "two": b"222222"}, zipfile.ZIP_STORED).replace(b"222222", b"222223", 1), "Bad CRC"),
        (damaged(archive_of({"one": b"111", "two": os.urandom(200_000) + bytes(200_000)})), "damaged, or no ZIP"),
        (b"no archive at all", "no ZIP archive"),
    ],
)
def test_a_bad_archive_leaves_nothing(packed, why, publisher, manifest, folder, bring):
    with pytest.raises(AddressFailed, match=why):
        bring(archived(manifest, publisher, packed))
    assert {path.name for path in (folder / "model").iterdir()} == {".pull"}


def test_a_full_disk_is_told_and_keeps_what_came(publisher, manifest, folder, bring, monkeypatch):
    data = publisher.publish("a.bin", 250_000)
    weights = manifest(entry("a.bin", data, publisher.at("cut", "a.bin")))
    real = downloads.shutil.disk_usage
    few = type(real("/"))(10**9, 10**9, 100)
    monkeypatch.setattr(downloads.shutil, "disk_usage", lambda path: few)
    with pytest.raises(NoRoom, match="needs 0 MB more, but the disk of .* has 0 MB free"):
        bring(weights)


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full here")
def test_a_disk_that_fills_up_meanwhile_is_told(publisher, manifest, folder, bring):
    data = publisher.publish("a.bin", 3_000_000)
    (folder / "model").mkdir(parents=True)
    (folder / "model/a.bin.part").symlink_to("/dev/full")
    with pytest.raises(NoRoom, match="is full. Free some room and run the same command again"):
        bring(manifest(entry("a.bin", data, publisher.at("plain", "a.bin"))))


def test_two_pulls_do_not_write_the_same_file(publisher, manifest, folder, bring):
    data = publisher.publish("a.bin")
    (folder / "model").mkdir(parents=True)
    with (folder / "model/.pull").open("w") as busy:
        fcntl.flock(busy, fcntl.LOCK_EX)
        with pytest.raises(WeightsError, match="Another"):
            bring(manifest(entry("a.bin", data, publisher.at("plain", "a.bin"))))


def test_what_is_made_here_says_how(manifest, bring):
    with pytest.raises(WeightsError, match="howsfit export model"):
        bring(manifest({"name": "a.onnx"}, made_by="howsfit export model"))
