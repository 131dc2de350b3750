"""Jobs that are forgotten sooner than others: a gateway and small stages in this process."""

import asyncio
import time
from datetime import datetime

import pytest

import gateway.cluster.watch
import gateway.gateway
from gateway.tryons import retention
from tests.gateway.http.test_outfits_api import DRESSING, Dressing
from tests.gateway.several_engines import FILES, in_time, served, start
from tests.gateway.small_cluster import garment, photo

FETCHED = {"forget": "fetched"}
ASKED = {"retention_s": 600.0, "forget": "fetched"}
FOUR = [
    ("/v1/tryons", FILES, {}),
    ("/v1/preprocess/person", {"photo": FILES["photo"]}, {}),
    ("/v1/preprocess/cloth", {"garment": FILES["garment"]}, {}),
    ("/v1/comparisons", FILES, {"variants": [{}, {}]}),
]


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    for pause in ("POLL_S", "REPEAT_S", "WATCH_S"):
        monkeypatch.setattr(gateway.cluster.watch, pause, 0.02)
    monkeypatch.setattr(gateway.gateway, "DUE_EVERY_S", 0.05)


async def document_of(client, tryon_id):
    answer = await client.get(f"/v1/tryons/{tryon_id}")
    return answer.json() if answer.status_code == 200 else None


async def gone(client, tryon_id, within_s=10.0):
    async with asyncio.timeout(within_s):
        while await document_of(client, tryon_id) is not None:
            await asyncio.sleep(0.02)


def files_in(folder):
    return [path for path in (folder / "blobs").rglob("*") if path.is_file()]


@pytest.mark.parametrize(("path", "files", "fields"), FOUR)
def test_every_kind_of_request_takes_both_as_a_form_and_tells_them(tmp_path, path, files, fields):
    async def scenario():
        async with served(tmp_path) as client:
            answer = await start(client, path, files, **fields, **FETCHED, retention_s="600")
            assert answer.status_code == 200, answer.text
            made = answer.json()
            for tryon_id in [each["tryon_id"] for each in made.get("variants", [])] or [made["id"]]:
                document = await document_of(client, tryon_id)
                kept = datetime.fromisoformat(document["expires_at"]) - datetime.fromisoformat(document["completed_at"])
                assert (kept.total_seconds(), document["forget"]) == (600, "fetched")

    in_time(scenario)


def test_in_json_and_of_batches_too(tmp_path):
    async def scenario():
        async with served(tmp_path) as client:
            ids = [
                (await client.post("/v1/images", files={"image": data})).json()["id"] for data in (photo(1), garment(1))
            ]
            wait = {"Prefer": "wait=20"}
            one = await client.post("/v1/tryons", json={"photo_id": ids[0], "garment_id": ids[1]} | ASKED, headers=wait)
            batch = await client.post("/v1/batches", json={"photo_ids": ids[:1], "garment_ids": ids[1:]} | ASKED)
            assert (one.status_code, batch.status_code) == (200, 202), (one.text, batch.text)
            for tryon_id in (one.json()["id"], batch.json()["tryons"][0]["tryon_id"]):
                document = await document_of(client, tryon_id)
                assert document["forget"] == "fetched"
            refused = await client.post(
                "/v1/batches", json={"photo_ids": ids[:1], "garment_ids": ids[1:], "retention_s": 1}
            )
            assert refused.status_code == 400 and "from 60 to 86400 seconds" in refused.json()["detail"]

    in_time(scenario)


@pytest.mark.parametrize(("path", "files", "fields"), FOUR)
def test_what_the_gateway_does_not_grant_is_refused_with_its_bounds(tmp_path, path, files, fields):
    async def scenario():
        async with served(tmp_path) as client:
            for asked, said in (
                ({"retention_s": "59"}, "from 60 to 86400 seconds"),
                ({"retention_s": "86401"}, "from 60 to 86400 seconds"),
                ({"retention_s": "nan"}, "from 60 to 86400 seconds"),
                ({"retention_s": "soon"}, "must be a number"),
                ({"forget": "never"}, "must be one of: 'fetched'"),
            ):
                answer = await start(client, path, files, **fields, **asked)
                assert (answer.status_code, answer.json()["code"]) == (400, "bad-request"), answer.text
                assert said in answer.json()["detail"], answer.text
            assert (await client.get("/v1/tryons")).json()["tryons"] == [], "nothing is left behind"

    in_time(scenario)


