"""What is tried again, and for how long."""

import asyncio
from types import SimpleNamespace

import pytest

from gateway.errors import StageNonsense, StageRefused, StageUnreachable
from gateway.storage.blobs import StorageFull, StorageUnavailable
from gateway.tryons import patience
from gateway.tryons.patience import patiently


class Clock:
    """Time that passes while somebody sleeps, and at no other time: a busy machine changes nothing."""

    now = 0.0

    async def sleep(self, seconds):
        self.now += seconds


@pytest.fixture(autouse=True)
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(patience, "time", SimpleNamespace(monotonic=lambda: clock.now))
    monkeypatch.setattr(patience, "asyncio", SimpleNamespace(sleep=clock.sleep))
    return clock


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


def refused(code, **members):
    return StageRefused({"code": code} | members)


AWAY = [StageUnreachable("gone", "away"), refused("not-ready", state="starting"), refused("not-ready")]


@pytest.mark.parametrize("trouble", AWAY, ids=["gone", "starting", "not-ready"])
def test_a_stage_that_is_started_anew_is_waited_for_as_long_as_that_may_take(trouble):
    work, left = attempts(*[trouble] * 3, "done")  # at 0, 0.25, 0.75 and 1.75 s
    assert asyncio.run(patiently(work, 0.1, start_s=5)) == "done" and left == []


def test_that_time_begins_when_the_stage_is_found_away(clock):
    async def dies_late():
        await clock.sleep(0.5)
        raise StageUnreachable("died at work", "hung-up")

    outcomes = iter([dies_late, attempts(StageUnreachable("gone"))[0], attempts("done")[0]])
    assert asyncio.run(patiently(lambda: next(outcomes)(), 0.3)) == "done"


def test_without_patience_one_attempt_is_made():
    work, left = attempts(StageUnreachable("gone", "away"), "done")
    with pytest.raises(StageUnreachable):
        asyncio.run(patiently(work, 0, start_s=60))
    assert left == ["done"]


PATIENCE_OF_ITS_OWN = [StageUnreachable("slow", "late"), StorageUnavailable("away"), refused("overloaded")]


@pytest.mark.parametrize("trouble", PATIENCE_OF_ITS_OWN, ids=["late", "store", "busy"])
def test_nothing_else_is_waited_for_so_long(trouble):
    work, left = attempts(*[trouble] * 3, "never")
    with pytest.raises(type(trouble)):
        asyncio.run(patiently(work, 0.3, start_s=60))  # at 0, 0.25 and 0.3 s
    assert left == ["never"]


@pytest.mark.parametrize(
    "problem",
    [{"code": "weights-missing", "state": "setup_failed"}, {"code": "not-ready", "state": "setup_failed"}],
    ids=lambda problem: problem["code"],
)
def test_a_stage_that_cannot_start_is_not_waited_for(problem):
    work, left = attempts(StageRefused(problem), "never")
    with pytest.raises(StageRefused):
        asyncio.run(patiently(work, 60, start_s=60))
    assert left == ["never"]


def test_a_stage_that_dies_of_the_work_each_time_is_left_in_peace():
    work, left = attempts(*[StageUnreachable("died", "hung-up")] * 9)
    with pytest.raises(StageUnreachable):
        asyncio.run(patiently(work, 60))
    assert len(left) == 9 - 4


def test_the_time_that_is_left_is_used(clock):
    """The second pause would pass the end: it is cut, and the last attempt is made just then."""
    work, left = attempts(StageUnreachable("gone"), StageUnreachable("gone"), "done")
    assert asyncio.run(patiently(work, 0.5)) == "done"
    assert left == [] and clock.now == 0.5


def test_patience_ends(clock):
    work, left = attempts(*[StorageUnavailable("away")] * 9)
    with pytest.raises(StorageUnavailable):
        asyncio.run(patiently(work, 0.4))
    assert len(left) == 6 and clock.now == 0.4


def test_who_asks_hears_what_was_wrong_with_a_stage_before_it_is_tried_again():
    heard = []

    async def again(error):
        heard.append(error)

    busy, gone = refused("overloaded"), StageUnreachable("gone", "away")
    work, left = attempts(busy, StorageUnavailable("away"), gone, "done")
    assert asyncio.run(patiently(work, 5, again=again)) == "done" and left == []
    assert heard == [busy, gone], "of a store nobody hears, nor of success"
    with pytest.raises(StageRefused):
        asyncio.run(patiently(attempts(refused("no-person"))[0], 5, again=again))
    with pytest.raises(StageUnreachable):
        asyncio.run(patiently(attempts(gone)[0], 0, again=again))
    assert len(heard) == 2, "it was not tried again"
