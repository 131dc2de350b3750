"""What a gateway and its stages write into their logs: a line for each thing that an operator asks about."""

import concurrent.futures
import contextlib
import json
import re

import httpx
import pytest

from tests.gateway.small_cluster import SmallStages, ended, garment, gateway, photo, s3_settings, wait_for
from tests.gateway.test_chaos import Pair, post

pytestmark = pytest.mark.long

JSON = {"HOWSFIT_LOG_FORMAT": "json"}


def lines(log):
    """All of them: none may be anything but JSON."""
    return [json.loads(line) for line in log.read_text().splitlines()]


def about(log, job):
    return [line for line in lines(log) if line.get("job") == job]


def test_a_try_on_from_its_beginning_to_its_end(tmp_path):
    with SmallStages(tmp_path / "stages", **JSON) as stages:
        served = gateway(tmp_path, stages.addresses(), **JSON).start()
        try:
            with httpx.Client(base_url=served.url, timeout=30) as client:
                done = begin(client, 1, traceparent=f"00-{'ab' * 16}-{'cd' * 8}-01")
                ended(client, done)
                hold = stages.hold("tryon")
                resumed = begin(client, 2)
                wait_for(lambda: len(stages.runs("tryon")) == 2)
                served.kill()
                served.start()
                stages.served["tryon"].kill()
                hold.unlink()
                wait_for(lambda: any("trying again" in line["message"] for line in about(served.log, resumed)))
                stages.served["tryon"].start()
                ended(client, resumed)
                stages.served["tryon"].kill()
                failed = begin(client, 3, deadline_s="2")
                ended(client, failed)
                stages.served["tryon"].start()
                hold = stages.hold("tryon")
                client.post(f"/v1/tryons/{failed}/retry")
                wait_for(lambda: client.get(f"/v1/tryons/{failed}").json()["status"] == "processing")
                client.post(f"/v1/tryons/{failed}/cancel")
                hold.unlink()
        finally:
            served.stop()

        story = [line["message"].partition(":")[0] for line in about(served.log, done)]
        assert story == ["job begun", "job succeeded"]
        end = about(served.log, done)[-1]
        assert end["trace"] == "ab" * 16 and end["kind"] == "tryon" and end["attempt"] == 1 and 0 < end["seconds"] < 60
        assert end["logger"] == "howsfit.gateway" and end["level"] == "INFO"

        story = [line["message"].partition(" in ")[0] for line in about(served.log, resumed)]
        again = [line for line in about(served.log, resumed) if line["message"].startswith("trying again")]
        assert story[:2] == ["job begun", "job resumed"] and story[-1] == "job succeeded"
        assert set(story[2:-1]) == {"trying again"} and {line["stage"] for line in again} == {"tryon"}

        story = [line for line in about(served.log, failed) if not line["message"].startswith("trying again")]
        said = [line["message"].partition(":")[0] for line in story]
        assert said == ["job begun", "job failed", "job retried", "job begun", "job canceled"]
        assert story[1]["code"] == "deadline-exceeded" and [line["attempt"] for line in story[2:]] == [2, 2, 2]

        run = [line for line in lines(stages.served["agnostic"].log) if line.get("trace") == "ab" * 16]
        assert [(line["stage"], line["message"].partition(":")[0]) for line in run] == [("agnostic", "run")]
        assert any(line["logger"] == "uvicorn.error" for line in lines(served.log))


def begin(client, number, traceparent="", **fields):
    files = {"photo": ("Kim Minji.png", photo(number)), "garment": garment(number)}
    answer = client.post("/v1/tryons", files=files, data=fields, headers={"traceparent": traceparent})
    assert answer.status_code == 202, answer.text
    return answer.json()["id"]


def test_a_stage_that_refuses_is_named(tmp_path):
    with SmallStages(tmp_path / "stages") as stages:
        served = gateway(tmp_path, stages.addresses()).start()
        try:
            with httpx.Client(base_url=served.url, timeout=30) as client:
                stages.mark("no-weights-tryon")
                stages.served["tryon"].kill()
                stages.served["tryon"].launch()
                job = begin(client, 4)
                ended(client, job)
        finally:
            served.stop()
        (line,) = [
            line for line in served.log.read_text().splitlines() if f"job={job}" in line and " job failed" in line
        ]
        assert re.search(
            r" INFO job failed: There are no weights. Fetch them. job=\S+ kind=tryon attempt=1 stage=tryon", line
        )
        assert re.search(r" trace=[0-9a-f]{32} code=weights-missing seconds=[\d.]+$", line)


def test_a_refused_request_is_a_line_without_anything_of_the_person(tmp_path):
    key, secret = "an-admin-key-of-32-characters-00", "hft_0123456789abcdef_" + "s" * 43
    with SmallStages(tmp_path / "stages") as stages:
        served = gateway(tmp_path, stages.addresses(), HOWSFIT_ADMIN_KEY=key, **JSON).start()
        try:
            with httpx.Client(base_url=served.url, timeout=30, headers={"Authorization": f"Bearer {key}"}) as client:
                trace = {"traceparent": f"00-{'12' * 16}-{'34' * 8}-01"}
                client.get("/v1/tryons/nothing?token=querysecret", headers=trace)
                client.post("/v1/tryons", files={"photo": ("Kim Minji.png", b"bodysecret"), "garment": garment(1)})
                client.get("/v1/tryons", headers={"Authorization": f"Bearer {secret}"})
                client.get("/v1/tryons")
        finally:
            served.stop()
        refused = [line for line in lines(served.log) if line["message"] == "request refused"]
        found = [(line["method"], line["path"], line["status"], line["code"]) for line in refused]
        assert found == [
            ("GET", "/v1/tryons/nothing", 404, "not-found"),
            ("POST", "/v1/tryons", 422, "unreadable-image"),
            ("GET", "/v1/tryons", 401, "unauthorized"),
        ]
        assert refused[0]["trace"] == "12" * 16 and all(re.fullmatch("[0-9a-f]{32}", line["trace"]) for line in refused)
        for private in (key, "s" * 43, "Minji", "querysecret", "bodysecret"):
            assert private not in served.log.read_text()


def test_a_crowd_writes_no_errors_into_the_log_of_postgresql(tmp_path, pg, postgres_database, s3):
    """Stages that end at the same moment tell of it at the same moment, in two gateways; and requests are repeated."""
    settings = s3_settings(s3, "crowd") | {"HOWSFIT_DATABASE_URL": postgres_database, "HOWSFIT_MAX_RUNNING": "4"}
    before = len(pg.log())
    pairs = [Pair(n, k) for n in range(4) for k in range(4)]
    with contextlib.ExitStack() as stack:
        stages = stack.enter_context(SmallStages(tmp_path / "stages"))
        clients = []
        for name in ("one", "two"):
            served = gateway(tmp_path, stages.addresses(), name, **settings)
            stack.callback(served.stop)
            clients.append(stack.enter_context(httpx.Client(base_url=served.start().url, timeout=60)))
        threads = stack.enter_context(concurrent.futures.ThreadPoolExecutor(8))
        # Each try-on is asked for of both gateways, with the same Idempotency-Key.
        jobs = list(threads.map(post, clients * len(pairs), [pair for pair in pairs for _ in clients]))
        assert len(set(jobs)) == len(pairs)
        assert {ended(clients[0], job)["status"] for job in set(jobs)} == {"succeeded"}
    told = pg.log()[before:]
    assert [line for line in told.splitlines() if "ERROR" in line or "duplicate key" in line] == []