def test_who_asks_for_neither_has_the_same_job_as_before(tmp_path):
    async def scenario():
        async with served(tmp_path) as client:
            document = (await start(client)).json()
            kept = datetime.fromisoformat(document["expires_at"]) - datetime.fromisoformat(document["created_at"])
            assert (kept.total_seconds(), document["forget"]) == (86400, None)
            app = client._transport.app
            job, _ = await app.state.gateway.tryons.get(document["id"])
            assert job.payload.keys() == {"photo", "garment", "no_store", "trace_id"}
            answer = await client.get(document["output"]["tryon"])
            assert answer.status_code == 200 and "cache-control" not in answer.headers
            assert (await client.get(document["output"]["tryon"])).status_code == 200

    in_time(scenario)


def test_its_time_begins_at_its_end_and_then_nothing_of_it_is_left(tmp_path, monkeypatch):
    monkeypatch.setattr(retention, "SHORTEST_S", 0.1)

    async def scenario():
        async with served(tmp_path) as client:
            kept = (await start(client, files={"photo": photo(2), "garment": garment(2)})).json()
            there = len(files_in(tmp_path))
            document = (await start(client, retention_s="2")).json()
            assert document["status"] == "succeeded" and len(files_in(tmp_path)) > there
            for _ in range(2):
                assert (await client.get(document["output"]["tryon"])).status_code == 200, "as often as one likes"
            await gone(client, document["id"])
            assert time.time() >= datetime.fromisoformat(document["expires_at"]).timestamp()
            async with asyncio.timeout(10):
                while len(files_in(tmp_path)) > there:
                    await asyncio.sleep(0.02)
            assert await document_of(client, kept["id"]) is not None
            anew = (await start(client)).json()
            assert not any(stage["reused"] for stage in anew["stages"]), "as by DELETE, nothing is kept for reuse"

    in_time(scenario)


def test_one_that_was_canceled_is_forgotten_too(tmp_path, monkeypatch):
    monkeypatch.setattr(retention, "SHORTEST_S", 0.1)

    async def scenario():
        async with served(tmp_path) as client:
            begun = await client.post("/v1/tryons", files=FILES, data={"retention_s": "0.5"})
            document = (await client.post(begun.json()["urls"]["cancel"])).json()
            assert document["status"] == "canceled" and document["completed_at"] and document["expires_at"]
            await gone(client, begun.json()["id"])  # what a stage still made then goes with the cache's next sweep

    in_time(scenario)


def test_it_is_forgotten_when_its_picture_was_fetched(tmp_path):
    async def scenario():
        async with served(tmp_path) as client:
            document = (await start(client, **FETCHED, reference="ada")).json()
            at = document["output"]["tryon"]
            for not_it in (f"{at}?width=300", document["artifacts"]["person"], document["urls"]["dataset"]):
                assert (await client.get(not_it)).status_code == 200
            piece = await client.get(at, headers={"Range": "bytes=0-9"})
            assert piece.status_code in (200, 206)
            await client.head(at)
            await asyncio.sleep(0.3)
            assert await document_of(client, document["id"]) is not None, "nothing of that is its picture"
            answer = await client.get(at)
            assert answer.content == piece.content and answer.headers["cache-control"] == "no-store"
            assert answer.headers["content-length"] == str(len(answer.content))
            await gone(client, document["id"])
            assert (await client.get(at)).status_code == 404
            assert files_in(tmp_path) == []
            assert (await client.delete("/v1/subjects/ada")).json()["jobs"] == 0

    in_time(scenario)


def test_in_another_format_it_is_its_picture_too(tmp_path):
    async def scenario():
        async with served(tmp_path) as client:
            document = (await start(client, **FETCHED)).json()
            answer = await client.get(document["output"]["tryon_photo"] + "?format=webp&quality=90")
            assert answer.headers["content-type"] == "image/webp"
            await gone(client, document["id"])

    in_time(scenario)


