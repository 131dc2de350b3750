"""What is known of jobs that are to be forgotten sooner than others, on both databases."""

import asyncio
import contextlib
from datetime import UTC, datetime, timedelta

import pytest

from gateway.errors import BadRequest
from gateway.jobs.events import Event
from gateway.jobs.job import Job
from gateway.storage.database import Database
from gateway.tryons import retention
from gateway.tryons.retention import Due, Retentions, check_retention, expires_at, results_of

NOW = datetime.now(UTC)
TRYON = {"photo": "sha256:1", "garment": "sha256:2"}
DAY_S = 86400.0


def job(state="succeeded", created_s=0.0, completed_s=0.0, **payload):
    """created_s, completed_s: so long ago."""
    made, ended = (NOW - timedelta(seconds=ago) for ago in (created_s, completed_s))
    completed = ended if state in ("succeeded", "failed") else None
    return Job("a", state, TRYON | payload, "", None, 1, None, None, made, None, completed, None)


@contextlib.asynccontextmanager
async def opened(url):
    database = Database(url)
    await database.create_tables()
    try:
        yield Retentions(database)
    finally:
        await database.close()


def test_each_is_taken_when_its_time_is_over_and_by_one_only(database):
    async def scenario():
        async with opened(database) as one, opened(database) as other:
            for number in range(30):
                await one.note(f"due {number}", 0)
            await one.note("later", 3600)
            batches = await asyncio.gather(*(each.take(10) for each in (one, other, one, other)))
            taken = [due.job_id for batch in batches for due in batch]
            assert sorted(taken) == sorted(f"due {number}" for number in range(30))
            assert not any(due.fetched for batch in batches for due in batch)
            await one.put_off("due 1", datetime.now(UTC) - timedelta(seconds=1))
            assert [due.job_id for due in await other.take(10)] == ["due 1"]
            await one.drop("due 1")
            await one.put_off("due 1", datetime.now(UTC) - timedelta(seconds=1))
            assert await other.take(10) == []

    asyncio.run(scenario())


def test_when_all_was_fetched_it_is_due_at_once_and_an_id_that_is_used_again_begins_anew(database):
    results = [{"tryon 1", "tryon_photo 1"}, {"tryon 2", "tryon_photo 2"}]

    async def scenario():
        async with opened(database) as retentions:
            await retentions.note("a", 3600)
            assert not await retentions.note_fetched("a", {"tryon 1"}, results)
            assert not await retentions.note_fetched("a", {"tryon 1"}, results), "twice the same"
            assert await retentions.take(10) == []
            assert await retentions.note_fetched("a", {"tryon_photo 2"}, results)
            (due,) = await retentions.take(10)
            assert (due.job_id, due.fetched, due.is_left_over()) == ("a", True, True)
            await retentions.put_off("a", datetime.now(UTC) - timedelta(seconds=1))
            assert await retentions.take(10) == [], "nobody puts it off any more"
            await retentions.note("a", 0)
            (due,) = await retentions.take(10)
            assert not due.fetched and not due.is_left_over() and 0 <= due.age_s < 60
            assert not await retentions.note_fetched("a", {"tryon 1"}, results), (
                "what was fetched of the other does not count"
            )
            assert await retentions.note_fetched("none", {"tryon 1"}, results[:1]), "forgotten while it was sent"
            assert [each.job_id for each in await retentions.take(10)] == ["none"], "so that nothing is left of it"

    asyncio.run(scenario())


def test_what_a_request_may_ask_for():
    for allowed in (None, 60, 600, DAY_S):
        check_retention(allowed, DAY_S)
    for refused in (59.9, DAY_S + 1, 0, -1, float("nan"), float("inf")):
        with pytest.raises(BadRequest, match="from 60 to 86400 seconds"):
            check_retention(refused, DAY_S)
    check_retention(30, 30)
    with pytest.raises(BadRequest, match="from 30 to 30 seconds"):
        check_retention(60, 30)


def test_when_the_time_of_a_job_is_over():
    assert expires_at(job("processing", 100, retention_s=60.0), DAY_S) is None
    assert expires_at(job(created_s=100), DAY_S) == NOW + timedelta(seconds=DAY_S - 100)
    assert expires_at(job(created_s=100, completed_s=10, retention_s=60.0), DAY_S) == NOW + timedelta(seconds=50)
    assert expires_at(job(created_s=100, completed_s=10, retention_s=600.0), 300) == NOW + timedelta(seconds=200), (
        "the gateway's own became shorter meanwhile"
    )


def test_only_what_was_asked_for_is_over():
    fetched, seen = Due("a", True, 5), Due("a", False, 5)
    assert fetched.is_over(job(forget="fetched"), DAY_S) and not seen.is_over(job(forget="fetched"), DAY_S)
    assert not fetched.is_over(job(), DAY_S), "a later job of the same id, which asks for nothing"
    assert not fetched.is_over(job("failed", forget="fetched"), DAY_S)
    assert seen.is_over(job(created_s=9000, completed_s=7000, retention_s=6000.0), DAY_S)
    assert not seen.is_over(job(created_s=9000, completed_s=1000, retention_s=6000.0), DAY_S)
    assert not seen.is_over(job("processing", created_s=100, retention_s=60.0), DAY_S)
    assert not seen.is_left_over() and Due("a", False, retention.ANSWERED_S + 1).is_left_over()


def test_what_is_to_be_fetched():
    assert results_of(job(), []) == [{"tryon 1", "tryon_photo 1"}]
    assert results_of(job(samples=2), []) == [{"tryon 1", "tryon_photo 1"}, {"tryon 2", "tryon_photo 2"}]
    told = [Event(1, NOW, {"outputs": {"cloth": "sha256:3", "cloth_mask": "sha256:4"}})]
    cloth = job(kind="cloth", artifacts={"category": "sha256:5"})
    assert results_of(cloth, told) == [{"cloth 1"}, {"cloth_mask 1"}], "what was sent along need not be fetched"
