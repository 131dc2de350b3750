"""What the gateway does when a stage misbehaves: real apps in memory that break the protocol in one way each."""

import asyncio

import httpx
import pytest
from fastapi import FastAPI
from fastapi.responses import JSONResponse, Response

from gateway.errors import StageNonsense, StageRefused, StageUnreachable, StartupError
from gateway.settings import Settings
from gateway.stages import Cluster, StageClient
from stagekit.wire import Part
from tests.servers import free_port

INPUTS = {"person": Part(b"x", "image/png")}
TRACE = "0af7651916cd43dd8448eb211c80319c"


def app_that_answers(response, info=None, ready=200):
    app = FastAPI()
    app.get("/readyz")(lambda: JSONResponse({"state": "ready" if ready == 200 else "setup_failed"}, ready))
    app.get("/info")(lambda: info or {"contract": 1, "stage": "pose", "inputs": {}, "outputs": {}})
    app.post("/run")(lambda: response)
    return app


def run(app):
    async def go():
        client = StageClient("pose", "inproc://pose", {"pose": app}, timeout_s=2)
        try:
            return await client.run(INPUTS, TRACE)
        finally:
            await client.close()

    return asyncio.run(go())


def test_a_refusal_is_passed_on_as_the_stage_wrote_it():
    problem = {"code": "no-person", "detail": "Nobody.", "stage": "pose", "instance": "/run", "status": 422}
    with pytest.raises(StageRefused) as caught:
        run(app_that_answers(JSONResponse(problem, 422, media_type="application/problem+json")))
    assert caught.value.problem == {k: v for k, v in problem.items() if k != "instance"}


@pytest.mark.parametrize(
    "response",
    [
        Response(b"<html>", 500),
        Response(b"[]", 502),
        Response(b"hello"),
        Response(b"", media_type="multipart/form-data"),
    ],
    ids=["a page", "no object", "no multipart", "no boundary"],
)
def test_an_answer_that_the_protocol_does_not_allow(response):
    with pytest.raises(StageNonsense, match="'pose'"):
        run(app_that_answers(response))


def test_a_stage_that_is_not_there():
    async def go():
        client = StageClient("pose", f"http://127.0.0.1:{free_port()}", {}, timeout_s=1)
        await client.run(INPUTS, TRACE)

    with pytest.raises(StageUnreachable, match="cannot be reached"):
        asyncio.run(go())


def test_a_stage_that_never_answers(unused_server):
    async def go():
        client = StageClient("pose", unused_server, {}, timeout_s=1)
        client._http.timeout = httpx.Timeout(0.2)
        await client.run(INPUTS, TRACE)

    with pytest.raises(StageUnreachable, match="did not answer in time"):
        asyncio.run(go())


@pytest.fixture
def unused_server():
    """A socket that accepts and says nothing."""
    import socket

    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


def connect(app, **settings):
    async def go():
        cluster = Cluster(Settings(stages={"pose": "inproc://pose"}, **settings), {"pose": app})
        try:
            await cluster.connect()
        finally:
            await cluster.close()

    asyncio.run(go())


def test_another_stage_at_the_address_is_told():
    with pytest.raises(StartupError, match="does not speak as stage 'pose'"):
        connect(app_that_answers(None, info={"contract": 1, "stage": "tryon"}))
    with pytest.raises(StartupError, match="contract 1"):
        connect(app_that_answers(None, info={"contract": 2, "stage": "pose"}))


def test_a_stage_that_cannot_start_is_told():
    with pytest.raises(StartupError, match="'pose' cannot start"):
        connect(app_that_answers(None, ready=503))


def test_a_fallback_takes_the_place_of_a_stage_that_cannot_start():
    spare = {"contract": 1, "stage": "tryon", "inputs": {}, "outputs": {"tryon": "image"}, "engine": "tps"}
    apps = {
        "tryon": app_that_answers(None, ready=503),
        "spare": app_that_answers(Response(b"hello"), info=spare),
    }
    settings = Settings(stages={"tryon": "inproc://tryon"}, fallbacks={"tryon": "inproc://spare"})

    async def go():
        cluster = Cluster(settings, apps)
        try:
            await cluster.connect()
            return cluster.clients["tryon"]
        finally:
            await cluster.close()

    client = asyncio.run(go())
    assert client.info["engine"] == "tps" and client.address == "inproc://spare" and client.instead_of is not None


def test_stages_that_never_get_ready_are_named():
    async def go():
        settings = Settings(stages={"pose": f"http://127.0.0.1:{free_port()}"}, startup_timeout_s=0.5)
        cluster = Cluster(settings, {})
        try:
            await cluster.connect()
        finally:
            await cluster.close()

    with pytest.raises(StartupError, match="not ready: pose"):
        asyncio.run(go())


@pytest.mark.parametrize("address", ["pose:8000", "inproc://moon", "ftp://pose"])
def test_an_address_that_cannot_be_used(address):
    with pytest.raises(StartupError, match="cannot be used here"):
        Cluster(Settings(stages={"pose": address}), {})
