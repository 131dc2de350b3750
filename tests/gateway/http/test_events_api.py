"""The stream of events, which FastAPI writes: over a socket, from a gateway and small stages in this process."""

import asyncio
import contextlib
import json
import threading

import fastapi.routing
import httpx
import pytest
import uvicorn

import gateway.cluster.watch
from gateway.storage.blobs import StorageUnavailable
from tests.gateway.several_engines import FILES, in_time, served
from tests.gateway.small_stages import SmallEngine

RUN_ON = threading.Event()
"""Until it is set, no generator ends."""


class Held(SmallEngine):
    def run(self, inputs, warn):
        if "agnostic" in inputs:
            assert RUN_ON.wait(20)
        return super().run(inputs, warn)


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    for pause in ("POLL_S", "REPEAT_S", "WATCH_S"):
        monkeypatch.setattr(gateway.cluster.watch, pause, 0.02)
    monkeypatch.setattr(fastapi.routing, "_PING_INTERVAL", 0.05)
    RUN_ON.clear()


def listening(folder):
    """The app of a gateway, a client of it, and a try-on whose generator waits, over a socket."""
    return listening_to(folder, Held)


@contextlib.asynccontextmanager
async def listening_to(folder, engine, **fields):
    """The same with all stages of that engine. fields: of the try-on."""
    async with served(folder, generators=(), engine=engine) as inner:
        app = inner._transport.app
        server = uvicorn.Server(uvicorn.Config(app, port=0, lifespan="off", log_config=None))
        running = asyncio.create_task(server.serve())
        while not server.started:
            await asyncio.sleep(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        try:
            async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=10) as client:
                yield app.state.gateway, client, (await client.post("/v1/tryons", files=FILES, data=fields)).json()
        finally:
            RUN_ON.set()
            server.should_exit = True
            await running


async def blocks(answer):
    """Field -> value of each block of a stream, as it comes; of a comment the field has no name."""
    rest = ""
    async for text in answer.aiter_text():
        *whole, rest = (rest + text).split("\n\n")
        for block in whole:
            yield dict(line.split(": ", 1) for line in block.split("\n"))


async def until_held(coming):
    """Read until the generator has begun."""
    async for block in coming:
        if "data" in block and json.loads(block["data"]) == {"stage": "tryon", "status": "processing"}:
            return


def test_while_nothing_happens_signs_of_life_come_and_no_event_is_lost(tmp_path):
    async def scenario():
        async with listening(tmp_path) as (_, client, tryon):
            async with client.stream("GET", tryon["urls"]["events"]) as answer:
                assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
                assert answer.headers["x-accel-buffering"] == "no", "or nginx would hold it back"
                coming, told, quiet = blocks(answer), [], 0
                assert await anext(coming) == {"retry": "1000"}
                async for block in coming:
                    told += [block] if "data" in block else []
                    quiet = quiet + 1 if "" in block else 0
                    if quiet == 5:
                        RUN_ON.set()
            assert block["event"] == "completed" and json.loads(block["data"])["status"] == "succeeded"
            assert [each.get("id") for each in told] == [*map(str, range(1, len(told))), None]
            again = await client.get(tryon["urls"]["events"], headers={"Last-Event-ID": told[1]["id"]})
            assert [block async for block in blocks(again)] == [{"retry": "1000"}, *told[2:]]

    in_time(scenario)


def test_whoever_hangs_up_is_forgotten_at_once(tmp_path):
    async def scenario():
        async with listening(tmp_path) as (here, client, tryon):
            async with client.stream("GET", tryon["urls"]["events"]) as answer:
                await until_held(blocks(answer))
                assert here.tryons._durable._news
            async with asyncio.timeout(1):
                while here.tryons._durable._news:
                    await asyncio.sleep(0.01)
            assert (await client.get(tryon["urls"]["get"])).json()["status"] == "processing", "it goes on"

    in_time(scenario)


def test_the_stream_of_a_deleted_tryon_says_so_and_no_other_begins(tmp_path, monkeypatch):
    async def scenario():
        async with listening(tmp_path) as (here, client, tryon):

            async def ended_by_deletion(tryon_id, after):
                await here.tryons.delete(tryon_id)
                return
                yield

            monkeypatch.setattr(here.tryons, "events", ended_by_deletion)
            first, last = [
                block async for block in blocks(await client.get(tryon["urls"]["events"])) if "" not in block
            ]
            assert first == {"retry": "1000"} and last["event"] == "deleted"
            gone = await client.get(tryon["urls"]["events"])
            assert (gone.status_code, gone.json()["code"]) == (404, json.loads(last["data"])["code"])

    in_time(scenario)


def test_what_goes_wrong_cuts_the_stream_off_so_that_the_client_comes_back(tmp_path, monkeypatch):
    async def scenario():
        async with listening(tmp_path) as (here, client, tryon):

            async def away(tryon_id, after):
                raise StorageUnavailable("The database is away.")
                yield

            with monkeypatch.context() as patched, pytest.raises(httpx.RemoteProtocolError):
                patched.setattr(here.tryons, "events", away)
                await client.get(tryon["urls"]["events"])
            RUN_ON.set()
            assert "event: completed" in (await client.get(tryon["urls"]["events"])).text

    in_time(scenario)
