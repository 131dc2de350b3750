"""`howsfit dataset pair`, as it is called."""

import subprocess
import sys

import pytest
from typer.testing import CliRunner

from howsfit.cli import app
from tests.howsfit.dataset.aihub_tree import AiHub


@pytest.fixture
def tree(tmp_path):
    tree = AiHub(tmp_path / "tree")
    tree.item("Training", "1", (180, 60, 60))
    tree.wearer("Training", "a", "1")
    tree.wearer("Training", "b", "2")
    tree.finish()
    return tree


def call(*arguments):
    return CliRunner().invoke(app, ["dataset", "pair", *map(str, arguments)])


def test_it_tells_what_was_made_and_what_was_dropped(tree, tmp_path):
    done = call(tree.root, tmp_path / "out", "--workers", 1)
    assert done.exit_code == 0
    assert "1 pairs (1 train, 0 test)" in done.output and "AI Hub terms of use" in done.output
    assert "the picture of its garment is missing" in done.output and "not from the front" in done.output
    assert (tmp_path / "out" / "train_pairs.txt").read_text() == "00001_00.jpg 00001_00.jpg\n"


def test_a_dry_run_tells_the_same_and_writes_nothing(tree, tmp_path):
    done = call(tree.root, tmp_path / "out", "--dry-run")
    assert done.exit_code == 0 and "1 pairs (1 train, 0 test)" in done.output
    assert "the picture of its garment is missing" in done.output
    assert not (tmp_path / "out").exists()


def test_it_ends_with_1_where_no_pair_was_made_or_none_can_be(tree, tmp_path):
    command = [sys.executable, "-m", "howsfit.cli", "dataset", "pair"]
    for photo in tree.root.rglob("a_000.jpg"):
        photo.unlink()
    for source, told in ((tree.root, "No pair was made."), (tmp_path / "nowhere", "There is no folder")):
        done = subprocess.run([*command, source, tmp_path / "out"], capture_output=True, text=True, timeout=60)
        assert done.returncode == 1 and told in done.stderr and "Traceback" not in done.stderr
