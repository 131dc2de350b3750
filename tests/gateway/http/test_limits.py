"""The bound on request bodies, and why it is not FastAPI's."""

import asyncio

import httpx
import pytest
from fastapi import FastAPI

from gateway.http.limits import BodyLimit
from gateway.http.problems import add_problem_handlers

LARGE = {"content": bytes(2000), "headers": {"Content-Type": "application/json"}}
UNREAD = [("POST", "/moon"), ("GET", "/read"), ("POST", "/unread")]
"""Requests that are answered without a look at their bodies."""


def asked(app, method, path, **request):
    add_problem_handlers(app)

    @app.post("/read")
    async def read(sent: dict) -> None: ...

    @app.post("/unread")
    async def unread() -> None: ...

    async def ask():
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://gateway") as client:
            return await client.request(method, path, **request)

    return asyncio.run(ask())


def bounded():
    app = FastAPI()
    app.add_middleware(BodyLimit, max_bytes=1000, small={"/small": 10})
    return app


def is_problem(answer):
    return answer.headers["content-type"] == "application/problem+json" and answer.json()["code"] == "image-too-large"


@pytest.mark.parametrize("method, path", [*UNREAD, ("POST", "/read"), ("POST", "/small")])
def test_what_announces_too_much_is_refused_by_a_problem_document_wherever_it_goes(method, path):
    answer = asked(bounded(), method, path, **LARGE)
    assert answer.status_code == 413 and is_problem(answer)


def test_what_does_not_announce_is_refused_when_it_has_become_too_much():
    async def chunks():
        for _ in range(20):
            yield bytes(100)

    answer = asked(bounded(), "POST", "/read", content=chunks(), headers=LARGE["headers"])
    assert answer.status_code == 413 and is_problem(answer)


@pytest.mark.parametrize("path, status", [("/read", 200), ("/small", 413), ("/moon", 404)])
def test_what_is_small_enough_passes(path, status):
    assert asked(bounded(), "POST", path, json={"a": "123456789"}).status_code == status


@pytest.mark.parametrize("method, path", UNREAD)
def test_fastapis_bound_knows_no_problem_documents_where_nobody_reads_the_body(method, path):
    """When this fails, FastAPI(max_body_size=…) can take the place of ours."""
    answer = asked(FastAPI(max_body_size=1000), method, path, **LARGE)
    assert answer.status_code == 413 and answer.headers["content-type"].startswith("text/plain")
