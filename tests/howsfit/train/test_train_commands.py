"""`howsfit train` where Torch is not: its help, and what it says to do. The trainings' own tests are in tests/training."""

import importlib.util
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from howsfit.cli import app
from howsfit.train.running import environment


@pytest.mark.parametrize("command", ["condition", "generator", "demo", "export"])
def test_the_help_needs_no_torch(command):
    result = CliRunner().invoke(app, ["train", command, "--help"])
    assert result.exit_code == 0 and ("OUT" in result.output or "RUN" in result.output)


@pytest.mark.skipif(importlib.util.find_spec("accelerate") is not None, reason="this environment can train")
@pytest.mark.parametrize("arguments", [("condition", "data", "run"), ("export", "run", "out"), ("demo", "out")])
def test_without_its_environment_it_names_the_command(tmp_path, arguments):
    command = [sys.executable, "-m", "howsfit.cli", "train", *arguments]
    told = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    said = " ".join(told.stderr.split())
    assert (
        told.returncode == 1
        and "`make .venv-training/ready` makes one that has all" in said
        and "Traceback" not in said
    )
    assert not list(tmp_path.iterdir())
    with pytest.raises(ValueError, match="Training needs"):
        environment()
