"""What was done in a month, by engine: it stays when the jobs are forgotten, and counts each job once."""

import asyncio

import pytest

import gateway.cluster.watch
from gateway.storage.database import Database
from gateway.tryons.usage import Usage
from tests.gateway.several_engines import in_time, served, start


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    for pause in ("POLL_S", "REPEAT_S", "WATCH_S"):
        monkeypatch.setattr(gateway.cluster.watch, pause, 0.02)


async def used(client, **query):
    answer = await client.get("/v1/usage", params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_jobs_and_seconds_are_counted_by_engine_and_stay(tmp_path):
    async def scenario():
        async with served(tmp_path) as client:
            assert (await used(client))["owners"] == []
            first = (await start(client)).json()
            again = (await start(client, engines={"tryon": "other"})).json()
            failed = (await start(client, engines={"tryon": "other"}, options={"tryon": {"seed": 13}})).json()
            assert [each["status"] for each in (first, again, failed)] == ["succeeded", "succeeded", "failed"]
            for tryon in (first, again, failed):
                await client.delete(f"/v1/tryons/{tryon['id']}")
            (owner,) = (await used(client))["owners"]
            assert owner["owner"] == "" and owner["jobs"] == {"tryon succeeded": 2, "tryon failed": 1}
            assert owner["job_seconds"] > 0
            runs = {(each["stage"], each["engine"]): each["runs"] for each in owner["engines"]}
            assert runs["tryon", "small"] == runs["tryon", "other"] == 1, "a failed run is none"
            assert runs["cloth_mask", "small"] == 1, "reuse is none either"
            assert all(each["seconds"] > 0 for each in owner["engines"])
            assert (await used(client, month="2025-01"))["owners"] == []

    in_time(scenario)


@pytest.mark.parametrize("month", ["2026-13", "2026", "november"])
def test_what_is_no_month_is_refused(tmp_path, month):
    async def scenario():
        async with served(tmp_path) as client:
            assert (await client.get("/v1/usage", params={"month": month})).status_code == 400

    in_time(scenario)


def test_owners_see_their_own(tmp_path):
    async def scenario():
        database = Database(f"sqlite:///{tmp_path}/some.sqlite")
        await database.create_tables()
        usage = Usage(database)
        for job, owner in (("one", "shop"), ("two", "shop"), ("three", "other")):
            for _ in range(2):
                await usage.note(job, owner, "2026-11", "tryon succeeded", 2.0, [])
        (shop,) = await usage.of("2026-11", "shop")
        assert (shop.runs, shop.seconds) == (2, 4.0), "told twice, each counts once"
        assert [each.owner for each in await usage.of("2026-11", None)] == ["other", "shop"]
        await database.close()

    asyncio.run(scenario())
