"""Jobs that survive, results that are reused, and progress as it happens: a real gateway with all default engines."""

import json
import os
import signal
import subprocess
import sys
import threading
import time

import httpx
import pytest

from tests.gateway.requests import other_photo, post
from tests.servers import ROOT, _wait_until_ready, free_port

PERSON_STAGES = {"resize", "pose", "densepose", "human_parse", "agnostic"}
GARMENTS = [(ROOT / "howsfit" / "samples" / f"garment_{name}.jpg").read_bytes() for name in ("tee", "jumper", "top")]


def reused(document):
    return {stage["stage"] for stage in document["stages"] if stage["reused"]}


def events_of(text):
    """[(id, event, data)] of a text/event-stream."""
    found = []
    for block in text.split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.splitlines() if ": " in line and not line.startswith(":"))
        if "data" in fields:
            found.append((fields.get("id"), fields["event"], json.loads(fields["data"])))
    return found


def test_a_second_garment_reuses_all_that_is_known_of_the_person(api, bundled):
    photo = other_photo(bundled, 91)
    first = post(api, photo, GARMENTS[0], prefer="wait=100").json()
    second = post(api, photo, GARMENTS[1], prefer="wait=100").json()
    assert not reused(first) & PERSON_STAGES
    assert reused(second) >= PERSON_STAGES and "tryon" not in reused(second)
    fingerprints = [{s["stage"]: s["fingerprint"] for s in document["stages"]} for document in (first, second)]
    assert fingerprints[0] == fingerprints[1]
    again = post(api, photo, GARMENTS[0], prefer="wait=100").json()
    assert len(reused(again)) == len(again["stages"]) and again["id"] != first["id"]
    pictures = [api.get(document["output"]["tryon"]).content for document in (first, again)]
    assert pictures[0] == pictures[1]


@pytest.mark.slow
def test_no_store_runs_everything_anew_and_keeps_nothing_for_others(api, bundled):
    photo = other_photo(bundled, 92)
    for _ in range(2):
        document = post(api, photo, GARMENTS[2], prefer="wait=100", cache_control="no-store").json()
        assert document["status"] == "succeeded" and not reused(document) - {"cloth_mask"}
    assert not reused(post(api, photo, GARMENTS[2], prefer="wait=100").json()) & PERSON_STAGES


@pytest.mark.slow
def test_two_jobs_that_want_the_same_at_once_run_it_once(api, bundled):
    photo = other_photo(bundled, 93)
    jobs = [post(api, photo, GARMENTS[0]).json() for _ in range(2)]
    for job in jobs:
        deadline = time.monotonic() + 60
        while (document := api.get(job["urls"]["get"]).json())["status"] != "succeeded":
            assert time.monotonic() < deadline and document["status"] != "failed", document["error"]
            time.sleep(0.1)
        job.update(document)
    ran = [{s["stage"] for s in job["stages"] if not s["reused"]} for job in jobs]
    assert ran[0] | ran[1] >= PERSON_STAGES and not ran[0] & ran[1] & PERSON_STAGES


def test_an_idempotency_key_makes_a_repeated_request_the_same_tryon(api, bundled):
    first = post(api, *bundled, idempotency_key="order 66", prefer="wait=60").json()
    second = post(api, *bundled, idempotency_key="order 66", prefer="wait=60").json()
    assert first["id"] == second["id"] and second["status"] == "succeeded"
    answer = post(api, bundled[0], GARMENTS[1], idempotency_key="order 66")
    assert answer.status_code == 409 and answer.json()["code"] == "conflict"


def test_events_tell_each_stage_and_can_be_replayed(api, bundled):
    job = post(api, other_photo(bundled, 94), GARMENTS[0]).json()
    live = events_of(api.get(job["urls"]["events"]).text)  # as it happens, until the end
    assert live[-1][1] == "completed" and live[-1][2]["status"] == "succeeded"
    told = [(data["stage"], data["status"]) for _, event, data in live if event == "stage"]
    for stage in live[-1][2]["stages"]:
        if not stage["reused"]:
            assert told.index((stage["stage"], "processing")) < told.index((stage["stage"], "succeeded"))
    assert [number for number, event, _ in live if event == "stage"] == [str(n + 1) for n in range(len(told))]
    rest = events_of(api.get(job["urls"]["events"], headers={"Last-Event-ID": "3"}).text)
    assert rest == live[3:]
    assert api.get("/v1/tryons/moon/events").status_code == 404


