"""Real stores for the gateway's tests, each started once."""

import itertools
from pathlib import Path

import httpx
import pytest

from tests import stores

HERE = Path(__file__).parent
_numbers = itertools.count()


@pytest.fixture(scope="session")
def s3(tmp_path_factory):
    with stores.seaweedfs(tmp_path_factory.mktemp("seaweedfs")) as server:
        yield server


@pytest.fixture(scope="session")
def pg():
    with stores.postgres() as server:
        yield server


@pytest.fixture(scope="module")
def api(house):
    """A client of a gateway with all default engines."""
    with httpx.Client(base_url=house, timeout=120) as client:
        yield client


@pytest.fixture
def postgres_database(pg):
    """URL of an empty PostgreSQL database."""
    return pg.database(f"jobs_{next(_numbers)}")


@pytest.fixture
def sqlite_database(tmp_path):
    """URL of a SQLite database that does not exist yet."""
    return f"sqlite:///{tmp_path / 'gateway' / 'jobs.sqlite'}"


@pytest.fixture(params=["sqlite", "postgres"])
def database(request):
    """URL of an empty database, once of each kind."""
    return request.getfixturevalue(f"{request.param}_database")


def pytest_collection_modifyitems(items):
    """Tests of the gateway that start a server of their own are slow ones. (The hook is given every folder's tests.)"""
    for item in items:
        if HERE not in item.path.parents:
            continue
        parameters = getattr(item, "callspec", None)
        chosen = set(map(str, parameters.params.values())) if parameters else set()
        if {"pg", "s3"} & set(getattr(item, "fixturenames", ())) or {"postgres", "postgresql", "s3"} & chosen:
            item.add_marker(pytest.mark.slow)
