"""Where clients see the gateway: below a path of a proxy in front of it, at the address and by the scheme that the proxy tells.

The path comes from HOWSFIT_BASE_PATH, else from the header X-Forwarded-Prefix of a proxy that is trusted. Proxies that take it
off before they pass a request on work as well as those that leave it.
"""

import contextlib
import ipaddress
import logging
import re
from collections.abc import Iterator
from contextvars import ContextVar

from starlette.datastructures import Headers
from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

log = logging.getLogger("howsfit.gateway")

HEADER = "x-forwarded-prefix"

MAX_PREFIX = 100
"""Characters."""

OWN = frozenset(
    (
        "assets",
        "batches",
        "cluster",
        "debug",
        "docs",
        "gallery",
        "icons",
        "livez",
        "manifest.webmanifest",
        "metrics",
        "openapi.json",
        "readyz",
        "share",
        "stages",
        "sw.js",
        "tryons",
        "v1",
    )
)
"""How the gateway's own addresses begin. As a prefix, /v1/tryons could mean both."""

_base: ContextVar[str] = ContextVar("howsfit_base", default="")


def address(path: str) -> str:
    """A path of the gateway's own, as the client of this request reaches it."""
    return _base.get() + path


@contextlib.contextmanager
def below(base: str) -> Iterator[None]:
    """Addresses begin with the base, for instance outside of any request."""
    token = _base.set(base)
    try:
        yield
    finally:
        _base.reset(token)


def own_path(scope: Scope) -> str:
    """The path of a request without the prefix."""
    path: str = scope["path"]
    return path.removeprefix(scope.get("root_path", ""))


def parse_prefix(text: str) -> str:
    """`/tryon` of `/tryon` and `/tryon/`, nothing of `/`. Raises ValueError.

    It is written into pages, headers and documents, so only what needs no escaping anywhere is taken.
    """
    prefix = text.strip().rstrip("/")
    if not prefix:
        return ""
    segments = prefix.split("/")[1:]
    is_path = re.fullmatch(r"(/[A-Za-z0-9._~-]+)+", prefix) and all(segment.strip(".") for segment in segments)
    if not is_path or len(prefix) > MAX_PREFIX:
        raise ValueError(
            f"it is no path prefix: write it as /tryon or /shop/tryon, of ASCII letters, digits and . _ ~ -, at most "
            f"{MAX_PREFIX} characters"
        )
    if segments[0] in OWN:
        raise ValueError(f"/{segments[0]} is an address of the gateway's own: choose another prefix, such as /tryon")
    return prefix


def parse_proxies(text: str) -> str:
    """The list of trusted proxies as Uvicorn takes it. Raises ValueError."""
    entries = [entry for entry in re.split(r"[,\s]+", text) if entry]
    if "*" in entries:
        return "*"
    for entry in entries:
        try:
            ipaddress.ip_network(entry)
        except ValueError:
            raise ValueError(
                f"'{entry}' is neither an address nor a network: write 10.0.0.7 or 10.0.0.0/8, or * for everybody"
            ) from None
    return ",".join(entries)


class BehindProxy:
    """ASGI middleware, the outermost: makes a request what it was at the proxy."""

    def __init__(self, app: ASGIApp, base_path: str, trusted_proxies: str) -> None:
        self._app = app
        self._base_path = base_path
        self._forwarded = ProxyHeadersMiddleware(app, trusted_proxies)  # type: ignore[arg-type]
        self._has_warned = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        base = self._base_path or self._told(scope) or scope.get("root_path", "")
        path = own_path(scope)
        if base and path == base:
            query = scope.get("query_string", b"").decode("latin-1")
            await RedirectResponse(f"{base}/" + (f"?{query}" if query else ""), 308)(scope, receive, send)
            return
        if base and not path.startswith(base + "/"):
            path = base + path  # the proxy took it off
        # As ASGI wants it: the path with the prefix, which root_path tells.
        scope = {**scope, "path": path, "raw_path": None, "root_path": base}
        with below(base):
            await self._forwarded(scope, receive, send)  # type: ignore[arg-type]

    def _told(self, scope: Scope) -> str:
        """What a trusted proxy says; several of them, each of which took one off, add a value each."""
        values = Headers(scope=scope).getlist(HEADER)
        client = scope.get("client")
        if not values or (client[0] if client else None) not in self._forwarded.trusted_hosts:
            return ""
        try:
            return parse_prefix("".join(value.strip().rstrip("/") for value in ",".join(values).split(",")))
        except ValueError as error:
            if not self._has_warned:  # once: a proxy may pass on whatever strangers send
                log.warning("X-Forwarded-Prefix is ignored: %s", error)
                self._has_warned = True
            return ""
