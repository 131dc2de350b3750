"""A generator of many steps whose gateway cancels, deletes or dies in the middle: each part in a process of its own."""

import json
import sqlite3
import time

import httpx
import pytest

from tests.gateway.small_cluster import SmallStages, ended, garment, gateway, photo, wait_for
from tests.gateway.small_stages import STEP_S

pytestmark = pytest.mark.slow

STEPS = 400


@pytest.fixture(scope="module")
def stages(tmp_path_factory):
    with SmallStages(tmp_path_factory.mktemp("stages")) as started:
        yield started


@pytest.fixture
def served(tmp_path, stages):
    gone = gateway(tmp_path, stages.addresses())
    gone.start()
    (stages.folder / "steps").write_text("")
    steps = stages.mark("steps-tryon")
    steps.write_text(str(STEPS))
    try:
        yield gone
    finally:
        steps.unlink()
        gone.stop()


def begun(client, stages):
    """A try-on whose generator has taken some steps, and says so."""
    tryon = client.post(
        "/v1/tryons", files={"photo": photo(1), "garment": garment(1)}, data={"previews": "true"}
    ).json()
    wait_for(lambda: steps_of(stages) > 1, within_s=20)
    wait_for(lambda: progress_of(client, tryon), within_s=5)
    return tryon


def progress_of(client, tryon):
    return [told for told in client.get(tryon["urls"]["get"]).json()["progress"] if told["done"]]


def steps_of(stages):
    return len((stages.folder / "steps").read_text().splitlines())


def has_stopped(stages):
    """Within a step."""
    time.sleep(STEP_S + 0.2)
    before = steps_of(stages)
    time.sleep(3 * STEP_S)
    return steps_of(stages) == before < STEPS


def rows(folder, table):
    (database,) = (folder / "data").glob("*.sqlite")
    with sqlite3.connect(database) as connection:
        return connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]


@pytest.mark.parametrize("how", ["cancel", "delete"])
def test_canceling_or_deleting_stops_the_stages_engine_and_leaves_nothing_behind(tmp_path, stages, served, how):
    with httpx.Client(base_url=served.url, timeout=30) as client:
        tryon = begun(client, stages)
        seen = progress_of(client, tryon)[0]
        assert (seen["stage"], seen["of"]) == ("tryon", STEPS) and rows(tmp_path, "howsfit_notes") == 1
        if how == "cancel":
            client.post(tryon["urls"]["cancel"])
            assert has_stopped(stages)
        assert client.delete(tryon["urls"]["get"]).status_code == 204
        assert has_stopped(stages)
        assert rows(tmp_path, "howsfit_notes") == rows(tmp_path, "howsfit_events") == 0
        wait_for(lambda: not [path for path in (tmp_path / "data" / "blobs").rglob("*") if path.is_file()], within_s=5)
        (stages.folder / "steps-tryon").write_text("1")
        files = {"photo": photo(2), "garment": garment(2)}
        other = client.post("/v1/tryons", files=files, headers={"Prefer": "wait=20"}).json()
        assert other["status"] == "succeeded", "the stage is free"


def test_a_gateway_that_is_killed_stops_the_stage_and_goes_on_with_it_when_it_is_back(stages, served):
    with httpx.Client(base_url=served.url, timeout=30) as client:
        tryon = begun(client, stages)
        runs = len(stages.runs("tryon"))
        served.kill()
        assert has_stopped(stages)
        (stages.folder / "steps-tryon").write_text("12")
        served.start()
        with client.stream("GET", tryon["urls"]["events"]) as answer:
            told = [json.loads(line[6:]) for line in answer.iter_lines() if line.startswith("data: ")]
        assert [each["of"] for each in told if each.get("of")] and {each.get("of") for each in told} <= {None, 12}
        assert ended(client, tryon["id"])["status"] == "succeeded"
    assert len(stages.runs("tryon")) == runs + 1 and len(stages.runs("resize")) == len(stages.runs("cloth_mask"))
