"""A sound data set, drawn once; each test plants its trap in a copy."""

import shutil

import pytest

from howsfit.dataset.drawn import draw_set


@pytest.fixture(scope="session")
def sound_set(tmp_path_factory):
    root = tmp_path_factory.mktemp("sound")
    draw_set(root, train=1, test=2)
    return root


@pytest.fixture
def root(sound_set, tmp_path):
    return shutil.copytree(sound_set, tmp_path / "set")
