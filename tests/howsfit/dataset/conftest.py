"""A gateway with light stages, and the command, each in a process of its own."""

import os
import subprocess
import sys
from collections import Counter

import pytest

from tests.gateway.small_cluster import Served
from tests.servers import ROOT


class Light(Served):
    """The gateway of light_gateway."""

    def __init__(self, folder):
        self.folder = folder
        (folder / "runs").touch()
        environment = {"SMALL_STAGES_FOLDER": str(folder), "HOWSFIT_DATA_DIR": str(folder / "data")}
        super().__init__("tests.howsfit.dataset.light_gateway:app", environment, folder / "log")

    def runs(self):
        """(stage, inputs) -> how often that began, since it was last asked."""
        lines = [line.split()[1:] for line in (self.folder / "runs").read_text().splitlines()]
        (self.folder / "runs").write_text("")
        return Counter((stage, inputs) for stage, inputs in lines)


@pytest.fixture(scope="session")
def light(tmp_path_factory):
    served = Light(tmp_path_factory.mktemp("light")).start()
    yield served
    served.stop()


@pytest.fixture(scope="session")
def howsfit():
    """Run the command; dies_in, at: as `dying` takes them. What takes longer is killed."""

    def run(*arguments, dies_in=None, at=1, wait=True, timeout=300):
        module = "tests.howsfit.dataset.dying" if dies_in else "howsfit.cli"
        environment = {name: value for name, value in os.environ.items() if name not in ("HOWSFIT_URL", "HOWSFIT_KEY")}
        environment |= {"DIES_IN": dies_in, "AT": str(at)} if dies_in else {}
        process = subprocess.Popen(
            [sys.executable, "-m", module, *map(str, arguments)],
            cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        if not wait:
            return process
        try:
            said, errors = process.communicate(timeout=timeout)
        finally:
            process.kill()  # or it would go on, and its runs be counted as others'
            process.wait()
        return subprocess.CompletedProcess(arguments, process.returncode, said, errors)

    return run
