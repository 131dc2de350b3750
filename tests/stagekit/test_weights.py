"""Descriptions of weight files. Runs on Python 3.6 too."""

import hashlib

import pytest

import stagekit
from stagekit.weights import in_package


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
