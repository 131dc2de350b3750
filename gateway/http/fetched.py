"""An answer that is known to have been sent: of a job that is forgotten as soon as its result was fetched."""

import logging

from fastapi import Request
from fastapi.responses import Response
from starlette.types import Receive, Scope, Send

from gateway.errors import GatewayError
from gateway.tryons.life import Tryons
from stagekit.wire import Part

log = logging.getLogger("howsfit.gateway")


def answer_with(part: Part, tryons: Tryons, request: Request, tryon_id: str, what: set[str]) -> Response:
    """what: of the job's results those that are in the part, as Tryons.results_in gives them."""
    headers = {"X-Content-Type-Options": "nosniff"}
    # Who asks for a piece has, or wants, no more than that.
    if not what or "range" in request.headers:
        return Response(part.data, media_type=part.media_type, headers=headers)
    return _Fetched(part, tryons, tryon_id, what, headers | {"Cache-Control": "no-store"})


class _Fetched(Response):
    """Sends the last byte when the others are on their way and it is written down that they are; then forgets the job.

    Whoever loses the connection before has too little, and finds the job still there. As far as that can be known: what the
    network has taken counts as sent.
    """

    def __init__(self, part: Part, tryons: Tryons, tryon_id: str, what: set[str], headers: dict[str, str]) -> None:
        super().__init__(part.data, media_type=part.media_type, headers=headers)
        self._tryons = tryons
        self._tryon_id = tryon_id
        self._what = what

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_body(data: bytes, more: bool = True) -> None:
            await send({"type": "http.response.body", "body": data, "more_body": more})

        data = bytes(self.body)
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        await send_body(data[:-1])
        await send_body(b"")  # waits until the network has taken nearly all of it
        if await Request(scope, receive).is_disconnected():
            return
        try:
            is_all = await self._tryons.fetched(self._tryon_id, self._what)
        except GatewayError as error:  # the answer stays unfinished, and is asked for again
            log.warning("a result was not sent to its end: %s", error, extra={"job": self._tryon_id})
            return
        await send_body(data[-1:], more=False)
        if is_all:
            await self._tryons.forget_fetched(self._tryon_id)
