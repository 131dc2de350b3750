"""A gateway whose stages are not all there: it starts, says which one lacks what, and does what does not need that one.

The gateway, its database and five small stages in this process, without a network.
"""

import asyncio
import contextlib
import time
import uuid

import httpx
import pytest

import gateway.cluster.watch
from gateway.app import create_app
from gateway.settings import Settings
from gateway.tryons.orders import Order
from stagekit.app import create_app as create_stage_app
from stagekit.errors import WeightsMissing
from tests.gateway.small_cluster import garment, photo
from tests.gateway.small_stages import STAGES, SmallEngine
from tests.servers import free_port

pytestmark = pytest.mark.slow

COMMAND = "howsfit weights pull small"
GOOD, ANOTHER = {"photo": photo(1), "garment": garment(1)}, {"photo": photo(2), "garment": garment(2)}


class Lacking(SmallEngine):
    """Needs weights, which a test can take and give."""

    name = "lacking"
    have = False

    def load(self):
        if not self.have:
            raise WeightsMissing("There is no small.pth. `howsfit weights pull small` fetches it.", COMMAND)

    def weights(self):
        return ({"file": "small.pth", "digest": "sha256:1", "licence": "MIT"},) if self.have else ()


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    for pause in ("POLL_S", "REPEAT_S", "WATCH_S"):
        monkeypatch.setattr(gateway.cluster.watch, pause, 0.02)


@contextlib.asynccontextmanager
async def served(folder, lacking="agnostic", addresses=None, **settings):
    """(client, the engine that lacks its weights, its runner)."""
    engines = {name: (Lacking if name == lacking else SmallEngine)(stage) for name, stage in STAGES.items()}
    apps = {name: create_stage_app(STAGES[name], engine) for name, engine in engines.items()}
    for app in apps.values():
        app.state.runner.look_again_s = 0.05
    stages = {name: f"inproc://{name}" for name in STAGES} | (addresses or {})
    apps = {name: app for name, app in apps.items() if stages[name].startswith("inproc:")}
    options = {"data_dir": folder, "stages": stages, "stage_retry_s": 1, "web_dir": folder / "none"} | settings
    app = create_app(Settings(**options), apps)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://gateway", timeout=30) as client,
    ):
        yield client, engines[lacking], apps.get(lacking)


async def until_told(client, name, word):
    async with asyncio.timeout(10):
        while word not in str((seen := (await client.get("/readyz")).json())["stages"][name]):
            await asyncio.sleep(0.02)
    return seen


async def start(client, path="/v1/tryons", files=GOOD, **headers):
    return await client.post(path, files=files, headers={"Prefer": "wait=20"} | headers)


def test_weights_that_are_missing_stop_only_what_needs_them_and_are_noticed_when_they_come(tmp_path):
    async def scenario():
        async with served(tmp_path) as (client, engine, _):
            told = await until_told(client, "agnostic", "weights-missing")
            assert told["status"] == "unhealthy" and COMMAND in told["detail"]
            assert told["stages"]["agnostic"]["command"] == COMMAND
            await until_told(client, "paste_back", "'ready': True")
            assert (await client.get("/livez")).status_code == 200
            stages = {stage["stage"]: stage for stage in (await client.get("/v1/stages")).json()["stages"]}
            assert stages["tryon"]["needs"] == ["agnostic", "cloth_mask"]
            assert stages["agnostic"]["problem"]["command"] == COMMAND

            refused = await start(client)
            assert refused.status_code == 503 and int(refused.headers["Retry-After"]) > 0
            problem = refused.json()
            assert (problem["code"], problem["stage"]) == ("weights-missing", "agnostic")
            assert problem["command"] == COMMAND and COMMAND in problem["detail"]
            assert (await client.get("/v1/tryons")).json()["tryons"] == [], "nothing is left behind"

            images = [(await client.post("/v1/images", files={"image": GOOD[name]})).json()["id"] for name in GOOD]
            batch = {"photo_ids": images[:1], "garment_ids": images[1:]}
            refused = await client.post("/v1/batches", json=batch)
            assert (refused.status_code, refused.json()["code"]) == (503, "weights-missing")
            assert (await start(client, "/v1/preprocess/person", {"photo": GOOD["photo"]})).status_code == 503
            made = (await start(client, "/v1/preprocess/cloth", {"garment": GOOD["garment"]})).json()
            assert made["status"] == "succeeded", made["error"]

            engine.have = True
            await until_told(client, "agnostic", "'ready': True")
            made = (await start(client)).json()
            assert made["status"] == "succeeded", made["error"]
            assert (await client.get("/readyz")).status_code == 200
            batch = (await client.post("/v1/batches", json=batch)).json()
            assert len(batch["tryons"]) == 1

    asyncio.run(scenario())


