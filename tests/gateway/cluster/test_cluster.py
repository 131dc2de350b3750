"""The cluster as its stages come and go: real apps in memory, looked at by the real watch."""

import asyncio
import contextlib

import pytest
from fastapi import FastAPI
from fastapi.responses import JSONResponse

import gateway.cluster.watch
from gateway.cluster.graph import UPLOADS
from gateway.cluster.plan import Wishes
from gateway.cluster.watch import Cluster
from gateway.errors import StageNotReady, StartupError, UnsupportedCategory
from gateway.settings import Settings
from howsfit.stages import made_artifacts
from tests.servers import free_port

LACKING = {"state": "setup_failed", "code": "weights-missing", "detail": "Pull them.", "command": "pull them"}
LOADING = {"state": "starting", "code": "not-ready", "detail": "Still loading."}
READY = {"status": "ready"}
TAKES = {"resize": ("photo", "person"), "tryon": ("person garment", "tryon")}

KINDS = UPLOADS | made_artifacts()


class Stage:
    """An app whose state a test sets."""

    def __init__(self, name, state=READY, takes=None, engine="own"):
        takes, gives = takes or TAKES[name]
        self.state = state
        self.app = FastAPI()
        self.info = {"contract": 1, "stage": name, "engine": engine, "fingerprint": engine}
        self.info |= {key: {n: KINDS[n] for n in a.split()} for key, a in (("inputs", takes), ("outputs", gives))}
        self.app.get("/readyz")(lambda: JSONResponse(self.state, 200 if self.state is READY else 503))
        self.app.get("/info")(lambda: self.info | {"state": self.state.get("state", "ready")})


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    for pause in ("POLL_S", "REPEAT_S", "WATCH_S"):
        monkeypatch.setattr(gateway.cluster.watch, pause, 0.01)


@contextlib.asynccontextmanager
async def watched(stages, fallbacks=(), **settings):
    apps = {name: stage.app for name, stage in stages.items() if isinstance(stage, Stage)}
    apps |= {f"{name}-spare": stage.app for name, stage in dict(fallbacks).items()}
    addresses = {name: f"inproc://{name}" if isinstance(stage, Stage) else stage for name, stage in stages.items()}
    spares = {name: f"inproc://{name}-spare" for name in dict(fallbacks)}
    cluster = Cluster(Settings(stages=addresses, fallbacks=spares, **settings), apps)
    cluster.start()
    try:
        yield cluster
    finally:
        await cluster.close()


async def whole(cluster, for_s):
    """The graph, once it is."""
    return (await cluster.wait_for_plan(for_s, ["photo", "garment"], Wishes())).graph


def failed(cluster):
    return cluster.plan(["photo", "garment"], Wishes()).failed()


async def until(condition):
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0.01)


def in_time(scenario):
    asyncio.run(scenario())


def test_the_graph_is_whole_though_a_stage_lacks_its_weights_and_it_is_noticed_when_they_come():
    async def scenario():
        stages = {"resize": Stage("resize", LACKING), "tryon": Stage("tryon")}
        async with watched(stages) as cluster:
            assert (await whole(cluster, 5)).order == ("resize", "tryon")
            assert [client.name for client in failed(cluster)] == ["resize"]
            stages["resize"].state = READY
            await until(lambda: not failed(cluster))

    in_time(scenario)


@pytest.mark.parametrize("missing", ["away", "loading"])
def test_a_stage_that_is_not_known_yet_is_named_and_joins_the_graph_when_it_is_there(missing):
    async def scenario():
        tryon = Stage("tryon", LOADING)
        away = f"http://127.0.0.1:{free_port()}"
        async with watched({"resize": Stage("resize"), "tryon": tryon if missing == "loading" else away}) as cluster:
            await until(lambda: cluster.graph.order == ("resize",))
            await until(lambda: "was not asked" not in cluster.clients["tryon"].seen["detail"])
            with pytest.raises(StageNotReady) as caught:
                cluster.whole_graph()
            problem = caught.value.problem()
            assert (problem["code"], problem["status"], problem["stage"]) == ("not-ready", 503, "tryon")
            assert ("Still loading" if missing == "loading" else "cannot be reached") in problem["detail"]
            if missing == "loading":
                tryon.state = READY
                assert (await whole(cluster, 5)).order == ("resize", "tryon")

    in_time(scenario)


def test_a_job_waits_for_unknown_stages_no_longer_than_it_may():
    async def scenario():
        async with watched({"tryon": Stage("tryon", LOADING)}, startup_timeout_s=0.1) as cluster:
            with pytest.raises(StageNotReady, match="Still loading"):
                await whole(cluster, 0.05)

    in_time(scenario)


