"""What is told of a job before its end: only to who asked for it, in order, each at least once, and nothing after the end."""

import asyncio
import os
import signal
import subprocess
import sys
from datetime import timedelta

import pytest

from gateway.errors import IdempotencyConflict
from gateway.webhooks import delivery
from gateway.webhooks.delivery import Ended
from gateway.webhooks.news import EVENTS
from tests.gateway.receiver import verified
from tests.gateway.webhooks.house import OWNER, house
from tests.gateway.webhooks.webhook_worker import ENDED_AT
from tests.servers import ROOT, free_port


def told(receiver):
    return [message.event["type"].partition(".")[2] for message in receiver.messages]


async def until(condition):
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0.01)


def test_beginning_retries_and_end_arrive_in_order_each_once_and_signed(database, receiver, no_looks):
    async def main():
        async with house(database) as one:
            one.jobs["job-1"] = None
            await one.webhooks.expect("job-1", receiver.url, OWNER, EVENTS)
            for _ in range(2):  # as a job does that is begun again after a crash
                await one.note("job-1", "started 1", "stage_retried pose", "stage_retried parse")
            await until(lambda: len(receiver.messages) == 3)
            assert (await one.webhooks.of("job-1"))["state"] == "waiting"
            one.end("job-1")
            await one.until("job-1", "delivered")
            await one.note("job-1", "stage_retried late")
            await asyncio.sleep(0.3)
            assert told(receiver) == ["started", "stage-retried", "stage-retried", "succeeded"]
            assert len({message.id for message in receiver.messages}) == 4
            secret = one.webhooks.secret_for(OWNER)
            assert all(verified(secret, message.headers, message.body) for message in receiver.messages)
            first, second, *_ = (message.event for message in receiver.messages)
            assert (
                first["data"] == {"id": "job-1", "status": "processing", "which": "1"} and first["timestamp"][-1] == "Z"
            )
            assert second["data"]["which"] == "pose"

    asyncio.run(main())


@pytest.mark.parametrize(
    ("events", "heard"),
    [
        (("ended",), ["succeeded"]),
        (("started",), ["started"]),
        (("stage_retried", "ended"), ["stage-retried", "succeeded"]),
        (("stage_retried", "started"), ["started", "stage-retried"]),
    ],
)
def test_nothing_is_told_that_was_not_asked_for(sqlite_database, receiver, quick_looks, events, heard):
    async def main():
        async with house(sqlite_database) as one:
            one.jobs["job-1"] = None
            await one.webhooks.expect("job-1", receiver.url, OWNER, events)
            await one.note("job-1", "started", "stage_retried pose")
            one.end("job-1")
            await one.until("job-1", "delivered")
            await asyncio.sleep(0.1)
            assert told(receiver) == heard
            await one.note("without-webhook", "started")

    asyncio.run(main())


def test_who_wants_no_end_and_of_whom_there_was_no_news_is_told_nothing(sqlite_database, receiver, quick_looks):
    async def main():
        async with house(sqlite_database) as one:
            await one.webhooks.expect("job-1", receiver.url, OWNER, ("stage_retried",))
            one.end("job-1")
            await one.until("job-1", "delivered")
            asked = len(one.asked)
            await asyncio.sleep(0.1)
            assert len(one.asked) == asked and receiver.messages == []

    asyncio.run(main())


def test_what_a_message_says_is_as_it_was_when_it_happened(sqlite_database, receiver, quick_looks):
    async def main():
        async with house(sqlite_database, start=False) as one:
            one.jobs["job-1"] = None
            await one.webhooks.expect("job-1", receiver.url, OWNER, EVENTS)
            await one.webhooks.expect("batch-1", receiver.url, OWNER, ("started",))
            await one.note("job-1", "started")
            await one.note("batch-1", "started")  # which is not written down yet
            one.end("job-1")
            one.jobs["batch-1"] = None
            await one.webhooks.start()
            await one.until("job-1", "delivered")
            await until(lambda: len(receiver.messages) == 3)
            said = {m.event["data"]["id"]: m.event["data"] for m in receiver.messages if "status" in m.event["data"]}
            started = [m.event for m in receiver.messages if m.event["type"] == "tryon.started"]
            assert [e["data"]["status"] for e in started] == ["processing", "processing"] and "batch-1" in said

    asyncio.run(main())


