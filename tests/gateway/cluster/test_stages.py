"""What the gateway does when a stage misbehaves: real apps in memory that break the protocol in one way each."""

import asyncio

import httpx
import pytest
from fastapi import FastAPI
from fastapi.responses import JSONResponse, Response

from gateway.cluster import stages
from gateway.cluster.stages import StageClient
from gateway.errors import StageNonsense, StageRefused, StageUnreachable
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


NEWS = {"number": 1, "queue": None, "done": 1, "of": 4, "seconds_left": 3.5, "preview": None}


def heard(monkeypatch, answer, **info):
    """What a listener is told of a run of 0.3 s, and how often the stage was asked. answer: to each question."""
    for pause in ("QUIET_S", "NEWS_EVERY_S", "NO_NEWS_S"):
        monkeypatch.setattr(stages, pause, 0.02)
    asked, told = [], []
    app = FastAPI()
    app.get("/info")(lambda: {"contract": 1, "stage": "pose", "inputs": {}, "outputs": {}} | info)

    @app.post("/run")
    async def works():
        await asyncio.sleep(0.3)
        return JSONResponse({"code": "no-person"}, 422)

    @app.get("/runs/{name}")
    async def news(name: str):
        asked.append(name)
        return answer

    async def listener(run_id, news):
        told.append((run_id, news))

    async def go():
        client = StageClient("pose", "inproc://pose", {"pose": app}, timeout_s=2)
        await client.read_info()
        with pytest.raises(StageRefused):
            await client.run(INPUTS, TRACE, listener=listener)
        await client.close()

    asyncio.run(go())
    return told, asked


def test_the_news_of_a_run_are_told_once(monkeypatch):
    told, asked = heard(monkeypatch, JSONResponse(NEWS), progress=True)
    assert [news.model_dump() for _, news in told] == [NEWS] and {told[0][0]} == set(asked) and len(asked) > 1


def test_an_older_stage_that_has_no_news_is_not_asked(monkeypatch):
    assert heard(monkeypatch, JSONResponse(NEWS)) == ([], [])


@pytest.mark.parametrize(
    "answer",
    [
        JSONResponse({"code": "not-found"}, 404),
        Response(b"<html>"),
        JSONResponse([1]),
        JSONResponse(NEWS | {"of": 0}),
        JSONResponse(NEWS | {"seconds_left": "soon"}),
        JSONResponse({"number": 1}),
    ],
    ids=["unknown", "a page", "no object", "of none", "no number", "nothing"],
)
def test_news_that_say_nothing_do_no_harm(monkeypatch, answer):
    told, asked = heard(monkeypatch, answer, progress=True)
    assert told == [] and len(asked) > 1


def test_kinds_that_nobody_knows_here_are_named():
    info = {"contract": 1, "stage": "pose", "inputs": {"person": "image"}, "outputs": {"sound": "song"}}
    with pytest.raises(StageNonsense, match="speaks of song"):
        run(app_that_answers(Response(b"", headers={"howsfit-fingerprint": "another"}), info))


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


def looked_at(*infos, ready):
    """A client that looked once for each of these documents. ready: statuses of /readyz, in step with them."""
    answers = iter(zip(infos, ready, strict=True))
    now = {}

    def readyz():
        now["info"], status = next(answers)
        return JSONResponse({"state": "ready" if status == 200 else "setup_failed", "detail": "No weights."}, status)

    app = FastAPI()
    app.get("/readyz")(readyz)
    app.get("/info")(lambda: now["info"])

    async def go():
        client = StageClient("pose", "inproc://pose", {"pose": app}, timeout_s=2)
        for _ in infos:
            await client.look()
        await client.close()
        return client

    return asyncio.run(go())


INFO = {"contract": 1, "stage": "pose", "engine": "big", "version": "1", "options": {}, "inputs": {}, "outputs": {}}


def test_what_a_stage_takes_and_gives_is_known_though_its_weights_are_missing():
    client = looked_at(INFO | {"state": "setup_failed"}, ready=[503])
    assert client.failed and not client.seen["ready"] and client.info["engine"] == "big"


def test_an_engine_that_lost_its_weights_keeps_its_fingerprint_but_another_one_does_not():
    loaded = INFO | {"state": "ready", "fingerprint": "sha256:with"}
    lost = INFO | {"state": "setup_failed", "fingerprint": "sha256:without"}
    assert looked_at(loaded, lost, ready=[200, 503]).info["fingerprint"] == "sha256:with"
    assert looked_at(loaded, lost | {"version": "2"}, ready=[200, 503]).info["fingerprint"] == "sha256:without"


@pytest.mark.parametrize(
    "info",
    [INFO | {"stage": "tryon"}, INFO | {"contract": 2}, INFO | {"inputs": None}, INFO | {"outputs": ["pose"]}],
    ids=["another stage", "another contract", "no inputs", "a list"],
)
def test_what_is_no_stage_of_this_name_is_told(info):
    client = looked_at(info, ready=[200])
    assert not client.seen["ready"] and client.seen["code"] == "stage-nonsense" and "'pose'" in client.seen["detail"]


@pytest.mark.parametrize(
    "schema",
    [
        [],
        {"properties": []},
        {"properties": {"seed": 3}},
        {"properties": {"seed": {"type": "integer", "default": 3}}},
        {"properties": {"seed": {"type": "integer", "minimum": 0, "maximum": 9, "default": "x"}}},
        {"properties": {"hem": {"type": "string", "enum": "abc", "default": "a"}}},
    ],
)
def test_options_that_cannot_be_checked_are_told(schema):
    client = looked_at(INFO | {"option_schema": schema}, ready=[200])
    assert not client.seen["ready"] and client.seen["code"] == "stage-nonsense" and "options" in client.seen["detail"]
