"""The Python of the README runs as it stands, and the files that it names are there."""

import re
import subprocess
import sys

import pytest

import gateway.storage.blobs  # noqa: F401 - brings errors of its own
from gateway.errors import GatewayError
from tests.servers import ROOT

README = (ROOT / "README.md").read_text()


@pytest.mark.parametrize("code", re.findall(r"```python\n(.*?)```", README, re.DOTALL))
def test_python_blocks_run(code):
    (ROOT / "out").mkdir(exist_ok=True)
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("page", ["README.md", *(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md"))])
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\((?!https?:)([^)#]+)[^)]*\)", (ROOT / page).read_text()):
        assert (ROOT / page).parent.joinpath(target).exists(), target


def test_every_refusal_of_the_gateway_is_listed():
    def codes(error):
        return {error.code} | {code for child in error.__subclasses__() for code in codes(child)}

    listed = set(re.findall(r"[a-z-]+", (ROOT / "docs" / "api.md").read_text()))
    assert codes(GatewayError) - {"internal-error", "stage-corrupt"} <= listed


def test_make_targets_exist():
    makefile = (ROOT / "Makefile").read_text()
    for target in set(re.findall(r"`?make ([a-z][a-z0-9-]*)", README)):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target
