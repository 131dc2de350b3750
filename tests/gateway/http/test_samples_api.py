"""Several samples of one try-on: a gateway and small stages in this process, one of whose generators has a seed."""

import io
import json

import pytest
from PIL import Image

import gateway.cluster.watch
from howsfit.client import Client
from tests.gateway.several_engines import FILES, Other, in_time, served, stage_of, start

SEEDED = {"tryon": "other"}


class FewSeeds(Other):
    name = "few"

    def option_schema(self):
        schema = super().option_schema()
        return {"seed": schema["seed"] | {"minimum": 5, "maximum": 7, "default": 6}}


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    for pause in ("POLL_S", "REPEAT_S", "WATCH_S"):
        monkeypatch.setattr(gateway.cluster.watch, pause, 0.02)


async def ran(client, document):
    """(stage, sample) of each stage that began, in order."""
    stream = (await client.get(document["urls"]["events"])).text
    told = [json.loads(line.removeprefix("data: ")) for line in stream.splitlines() if line.startswith("data: ")]
    return [(each["stage"], each.get("sample", 1)) for each in told[:-1] if each["status"] == "processing"]


async def seed_of(client, url):
    """With which seed the engine drew the picture: the value of its first row."""
    data = (await client.get(url)).content
    with Image.open(io.BytesIO(data)) as image:
        return image.getpixel((0, 0))[0]


def test_the_client_asks_for_samples_and_fetches_each(tmp_path):
    async def scenario():
        async with served(tmp_path) as http:
            client = Client(http)
            document = await client.try_on(FILES["photo"], FILES["garment"], engines=SEEDED, samples=3)
            pictures = [await client.artifact(document, "tryon", sample) for sample in (1, 2, 3)]
            assert len(set(pictures)) == 3
            with pytest.raises(IndexError):
                await client.artifact(document, "tryon", 4)

    in_time(scenario)


def test_each_sample_has_the_next_seed_and_only_the_generator_and_what_follows_it_run_for_it(tmp_path):
    async def scenario():
        async with served(tmp_path) as client:
            document = (await start(client, engines=SEEDED, samples="3")).json()
            assert document["status"] == "succeeded", document["error"]
            assert [(each["sample"], each["seed"]) for each in document["samples"]] == [(1, 0), (2, 1), (3, 2)]
            began = await ran(client, document)
            first = [stage for stage, sample in began if sample == 1]
            assert sorted(first) == ["agnostic", "cloth_mask", "paste_back", "resize", "tryon"]
            assert began[len(first) :] == [(s, n) for n in (2, 3) for s in ("tryon", "paste_back")]
            for each in document["samples"]:
                assert await seed_of(client, each["output"]["tryon"]) == each["seed"]
                assert (await client.get(each["output"]["tryon_photo"])).status_code == 200
                assert each["seconds"] > 0
            assert document["samples"][0]["output"] == document["output"], "the first one is the document's own"
            assert stage_of(document, "tryon")["options"] == {} and len(document["stages"]) == 5
            assert [len(each["warnings"]) for each in document["samples"]] == [0, 1, 0]
            assert "odd-seed" not in [warning["code"] for warning in document["warnings"]]
            picture = (await client.get(document["samples"][2]["output"]["tryon"])).content
            assert b"seed&quot;: 2" in picture[:3000] or b'{"seed": 2}' in picture[:3000], "the picture tells it too"

    in_time(scenario)


def test_they_begin_with_the_seed_that_is_asked_for_and_reuse_what_was_made(tmp_path):
    async def scenario():
        async with served(tmp_path, [Other, FewSeeds]) as client:
            one = (await start(client, engines=SEEDED, options={"tryon": {"seed": 4}})).json()
            assert one["samples"] == [], "who asks for one gets no list"
            some = (await start(client, engines=SEEDED, options={"tryon": {"seed": 3}}, samples="2")).json()
            assert [each["seed"] for each in some["samples"]] == [3, 4]
            assert await ran(client, some) == [("tryon", 1), ("paste_back", 1), ("tryon", 2), ("paste_back", 2)]
            pictures = [
                (await client.get(url)).content
                for url in (some["samples"][1]["output"]["tryon"], one["output"]["tryon"])
            ]
            assert pictures[0] == pictures[1], "made before"
            few = (await start(client, engines={"tryon": "few"}, samples="3")).json()
            assert [each["seed"] for each in few["samples"]] == [6, 7, 5], "after the highest comes the lowest"

    in_time(scenario)


def test_a_sample_that_fails_leaves_those_before_it_and_a_retry_goes_on_there(tmp_path, monkeypatch):
    async def scenario():
        async with served(tmp_path) as client:
            options = {"tryon": {"seed": 12}}
            document = (await start(client, engines=SEEDED, options=options, samples="3")).json()
            assert document["status"] == "failed" and document["error"]["code"] == "garment-not-found"
            assert [sorted(each["output"]) for each in document["samples"]] == [["tryon", "tryon_photo"], [], []]
            assert [each["seed"] for each in document["samples"]] == [12, 13, None]
            lacking = await client.get(f"{document['urls']['get']}/artifacts/tryon?sample=2")
            assert lacking.status_code == 404 and "Sample 2 of this try-on" in lacking.json()["detail"]
            monkeypatch.setattr(Other, "unlucky", ())
            monkeypatch.setattr(Other, "runs", [])
            await client.post(f"{document['urls']['get']}/retry")
            await ran(client, document)  # until it has ended
            document = (await client.get(document["urls"]["get"])).json()
            assert document["status"] == "succeeded" and Other.runs == [13, 14]
            assert [each["seed"] for each in document["samples"]] == [12, 13, 14]

    in_time(scenario)


def test_what_cannot_have_samples_is_refused_and_what_can_is_named(tmp_path):
    async def scenario():
        async with served(tmp_path, [Other, FewSeeds]) as client:
            for fields, said in (
                ({"samples": "2"}, ("Engine small has no option 'seed'", "Choose engine other or few.")),
                ({"samples": "4", "engines": {"tryon": "few"}}, ("few has 3 seeds", "no 4 samples")),
                ({"samples": "9", "engines": SEEDED}, ("samples", "8 or less")),
                ({"samples": "0"}, ("samples", "1 or more")),
            ):
                answer = await start(client, **fields)
                assert answer.status_code == 400, answer.text
                assert answer.json()["code"] in ("bad-option", "bad-request")
                assert all(word in answer.json()["detail"] for word in said), answer.text
            prepared = await start(client, "/v1/preprocess/person", {"photo": FILES["photo"]}, samples="2")
            assert prepared.status_code == 400 and "There is no field 'samples'" in prepared.json()["detail"]
            assert (await client.get("/v1/tryons")).json()["tryons"] == [], "nothing is left behind"
            assert (await start(client, samples="1")).json()["status"] == "succeeded"
        async with served(tmp_path, []) as client:
            alone = await start(client, samples="2")
            assert "No other engine is here." in alone.json()["detail"]

    in_time(scenario)


def test_how_many_is_part_of_what_makes_two_requests_the_same(tmp_path):
    async def scenario():
        async with served(tmp_path) as client:
            fields = {"engines": json.dumps(SEEDED)}
            key = {"Idempotency-Key": "samples"}
            answers = [
                await client.post("/v1/tryons", files=FILES, data=fields | {"samples": number}, headers=key)
                for number in ("2", "2", "3")
            ]
            assert [answer.status_code for answer in answers][2] == 409
            assert answers[0].json()["id"] == answers[1].json()["id"]

    in_time(scenario)
