"""Where the gateway's own addresses begin: below the path of a proxy in front of it, if there is one."""

import contextlib
import ipaddress
import re
from collections.abc import Iterator
from contextvars import ContextVar

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
