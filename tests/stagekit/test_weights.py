"""Descriptions of weight files. Runs on Python 3.6 too."""

import hashlib

import pytest

import stagekit
from stagekit.weights import in_folder, in_package, weights_folder


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
    digest = "sha256:" + hashlib.sha256(b"abc").hexdigest()
    assert in_folder(str(tmp_path), "MIT", "a.onnx") == ({"file": "a.onnx", "digest": digest, "licence": "MIT"},)
