"""Each picture is hashed once on its way in, and never in the event loop, where a large one would hold up everything else."""

import asyncio
import hashlib
from collections import Counter
from types import SimpleNamespace

import httpx
import pytest

import gateway.storage.blobs.store
from gateway.app import create_app
from gateway.settings import Settings
from gateway.storage.blobs import LocalBlobs
from stagekit.app import create_app as create_stage_app
from tests.gateway.small_cluster import garment, photo
from tests.gateway.small_stages import STAGES, SmallEngine


@pytest.fixture
def counted(monkeypatch):
    """(how often the bytes of each digest were hashed, how often it was read from the storage)."""
    hashed, read = Counter(), Counter()
    read_blob = LocalBlobs._read

    def sha256(data):
        assert asyncio._get_running_loop() is None, "hashed in the event loop"
        found = hashlib.sha256(data)
        hashed["sha256:" + found.hexdigest()] += 1
        return found

    def reading(self, name):
        read["sha256:" + name] += 1
        return read_blob(self, name)

    monkeypatch.setattr(gateway.storage.blobs.store, "hashlib", SimpleNamespace(sha256=sha256))
    monkeypatch.setattr(LocalBlobs, "_read", reading)
    return hashed, read


def test_what_comes_in_is_hashed_once_and_again_only_where_it_is_read(tmp_path, counted):
    hashed, read = counted
    apps = {name: create_stage_app(stage, SmallEngine(stage)) for name, stage in STAGES.items()}
    stages = {name: f"inproc://{name}" for name in STAGES}
    app = create_app(Settings(data_dir=tmp_path, stages=stages, web_dir=tmp_path / "none"), apps)

    async def go():
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://gateway", timeout=30) as client,
        ):
            image = (await client.post("/v1/images", files={"image": photo(1)})).json()["id"]
            assert hashed == {image: 1}
            sent = {"photo": photo(2), "garment": garment(1)}
            return image, (await client.post("/v1/tryons", files=sent, headers={"Prefer": "wait=20"})).json()

    image, document = asyncio.run(go())
    assert document["status"] == "succeeded", document["error"]
    uploads = set(document["images"].values())
    assert all(hashed[digest] == 1 + read[digest] for digest in uploads)
    made = hashed.keys() - uploads - {image}
    assert not made & read.keys(), "what a stage made is handed on, not read again"
    # Where two stages made the same bytes, each hashed its own.
    assert sum(hashed[digest] for digest in made) == sum(len(stage.outputs) for stage in STAGES.values())
