"""What is tried again, and for how long."""

import asyncio
import time

import pytest

from gateway.blobs import StorageFull, StorageUnavailable
from gateway.errors import StageNonsense, StageRefused, StageUnreachable
from gateway.patience import patiently


def attempts(*outcomes):
    """A piece of work that raises, or gives, one after the other; and how often it was called."""
    left = list(outcomes)

    async def work():
        outcome = left.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    return work, left


@pytest.mark.parametrize(
    "trouble",
    [StorageUnavailable("away"), StageUnreachable("away"), StageRefused({"code": "overloaded"})],
    ids=lambda trouble: type(trouble).__name__,
)
def test_what_may_pass_is_tried_again(trouble):
    work, left = attempts(trouble, "done")
    assert asyncio.run(patiently(work, 5)) == "done" and left == []


@pytest.mark.parametrize(
    "final",
    [StorageFull("full"), StageNonsense("rubbish"), StageRefused({"code": "no-person"}), KeyError("bug")],
    ids=lambda final: type(final).__name__,
)
def test_what_will_not_pass_is_raised_at_once(final):
    work, left = attempts(final, "never")
    with pytest.raises(type(final)):
        asyncio.run(patiently(work, 5))
    assert left == ["never"]


def test_patience_ends():
    work, left = attempts(*[StorageUnavailable("away")] * 9)
    began = time.monotonic()
    with pytest.raises(StorageUnavailable):
        asyncio.run(patiently(work, 0.4))
    assert len(left) == 7 and time.monotonic() - began < 5
