"""Many try-ons while whatever can die does: real gateways, stages, PostgreSQL and S3, each in processes of its own.

What "none twice" means here. A run of a stage that a kill interrupts is begun again: that is by design, and costs time only.
But each job ends once, each of its steps is recorded once and told once, and nothing runs again once it is recorded.
"""

import contextlib
import io
import itertools
import statistics
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import httpx
import pytest
import sqlalchemy as sa
from PIL import Image

from tests.gateway.http.test_jobs_api import events_of
from tests.gateway.small_cluster import (
    Served,
    SmallStages,
    ended,
    garment,
    gateway,
    patiently,
    photo,
    s3_settings,
    wait_for,
)
from tests.gateway.small_stages import STAGES

pytestmark = pytest.mark.long

AWAY_S = 6.0
"""How long a store is away in a restart, besides its own time: longer than the gateway's single attempts to reach it."""

RUNNING = 2
"""Jobs that each of three gateways runs at a time."""


class Pair(NamedTuple):
    """The photo and the garment of a job, by number."""

    photo: int
    garment: int

    def colours(self):
        pictures = (Image.open(io.BytesIO(data)) for data in (photo(self.photo), garment(self.garment)))
        return ["%02x%02x%02x" % picture.getpixel((0, 0)) for picture in pictures]

    def inputs(self, stage):
        """What small_stages writes of a run for this job: upper and lower colour of each picture that the stage takes."""
        p, g = self.colours()
        return {"resize": p + p, "cloth_mask": g + g, "agnostic": p + p, "tryon": f"{p}{p}-{g}{g}"}.get(
            stage, f"{p}{p}-{p}{g}"
        )


def post(client, pair):
    """Its id. The key makes a repeated request the same try-on: the first may have been accepted when the answer got lost."""
    files = {"photo": photo(pair.photo), "garment": garment(pair.garment)}
    headers = {"Idempotency-Key": f"photo {pair.photo}, garment {pair.garment}"}
    answer = patiently(client, "POST", "/v1/tryons", files=files, headers=headers)
    assert answer.status_code in (200, 202), answer.text
    return answer.json()["id"]


def rows(database, query):
    engine = sa.create_engine(database.replace("postgresql://", "postgresql+psycopg://"))
    try:
        with engine.connect() as connection:
            return connection.execute(sa.text(query)).all()
    finally:
        engine.dispose()


def test_two_hundred_jobs_survive_the_deaths_of_everything(tmp_path, pg, postgres_database, s3):
    """The gateway is killed three times, a stage five times; S3 and PostgreSQL are restarted once each."""
    pairs = [Pair(n, k) for n, k in itertools.product(range(40), range(5))]
    jobs: dict[str, Pair] = {}
    stores = s3_settings(s3, "chaos") | {"HOWSFIT_DATABASE_URL": postgres_database}
    with contextlib.ExitStack() as stack:
        stages = stack.enter_context(SmallStages(tmp_path / "stages"))
        one = gateway(tmp_path, stages.addresses(), "one", HOWSFIT_MAX_RUNNING="4", **stores).start()
        stack.callback(one.stop)
        client = stack.enter_context(httpx.Client(base_url=one.url, timeout=30))
        poster = stack.enter_context(ThreadPoolExecutor(1))
        posting = poster.submit(lambda: [jobs.update({post(client, pair): pair}) for pair in pairs])
        tryon = stages.served["tryon"]
        plan = [one, tryon, s3, tryon, one, tryon, pg, tryon, one, tryon]
        troubles = []
        for number, server in enumerate(plan):
            # Evenly over the work, the posting included: the first kill comes when some of the jobs are not yet posted.
            progress = 60 + 310 * number // len(plan)
            wait_for(lambda p=progress: len(jobs) + len({inputs for *_, inputs in stages.runs("tryon")}) >= p)
            began = time.time()
            (kill if isinstance(server, Served) else restart)(server)
            troubles.append((began, time.time()))
        posting.result()
        documents = {job: ended(client, job, within_s=120) for job in jobs}

        assert [document["error"] for document in documents.values() if document["status"] != "succeeded"] == []
        assert len(documents) == len(pairs)
        check_each_ended_once(client, postgres_database, jobs)
        check_nothing_ran_again_that_was_done(postgres_database, jobs, stages.runs(), troubles)
        check_pictures(client, documents, jobs)
        check_no_orphans(postgres_database, s3, "chaos")
        with ThreadPoolExecutor(4) as threads:
            answers = threads.map(lambda job: patiently(client, "DELETE", f"/v1/tryons/{job}"), jobs)
            assert {answer.status_code for answer in answers} == {204}
        check_nothing_is_left(postgres_database, s3, "chaos")


