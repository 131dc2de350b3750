"""A try-on that is deleted while it runs leaves nothing: a gateway and small stages in this process."""

import asyncio
import io
import threading

import pytest
from PIL import Image
from sqlalchemy import select

import gateway.cluster.watch
from gateway.jobs.events import told
from gateway.storage.blobs import LocalBlobs
from gateway.storage.cache import entries
from gateway.storage.database import Database
from gateway.storage.holdings import blobs, references
from gateway.tryons.life import Tryons
from tests.gateway.several_engines import FILES, in_time, served, start
from tests.gateway.small_cluster import garment, photo
from tests.gateway.small_stages import SmallEngine

NAMED, STORED, TOLD = (
    "Holdings._enter_in_turn.<locals>.<lambda>",
    "StageCache._store.<locals>.write",
    "EventLog.tell.<locals>.tell",
)
"""What a run may be about in the database when its job is deleted."""


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    for pause in ("POLL_S", "REPEAT_S", "WATCH_S"):
        monkeypatch.setattr(gateway.cluster.watch, pause, 0.02)


class Telling(SmallEngine):
    """It tells when a first stage ran."""

    began = threading.Event()

    def run(self, inputs, warn):
        made = super().run(inputs, warn)
        self.began.set()
        return made


@pytest.fixture
def held(monkeypatch):
    """hold(owner, name, which): once a stage ran, calls of this method wait, of those arguments that `which` is true of.
    Gives (reached, let_go)."""
    Telling.began.clear()
    reached, let_go = threading.Event(), threading.Event()

    def hold(owner, name, which=lambda *arguments: True):
        method = getattr(owner, name)

        def waiting(self, *arguments):
            if Telling.began.is_set() and not let_go.is_set() and which(*arguments):
                reached.set()
                assert let_go.wait(20)
            return method(self, *arguments)

        monkeypatch.setattr(owner, name, waiting)
        return reached, let_go

    yield hold
    let_go.set()


def left_in(folder, app):
    """Files of images, and what the database says of blobs, of those who hold any, of results and of events."""

    def read(connection):
        return {table.name: connection.execute(select(table)).all() for table in (blobs, references, entries, told)}

    left = app.state.gateway.database.transact_here(read)
    left["files"] = [path for path in (folder / "blobs").rglob("*") if path.is_file()]
    return {name: rows for name, rows in left.items() if rows}


def deleted_while(tmp_path, reached, let_go):
    async def scenario():
        async with served(tmp_path, [], engine=Telling) as client:
            job = (await client.post("/v1/tryons", files=FILES)).json()
            assert await asyncio.to_thread(reached.wait, 10)
            assert (await client.delete(job["urls"]["get"])).status_code == 204
            assert (await client.get(job["urls"]["get"])).status_code == 404
            let_go.set()
            app = client._transport.app
            async with asyncio.timeout(5):
                while left_in(tmp_path, app):
                    await asyncio.sleep(0.02)
            again = (await start(client)).json()
            assert again["status"] == "succeeded" and not any(stage["reused"] for stage in again["stages"])

    in_time(scenario)


def test_while_a_file_is_written(tmp_path, held):
    deleted_while(tmp_path, *held(LocalBlobs, "_write"))


@pytest.mark.parametrize("name", [NAMED, STORED, TOLD])
def test_while_something_is_written_down(tmp_path, held, name):
    deleted_while(tmp_path, *held(Database, "transact_here", lambda work: work.__qualname__ == name))


@pytest.mark.parametrize("which", [NAMED, STORED, TOLD])
def test_its_key_may_be_used_again_at_once(tmp_path, held, which):
    """The new job is another one, whatever the old one's run is about."""
    reached, let_go = held(Database, "transact_here", lambda work: work.__qualname__ == which)

    async def scenario():
        async with served(tmp_path, [], engine=Telling) as client:
            key = {"Idempotency-Key": "again"}
            first = (await client.post("/v1/tryons", files=FILES, headers=key)).json()
            assert await asyncio.to_thread(reached.wait, 10)
            assert (await client.delete(first["urls"]["get"])).status_code == 204
            asyncio.get_running_loop().call_later(0.5, let_go.set)
            files = {"photo": photo(9), "garment": garment(9)}
            answer = await client.post("/v1/tryons", files=files, headers=key | {"Prefer": "wait=20"})
            second = answer.json()
            assert second["id"] == first["id"] and second["status"] == "succeeded", answer.text
            assert second["images"] != first["images"]
            assert [stage["reused"] for stage in second["stages"]] == [False] * len(second["stages"])
            with Image.open(io.BytesIO((await client.get(second["output"]["tryon"])).content)) as picture:
                assert picture.getpixel((0, 0)) == (9, 0, 200) and picture.getpixel((0, 1023)) == (9, 0, 100)
            assert (await client.delete(second["urls"]["get"])).status_code == 204
            async with asyncio.timeout(5):
                while left_in(tmp_path, client._transport.app):
                    await asyncio.sleep(0.02)

    in_time(scenario)


def test_what_is_stored_in_the_middle_of_the_deletion_is_forgotten_too(tmp_path, held, monkeypatch):
    reached, let_go = held(Database, "transact_here", lambda work: work.__qualname__ == STORED)
    forget = Tryons._forget

    async def late(self, tryon_id):
        let_go.set()
        stored = select(entries.c.key)
        async with asyncio.timeout(5):
            while not await self._cache._database.transact(lambda c: c.execute(stored).all()):
                await asyncio.sleep(0.01)
        await forget(self, tryon_id)

    monkeypatch.setattr(Tryons, "_forget", late)
    deleted_while(tmp_path, reached, let_go)