def test_of_several_samples_each_is_to_be_fetched(tmp_path):
    async def scenario():
        async with served(tmp_path) as client:
            document = (await start(client, engines={"tryon": "other"}, samples="3", **FETCHED)).json()
            samples = document["samples"]
            for number in (0, 1, 1):
                assert (await client.get(samples[number]["output"]["tryon"])).status_code == 200
            assert (await client.get(samples[0]["output"]["tryon_photo"])).status_code == 200
            await asyncio.sleep(0.3)
            assert await document_of(client, document["id"]) is not None
            assert (await client.get(samples[2]["output"]["tryon_photo"])).status_code == 200
            await gone(client, document["id"])

    in_time(scenario)


@pytest.mark.parametrize("archive", [True, False])
def test_of_preprocessing_the_archive_or_all_that_was_made(tmp_path, archive):
    async def scenario():
        async with served(tmp_path) as client:
            document = (await start(client, "/v1/preprocess/cloth", {"garment": FILES["garment"]}, **FETCHED)).json()
            assert sorted(document["output"]) == ["cloth", "cloth_mask"]
            for address in [document["urls"]["dataset"]] if archive else document["output"].values():
                assert await document_of(client, document["id"]) is not None
                assert (await client.get(address)).status_code == 200
            await gone(client, document["id"])
            assert files_in(tmp_path) == []

    in_time(scenario)


def test_of_an_outfit_what_was_made_on_the_way_is_not_its_picture(tmp_path):
    async def scenario():
        async with served(tmp_path, [], DRESSING, Dressing) as client:
            files = {"photo": photo(1), "garments.upper": garment(1), "garments.lower": garment(2)}
            document = (await start(client, files=files, **FETCHED)).json()
            assert (await client.get(document["garments"][0]["artifacts"]["tryon"])).status_code == 200
            await asyncio.sleep(0.3)
            assert await document_of(client, document["id"]) is not None
            assert (await client.get(document["output"]["tryon"])).status_code == 200
            await gone(client, document["id"])

    in_time(scenario)


def test_one_that_failed_is_kept_for_a_retry(tmp_path):
    async def scenario():
        async with served(tmp_path) as client:
            options = {"tryon": {"seed": 13}}
            document = (await start(client, engines={"tryon": "other"}, options=options, **FETCHED)).json()
            assert document["status"] == "failed"
            assert (await client.get(document["artifacts"]["person"])).status_code == 200
            await asyncio.sleep(0.3)
            assert await document_of(client, document["id"]) is not None

    in_time(scenario)


def test_the_same_key_again_is_the_same_job_until_it_is_forgotten(tmp_path):
    async def scenario():
        async with served(tmp_path) as client:

            async def ask(**data):
                headers = {"Prefer": "wait=20", "Idempotency-Key": "one"}
                return await client.post("/v1/tryons", files=FILES, data=data, headers=headers)

            first = (await ask(**FETCHED)).json()
            assert (await ask(**FETCHED)).json()["completed_at"] == first["completed_at"]
            assert (await ask()).status_code == 409, "another request"
            await client.get(first["output"]["tryon"])
            await gone(client, first["id"])
            anew = (await ask()).json()
            assert anew["id"] == first["id"] and anew["completed_at"] != first["completed_at"]
            for _ in range(2):
                assert (await client.get(anew["output"]["tryon"])).status_code == 200, "it asks for nothing"

    in_time(scenario)


def test_a_batch_and_a_comparison_outlive_their_tryons(tmp_path):
    async def scenario():
        async with served(tmp_path) as client:
            document = (await start(client, "/v1/comparisons", variants=[{}, {}], **FETCHED)).json()
            for each in document["variants"]:
                assert (await client.get(each["tryon"])).status_code == 200
            for each in document["variants"]:
                await gone(client, each["tryon_id"])
            document = (await client.get(document["urls"]["get"])).json()
            assert (document["status"], document["counts"]) == ("completed", {"deleted": 2})
            assert (await client.get(document["urls"]["sheet"])).status_code == 200

    in_time(scenario)
