"""`make down` keeps everything, `make purge` says what goes and asks: with a stand-in for Docker that notes its calls."""

import os
import pty
import subprocess
import sys

import pytest

from tests.servers import ROOT

DOCKER = """#!{python}
import sys
asked = " ".join(sys.argv[1:])
with open({calls!r}, "a") as calls:
    calls.write(asked + "\\n")
if asked.endswith(" config"):
    print("name: shop\\nservices: {{}}")
elif asked.startswith("volume ls"):
    assert "project=shop" in asked
    print({volumes!r})
elif asked.startswith("system df"):
    print("shop_weights 1.9GB\\nshop_data 12MB\\nother_data 7GB")
"""
VOLUMES = "shop_weights weights\nshop_data data\nshop_old old"


@pytest.fixture
def docker(tmp_path):
    """Puts a stand-in on the path; gives a function that runs make and returns (exit code, what it says, Docker's calls)."""

    def run(*arguments, volumes=VOLUMES, answer=None):
        calls = tmp_path / "calls"
        calls.write_text("")
        program = tmp_path / "docker"
        program.write_text(DOCKER.format(python=sys.executable, calls=str(calls), volumes=volumes))
        program.chmod(0o755)
        environment = os.environ | {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
        environment.pop("YES", None)
        keyboard, terminal = pty.openpty()
        if answer is not None:
            os.write(keyboard, answer.encode())
        try:
            done = subprocess.run(
                ["make", "--no-print-directory", *arguments],
                cwd=ROOT, env=environment, capture_output=True, text=True,
                stdin=subprocess.DEVNULL if answer is None else terminal,
            )  # fmt: skip
        finally:
            os.close(terminal)
            os.close(keyboard)
        return done.returncode, done.stdout + done.stderr, calls.read_text().splitlines()

    return run


def removed(calls):
    return [call for call in calls if "--volumes" in call or "volume rm" in call]


def test_down_keeps_everything_and_leaves_no_container(docker):
    code, _, calls = docker("down")
    assert code == 0 and removed(calls) == []
    (down,) = calls
    assert down.endswith("down --remove-orphans") and "--profile *" in down
    # engines.yml is what the others extend, gpu.yml adds no container
    others = ("docker-compose.engines.yml", "docker-compose.gpu.yml")
    assert all(f"-f {path.name}" in down for path in ROOT.glob("docker-compose*.yml") if path.name not in others)


def test_purge_says_what_goes_with_its_size(docker):
    code, said, calls = docker("purge", answer="n\n")
    assert code != 0 and "Nothing was removed." in said and removed(calls) == []
    lines = [line.split() for line in said.splitlines()]
    assert [line[:2] for line in lines if line and line[0].startswith("shop_")] == [
        ["shop_weights", "1.9GB"], ["shop_data", "12MB"], ["shop_old", "?"],
    ]  # fmt: skip
    assert "other_data" not in said and "weights of research engines" in said


@pytest.mark.parametrize("way", [{"answer": "y\n"}, {"arguments": ("YES=1",)}], ids=["asked", "YES=1"])
def test_purge_removes_all_of_it_when_told_to(docker, way):
    code, said, calls = docker("purge", *way.get("arguments", ()), answer=way.get("answer"))
    assert code == 0 and "Removed." in said
    down, *rest = removed(calls)
    assert down.endswith("down --volumes --remove-orphans") and "docker-compose.shared.yml" in down
    assert {call.split()[-1] for call in rest} == {"shop_weights", "shop_data", "shop_old"}


@pytest.mark.parametrize("answer", ["\n", "no\n", None], ids=["enter", "no", "nobody there"])
def test_purge_removes_nothing_else(docker, answer):
    code, said, calls = docker("purge", answer=answer)
    assert code != 0 and removed(calls) == [] and "Nothing was removed" in said


def test_purge_of_nothing(docker):
    code, said, _ = docker("purge", "YES=1", volumes="")
    assert code == 0 and "keeps nothing" in said
