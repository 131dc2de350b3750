"""Which stages the contract suite looks at.

pytest tests/contract                          the seven default engines, and a stage on Python 3.6
pytest tests/contract --url http://pose:8000   any stage, in any container; may be given several times
"""

import os
import shutil
from pathlib import Path

import httpx
import pytest

from stagekit.folders import stage_names
from tests.servers import ROOT, free_port, server

OLD_PYTHON = "Python 3.6"


def pytest_generate_tests(metafunc):
    if "target" in metafunc.fixturenames:
        targets = metafunc.config.getoption("url") or [*stage_names(), OLD_PYTHON]
        metafunc.parametrize("target", targets, indirect=True, scope="session", ids=str)


def old_python_path():
    """The Python 3.6 with FastAPI 0.83; skips where there is none."""
    python = os.environ.get("HOWSFIT_PYTHON36", str(ROOT / ".venv-py36" / "bin" / "python"))
    if shutil.which(python) is None:
        if os.environ.get("CI"):
            pytest.fail("CI must test Python 3.6: make .venv-py36")
        pytest.skip("no Python 3.6 environment: `make .venv-py36` makes it where there is a Python 3.6")
    return python


@pytest.fixture(scope="session")
def old_python(tmp_path_factory):
    """URL of a stage that runs on it."""
    python = old_python_path()
    port = free_port()
    log = tmp_path_factory.mktemp("old") / "log"
    with server(python, "-m", "tests.contract.old_python", str(port), port=port, log=Path(log)) as url:
        yield url


@pytest.fixture(scope="session")
def target(request):
    """A client of the stage under test."""
    if request.param == OLD_PYTHON:
        url = request.getfixturevalue("old_python")
    elif request.param in stage_names():
        url = f"{request.getfixturevalue('house')}/stages/{request.param}"
    else:
        url = request.param
    with httpx.Client(base_url=url, timeout=60) as client:
        yield client


@pytest.fixture
def info(target):
    return target.get("/info").json()


@pytest.fixture
def inputs(info, artifacts):
    """Valid inputs of the stage under test."""
    return {name: artifacts[name] for name in info["inputs"]}
