"""A bound on request bodies: the form parser would write any upload to the disk before a route can look at it."""

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.errors import UploadTooLarge


class BodyLimit:
    """ASGI middleware that refuses bodies of more than `max_bytes`, announced or not."""

    def __init__(self, app: ASGIApp, max_bytes: int) -> None:
        self.app = app
        self.max_bytes = max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        announced = Headers(scope=scope).get("content-length", "0")
        if announced.isdigit() and int(announced) > self.max_bytes:
            problem = self._error().problem()
            await JSONResponse(problem, problem["status"], media_type="application/problem+json")(scope, receive, send)
            return
        received = 0

        async def counted() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > self.max_bytes:
                raise self._error()
            return message

        await self.app(scope, counted, send)

    def _error(self) -> UploadTooLarge:
        return UploadTooLarge(f"A request may have {self.max_bytes / 1e6:.0f} MB at most. Send smaller pictures.")
