"""Jobs with their caller's own reference: listed by it, and forgotten by it, by nobody else."""

import asyncio

import pytest

import gateway.cluster.watch
from tests.gateway.several_engines import in_time, served, start
from tests.gateway.small_cluster import garment, photo


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    for pause in ("POLL_S", "REPEAT_S", "WATCH_S"):
        monkeypatch.setattr(gateway.cluster.watch, pause, 0.02)


async def made(client, number, reference, **fields):
    files = {"photo": photo(number), "garment": garment(number)}
    return (await start(client, files=files, **({"reference": reference} if reference else {}), **fields)).json()


async def listed(client, **query):
    answer = await client.get("/v1/tryons", params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


def ids(page):
    return [tryon["id"] for tryon in page["tryons"]]


def test_jobs_are_listed_by_their_reference(tmp_path):
    async def scenario():
        async with served(tmp_path) as client:
            ada = [await made(client, number, "shopper:ada@example") for number in (1, 2, 3)]
            other, none = await made(client, 4, "shopper:bo"), await made(client, 5, None)
            assert [each["reference"] for each in (ada[0], other, none)] == ["shopper:ada@example", "shopper:bo", None]
            page = await listed(client, reference="shopper:ada@example", limit=2)
            assert ids(page) == [ada[2]["id"], ada[1]["id"]]
            rest = (await client.get(page["next"])).json()
            assert ids(rest) == [ada[0]["id"]] and rest["next"] is None
            assert ids(await listed(client, reference="shopper:bo", status="succeeded", kind="tryon")) == [other["id"]]
            assert ids(await listed(client, reference="shopper:bo", status="failed")) == []
            assert ids(await listed(client, reference="nobody")) == []

    in_time(scenario)


def test_all_of_one_shopper_is_forgotten_and_nothing_else(tmp_path):
    async def scenario():
        async with served(tmp_path) as client:
            ada = [await made(client, number, "ada") for number in (1, 2)]
            bo = await made(client, 3, "bo")
            forgotten = await client.delete("/v1/subjects/ada")
            assert (forgotten.status_code, forgotten.json()) == (200, {"reference": "ada", "jobs": 2})
            for tryon in ada:
                assert (await client.get(f"/v1/tryons/{tryon['id']}")).status_code == 404
                assert (await client.get(tryon["output"]["tryon"])).status_code == 404
            assert (await client.get(bo["output"]["tryon"])).status_code == 200
            assert (await client.delete("/v1/subjects/ada")).json()["jobs"] == 0, "twice does no harm"
            anew = await made(client, 1, "ada")
            assert not any(stage["reused"] for stage in anew["stages"] if stage["stage"] != "cloth_mask"), (
                "nothing was kept"
            )

    in_time(scenario)


def test_what_still_runs_is_stopped_and_forgotten(tmp_path):
    async def scenario():
        async with served(tmp_path) as client:
            answers = await asyncio.gather(
                *(
                    client.post(
                        "/v1/tryons",
                        files={"photo": photo(number), "garment": garment(number)},
                        data={"reference": "ada", "deadline_s": "60"},
                    )
                    for number in range(1, 5)
                )
            )
            assert {answer.status_code for answer in answers} == {202}
            assert (await client.delete("/v1/subjects/ada")).json()["jobs"] == 4
            assert ids(await listed(client)) == []

    in_time(scenario)


@pytest.mark.parametrize("reference", ["with space", "a/b", "x" * 129, "böse"])
def test_other_references_are_refused(tmp_path, reference):
    async def scenario():
        async with served(tmp_path) as client:
            answer = await start(client, reference=reference)
            assert answer.status_code in (400, 422), answer.text
            assert answer.json()["code"] in ("bad-request", "invalid-request")

    in_time(scenario)


def test_another_tenants_jobs_are_neither_found_nor_forgotten(tmp_path):
    from gateway.storage.database import Database
    from gateway.tryons.subjects import Subjects

    async def scenario():
        database = Database(f"sqlite:///{tmp_path}/some.sqlite")
        await database.create_tables()
        subjects = Subjects(database)
        await subjects.note("one", "shop", "ada")
        await subjects.note("two", "other", "ada")
        await subjects.note("two", "other", "ada")
        assert await subjects.jobs("ada", "shop") == ["one"] and await subjects.jobs("ada", "other") == ["two"]
        assert sorted(await subjects.jobs("ada", None)) == ["one", "two"]
        await subjects.forget("one")
        assert await subjects.jobs("ada", "shop") == []
        await subjects.sweep(3600)
        assert await subjects.jobs("ada", "other") == ["two"]
        await subjects.sweep(-1)
        assert await subjects.jobs("ada", "other") == []
        await database.close()

    asyncio.run(scenario())
