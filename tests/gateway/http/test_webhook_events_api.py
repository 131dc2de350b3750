"""What a webhook is told of besides the end: a gateway with small stages in this process, and a real receiver."""

import asyncio
import base64

import pytest

import gateway.cluster.watch
from gateway.webhooks import delivery
from stagekit.errors import Overloaded
from tests.gateway.receiver import Receiver
from tests.gateway.several_engines import FILES, Other, in_time, served, start
from tests.gateway.small_cluster import photo
from tests.gateway.small_stages import SmallEngine

HOOKS = {
    "webhook_secret": "whsec_" + base64.b64encode(bytes(range(32))).decode(),
    "webhook_allow": "127.0.0.1",
}
ALL = "started,stage_retried,ended"


class Busy(Other):
    """Refuses its work as often as it is told to."""

    name = "busy"
    refusals = 0

    def run_with(self, chosen, inputs, warn):
        if Busy.refusals:
            Busy.refusals -= 1
            raise Overloaded("Too much to do.")
        return super().run_with(chosen, inputs, warn)


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    for pause in ("POLL_S", "REPEAT_S", "WATCH_S"):
        monkeypatch.setattr(gateway.cluster.watch, pause, 0.02)
    monkeypatch.setattr(delivery, "LOOK_S", 0.05)


@pytest.fixture
def receiver():
    with Receiver().serving() as made:
        yield made


def hooked(folder):
    return served(folder, [Busy], engine=SmallEngine, **HOOKS)


async def told(receiver, count):
    """The types of all messages, once there are so many."""
    async with asyncio.timeout(20):
        while len(receiver.messages) < count:
            await asyncio.sleep(0.02)
    await asyncio.sleep(0.3)
    return [message.event["type"] for message in receiver.messages]


def test_who_asks_for_nothing_is_told_of_the_end_alone_as_ever(tmp_path, receiver):
    async def scenario():
        async with hooked(tmp_path) as client:
            Busy.refusals = 1
            await start(client, engines={"tryon": "busy"}, webhook_url=receiver.url)
            assert await told(receiver, 1) == ["tryon.succeeded"]

    in_time(scenario)


def test_the_beginning_and_a_stage_that_is_tried_again_are_told_before_the_end(tmp_path, receiver):
    async def scenario():
        async with hooked(tmp_path) as client:
            Busy.refusals = 2
            tryon = await start(client, engines={"tryon": "busy"}, webhook_url=receiver.url, webhook_events=ALL)
            assert tryon.json()["status"] == "succeeded", tryon.text
            assert await told(receiver, 3) == ["tryon.started", "tryon.stage-retried", "tryon.succeeded"]
            started, retried, ended = (message.event["data"] for message in receiver.messages)
            assert {each["id"] for each in (started, retried, ended)} == {tryon.json()["id"]}
            assert started["status"] == retried["status"] == "processing" and started["output"] is None
            assert retried["retried"]["stage"] == "tryon" and retried["retried"]["error"]["code"] == "overloaded"
            assert "retried" not in ended | started
            assert tryon.json().keys() == started.keys(), "it is the same document"
            assert len({message.id for message in receiver.messages}) == 3

    in_time(scenario)


def test_of_several_samples_it_says_which_one(tmp_path, receiver):
    async def scenario():
        async with hooked(tmp_path) as client:
            sent = {"engines": {"tryon": "busy"}, "webhook_url": receiver.url, "webhook_events": "stage_retried"}
            await start(client, **sent)
            Busy.refusals = 1
            await start(client, samples="2", **sent)
            assert await told(receiver, 1) == ["tryon.stage-retried"]
            about = receiver.messages[0].event["data"]["retried"]
            assert (about["stage"], about["sample"], about["seed"]) == ("tryon", 2, 1)

    in_time(scenario)


