"""`howsfit weights` as a user runs it, in processes of its own."""

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest

from stagekit.folders import engine_files
from stagekit.manifest import FILE, read_manifest, read_sets
from stagekit.weights import read_lock
from tests.howsfit.weights import torch_files
from tests.howsfit.weights.conftest import entry
from tests.servers import ROOT

STRUCTURE = {"kind": "torch", "arrays": 1, "elements": 6, "shapes": {"w": [2, 3]}}


@pytest.fixture
def weights(folder, manifest):
    """weights(subcommand, ...): the finished process."""

    def weights(*arguments, **environment):
        return subprocess.run(command(*arguments), **options(folder, environment))

    def command(*arguments):
        more = ["--manifest", str(manifest.path)] if manifest.path.exists() else []
        return [sys.executable, "-m", "howsfit.weights", *map(str, arguments), *more]

    weights.command = command
    return weights


def options(folder, environment=None):
    environment = os.environ | {"HOWSFIT_WEIGHTS_DIR": str(folder), "COLUMNS": "200"} | (environment or {})
    return {"cwd": ROOT, "env": environment, "capture_output": True, "text": True, "stdin": subprocess.DEVNULL}


@pytest.mark.slow
def test_a_killed_pull_is_resumed_and_the_digest_is_right(publisher, manifest, folder, weights):
    data = publisher.publish("a.bin", 4_000_000)
    manifest(entry("a.bin", data, publisher.at("slow", "a.bin")))
    part = folder / "model/a.bin.part"
    had = 0
    for _ in range(2):
        process = subprocess.Popen(
            weights.command("pull", "model", "--accept"),
            **{name: value for name, value in options(folder).items() if name in ("cwd", "env", "stdin")},
        )
        while not (part.exists() and part.stat().st_size > had + 300_000):
            assert process.poll() is None
            time.sleep(0.02)
        process.send_signal(signal.SIGKILL)
        process.wait()
        had = part.stat().st_size
        assert had < len(data) and not (folder / "model/a.bin").exists()
    done = weights("pull", "model")
    assert done.returncode == 0, done.stderr
    assert hashlib.sha256((folder / "model/a.bin").read_bytes()).digest() == hashlib.sha256(data).digest()
    starts = [int(asked[6:-1]) for _, asked in publisher.asked if asked]
    assert len(publisher.asked) == 3 and 300_000 < starts[0] < starts[1] < len(data), (
        "each went on where the last one ended"
    )
    assert weights("verify").returncode == 0


@pytest.mark.slow
def test_a_licence_is_shown_and_accepted_once(publisher, manifest, folder, weights):
    data = publisher.publish("a.bin", 1000)
    manifest(entry("a.bin", data, publisher.at("drive", "a.bin")))
    done = weights("pull", "model")
    assert done.returncode == 1 and "not for commercial use" in done.stderr and "--accept" in done.stderr
    assert publisher.asked == [] and not (folder / "model").exists()
    assert weights("pull", "model", "--accept").returncode == 0
    assert read_lock(str(folder))["accepted"]["model"]["licence"] == "CC-BY-NC-4.0"
    (folder / "model/a.bin").unlink()
    done = weights("pull", "model")
    assert done.returncode == 0 and "Licence" not in done.stderr


@pytest.mark.slow
def test_list_and_verify_tell_how_each_file_is(publisher, manifest, folder, weights):
    data = publisher.publish("a.bin", 1000)
    manifest(entry("a.bin", data, publisher.at("plain", "a.bin")))
    listed = weights("list").stdout
    assert "not here" in listed and "howsfit weights pull model" in listed and "not for commercial use" in listed
    assert weights("verify", "model").returncode == 1
    assert weights("pull", "--accept", HOWSFIT_TRYON_ENGINE="model").returncode == 0, "the engine that is chosen"
    assert "published" in weights("list").stdout
    path = folder / "model/a.bin"
    times = path.stat()
    path.write_bytes(b"x" + data[1:])
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    done = weights("verify")
    assert done.returncode == 1 and "its sha256 is not" in done.stderr and "howsfit weights pull model" in done.stderr