def test_what_was_made_before_is_served_when_the_weights_have_gone(tmp_path):
    async def scenario():
        async with served(tmp_path) as (client, engine, app):
            engine.have = True
            await until_told(client, "agnostic", "'ready': True")
            made = (await start(client)).json()
            assert made["status"] == "succeeded", made["error"]
            # As after a restart of that service alone.
            engine.have, app.state.runner.state = False, "setup_failed"
            app.state.runner.problem = WeightsMissing("There is no small.pth.", COMMAND)
            await until_told(client, "agnostic", "weights-missing")
            again = (await start(client)).json()
            assert again["status"] == "succeeded" and all(stage["reused"] for stage in again["stages"])
            same_person = await start(client, files=GOOD | {"garment": ANOTHER["garment"]})
            assert same_person.json()["status"] == "succeeded", "the missing stage had done its part for this person"
            for refused in (await start(client, files=ANOTHER), await start(client, **{"Cache-Control": "no-store"})):
                assert (refused.status_code, refused.json()["code"]) == (503, "weights-missing")
            assert (await client.get(made["output"]["tryon"])).status_code == 200

    asyncio.run(scenario())


def test_a_stage_that_is_away_when_the_gateway_starts(tmp_path):
    away = {"paste_back": f"http://127.0.0.1:{free_port()}"}

    async def scenario():
        async with served(tmp_path) as (client, engine, _):
            engine.have = True
            await until_told(client, "agnostic", "'ready': True")
            made = (await start(client)).json()
            assert made["status"] == "succeeded", made["error"]
        async with served(tmp_path, lacking="paste_back", addresses=away) as (client, _, _):
            await until_told(client, "paste_back", "cannot be reached")
            await until_told(client, "tryon", "'ready': True")
            assert (await client.get("/readyz")).status_code == 503
            for path, files in (("/v1/tryons", GOOD), ("/v1/preprocess/cloth", {"garment": GOOD["garment"]})):
                refused = await start(client, path, files)
                assert (refused.status_code, refused.json()["code"]) == (503, "not-ready"), path
                assert refused.json()["stage"] == "paste_back" and refused.json()["detail"]
            stages = (await client.get("/v1/stages")).json()["stages"]
            assert {stage["stage"] for stage in stages} == set(STAGES) and stages[-1]["stage"] == "paste_back"
            assert (await client.get("/debug")).status_code == 200
            document = (await client.get(f"/v1/tryons/{made['id']}")).json()
            assert document["status"] == "succeeded" and len(document["stages"]) == len(STAGES)
            assert (await client.get(document["output"]["tryon_photo"])).status_code == 200

    asyncio.run(scenario())


def test_a_job_that_was_accepted_before_waits_for_the_stage_and_then_fails_with_the_reason(tmp_path):
    away = {"paste_back": f"http://127.0.0.1:{free_port()}"}

    async def scenario():
        async with served(tmp_path, "paste_back", away, startup_timeout_s=1) as (client, _, app):
            images = {n: (await client.post("/v1/images", files={"image": GOOD[n]})).json()["id"] for n in GOOD}
            tryons, job_id = client._transport.app.state.gateway.tryons, str(uuid.uuid4())
            began = time.monotonic()
            await tryons._durable.enqueue(job_id, images | Order().payload(), kind="tryon")
            await client.get(f"/v1/tryons/{job_id}/events")
            document = (await client.get(f"/v1/tryons/{job_id}")).json()
            assert time.monotonic() - began > 1 and document["status"] == "failed"
            assert (document["error"]["code"], document["error"]["stage"]) == ("not-ready", "paste_back")

    asyncio.run(scenario())
