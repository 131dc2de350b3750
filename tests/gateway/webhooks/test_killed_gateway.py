"""A gateway that is killed while it tells of its jobs, on PostgreSQL: real processes, and a real receiver."""

import base64
import itertools

import httpx
import pytest

from tests.gateway.small_cluster import SmallStages, ended, garment, gateway, patiently, photo, wait_for

pytestmark = pytest.mark.long
JOBS = 6


def test_nothing_is_lost_or_out_of_order_where_the_gateway_and_a_stage_are_killed(
    tmp_path, receiver, postgres_database
):
    """The generator's process dies at work, so that the jobs that wait for it try it again; the gateway dies twice, once when
    it has told of some of that, once on the way to the receiver."""
    settings = {
        "HOWSFIT_DATABASE_URL": postgres_database,
        "HOWSFIT_WEBHOOK_SECRET": "whsec_" + base64.b64encode(bytes(range(32))).decode(),
        "HOWSFIT_WEBHOOK_ALLOW": "127.0.0.1",
        "HOWSFIT_MAX_RUNNING": "3",
    }

    def heard(job):
        return [m for m in receiver.messages if m.path == f"/{job}"]

    with SmallStages(tmp_path / "stages") as stages:
        one = gateway(tmp_path, stages.addresses(), **settings).start()
        try:
            with httpx.Client(base_url=one.url, timeout=30) as client:
                held = stages.hold("tryon")
                jobs = {}
                for number in range(JOBS):
                    receiver.answers += [0.05]
                    files = {"photo": photo(number), "garment": garment(number)}
                    hook = {"webhook_url": f"{receiver.url}/{number}", "webhook_events": "started,stage_retried,ended"}
                    sent = {"files": files, "data": hook, "headers": {"Idempotency-Key": f"job {number}"}}
                    jobs[number] = patiently(client, "POST", "/v1/tryons", **sent).json()["id"]
                wait_for(lambda: stages.runs("tryon"))
                stages.served["tryon"].kill()
                wait_for(lambda: sum(m.event["type"] == "tryon.stage-retried" for m in receiver.messages) >= 1)
                one.kill()
                held.unlink()
                receiver.answers = [0.5] * 4
                before = len(receiver.messages)
                one.launch()
                wait_for(lambda: len(receiver.messages) > before)
                one.kill()
                stages.served["tryon"].start()
                one.start()
                assert {ended(client, job)["status"] for job in jobs.values()} == {"succeeded"}
                wait_for(lambda: all(heard(n) and heard(n)[-1].event["type"] == "tryon.succeeded" for n in jobs))
        finally:
            one.stop()
    retried = 0
    for number, job in jobs.items():
        assert {message.event["data"]["id"] for message in heard(number)} == {job}
        # The same message may come twice in a row, which its id tells, but nothing comes back later.
        ids = [message_id for message_id, _ in itertools.groupby(message.id for message in heard(number))]
        assert len(ids) == len(set(ids))
        names = [name for name, _ in itertools.groupby(message.event["type"] for message in heard(number))]
        names = [name.removeprefix("tryon.") for name in names]
        assert names in (["started", "succeeded"], ["started", "stage-retried", "succeeded"])
        retried += "stage-retried" in names
    assert retried >= 1, "of those that ran when the stage was killed"
