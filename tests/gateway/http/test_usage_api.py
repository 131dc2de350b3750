"""What was done in a month, by engine: it stays when the jobs are forgotten, and counts each job once."""

import asyncio

import pytest

import gateway.cluster.watch
from gateway.storage.database import Database
from gateway.tryons.usage import Usage
from tests.gateway.several_engines import FILES, in_time, served, start


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
            assert owner["job_seconds"] > 0 and owner["keys"] == []
            runs = {(each["stage"], each["engine"]): each["runs"] for each in owner["engines"]}
            assert runs["tryon", "small"] == runs["tryon", "other"] == 1, "a failed run is none"
            assert runs["cloth_mask", "small"] == 1, "reuse is none either"
            assert all(each["seconds"] > 0 for each in owner["engines"])
            assert (await used(client, month="2025-01"))["owners"] == []

    in_time(scenario)


def test_it_is_told_apart_by_the_key_that_ordered_it(tmp_path):
    async def scenario():
        async with served(tmp_path, admin_key="a-secret-that-is-long-enough-0123456789") as client:
            made = [
                (await client.post("/v1/keys", json={"owner": "shop", "name": name})).json() for name in ("web", "app")
            ]
            by = [{"Authorization": f"Bearer {each['key']}"} for each in made]
            for headers in (by[0], by[0], by[1]):
                again = headers | {"Prefer": "wait=20", "Idempotency-Key": "one"}
                for sent in (headers | {"Prefer": "wait=20"}, again):
                    assert (await client.post("/v1/tryons", files=FILES, headers=sent)).status_code in (200, 201)
            await client.post("/v1/tryons", files=FILES, headers={"Prefer": "wait=20"})
            seen = (await client.get("/v1/usage", headers=by[1])).json()["owners"]
            (shop,) = seen
            assert shop["owner"] == "shop" and shop["jobs"] == {"tryon succeeded": 4}
            keys = {each["name"]: each for each in shop["keys"]}
            assert {name: each["jobs"] for name, each in keys.items()} == {
                "web": {"tryon succeeded": 3}, "app": {"tryon succeeded": 1}
            }, "what was asked for again is the first one's"  # fmt: skip
            assert keys["web"]["id"] == made[0]["id"] and made[0]["key"] not in str(seen)
            assert keys["web"]["engines"] and sum(each["job_seconds"] for each in shop["keys"]) == shop["job_seconds"]
            owners = {each["owner"]: each for each in (await used(client))["owners"]}
            assert owners.keys() == {"", "shop"} and [each["id"] for each in owners[""]["keys"]] == ["admin"]

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