def test_a_retry_by_hand_begins_anew(tmp_path, receiver):
    async def scenario():
        async with hooked(tmp_path) as client:
            sent = {"engines": {"tryon": "busy"}, "options": {"tryon": {"seed": 13}}}
            tryon = (await start(client, webhook_url=receiver.url, webhook_events="started,ended", **sent)).json()
            await told(receiver, 2)
            await client.post(f"/v1/tryons/{tryon['id']}/retry")
            assert await told(receiver, 4) == ["tryon.started", "tryon.failed"] * 2
            assert len({message.id for message in receiver.messages}) == 4

    in_time(scenario)


def test_preprocessing_tells_it_too(tmp_path, receiver):
    async def scenario():
        async with hooked(tmp_path) as client:
            files = {"photo": photo(3)}
            await start(
                client, "/v1/preprocess/person", files, webhook_url=receiver.url, webhook_events="started,ended"
            )
            assert await told(receiver, 2) == ["person.started", "person.succeeded"]

    in_time(scenario)


async def images(client):
    found = {}
    for name, data in FILES.items():
        found[name] = (await client.post("/v1/images", files={"image": data})).json()["id"]
    return found


def test_of_a_batch_the_whole_and_each_of_it_begin_once(tmp_path, receiver):
    async def scenario():
        async with hooked(tmp_path) as client:
            ids = await images(client)
            more = (await client.post("/v1/images", files={"image": photo(2)})).json()["id"]
            sent = {"photo_ids": [ids["photo"], more], "garment_ids": [ids["garment"]]}
            sent |= {"webhook_url": f"{receiver.url}/each", "completed_webhook_url": f"{receiver.url}/whole"}
            batch = (await client.post("/v1/batches", json=sent | {"webhook_events": ["started", "ended"]})).json()
            await told(receiver, 6)
            whole = [m.event for m in receiver.messages if m.path == "/whole"]
            assert [event["type"] for event in whole] == ["batch.started", "batch.completed"]
            assert {event["data"]["id"] for event in whole} == {batch["id"]}
            each = [m.event["type"] for m in receiver.messages if m.path == "/each"]
            assert sorted(each) == ["tryon.started"] * 2 + ["tryon.succeeded"] * 2

    in_time(scenario)


def test_of_a_comparison_the_beginning_alone_may_be_told(tmp_path, receiver):
    async def scenario():
        async with hooked(tmp_path) as client:
            sent = {"variants": [{}, {"engines": {"tryon": "busy"}}], "completed_webhook_url": receiver.url}
            made = await start(client, "/v1/comparisons", webhook_events="started", **sent)
            assert made.json()["status"] == "completed", made.text
            assert await told(receiver, 1) == ["comparison.started"]

    in_time(scenario)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"webhook_events": "started"}, "send 'webhook_url' with it"),
        ({"webhook_events": "begun", "webhook_url": "URL"}, "must be one of: 'started', 'stage_retried' or 'ended'"),
        ({"webhook_events": "started,", "webhook_url": "URL"}, "must be one of"),
    ],
)
def test_what_nobody_can_be_told_is_refused(tmp_path, receiver, fields, said):
    async def scenario():
        async with hooked(tmp_path) as client:
            sent = {name: value.replace("URL", receiver.url) for name, value in fields.items()}
            answer = await start(client, **sent)
            assert answer.status_code == 400 and said in answer.json()["detail"], answer.text
            assert (await client.get("/v1/tryons")).json()["tryons"] == []

    in_time(scenario)


def test_the_same_key_with_other_events_is_another_request(tmp_path, receiver):
    async def scenario():
        async with hooked(tmp_path) as client:
            key = {"Idempotency-Key": "order 66"}
            sent = {"webhook_url": receiver.url, "webhook_events": "ended,started"}
            statuses = []
            for events in ("ended,started", "started,ended", "started"):
                data = sent | {"webhook_events": events}
                statuses.append((await client.post("/v1/tryons", files=FILES, data=data, headers=key)).status_code)
            assert statuses == [202, 202, 409]
            await told(receiver, 2)

    in_time(scenario)