def test_what_could_not_be_told_is_told_again_before_the_next(sqlite_database, receiver, quick_looks):
    async def main():
        async with house(sqlite_database, retries_s=(60.0,) * 5) as one:
            one.jobs["job-1"] = None
            receiver.answers = [503]
            await one.webhooks.expect("job-1", receiver.url, OWNER, EVENTS)
            await one.note("job-1", "started")
            await until(lambda: len(receiver.messages) == 1)
            await asyncio.sleep(0.2)  # it is not its time, however often the job is looked at
            found = await one.webhooks.of("job-1")
            assert (found["state"], found["last_error"]) == ("waiting", "The receiver answered 503.")
            one.end("job-1")
            found = await one.until("job-1", "delivered")
            assert (found["attempts"], found["last_error"]) == (1, None)
            assert told(receiver) == ["started", "started", "succeeded"]
            assert receiver.messages[0].id == receiver.messages[1].id
            assert receiver.messages[0].body == receiver.messages[1].body

    asyncio.run(main())


def test_by_itself_it_is_told_again_in_its_time_and_given_up_after_the_sixth_attempt(
    sqlite_database, receiver, quick_looks
):
    async def main():
        async with house(sqlite_database) as one:
            one.jobs["job-1"] = None
            receiver.answers = [500] * 6
            await one.webhooks.expect("job-1", receiver.url, OWNER, EVENTS)
            await one.note("job-1", "started")
            await until(lambda: len(receiver.messages) == 6)
            await asyncio.sleep(0.2)
            assert len(receiver.messages) == 6
            await one.note("job-1", "stage_retried pose")
            one.end("job-1")
            await one.until("job-1", "delivered")
            assert told(receiver) == ["started"] * 6 + ["stage-retried", "succeeded"]

    asyncio.run(main())


def test_a_receiver_that_cannot_take_one_gets_the_others_in_time_and_that_one_no_more(
    sqlite_database, receiver, quick_looks
):
    async def main():
        async with house(sqlite_database, retries_s=(60.0,) * 5) as one:
            one.jobs["job-1"] = None
            receiver.answers = [500, 500, 204]
            await one.webhooks.expect("job-1", receiver.url, OWNER, EVENTS)
            await one.note("job-1", "started")
            await until(lambda: len(receiver.messages) == 1)
            await one.note("job-1", "stage_retried pose")
            await until(lambda: len(receiver.messages) == 3)
            one.end("job-1")
            await one.until("job-1", "delivered")
            await asyncio.sleep(0.1)
            assert told(receiver) == ["started", "started", "stage-retried", "succeeded"]

    asyncio.run(main())


def test_a_receiver_that_was_away_hears_all_of_it_when_it_is_back(sqlite_database, receiver, quick_looks):
    async def main():
        async with house(sqlite_database, retries_s=(0.2,) * 5) as one:
            one.jobs["job-1"] = None
            await one.webhooks.expect("job-1", f"http://127.0.0.1:{free_port()}", OWNER, EVENTS)
            await one.note("job-1", "started", "stage_retried pose")
            one.end("job-1")
            await one.until("job-1", "retrying")
            await one.change("job-1", url=receiver.url)
            await one.until("job-1", "delivered")
            assert told(receiver) == ["started", "stage-retried", "succeeded"]

    asyncio.run(main())


def test_who_wants_only_the_beginning_hears_it_after_the_end_if_need_be(sqlite_database, receiver, quick_looks):
    async def main():
        async with house(sqlite_database) as one:
            one.jobs["job-1"] = None
            receiver.answers = [500] * 3
            await one.webhooks.expect("job-1", receiver.url, OWNER, ("started",))
            await one.note("job-1", "started")
            one.end("job-1")
            await one.until("job-1", "delivered")
            assert told(receiver) == ["started"] * 4

    asyncio.run(main())


def test_gone_ends_all_of_it(sqlite_database, receiver, quick_looks):
    async def main():
        async with house(sqlite_database) as one:
            one.jobs["job-1"] = None
            receiver.answers = [410]
            await one.webhooks.expect("job-1", receiver.url, OWNER, EVENTS)
            await one.note("job-1", "started", "stage_retried pose")
            await one.until("job-1", "given-up")
            one.end("job-1")
            await asyncio.sleep(0.2)
            assert len(receiver.messages) == 1

    asyncio.run(main())


def test_of_a_retried_job_the_new_beginning_is_told_and_nothing_of_the_old_one(sqlite_database, receiver, quick_looks):
    async def main():
        async with house(sqlite_database, retries_s=(60.0,) * 5) as one:
            one.jobs["job-1"] = None
            receiver.answers = [500]
            await one.webhooks.expect("job-1", receiver.url, OWNER, ("started",))
            await one.note("job-1", "started 1")
            await until(lambda: len(receiver.messages) == 1)
            await one.webhooks.expect_again("job-1")
            await one.note("job-1", "started 2")
            one.end("job-1", at=ENDED_AT + timedelta(seconds=9))
            await one.until("job-1", "delivered")
            assert [m.event["data"]["which"] for m in receiver.messages] == ["1", "2"]
            assert receiver.messages[0].id != receiver.messages[1].id

    asyncio.run(main())