@pytest.mark.slow
def test_import_recognises_files_folders_and_archives(manifest, folder, weights, tmp_path):
    net = torch_files.archive({"w": (2, 3)})
    manifest(
        entry("known.bin", b"known") | {"addresses": []}, {"name": "net.pth", "structure": STRUCTURE}, {"name": "one"}
    )
    copied = tmp_path / "copied by hand"
    (copied / "deeper").mkdir(parents=True)
    (copied / "download (1)").write_bytes(b"known")
    (copied / "deeper/inference(2).pth").write_bytes(net)
    (copied / "notes.txt").write_text("nothing")
    done = weights("import", copied, "--accept")
    assert done.returncode == 0, done.stderr
    assert "notes.txt was not recognised" in done.stderr.replace("\n", " ")
    assert (folder / "model/known.bin").read_bytes() == b"known" and (folder / "model/net.pth").read_bytes() == net
    trusts = {name: found["trust"] for name, found in read_lock(str(folder))["files"].items()}
    assert trusts == {"model/known.bin": "published", "model/net.pth": "first-use"}

    (tmp_path / "net.pth").write_bytes(net[:-40])
    done = weights("import", tmp_path / "net.pth")
    assert done.returncode == 1 and "cannot be read as a file of torch" in done.stderr
    (tmp_path / "known.bin").write_bytes(b"other")
    done = weights("import", tmp_path / "known.bin")
    assert done.returncode == 1 and "its sha256 is" in done.stderr and "--as" in done.stderr
    assert weights("import", tmp_path / "known.bin", "--as", "model/known.bin").returncode == 0
    assert (folder / "model/known.bin").read_bytes() == b"other"
    assert "recorded" in weights("list").stdout and weights("import", tmp_path / "moon").returncode == 1

    shutil.rmtree(folder)
    manifest({"name": "one", "at_least": 3}, {"name": "net.pth", "structure": STRUCTURE}, archive={"name": "set.zip"})
    with zipfile.ZipFile(tmp_path / "from a friend.zip", "w") as archive:
        archive.writestr("set/one", b"111")
        archive.writestr("set/net.pth", net)
    assert weights("import", tmp_path / "from a friend.zip", "--accept").returncode == 0
    assert (folder / "model/one").read_bytes() == b"111" and (folder / "model/net.pth").read_bytes() == net


@pytest.mark.slow
def test_mistakes_are_told_in_a_sentence(manifest, folder, weights, tmp_path):
    for arguments, said in (
        (("pull", "moon"), "There are no weights 'moon'"),
        (("pull",), "Say which: "),
        (("pull", "cihp_pgn_onnx"), "howsfit export cihp_pgn"),
        (("import", tmp_path / "nothing"), "There is no"),
        (("list", "--manifest", __file__), "is no manifest"),
    ):
        done = weights(*arguments)
        assert done.returncode == 1 and "Traceback" not in done.stderr, done.stderr
        assert said in done.stderr.replace("\n", " ")
    folder.mkdir(exist_ok=True)
    (folder / "weights.lock.json").write_text("{")
    done = weights("list")
    assert done.returncode == 1 and "weights.lock.json cannot be read" in done.stderr


def test_the_manifest_is_complete():
    manifest = read_manifest()
    for weights in manifest.values():
        assert weights.licence and weights.terms and weights.source and weights.title
        of_the_engine = [each for each in manifest.values() if each.engine == weights.engine]
        assert weights.key.count("/") == (len(of_the_engine) > 1 or weights.when is not None)
        for file in weights.files + ((weights.archive,) if weights.archive else ()):
            assert weights.made_by or weights.archive or file.addresses, file
            assert weights.made_by or file.size or file.at_least, file
            assert all(address.split(":")[0] in ("http", "https") for address in file.addresses)
            lengths = {"md5": 32, "sha256": 64, "sha512": 128}
            for digest in file.digests:
                algorithm, _, hexadecimal = digest.partition(":")
                assert len(hexadecimal) == lengths[algorithm] and int(hexadecimal, 16)
            if file.addresses and not file.digests and file != weights.archive:
                assert file.structure, "without a digest there is a structure"
    for engine in {weights.engine for weights in manifest.values()}:
        defaults = [
            each for each in manifest.values() if each.engine == engine and each.when and each.when.get("default")
        ]
        assert len(defaults) <= 1
    for path in engine_files(FILE):
        assert {weights.engine for weights in read_sets(path).values()} == {Path(path).parent.name}, path
