"""A bound on request bodies: the form parser would write any upload to the disk before a route can look at it.

FastAPI's `max_body_size` refuses in plain text, outside of the middleware that asks for keys and adds CORS headers, whatever is
answered without a look at its body. Starlette's `max_part_size` bounds no files, which all parts are to bodies.py.
"""

from collections.abc import Mapping

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.errors import UploadTooLarge

MAX_JSON = 1_000_000
"""Bytes of a body that holds no picture. Small text may stand for many objects."""


class BodyLimit:
    """ASGI middleware that refuses bodies of more than `max_bytes`, announced or not; at a path of `small` of fewer."""

    def __init__(self, app: ASGIApp, max_bytes: int, small: Mapping[str, int]) -> None:
        self.app = app
        self.max_bytes = max_bytes
        self.small = small

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        most = self.small.get(scope["path"], self.max_bytes)
        announced = Headers(scope=scope).get("content-length", "0")
        if announced.isascii() and announced.isdigit() and int(announced) > most:
            problem = _too_large(most).problem()
            await JSONResponse(problem, problem["status"], media_type="application/problem+json")(scope, receive, send)
            return
        received = 0

        async def counted() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > most:
                raise _too_large(most)
            return message

        await self.app(scope, counted, send)


def _too_large(most: int) -> UploadTooLarge:
    return UploadTooLarge(f"This request may have {most / 1e6:.0f} MB at most. Send smaller pictures, or fewer things.")
