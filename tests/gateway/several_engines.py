"""A gateway and small stages in this process, with further generators that a request may choose."""

import asyncio
import contextlib
import json

import httpx

from gateway.app import create_app
from gateway.settings import Settings
from stagekit import Engine, options
from stagekit.app import create_app as create_stage_app
from stagekit.errors import GarmentNotFound, WeightsMissing
from tests.gateway.small_cluster import garment, photo
from tests.gateway.small_stages import STAGES, SmallEngine

FILES = {"photo": photo(1), "garment": garment(1)}


class Other(SmallEngine):
    """Another generator: it needs less, has an option, and may not be used commercially."""

    name = "other"
    unlucky = (13,)
    runs: list[int] = []
    inputs = ("agnostic", "cloth")
    licence = "CC-BY-NC-4.0"
    commercial = "no"

    def option_schema(self):
        return {"seed": options.integer("Of the noise.", 0, 0, 99)}

    def run_with(self, chosen, inputs, warn):
        self.runs.append(chosen["seed"])
        if chosen["seed"] in self.unlucky:
            raise GarmentNotFound("This seed finds no garment. Choose another one.")
        if chosen["seed"] % 2:
            warn("odd-seed", "The seed is odd.")
        picture = inputs["cloth"].copy()
        picture[0] = chosen["seed"]
        return {"tryon": picture}

    run = Engine.run


class Lacking(SmallEngine):
    name = "lacking"

    def load(self):
        raise WeightsMissing("There is no lacking.pth.", "howsfit weights pull lacking")


@contextlib.asynccontextmanager
async def served(folder, generators=(Other, Lacking), stages=STAGES, engine=SmallEngine, **more):
    """A client of the gateway, once it is ready. generators: beside its own one, which is an `engine` as all stages have.
    more: settings; with an admin_key the client sends that."""
    apps = {name: create_stage_app(stage, engine(stage)) for name, stage in stages.items()}
    others = {other.name: create_stage_app(stages["tryon"], other(stages["tryon"])) for other in generators}
    settings = Settings(
        data_dir=folder,
        stages={name: f"inproc://{name}" for name in stages},
        engines={"tryon": {name: f"inproc://tryon.{name}" for name in others}},
        web_dir=folder / "none",
        **more,
    )
    app = create_app(settings, apps | {f"tryon.{name}": other for name, other in others.items()})
    transport = httpx.ASGITransport(app=app)
    headers = {"Authorization": f"Bearer {more['admin_key']}"} if "admin_key" in more else {}
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://gateway", timeout=30, headers=headers) as client,
    ):
        async with asyncio.timeout(20):
            while (await client.get("/readyz")).status_code != 200 or len(await listed(client, "tryon")) <= len(
                generators
            ):
                await asyncio.sleep(0.02)
        yield client


async def listed(client, stage):
    found = (await client.get("/v1/stages")).json()["stages"]
    return {e["engine"]: e for each in found if each["stage"] == stage for e in each["engines"]}


async def start(client, path="/v1/tryons", files=FILES, **fields):
    fields = {name: value if isinstance(value, str) else json.dumps(value) for name, value in fields.items()}
    return await client.post(path, files=files, data=fields, headers={"Prefer": "wait=20"})


def stage_of(document, name):
    return next(stage for stage in document["stages"] if stage["stage"] == name)


def in_time(scenario):
    asyncio.run(scenario())