def test_stages_that_do_not_fit_together_are_told_until_they_do():
    async def scenario():
        stages = {"resize": Stage("resize", takes=("photo", "frame")), "tryon": Stage("tryon")}
        async with watched(stages) as cluster:
            await until(lambda: cluster.clients["resize"].info and cluster.clients["tryon"].info)
            with pytest.raises(StageNotReady, match="takes 'person', but no stage gives it"):
                cluster.whole_graph()
            stages["resize"].info["outputs"] = {"person": "image"}
            await whole(cluster, 5)

    in_time(scenario)


def test_a_fallback_serves_as_long_as_the_chosen_engine_cannot_start():
    async def scenario():
        chosen, spare = (
            Stage("tryon", LACKING, engine="big"),
            Stage("tryon", takes=("garment", "tryon"), engine="small"),
        )
        async with watched({"resize": Stage("resize"), "tryon": chosen}, {"tryon": spare}) as cluster:
            await until(lambda: cluster.clients["tryon"].info.get("engine") == "small")
            assert cluster.clients["tryon"].instead_of == "Pull them." and failed(cluster) == []
            health = await cluster.health()
            assert health["tryon"]["ready"] and health["tryon"]["instead_of"] == "Pull them."
            assert cluster.whole_graph().needs("tryon") == set(), "the graph is that of the engines that serve"
            chosen.state = READY
            await until(lambda: cluster.clients["tryon"].info["engine"] == "big")
            assert cluster.whole_graph().needs("tryon") == {"resize"}

    in_time(scenario)


def test_a_category_that_the_generator_does_not_dress_people_in_is_refused():
    async def scenario():
        stages = {"resize": Stage("resize"), "tryon": Stage("tryon")}
        stages["tryon"].info["categories"] = ["upper"]
        async with watched(stages) as cluster:
            await whole(cluster, 5)
            for category in ("lower", "dress"):
                with pytest.raises(UnsupportedCategory, match="dresses people in upper"):
                    cluster.plan(["photo", "garment"], Wishes(categories=(category,)))
            assert cluster.plan(["photo", "garment"], Wishes(categories=("upper",))).graph.order

    in_time(scenario)


def test_a_fallback_that_is_not_there_changes_nothing():
    async def scenario():
        stages, spare = {"resize": Stage("resize", LACKING), "tryon": Stage("tryon")}, Stage("resize", LACKING)
        async with watched(stages, {"resize": spare}) as cluster:
            await whole(cluster, 5)
            problem = gateway.cluster.watch.not_ready(*failed(cluster)).problem()
            assert (problem["code"], problem["stage"], problem["command"]) == ("weights-missing", "resize", "pull them")

    in_time(scenario)


def test_who_waits_for_all_stages_hears_at_once_of_one_that_cannot_start():
    async def scenario():
        async with watched({"resize": Stage("resize", LOADING), "tryon": Stage("tryon", LACKING)}) as cluster:
            async with asyncio.timeout(5):
                with pytest.raises(StartupError, match="Stage 'tryon' cannot start: Pull them."):
                    await cluster.wait_until_ready()
        async with watched({"tryon": Stage("tryon", LOADING)}, startup_timeout_s=0.1) as cluster:
            with pytest.raises(StartupError, match=r"not ready: tryon \(Still loading.\)"):
                await cluster.wait_until_ready()
        stages = {"resize": Stage("resize", takes=("photo", "frame")), "tryon": Stage("tryon")}
        async with watched(stages) as cluster:
            with pytest.raises(StartupError, match="no stage gives it"):
                await cluster.wait_until_ready()

    in_time(scenario)


def test_only_what_is_wrong_is_a_warning(caplog):
    async def scenario():
        stages = {"resize": Stage("resize", LOADING), "tryon": Stage("tryon", LACKING)}
        async with watched(stages) as cluster:
            await asyncio.sleep(0.05)
            stages["resize"].state = stages["tryon"].state = READY
            await whole(cluster, 5)

    in_time(scenario)
    warned = [(record.stage, record.getMessage()) for record in caplog.records if record.levelname == "WARNING"]
    assert warned == [("tryon", "the stage is not ready: Pull them.")]


@pytest.mark.parametrize("address", ["pose:8000", "inproc://moon", "ftp://pose"])
def test_an_address_that_cannot_be_used(address):
    with pytest.raises(StartupError, match="cannot be used here"):
        Cluster(Settings(stages={"pose": address}), {})
