"""Fixtures that several packages' tests share. Loaded on Python 3.6 too, where only the chassis is tested."""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def pytest_addoption(parser):
    parser.addoption("--url", action="append", default=[], help="contract suite: hold the stage at this address to it")


def pytest_terminal_summary(terminalreporter):
    """Each reason for which tests were skipped, with how many: pytest's own list has a line for every place."""
    reasons = {}
    for report in terminalreporter.stats.get("skipped", []):
        reason = report.longrepr[2].replace("Skipped: ", "", 1)
        reasons[reason] = reasons.get(reason, 0) + 1
    for reason, count in sorted(reasons.items(), key=lambda item: -item[1]):
        terminalreporter.write_line("skipped %d: %s" % (count, reason))


@pytest.fixture(scope="session")
def samples():
    """The folder of real photographs; tests that need it are skipped where it is absent."""
    folder = Path(os.environ.get("HOWSFIT_SAMPLES", str(ROOT.parent / "shared" / "samples")))
    if not folder.is_dir():
        pytest.skip("no sample photographs: set HOWSFIT_SAMPLES to their folder")
    return folder


@pytest.fixture(scope="session")
def house(tmp_path_factory):
    """URL of a gateway with all default engines, served by one process for the whole session."""
    from tests.servers import howsfit_serve

    with howsfit_serve(tmp_path_factory.mktemp("house")) as url:
        yield url


@pytest.fixture(scope="session")
def bundled():
    """The photo and the garment that come with the package."""
    folder = ROOT / "howsfit" / "samples"
    return (folder / "person.jpg").read_bytes(), (folder / "garment_tee.jpg").read_bytes()


@pytest.fixture(scope="session")
def tryon(house, bundled):
    """A finished try-on of the bundled samples: its document."""
    import httpx

    photo, garment = bundled
    files = {"photo": photo, "garment": garment}
    document = httpx.post(house + "/v1/tryons", files=files, headers={"Prefer": "wait=100"}, timeout=120).json()
    assert document["status"] == "succeeded", document["error"]
    return document


@pytest.fixture(scope="session")
def artifacts(house, tryon):
    """Every artifact of that try-on: name -> bytes."""
    import httpx

    return {name: httpx.get(house + path).content for name, path in tryon["artifacts"].items()}
