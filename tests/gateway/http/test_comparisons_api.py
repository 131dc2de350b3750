"""One person in one garment through several engines: a gateway and small stages in this process."""

import io
import json
import re

import pytest
from PIL import Image

import gateway.cluster.watch
from gateway.pictures.provenance import packet_in
from tests.gateway.several_engines import FILES, in_time, served, stage_of, start
from tests.gateway.small_cluster import garment

PATH = "/v1/comparisons"
OTHER = {"engines": {"tryon": "other"}}
THREE = [{}, OTHER | {"label": "씨앗 넷", "options": {"tryon": {"seed": 4}}}, OTHER]


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    for pause in ("POLL_S", "REPEAT_S", "WATCH_S"):
        monkeypatch.setattr(gateway.cluster.watch, pause, 0.02)


async def compare(client, variants=THREE, files=FILES, **fields):
    return await start(client, PATH, files, variants=variants, **fields)


async def sheet(client, document):
    answer = await client.get(document["urls"]["sheet"])
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/png")
    return answer.content, Image.open(io.BytesIO(answer.content))


def test_each_variant_is_a_tryon_and_the_table_tells_of_all(tmp_path):
    async def scenario():
        async with served(tmp_path) as client:
            answer = await compare(client)
            document = answer.json()
            assert answer.status_code == 200 and answer.headers["location"] == document["urls"]["get"]
            assert document["status"] == "completed" and document["counts"] == {"succeeded": 3}
            rows = document["variants"]
            assert [row["label"] for row in rows] == ["small", "씨앗 넷", "other"]
            assert [row["engine"] for row in rows] == ["small", "other", "other"]
            assert [row["commercial"] for row in rows] == ["yes", "no", "no"]
            assert [row["licence"] for row in rows] == ["MIT", "CC-BY-NC-4.0", "CC-BY-NC-4.0"]
            assert all(0 < row["seconds"] < row["total_seconds"] < 30 for row in rows)
            assert len({(await client.get(row["tryon"])).content for row in rows}) == 3
            tryons = [(await client.get(row["url"])).json() for row in rows]
            assert {tryon["comparison"] for tryon in tryons} == {document["id"]}
            assert [stage_of(tryon, "tryon")["options"] for tryon in tryons] == [{}, {"seed": 4}, {}]
            runs = sum(not stage_of(tryon, "resize")["reused"] for tryon in tryons)
            assert runs == 1, "what they have in common is made once"
            assert document["images"] == tryons[0]["images"]
            assert (await client.get(document["urls"]["get"])).json() == document

    in_time(scenario)


def test_what_is_said_for_all_holds_where_a_variant_says_nothing(tmp_path):
    async def scenario():
        async with served(tmp_path) as client:
            variants = [{}, {"options": {"tryon": {"seed": 9}}}, {"engines": {"tryon": "small"}, "options": {}}]
            refused = await compare(client, variants, engines=OTHER["engines"], options={"tryon": {"seed": 2}})
            assert refused.json()["detail"].startswith("Variant 3: Engine small has no option 'seed'")
            shared = {"engines": OTHER["engines"], "options": {"tryon": {"seed": 2}}}
            document = (await compare(client, variants[:2], **shared)).json()
            assert [row["label"] for row in document["variants"]] == ["other", "other, seed=9"]
            tryons = [(await client.get(row["url"])).json() for row in document["variants"]]
            assert [stage_of(tryon, "tryon")["options"] for tryon in tryons] == [{"seed": 2}, {"seed": 9}]

    in_time(scenario)


def test_the_sheet_shows_photo_garment_and_every_result(tmp_path):
    async def scenario():
        async with served(tmp_path) as client:
            document = (await compare(client)).json()
            data, picture = await sheet(client, document)
            # The small stages' pictures have one colour each: that of the photo is blue 200, of the garment blue 100.
            colours = {colour for _, colour in picture.getcolors(2**20)}
            assert {(1, 0, 200), (1, 0, 100)} <= colours
            assert picture.width > 5 * 384
            assert b"other 1" in packet_in(data) and b"small 1" in packet_in(data), "it says what composed it"

    in_time(scenario)


def test_the_sheet_speaks_the_callers_language(tmp_path):
    async def scenario():
        async with served(tmp_path) as client:
            url = (await compare(client)).json()["urls"]["sheet"]

            async def fetched(headers=None, **query):
                answer = await client.get(url, params=query, headers=headers)
                assert answer.status_code == 200 and answer.headers["vary"] == "Accept-Language", answer.text
                return answer.content

            english, korean = await fetched(), await fetched(language="ko")
            assert english != korean == await fetched({"Accept-Language": "ko-KR,ko;q=0.9,en;q=0.8"})
            assert english == await fetched({"Accept-Language": "ko"}, language="en")
            assert (await client.get(url, params={"language": "fr"})).json()["code"] == "bad-request"
            small = await client.get(url, params={"width": 640})
            assert small.headers["content-type"] == "image/jpeg" and packet_in(small.content)
            assert Image.open(io.BytesIO(small.content)).width == 640

    in_time(scenario)


