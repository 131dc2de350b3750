"""The web app: the files that `make web` built, read once at start and served from memory.

Behind a proxy it may live below a path. Its files find each other by relative addresses; only its page, which answers at
several depths, gets whole ones as it is served.
"""

import functools
import gzip
import hashlib
import html
import mimetypes
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from gateway.paths import address
from gateway.settings import Settings
from gateway.storage.blobs import is_host

BUILT = Path(__file__).parents[2] / "web" / "dist"
"""Where `make web` and the image have it."""

PAGES = ("/", "/gallery", "/cluster", "/tryons/{id}", "/batches/new", "/batches/{id}", "/comparisons/{id}")
"""The app's own addresses: index.html, which then shows the right page."""

SHARED = "/share"
"""Where a phone sends a picture that is shared to the installed app. Its service worker takes it, if it runs."""

OPEN = ("/gallery", "/cluster", SHARED, "/sw.js", "/manifest.webmanifest")
OPEN_BELOW = ("/assets/", "/icons/", "/docs/", "/tryons/", "/batches/", "/comparisons/")
"""What needs no key: the app itself, with nobody's pictures in it. It asks for the key, and sends it to the API."""

FOREVER = "public, max-age=31536000, immutable"
"""For files whose names change with what is in them."""

_ANEW = "no-cache"
_COMPRESSED = ("text/", "application/json", "application/manifest+json", "image/svg+xml")


@dataclass(frozen=True)
class _File:
    data: bytes
    packed: bytes | None
    media_type: str
    etag: str
    headers: dict[str, str]

    def answer(self, request: Request) -> Response:
        headers = {**self.headers, "ETag": self.etag, "Vary": "Accept-Encoding"}
        if request.headers.get("if-none-match") == self.etag:
            return Response(status_code=304, headers=headers)
        if self.packed and "gzip" in request.headers.get("accept-encoding", ""):
            return Response(self.packed, media_type=self.media_type, headers={**headers, "Content-Encoding": "gzip"})
        return Response(self.data, media_type=self.media_type, headers=headers)


class _Index:
    """The app's page, with the addresses of its files as clients reach them."""

    def __init__(self, data: bytes, policy: str) -> None:
        self._data = data
        self._policy = policy
        self._at = functools.lru_cache(maxsize=8)(self._make)

    def answer(self, request: Request) -> Response:
        return self._at(address("/")).answer(request)

    def _make(self, root: str) -> _File:
        return _file(self._data.replace(b'="./', f'="{html.escape(root)}'.encode()), "index.html", self._policy)


def built(settings: Settings) -> Path | None:
    """The folder of the built app; None where there is none."""
    folder = settings.web_dir or BUILT
    return folder if (folder / "index.html").is_file() else None


def add_web_app(app: Starlette, folder: Path, settings: Settings) -> None:
    """Serve the app that lies in the folder, `/docs` included. Changed files are seen at the next start."""
    policy = _policy(settings)
    files = {"/" + path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    loaded = {name: _file(path.read_bytes(), name, policy) for name, path in files.items() if name != "/index.html"}
    index = _Index((folder / "index.html").read_bytes(), policy)
    for page in PAGES:
        _serve(app, page, index)
    if docs := loaded.pop("/docs/index.html", None):
        _serve(app, "/docs", docs)
    for name, file in loaded.items():
        _serve(app, name, file)

    async def not_taken(request: Request) -> Response:
        return RedirectResponse(address("/?shared=missed"), 303)

    app.add_route(SHARED, not_taken, methods=["POST"], include_in_schema=False)


def _serve(app: Starlette, path: str, file: _File | _Index) -> None:
    async def answer(request: Request) -> Response:
        return file.answer(request)

    app.add_route(path, answer, methods=["GET"], include_in_schema=False)


def _file(data: bytes, name: str, policy: str) -> _File:
    """name: its path below the app's folder."""
    media_type = _media_type(Path(name))
    text = media_type.startswith(_COMPRESSED)
    headers = {
        "Cache-Control": FOREVER if name.startswith("/assets/") else _ANEW,
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
    }
    if media_type.startswith("text/html"):
        # Swagger UI writes styles into its elements.
        headers["Content-Security-Policy"] = (
            policy.replace("style-src 'self'", "style-src 'self' 'unsafe-inline'")
            if name.startswith("/docs/")
            else policy
        )
    packed = gzip.compress(data, 9, mtime=0) if text else None
    etag = f'W/"{hashlib.sha256(data).hexdigest()[:32]}"'  # weak: the same for both encodings
    return _File(data, packed, media_type, etag, headers)


def _media_type(path: Path) -> str:
    """Not as the machine has it: /etc/mime.types differ, and a browser runs no script of another type."""
    known = {".js": "text/javascript", ".css": "text/css", ".html": "text/html", ".svg": "image/svg+xml"}
    known |= {".webmanifest": "application/manifest+json", ".jpg": "image/jpeg", ".png": "image/png"}
    return known.get(path.suffix) or mimetypes.guess_type(path.name)[0] or "application/octet-stream"


def _policy(settings: Settings) -> str:
    """No script, style, picture or request of another host, but the downloads that the API itself sends there."""
    downloads = ""
    if settings.s3_public_endpoint:
        address = urlsplit(settings.s3_public_endpoint)
        bucket = settings.s3_bucket or ""
        at = f"{bucket}." if is_host(bucket, settings.s3_addressing, settings.s3_public_endpoint) else ""
        downloads = f" {address.scheme}://{at}{address.netloc}"
    return (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; "
        f"connect-src 'self'{downloads}; manifest-src 'self'; worker-src 'self'; base-uri 'none'; "
        "form-action 'self'; frame-ancestors 'none'"
    )
