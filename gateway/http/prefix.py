"""Where clients see the gateway: below a path of a proxy in front of it, at the address and by the scheme that the proxy tells.

The path comes from HOWSFIT_BASE_PATH, else from the header X-Forwarded-Prefix of a proxy that is trusted. Proxies that take it
off before they pass a request on work as well as those that leave it.
"""

import logging

from starlette.datastructures import Headers
from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from gateway.paths import below, parse_prefix

log = logging.getLogger("howsfit.gateway")

HEADER = "x-forwarded-prefix"


def own_path(scope: Scope) -> str:
    """The path of a request without the prefix."""
    path: str = scope["path"]
    return path.removeprefix(scope.get("root_path", ""))


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
