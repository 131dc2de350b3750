"""How far a stage is, told while it works: over a socket, from a gateway and small stages in this process."""

import asyncio
import contextlib
import io
import json
import threading

import numpy as np
from PIL import Image

from gateway.cluster import stages
from tests.gateway.http.test_events_api import blocks, listening_to
from tests.gateway.several_engines import in_time
from tests.gateway.small_stages import SmallEngine

STEPS = 8
STEP = threading.Semaphore(0)
"""The generator takes a step for each release."""


class Stepping(SmallEngine):
    """Its generator takes steps, and lets go of a semaphore when it stops."""

    def run(self, inputs, warn):
        if "agnostic" in inputs:
            warn.step(0, STEPS)
            for done in range(1, STEPS + 1):
                while not STEP.acquire(timeout=0.05):
                    warn.check()
                warn.step(done, STEPS, lambda: np.full((1024, 768, 3), 200, np.uint8))
        return super().run(inputs, warn)


@contextlib.asynccontextmanager
async def under_way(folder, monkeypatch, **fields):
    """As `listening_to`, with a generator that begins at its first step."""
    for pause in ("QUIET_S", "NEWS_EVERY_S", "NO_NEWS_S"):
        monkeypatch.setattr(stages, pause, 0.01)
    while STEP.acquire(blocking=False):
        pass
    async with listening_to(folder, Stepping, **fields) as there:
        try:
            yield there
        finally:
            STEP.release(1000)


async def progress_in(coming):
    """The data of the next progress event that tells of a step."""
    async for block in coming:
        if block.get("event") == "progress" and (told := json.loads(block["data"]))["done"]:
            assert "id" not in block, "events are counted without it"
            return told


def test_each_step_comes_as_an_event_and_stands_in_the_document(tmp_path, monkeypatch):
    async def scenario():
        async with under_way(tmp_path, monkeypatch) as (_, client, tryon):
            async with client.stream("GET", tryon["urls"]["events"]) as answer:
                coming = blocks(answer)
                for done in range(1, STEPS):
                    STEP.release()
                    told = await progress_in(coming)
                    assert (told["stage"], told["done"], told["of"], told["queue"]) == ("tryon", done, STEPS, None)
                    assert told["preview"] is None and told["seconds_left"] >= 0
                    assert (await client.get(tryon["urls"]["get"])).json()["progress"] == [told]
                STEP.release()
                rest = [block async for block in coming]
            document = json.loads(rest[-1]["data"])
            assert document["status"] == "succeeded" and document["progress"] == []
            again = (await client.get(tryon["urls"]["events"])).text
            assert "event: progress" not in again, "it is over"

    in_time(scenario)


def test_previews_are_shown_to_who_asked_for_them_while_the_stage_is_at_it(tmp_path, monkeypatch):
    async def scenario():
        async with under_way(tmp_path, monkeypatch, previews="true") as (_, client, tryon):
            async with client.stream("GET", tryon["urls"]["events"]) as answer:
                coming = blocks(answer)
                STEP.release(2)
                while (told := await progress_in(coming))["done"] < 2:
                    pass
                shown = await client.get(told["preview"])
                assert shown.headers["content-type"] == "image/jpeg" and shown.headers["cache-control"] == "no-store"
                assert Image.open(io.BytesIO(shown.content)).size == (288, 384)
                later = await client.get(told["preview"].replace("step=2", "step=3"))
                assert (later.status_code, later.json()["code"]) == (404, "not-found")
                STEP.release(1000)
                assert [block async for block in coming][-1]["event"] == "completed"
            assert (await client.get(told["preview"])).status_code == 404

    in_time(scenario)


def test_a_canceled_tryon_stops_the_engine_between_its_steps(tmp_path, monkeypatch):
    async def scenario():
        async with under_way(tmp_path, monkeypatch) as (here, client, tryon):
            async with client.stream("GET", tryon["urls"]["events"]) as answer:
                coming = blocks(answer)
                STEP.release()
                await progress_in(coming)
                runner = here.cluster.clients["tryon"]._http._transport.app.state.runner
                assert runner._admitted == 1
                canceled = await client.post(tryon["urls"]["cancel"])
                assert canceled.json()["progress"] == []
                async with asyncio.timeout(2):
                    while runner._admitted:
                        await asyncio.sleep(0.01)
            assert (await client.delete(tryon["urls"]["get"])).status_code == 204
            left = await asyncio.to_thread(here.tryons._durable._log.read, tryon["id"], 0)
            assert left == ([], []), "nothing of it is left"

    in_time(scenario)