def test_three_gateways_share_the_load_and_take_over_from_a_killed_one(tmp_path, postgres_database, s3):
    pairs = [Pair(n, k) for n, k in itertools.product(range(18), range(5))]
    stores = s3_settings(s3, "three") | {"HOWSFIT_DATABASE_URL": postgres_database}
    with contextlib.ExitStack() as stack:
        stages = stack.enter_context(SmallStages(tmp_path / "stages"))
        gateways = {
            name: gateway(tmp_path, stages.addresses(), name, HOWSFIT_MAX_RUNNING=str(RUNNING), **stores)
            for name in ("one", "two", "three")
        }
        clients = []
        for served in gateways.values():
            stack.callback(served.stop)
            served.launch()
        for served in gateways.values():
            served.wait_until_ready()
            clients.append(stack.enter_context(httpx.Client(base_url=served.url, timeout=30)))
        with ThreadPoolExecutor(3) as threads:
            jobs = dict(zip(threads.map(post, itertools.cycle(clients), pairs), pairs, strict=True))

        wait_for(lambda: len(held_by(postgres_database, "SUCCESS")) >= len(jobs) // 2)
        wait_for(lambda: "two" in held_by(postgres_database, "PENDING").values())
        gateways["two"].kill()
        killed = time.time()
        before, held = held_by(postgres_database, "SUCCESS"), held_by(postgres_database, "PENDING")
        assert "two" in held.values(), "it died amid its work"
        documents = {job: ended(clients[0], job) for job in jobs}
        took_s = time.time() - killed

        assert [document["error"] for document in documents.values() if document["status"] != "succeeded"] == []
        by = held_by(postgres_database, "SUCCESS")
        assert set(by) == set(jobs) and all(by[job] == executor for job, executor in before.items())
        check_each_ended_once(clients[0], postgres_database, jobs)
        check_nothing_ran_again_that_was_done(postgres_database, jobs, stages.runs(), [(killed, killed + took_s)])
        check_pictures(clients[2], documents, jobs)
        check_no_orphans(postgres_database, s3, "three")

        finished_before, finished = Counter(before.values()), Counter(by.values())
        left = len(jobs) - len(before)
        each_s = statistics.mean(
            d["metrics"]["total_seconds"] for job, d in documents.items() if held.get(job) != "two"
        )
        work_s = left * each_s / (2 * RUNNING)
        print(
            f"finished before the kill {dict(finished_before)}, in all {dict(finished)}; {took_s:.1f} s after the kill"
        )
        print(f"of which the work of {left} jobs was {work_s:.1f} s, {each_s:.2f} s each, {2 * RUNNING} at a time")
        assert all(finished_before[name] >= len(before) / 6 for name in gateways), "half of a fair share at least"
        assert all(finished[name] >= len(jobs) / 6 for name in ("one", "three"))
        assert took_s < 30 + work_s


def kill(served):
    served.kill()
    served.start()


def restart(store):
    store.stop()
    time.sleep(AWAY_S)
    store.start()


def held_by(database, status):
    """Job -> gateway, of the jobs with this status."""
    query = f"SELECT workflow_uuid, executor_id FROM dbos.workflow_status WHERE status = '{status}'"
    return dict(map(tuple, rows(database, query)))


def check_each_ended_once(client, database, jobs):
    known = rows(database, "SELECT workflow_uuid, status FROM dbos.workflow_status")
    assert sorted(known) == sorted((job, "SUCCESS") for job in jobs), "one row for each, and no others"
    steps = Counter(rows(database, "SELECT workflow_uuid, function_name FROM dbos.operation_outputs"))
    assert set(steps.values()) == {1}
    for job in jobs:
        told = events_of(client.get(f"/v1/tryons/{job}/events").text)
        assert [event for _, event, _ in told].count("completed") == 1 and told[-1][1] == "completed"
        each = Counter((data["stage"], data["status"]) for _, event, data in told[:-1])
        assert set(each.values()) == {1} and {s for s, status in each if status == "succeeded"} == set(STAGES)


def check_nothing_ran_again_that_was_done(database, jobs, runs, troubles):
    query = "SELECT workflow_uuid, function_name, completed_at_epoch_ms / 1000.0 FROM dbos.operation_outputs"
    done_at: dict[tuple[str, str], float] = {}
    for job, stage, at in rows(database, query):
        if stage not in STAGES:
            continue  # a step of the gateway's own
        key = stage, jobs[job].inputs(stage)
        done_at[key] = min(float(at), done_at.get(key, float(at)))
    assert {(stage, inputs) for _, stage, inputs in runs} == set(done_at), "each of the runs was for one of the jobs"
    last: dict[tuple[str, str], float] = {}
    for at, *what in runs:
        key = tuple(what)
        assert at <= done_at[key] + 0.01, f"{key} ran again after it was recorded"
        if key in last:
            assert any(last[key] <= end and began <= at for began, end in troubles), f"{key} ran twice for no reason"
        last[key] = at
    print(f"{len(runs)} runs for {len(done_at)} results: {len(runs) - len(done_at)} interrupted and begun again")


def check_pictures(client, documents, jobs):
    for job, document in documents.items():
        picture = Image.open(io.BytesIO(client.get(document["output"]["tryon_photo"]).content)).convert("RGB")
        seen = ["%02x%02x%02x" % picture.getpixel(at) for at in ((0, 0), (0, 95))]
        assert picture.size == (72, 96) and seen == jobs[job].colours(), "no job got the picture of another"


def check_no_orphans(database, s3, bucket):
    """Each object is known, each known one is held, and each holder is there: with no help of the sweeper."""
    stored = s3.digests(bucket)
    references = rows(database, "SELECT holder, digest FROM howsfit_references")
    known = rows(database, "SELECT digest, condemned_until FROM howsfit_blobs")
    assert sorted(stored) == sorted(digest for digest, _ in known)
    assert {digest for _, digest in references} == set(stored)
    assert [digest for digest, condemned in known if condemned is not None] == []
    holders = {"job:" + job for (job,) in rows(database, "SELECT workflow_uuid FROM dbos.workflow_status")}
    holders |= {"cache:" + key for (key,) in rows(database, "SELECT key FROM howsfit_cache_entries")}
    assert {holder for holder, _ in references} == holders


def check_nothing_is_left(database, s3, bucket):
    assert s3.digests(bucket) == []
    for table in (
        "howsfit_blobs",
        "howsfit_references",
        "howsfit_cache_entries",
        "howsfit_cache_origins",
        "howsfit_events",
        "dbos.workflow_status",
        "dbos.operation_outputs",
    ):
        assert rows(database, f"SELECT count(*) FROM {table}") == [(0,)], table
