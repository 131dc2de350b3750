"""What the tests of webhooks share."""

import pytest

from gateway.webhooks import delivery
from tests.gateway.receiver import Receiver


@pytest.fixture
def receiver():
    with Receiver().serving() as made:
        yield made


@pytest.fixture
def quick_looks(monkeypatch):
    """A look every 20 ms instead of every second."""
    monkeypatch.setattr(delivery, "LOOK_S", 0.02)


@pytest.fixture
def no_looks(monkeypatch):
    """No look within the time of a test: only hints help."""
    monkeypatch.setattr(delivery, "LOOK_S", 60.0)
