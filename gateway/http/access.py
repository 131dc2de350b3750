"""Who calls, and what they may do: the one place where a request becomes a Caller.

`Access` asks every request for its key before anything else looks at it: an upload is not even read without one. What is
open to everybody is listed here; whatever is not, is not. The routes then say which scope they need.
"""

import base64
import binascii
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import Request, Security
from fastapi.security import HTTPBearer, SecurityScopes
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.callers.keys import ADMIN, Key, Keys
from gateway.errors import Forbidden, RateLimited, Unauthorized
from gateway.http.prefix import own_path
from gateway.http.problems import problem_response
from gateway.http.web import OPEN as WEB
from gateway.http.web import OPEN_BELOW
from stagekit.errors import Problem

OPEN = ("/", "/livez", "/readyz", "/metrics", "/docs", "/openapi.json", *WEB)
"""What needs no key: health for probes, counts without names or pictures for Prometheus, what the API is like, and the web
app, which has no pictures in it (neither has what lies below OPEN_BELOW)."""

PAGES = ("/debug", "/stages/")
"""Where people go with a browser, which asks for a password when told to: the key is the password, with any user name."""

SAFE_METHODS = ("GET", "HEAD", "OPTIONS")

_CALLER = "howsfit.caller"
"""In an ASGI scope."""


@dataclass(frozen=True)
class Caller:
    """Whoever sent a request."""

    key: Key = ADMIN
    """While no keys are asked for, everybody may do everything."""

    @property
    def owner(self) -> str:
        """Whose the try-ons and images are that it makes; empty while no keys are asked for."""
        return self.key.owner

    @property
    def sees(self) -> str | None:
        """The owner whose things are shown; None: everybody's."""
        return None if self.may("admin") else self.key.owner

    @property
    def max_jobs(self) -> int | None:
        """Try-ons that may be under way at the same time; None: no bound."""
        return self.key.max_jobs or None

    def may(self, scope: str) -> bool:
        """Whether the key has the scope; admin is all of them."""
        return scope in self.key.scopes or "admin" in self.key.scopes


class Access:
    """ASGI middleware: no request without a key, nor beyond its rate."""

    def __init__(self, app: ASGIApp, keys: Keys) -> None:
        self._app = app
        self._keys = keys

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or own_path(scope) in OPEN or own_path(scope).startswith(OPEN_BELOW):
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        # Of private pictures, and of who may see them, no shared cache keeps a copy.
        headers = {"Cache-Control": "private", "Vary": "Authorization"}
        try:
            key, allowance = await self._keys.use(_presented(request))
            if allowance is not None:
                headers |= allowance.headers()
                if allowance.exceeded:
                    said = (
                        f"This key may send {allowance.per_minute} requests per minute. Wait {allowance.next_in_s} s."
                    )
                    raise RateLimited(said, retry_after_s=allowance.next_in_s)
        except Problem as error:
            answer = problem_response(request, error, _challenge(request, error))
            await answer(scope, receive, _with_headers(send, headers))
            return
        scope[_CALLER] = Caller(key)
        await self._app(scope, receive, _with_headers(send, headers))


class AdminOnly:
    """ASGI wrapper of an app that knows nothing of keys: a stage, whose page shows everybody's pictures."""

    def __init__(self, app: ASGIApp, keys: Keys) -> None:
        self._app = app
        self._keys = keys

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        _require(_caller_of(scope, self._keys), ["admin"])
        await self._app(scope, receive, send)


_bearer = HTTPBearer(
    scheme_name="key",
    bearerFormat="hft_ID_SECRET",
    description="A key from `POST /v1/keys`, or the gateway's HOWSFIT_ADMIN_KEY. Where the gateway has none of its own, "
    "no key is needed. It is also taken as the password of HTTP Basic, with any user name.",
    auto_error=False,
)


async def _caller(request: Request, wanted: SecurityScopes, _: Annotated[object, Security(_bearer)]) -> Caller:
    caller = _caller_of(request.scope, request.app.state.gateway.keys)
    _require(caller, wanted.scopes)
    return caller


Anyone = Annotated[Caller, Security(_caller)]
Reader = Annotated[Caller, Security(_caller, scopes=["read"])]
Writer = Annotated[Caller, Security(_caller, scopes=["write"])]
Admin = Annotated[Caller, Security(_caller, scopes=["admin"])]


def _caller_of(scope: Scope, keys: Keys) -> Caller:
    """Raises Unauthorized where Access did not let anybody through."""
    if not keys.on:
        return Caller()
    caller: Caller | None = scope.get(_CALLER)
    if caller is None:
        raise _no_key()
    return caller


def _require(caller: Caller, scopes: list[str]) -> None:
    missing = [scope for scope in scopes if not caller.may(scope)]
    if missing:
        raise Forbidden(
            f"This needs a key with the scope '{missing[0]}'; key {caller.key.id} has: {', '.join(caller.key.scopes)}."
        )


def _presented(request: Request) -> str:
    """The key that a request carries. Raises Unauthorized, Forbidden."""
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    value = value.strip()
    if scheme.lower() == "bearer" and value:
        return value
    if scheme.lower() == "basic" and value:
        _refuse_other_sites(request)
        try:
            return base64.b64decode(value).decode().partition(":")[2]
        except (binascii.Error, ValueError):
            raise Unauthorized(
                "The Basic credentials cannot be read. Send any user name, and the key as password."
            ) from None
    raise _no_key()


def _refuse_other_sites(request: Request) -> None:
    """A browser adds a password that it knows to requests which another site's page makes; to a Bearer token it does not."""
    origin = request.headers.get("origin")
    if origin is None or request.method in SAFE_METHODS:
        return
    if urlsplit(origin).netloc != request.headers.get("host"):
        raise Forbidden("A page of another site sent this with a browser's password. Send the key as `Bearer` instead.")


def _no_key() -> Unauthorized:
    return Unauthorized("This needs a key. Send it as `Authorization: Bearer KEY`.")


def _challenge(request: Request, error: Problem) -> dict[str, str]:
    """How to send a key, for a request that sent none or a wrong one (RFC 9110, section 11.6.1)."""
    if error.status != 401:
        return {}
    scheme = "Basic" if own_path(request.scope).startswith(PAGES) else "Bearer"
    return {"WWW-Authenticate": f'{scheme} realm="howsfit"'}


def _with_headers(send: Send, headers: dict[str, str]) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            present = MutableHeaders(scope=message)
            for name, value in headers.items():
                if name == "Vary":
                    present.add_vary_header(value)
                elif present.get(name) == "no-cache":  # FastAPI's, of a stream
                    present[name] = f"no-cache, {value}"
                else:
                    present.setdefault(name, value)
        await send(message)

    return sending