def test_of_a_deleted_job_nothing_is_told(sqlite_database, receiver, quick_looks):
    async def main():
        async with house(sqlite_database, start=False) as one:
            one.jobs["job-1"] = None
            await one.webhooks.expect("job-1", receiver.url, OWNER, EVENTS)
            await one.note("job-1", "started")
            await one.webhooks.forget("job-1")
            await one.webhooks.expect("job-1", receiver.url, OWNER, EVENTS)
            await one.webhooks.start()
            one.end("job-1")
            await one.until("job-1", "delivered")
            assert told(receiver) == ["succeeded"]

    asyncio.run(main())


def test_the_same_request_with_other_events_is_another_one(sqlite_database, receiver):
    async def main():
        async with house(sqlite_database, start=False) as one:
            for _ in range(2):
                await one.webhooks.expect("job-1", receiver.url, OWNER, ("ended", "started"))
            with pytest.raises(IdempotencyConflict, match="other events"):
                await one.webhooks.expect("job-1", receiver.url, OWNER)

    asyncio.run(main())


def test_two_gateways_on_one_database_tell_each_once_and_in_order(database, receiver, quick_looks):
    async def main():
        async with house(database) as one, house(database) as other:
            receiver.answers = [0.1] * 36
            jobs = [f"job-{n}" for n in range(12)]
            for job_id in jobs:
                one.jobs[job_id] = other.jobs[job_id] = None
                await one.webhooks.expect(job_id, f"{receiver.url}/{job_id}", OWNER, EVENTS)
            for job_id in jobs:
                await one.note(job_id, "started")
                await other.note(job_id, "started", "stage_retried pose")
            for job_id in jobs:
                one.end(job_id)
                other.end(job_id)
            for job_id in jobs:
                await one.until(job_id, "delivered")
            assert len(receiver.messages) == len({message.id for message in receiver.messages}) == 36
            for job_id in jobs:
                heard = [m.event["type"].partition(".")[2] for m in receiver.messages if m.path == f"/{job_id}"]
                assert heard == ["started", "stage-retried", "succeeded"]

    asyncio.run(main())


def test_a_slow_receiver_does_not_let_the_messages_of_a_job_pass_to_another_gateway(
    sqlite_database, receiver, quick_looks, monkeypatch
):
    """Together they take longer than the lease, each of them does not."""

    async def main():
        async with (
            house(sqlite_database, lease_s=1.0) as one,
            house(sqlite_database, start=False, lease_s=1.0) as other,
        ):
            receiver.answers = [0.6] * 4
            one.jobs["job-1"] = other.jobs["job-1"] = None
            await one.webhooks.expect("job-1", receiver.url, OWNER, EVENTS)
            await one.note("job-1", "started")
            await until(lambda: receiver.messages)
            await one.note("job-1", "stage_retried a", "stage_retried b")
            for each in (one, other):
                each.jobs["job-1"] = Ended("tryon.succeeded", ENDED_AT, {})
            await other.webhooks.start()
            await one.until("job-1", "delivered")
            assert told(receiver) == ["started", "stage-retried", "stage-retried", "succeeded"]

    asyncio.run(main())


@pytest.mark.slow
def test_what_a_killed_gateway_had_noted_is_told_by_another(database, receiver):
    lease_s = 3.0

    async def main():
        async with house(database, start=False, lease_s=lease_s) as one:
            one.jobs["job-1"] = None
            receiver.answers = [204, 30.0]
            await one.webhooks.expect("job-1", receiver.url, OWNER, EVENTS)
            command = [sys.executable, "-m", "tests.gateway.webhooks.webhook_worker", database, "job-1", str(lease_s)]
            process = subprocess.Popen([*command, "started", "stage_retried a", "stage_retried b"], cwd=ROOT)
            try:
                await until(lambda: len(receiver.messages) == 2)
                await asyncio.sleep(0.5)  # it has noted the last one, too
            finally:
                os.kill(process.pid, signal.SIGKILL)
                process.wait()
            await one.webhooks.start()
            one.end("job-1")
            await one.until("job-1", "delivered")
            assert told(receiver) == ["started", "stage-retried", "stage-retried", "stage-retried", "succeeded"]
            _, second, third, *_ = receiver.messages
            assert second.id == third.id and len({message.id for message in receiver.messages}) == 4

    asyncio.run(main())


def test_news_wait_for_no_look(sqlite_database, receiver, no_looks):
    async def main():
        async with house(sqlite_database) as one:
            one.jobs["job-1"] = None
            await one.webhooks.expect("job-1", receiver.url, OWNER, EVENTS)
            await one.note("job-1", "started")
            async with asyncio.timeout(2):
                await until(lambda: receiver.messages)
            assert delivery.LOOK_S == 60.0

    asyncio.run(main())
