"""The walk-through in docs/datasets.md: its commands, one after the other, do what it says."""

import os
import re
import subprocess

import pytest

from tests.servers import ROOT

COMMANDS = ("mkdir ", "cp ", "cat ", ".venv/bin/")
FINDS_ERRORS = ".venv/bin/howsfit dataset check out/walk/own"


def blocks():
    """The indented ones of the section, without their indents; those that need SciPy left out."""
    section = (ROOT / "docs" / "datasets.md").read_text().partition("## A walk-through\n")[2].partition("\n## ")[0]
    for block in re.findall(r"(?:(?:^    .*)?\n)+", section, re.MULTILINE):
        if text := re.sub("^    ", "", block, flags=re.MULTILINE).strip("\n"):
            for part in text.split("\n\n") if "<<" not in text else [text]:
                if "evaluate/ready" in part:
                    return
                yield part


def shape(text):
    """A line, whatever its numbers are, as far as it is shown."""
    return re.sub(r"[\d.]+", "#", text.partition("…")[0]).strip()


@pytest.mark.long
def test_the_walk_through_can_be_followed(samples, tmp_path):
    here = tmp_path / "clone"
    here.mkdir()
    (here / ".venv").symlink_to(ROOT / ".venv")
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared" / "samples").symlink_to(samples)
    environment = os.environ | {"PYTHONPATH": str(ROOT), "COLUMNS": "200"}
    said, ran = "", 0
    for block in blocks():
        if not block.startswith(COMMANDS):
            for line in block.splitlines():
                assert shape(line) in [shape(each)[: len(shape(line))] for each in said.splitlines()], (line, said)
            said = ""
            continue
        for command in [block] if "<<" in block else block.splitlines():
            done = subprocess.run(["bash", "-ec", command], cwd=here, env=environment, capture_output=True, text=True)
            assert done.returncode == (command == FINDS_ERRORS), (command, done.stderr)
            said += done.stdout + done.stderr
            ran += 1
    made = {path.relative_to(here / "out/walk").parts[0] for path in (here / "out/walk").rglob("*.png")}
    assert ran > 12 and made >= {"set", "page", "results", "tps", "tps-fast", "hr_viton-fast"}
    assert len(list((here / "out/walk/results").glob("*.png"))) == 5