def test_a_variant_that_fails_leaves_the_others_and_says_why(tmp_path):
    async def scenario():
        async with served(tmp_path) as client:
            unlucky = OTHER | {"options": {"tryon": {"seed": 13}}}
            document = (await compare(client, [{}, unlucky])).json()
            assert document["status"] == "completed" and document["counts"] == {"succeeded": 1, "failed": 1}
            failed = document["variants"][1]
            assert failed["error"]["code"] == "garment-not-found" and failed["tryon"] is None
            assert failed["label"] == "other, seed=13" and failed["engine"] == "other"
            _, picture = await sheet(client, document)
            assert (160, 20, 20) in {colour for _, colour in picture.getcolors(2**20)}, "in red"

    in_time(scenario)


def test_what_cannot_be_compared_is_refused_and_nothing_is_left_behind(tmp_path):
    async def scenario():
        async with served(tmp_path) as client:
            for variants, status, code, said in (
                ([{}, {"engines": {"tryon": "wand"}}], 400, "bad-engine", r"Variant 2: .*small, other, lacking"),
                ([OTHER, {"options": {"tryon": {"seed": 1}}}], 400, "bad-option", r"Variant 2: .*small has no option"),
                ([{"engines": {"tryon": "lacking"}}, {}], 503, "weights-missing", r"Variant 1: .*lacking\.pth"),
                ([{}], 400, "bad-request", r"'variants' must have 2 or more"),
                ([{}] * 9, 400, "bad-request", r"'variants' must have 8 at most"),
                ([{}, {"lable": "a"}], 400, "bad-request", r"did you mean 'label'"),
                ([{}, {"label": "a\n"}], 400, "bad-request", r"control characters"),
                ("two", 400, "bad-request", r"'variants' must be a list"),
            ):
                answer = await compare(client, variants)
                assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
                assert re.search(said, answer.json()["detail"]), answer.text
            alone = await compare(client, files={"photo": FILES["photo"]})
            assert alone.status_code == 400 and alone.json()["detail"].startswith("'garment' is missing")
            assert "'variants' is missing" in (await start(client, PATH)).json()["detail"]
            noncommercial = await compare(client, commercial="true")
            assert noncommercial.status_code == 422 and "Choose small" in noncommercial.json()["detail"]
            assert (await client.get("/v1/tryons")).json()["tryons"] == []

    in_time(scenario)


def test_the_same_request_again_is_the_same_comparison(tmp_path):
    async def scenario():
        async with served(tmp_path) as client:

            async def post(variants, files=FILES, **fields):
                fields |= {"variants": json.dumps(variants)}
                return await client.post(PATH, files=files, data=fields, headers={"Idempotency-Key": "spring"})

            first, again = (await post(THREE)).json(), (await post(THREE)).json()
            assert first["id"] == again["id"] and len((await client.get("/v1/tryons")).json()["tryons"]) == 3
            for other in (
                await post(THREE[1:]),
                await post(THREE, FILES | {"garment": garment(2)}),
                await post(THREE, commercial="false", engines=json.dumps({"tryon": "small"})),
            ):
                assert (other.status_code, other.json()["code"]) == (409, "conflict")

    in_time(scenario)


def test_uploaded_images_and_artifacts_of_ones_own_will_do(tmp_path):
    async def scenario():
        async with served(tmp_path) as client:
            ids = [(await client.post("/v1/images", files={"image": data})).json()["id"] for data in FILES.values()]
            wanted = {"photo_id": ids[0], "garment_id": ids[1], "variants": THREE[:2]}
            one = (await client.post(PATH, json=wanted, headers={"Prefer": "wait=20"})).json()
            assert one["counts"] == {"succeeded": 2} and list(one["images"].values()) == ids
            person = (
                await client.get((await client.get(one["variants"][0]["url"])).json()["artifacts"]["person"])
            ).content
            files = {"garment": FILES["garment"], "artifacts.person": person}
            two = (await compare(client, files=files)).json()
            assert two["counts"] == {"succeeded": 3} and two["images"].keys() == {"garment"}
            _, picture = await sheet(client, two)
            assert (1, 0, 200) in {colour for _, colour in picture.getcolors(2**20)}, "the person in the photo's place"

    in_time(scenario)


def test_it_can_be_stopped_and_forgotten(tmp_path):
    async def scenario():
        async with served(tmp_path) as client:
            document = (await compare(client)).json()
            assert (await client.post(document["urls"]["cancel"])).json() == document, "what has ended stays as it is"
            gone = document["variants"][1]
            assert (await client.delete(gone["url"])).status_code == 204
            now = (await client.get(document["urls"]["get"])).json()
            assert now["status"] == "completed" and now["counts"] == {"succeeded": 2, "deleted": 1}
            assert now["variants"][1]["label"] == "씨앗 넷" and now["variants"][1]["tryon"] is None
            await sheet(client, now)
            assert (await client.delete(document["urls"]["get"])).status_code == 204
            for url in (document["urls"]["get"], document["urls"]["sheet"], document["variants"][0]["url"]):
                assert (await client.get(url)).status_code == 404
            assert "There is no comparison 'moon'" in (await client.get(f"{PATH}/moon")).json()["detail"]

    in_time(scenario)
