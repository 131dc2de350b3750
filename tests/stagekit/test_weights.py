"""Descriptions of weight files. Runs on Python 3.6 too."""

import hashlib
import json

import pytest

import stagekit
from stagekit.errors import WeightsMissing
from stagekit.manifest import read_manifest, read_sets, sets_of
from stagekit.weights import in_folder, in_package, require, weights_folder


def test_a_file_of_a_package_is_described():
    with open(stagekit.__file__, "rb") as file:
        expected = "sha256:" + hashlib.sha256(file.read()).hexdigest()
    described = in_package("stagekit", "MIT", "__init__.py")
    assert described == ({"file": "__init__.py", "digest": expected, "licence": "MIT"},)


def test_what_is_missing_is_told():
    with pytest.raises(ModuleNotFoundError):
        in_package("moon", "MIT", "a")
    with pytest.raises(FileNotFoundError):
        in_package("stagekit", "MIT", "moon")


def test_weights_lie_in_the_folder_of_their_engine(monkeypatch, tmp_path):
    monkeypatch.setenv("HOWSFIT_WEIGHTS_DIR", str(tmp_path))
    assert weights_folder("cihp_pgn") == str(tmp_path / "cihp_pgn")
    monkeypatch.delenv("HOWSFIT_WEIGHTS_DIR")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert weights_folder("cihp_pgn") == str(tmp_path / "cache" / "howsfit" / "weights" / "cihp_pgn")