@pytest.mark.slow
def test_the_list_goes_back_page_by_page(api, bundled):
    ids = [post(api, *bundled, prefer="wait=60").json()["id"] for _ in range(3)]
    first = api.get("/v1/tryons", params={"limit": 2, "status": "succeeded"}).json()
    assert [tryon["id"] for tryon in first["tryons"]] == ids[:0:-1]
    second = api.get(first["next"]).json()
    assert second["tryons"][0]["id"] == ids[0]
    assert api.get("/v1/tryons", params={"before": "nonsense"}).status_code == 400
    assert api.get("/v1/tryons", params={"status": "asleep"}).status_code == 400
    assert api.get("/v1/tryons", params={"limit": 0}).status_code == 400


def test_deleting_removes_the_images_and_what_was_made_of_them(api, bundled):
    photo = other_photo(bundled, 95)
    document = post(api, photo, GARMENTS[0], prefer="wait=60").json()
    assert api.delete(document["urls"]["get"]).status_code == 204
    assert api.get(document["urls"]["get"]).status_code == 404
    assert api.get(document["artifacts"]["photo"]).status_code == 404
    assert api.delete(document["urls"]["get"]).status_code == 404
    assert not reused(post(api, photo, GARMENTS[0], prefer="wait=60").json()) & PERSON_STAGES


@pytest.mark.slow
def test_a_canceled_tryon_stops_and_can_be_run_again(api, bundled):
    crowd = [post(api, other_photo(bundled, 60 + n), GARMENTS[0]).json() for n in range(4)]
    canceled = api.post(crowd[-1]["urls"]["cancel"]).json()
    assert canceled["status"] == "canceled" and canceled["output"] is None
    assert {stage["status"] for stage in canceled["stages"]} <= {"succeeded", "skipped"}
    assert api.post(f"/v1/tryons/{crowd[-1]['id']}/retry").json()["status"] in ("queued", "processing")
    ended = events_of(api.get(crowd[-1]["urls"]["events"]).text)[-1][2]
    assert ended["status"] == "succeeded"
    assert api.post(f"/v1/tryons/{crowd[-1]['id']}/retry").status_code == 409
    assert api.post(crowd[-1]["urls"]["cancel"]).json()["status"] == "succeeded", "what has ended stays as it is"
    assert api.post("/v1/tryons/moon/cancel").status_code == 404


@pytest.mark.long
def test_a_killed_gateway_finishes_its_jobs_when_it_is_back(tmp_path, bundled):
    """SIGKILL in the middle of the work, twice."""
    port = free_port()
    command = [sys.executable, "-m", "howsfit.cli", "serve", "--port", str(port)]
    environment = os.environ | {"HOWSFIT_DATA_DIR": str(tmp_path / "data")}
    url, log = f"http://127.0.0.1:{port}", tmp_path / "log"

    def start():
        with log.open("ab") as output:
            process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=output, stderr=output)
        _wait_until_ready(url, process, log)
        return process

    process = start()
    with httpx.Client(base_url=url, timeout=120) as client:
        jobs = [post(client, other_photo(bundled, 70 + n), GARMENTS[n % 3]).json() for n in range(5)]
        for pause_s in (1.0, 1.5):
            time.sleep(pause_s)
            process.send_signal(signal.SIGKILL)
            process.wait()
            process = start()
        try:
            ended = [events_of(client.get(job["urls"]["events"]).text) for job in jobs]
            assert [events[-1][2]["status"] for events in ended] == ["succeeded"] * len(jobs)
            for events in ended:
                told = [(data["stage"], data["status"]) for _, event, data in events if event == "stage"]
                assert len(told) == len(set(told)), "nothing is told twice"
                assert client.get(events[-1][2]["output"]["tryon"]).status_code == 200
            unfinished = list((tmp_path / "data" / "blobs" / "unfinished").glob("*"))
            assert len(unfinished) <= 4, "at most what was being written when it was killed; swept later"
        finally:
            process.terminate()
            threading.Timer(20, process.kill).start()
            process.wait()
