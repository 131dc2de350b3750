"""The client, where what answers is no gateway, or only something before one."""

import asyncio

import httpx
import pytest

from howsfit.client import Client, TryonFailed

HTML = {"content-type": "text/html"}


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (
            httpx.Response(200, text="<html>Log in</html>", headers=HTML),
            "answers at http://there/ is no gateway. Is the add",
        ),
        (httpx.Response(200, json=[]), "is no gateway"),
        (httpx.Response(200, json={"detail": "another program's"}), "is no gateway"),
        (httpx.Response(502, text="<html>Bad gateway</html>", headers=HTML), "The gateway answered 502"),
        (
            httpx.Response(500, text="{", headers={"content-type": "application/problem+json"}),
            "The gateway answered 500",
        ),
        (httpx.Response(429, json={"title": "Too many", "status": 429}), "Too many"),
    ],
)
def test_any_answer_is_told_in_a_sentence(answer, told):
    async def stages():
        transport = httpx.MockTransport(lambda request: answer)
        async with httpx.AsyncClient(transport=transport, base_url="http://there") as http:
            await Client(http).stages()

    with pytest.raises(TryonFailed, match=told) as failure:
        asyncio.run(stages())
    assert failure.value.problem["status"] == answer.status_code