def test_files_of_a_folder_are_described(tmp_path):
    (tmp_path / "a.onnx").write_bytes(b"abc")
    assert in_folder(str(tmp_path), "MIT", "a.onnx") == (
        {"file": "a.onnx", "digest": sha256(b"abc"), "licence": "MIT"},
    )


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Of all weights, with made-up files of graphonomy_onnx (no digest published) and openpose/mobilenet (published)."""
    monkeypatch.setenv("HOWSFIT_WEIGHTS_DIR", str(tmp_path))
    for name in ("graphonomy_onnx/graphonomy.onnx", "openpose/openpose_mobilenet_v2_small_coco.pb"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_bytes(b"abc")
    return tmp_path


def lock(folder, name, trust="first-use", content=b"abc"):
    found = (folder / name).stat()
    entry = {"digest": sha256(content), "size": found.st_size, "mtime_ns": found.st_mtime_ns, "trust": trust}
    (folder / "weights.lock.json").write_text(json.dumps({"files": {name: entry}}))


def sha256(content):
    return "sha256:" + hashlib.sha256(content).hexdigest()


def test_files_without_a_digest_are_described(folder):
    (described,) = require("graphonomy_onnx")
    assert described == {
        "file": "graphonomy.onnx", "digest": sha256(b"abc"), "licence": "none stated", "commercial": "unclear",
        "trust": "unrecorded",
    }  # fmt: skip
    lock(folder, "graphonomy_onnx/graphonomy.onnx")
    assert require("graphonomy_onnx")[0]["trust"] == "recorded"


def test_what_was_recorded_and_altered_is_refused(folder):
    lock(folder, "graphonomy_onnx/graphonomy.onnx", content=b"abd")
    with pytest.raises(WeightsMissing, match="its sha256 is not .*`howsfit export graphonomy` makes them"):
        require("graphonomy_onnx")


def test_files_with_a_digest_are_held_to_it(folder):
    with pytest.raises(WeightsMissing, match="has 3 bytes, not 2096019.*`howsfit weights pull openpose/mobilenet`"):
        require("openpose/mobilenet")
    (folder / "openpose/openpose_mobilenet_v2_small_coco.pb").write_bytes(bytes(2096019))
    with pytest.raises(WeightsMissing, match="its sha256 is not 428a9d6e"):
        require("openpose/mobilenet")


@pytest.mark.parametrize("trust", ["published", "first-use", "made"])
def test_the_lock_file_does_not_replace_a_published_digest(folder, trust):
    """It may come from another manifest."""
    name = "openpose/openpose_mobilenet_v2_small_coco.pb"
    (folder / name).write_bytes(bytes(2096019))
    lock(folder, name, trust, bytes(2096019))
    with pytest.raises(WeightsMissing, match="its sha256 is not 428a9d6e"):
        require("openpose/mobilenet")


def test_what_was_chosen_in_place_of_the_published_one_is_taken(folder):
    name = "openpose/openpose_mobilenet_v2_small_coco.pb"
    lock(folder, name, "own")
    assert require("openpose/mobilenet")[0]["trust"] == "recorded"
    (folder / name).write_bytes(b"abd")
    with pytest.raises(WeightsMissing, match="is not the file that it should be"):
        require("openpose/mobilenet")


def test_what_is_missing_is_told_with_command_address_and_licence(folder):
    with pytest.raises(WeightsMissing) as told:
        require("hr_viton")
    for said in ("there is no mtviton.pth; there is no gen.pth", str(folder / "hr_viton"), "howsfit weights pull hr_viton",
                 "docker compose run --rm weights pull hr_viton", "gen.pth from https://", "CC-BY-NC-4.0"):  # fmt: skip
        assert said in told.value.detail


def test_parts_that_are_always_needed_are_pulled_with_the_others():
    manifest = read_manifest()
    assert manifest["catvton/unet"].command() == "howsfit weights pull catvton"
    assert manifest["catvton/vitonhd-16k-512"].command() == "howsfit weights pull catvton/vitonhd-16k-512"
    assert manifest["hr_viton"].command() == "howsfit weights pull hr_viton"


def test_a_lock_file_that_is_none_is_refused(folder):
    for content in ("{", "[]", '{"files": {"a": {}}}', '{"files": 3}'):
        (folder / "weights.lock.json").write_text(content)
        with pytest.raises(WeightsMissing, match="weights.lock.json cannot be read"):
            require("graphonomy_onnx")


def test_settings_choose_among_the_models_of_an_engine():
    manifest = read_manifest()
    assert [each.key for each in sets_of("openpose", manifest, {})] == ["openpose/body_25"]
    assert [each.key for each in sets_of("openpose", manifest, {"HOWSFIT_OPENPOSE_MODEL": "coco"})] == ["openpose/coco"]
    assert [each.key for each in sets_of("leffa", manifest, {})] == ["leffa/viton_hd"]
    assert [each.key for each in sets_of("leffa", manifest, {"HOWSFIT_LEFFA_MODEL": "both"})] == [
        "leffa/viton_hd",
        "leffa/dress_code",
    ]
    assert [each.key for each in sets_of("carvekit", manifest, {"HOWSFIT_CARVEKIT_MATTING": "fba"})] == [
        "carvekit/tracer_b7", "carvekit/fba"
    ]  # fmt: skip
    assert [each.key for each in sets_of("catvton", manifest, {"HOWSFIT_CATVTON_VARIANT": "vitonhd-16k-512"})] == [
        "catvton/unet", "catvton/autoencoder", "catvton/vitonhd-16k-512"
    ]  # fmt: skip
    assert sets_of("tps", manifest, {}) == []


@pytest.mark.parametrize(
    "content",
    [
        "{",
        "[]",
        '{"a": {"title": "A"}}',
        '{"a": {"title": "A", "source": "", "licence": "", "commercial": "yes", "terms": "", "files": [{"name": "../b"}]}}',
        '{"a": {"title": "A", "source": "", "licence": "", "commercial": "maybe", "terms": "", "files": []}}',
    ],
)
def test_a_manifest_that_is_none_is_refused(content, tmp_path):
    (tmp_path / "manifest.json").write_text(content)
    with pytest.raises(ValueError, match="is no manifest of weights"):
        read_sets(str(tmp_path / "manifest.json"))
