"""A server that publishes weights as the real ones do, with their redirects, confirmation pages and faults."""

import contextlib
import hashlib
import re
import threading
import time
import urllib.parse
import uuid
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

CONFIRM = """<!DOCTYPE html><html><head><title>Google Drive - Virus scan warning</title></head><body>
<p>gen.pth (384M) is too large for Google to scan for viruses. Would you still like to download this file?</p>
<form id="download-form" action="{action}" method="get">
<input type="submit" id="uc-download-link" class="goog-inline-block jfk-button" value="Download anyway"/>
<input type="hidden" name="id" value="{id}"><input type="hidden" name="export" value="download">
<input type="hidden" name="confirm" value="t"><input type="hidden" name="uuid" value="{uuid}"></form></body></html>"""

QUOTA = """<html><head><title>Google Drive - Quota exceeded</title></head><body><p>Sorry, you can't view or download this file
at this time. Too many users have viewed or downloaded this file recently.</p></body></html>"""


class Publisher:
    """What it publishes, what it was asked, and how it misbehaves.

    Addresses: /KIND/NAME, where KIND is
    plain, weak-etag, no-version (answers Range), moved (302 to plain), no-range (always all of it), cut (breaks off after
    `cut_after` bytes of every answer), slow (a little at a time), drive (a page to confirm, then the file), quota, login (web
    pages), missing (404), busy (503 once), wrong (other bytes, as many), endless, packed (gzip), changing (another version
    each time), page-as-file (a web page that says it is a file).
    """

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.asked: list[tuple[str, str | None]] = []
        """Path and Range header of every request."""
        self.cut_after = 100_000
        self.url = ""
        self._confirmed: set[str] = set()
        self._was_busy: set[str] = set()

    def at(self, kind: str, name: str) -> str:
        return f"{self.url}/{kind}/{name}"

    def publish(self, name: str, size: int = 300_000) -> bytes:
        """Made-up bytes, the same for the same name and size."""
        block = hashlib.sha256(name.encode()).digest()
        self.files[name] = b"".join(hashlib.sha256(block + bytes([n % 256])).digest() for n in range(size // 32 + 1))[
            :size
        ]
        return self.files[name]


@contextlib.contextmanager
def publisher() -> Iterator[Publisher]:
    state = Publisher()

    class Handler(_Handler):
        publisher = state

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    state.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    publisher: Publisher
    protocol_version = "HTTP/1.1"

    def log_message(self, *arguments: object) -> None:
        pass

    def do_GET(self) -> None:  # noqa: N802, the name that the base class calls
        self.publisher.asked.append((self.path, self.headers.get("Range")))
        path, _, query = self.path.partition("?")
        _, kind, name = path.split("/", 2)
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            getattr(self, "_" + kind.replace("-", "_"))(name, urllib.parse.parse_qs(query))

    # -- kinds of address ------------------------------------------------------------------------------------------------

    def _plain(self, name, query, **options):
        self._file(self.publisher.files[name], name, **options)

    def _weak_etag(self, name, query):
        self._file(self.publisher.files[name], name, etag='W/"weak"')

    def _no_version(self, name, query):
        self._file(self.publisher.files[name], name, etag="")

    def _moved(self, name, query):
        self._headers(302, {"Location": f"/plain/{name}", "Content-Length": "0"})

    def _no_range(self, name, query):
        self._file(self.publisher.files[name], name, ranges=False)

    def _cut(self, name, query):
        self._file(self.publisher.files[name], name, most=self.publisher.cut_after)

    def _cut_no_range(self, name, query):
        self._file(self.publisher.files[name], name, most=self.publisher.cut_after, ranges=False)

    def _cut_here_and_there(self, name, query):
        most = (self.publisher.cut_after, self.publisher.cut_after // 2)[len(self.publisher.asked) % 2]
        self._file(self.publisher.files[name], name, most=most, ranges=False)

    def _slow(self, name, query):
        self._file(self.publisher.files[name], name, pause_s=0.02)

    def _drive(self, name, query):
        if self.headers.get("Range"):  # of the page, which is shorter
            return self._page("<html>Requested range not satisfiable</html>", 416)
        code = uuid.uuid4().hex
        self.publisher._confirmed.add(code)
        self._page(CONFIRM.format(action=f"{self.publisher.url}/usercontent/{name}", id=name, uuid=code))

    def _usercontent(self, name, query):
        good = query.get("confirm") == ["t"] and query.get("id") == [name] and query.get("export") == ["download"]
        if not good or query.get("uuid", [""])[0] not in self.publisher._confirmed:
            return self._drive(name, query)
        self._file(self.publisher.files[name], name, etag="", modified=True, most=self.publisher.cut_after * 2)

    def _elsewhere(self, name, query):
        self._page(CONFIRM.format(action="https://example.org/download", id=name, uuid="0"))

    def _quota(self, name, query):
        self._page(QUOTA)

    def _login(self, name, query):
        self._page("<html><head><title>Sign in</title></head><body>Sign in</body></html>")

    def _page_as_file(self, name, query):
        page = b"<html>moved</html>".ljust(len(self.publisher.files[name]))
        self._headers(200, {"Content-Type": "application/octet-stream", "Content-Length": str(len(page))})
        self.wfile.write(page)

    def _missing(self, name, query):
        self._headers(404, {"Content-Length": "0"})

    def _busy(self, name, query):
        if name not in self.publisher._was_busy:
            self.publisher._was_busy.add(name)
            return self._headers(503, {"Content-Length": "0"})
        self._plain(name, query)

    def _wrong(self, name, query):
        self._file(bytes(byte ^ 1 for byte in self.publisher.files[name]), name, etag='"other"')

    def _short(self, name, query):
        self._file(self.publisher.files[name][:-1], name, etag='"short"')

    def _changing(self, name, query):
        self._file(
            self.publisher.files[name], name, etag=f'"{len(self.publisher.asked)}"', most=self.publisher.cut_after
        )

    def _endless(self, name, query):
        self._headers(200, {"Content-Type": "application/octet-stream", "Transfer-Encoding": "chunked"})
        while True:
            self.wfile.write(b"10000\r\n" + bytes(0x10000) + b"\r\n")

    def _packed(self, name, query):
        data = self.publisher.files[name]
        self._headers(200, {"Content-Encoding": "gzip", "Content-Length": str(len(data))})
        self.wfile.write(data)

    # -- answers ---------------------------------------------------------------------------------------------------------

    def _file(self, data, name, etag=None, modified=False, ranges=True, most=None, pause_s=0.0):
        etag = f'"{hashlib.md5(data).hexdigest()}"' if etag is None else etag
        headers = {"Content-Type": "application/octet-stream"}
        if etag:
            headers["ETag"] = etag
        if modified:
            headers["Last-Modified"] = "Sat, 02 Jul 2022 08:00:00 GMT"
        start, status = 0, 200
        wanted = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range") or "")
        versions = (None, etag, headers.get("Last-Modified"))
        if ranges and wanted and self.headers.get("If-Range") in versions:
            start, status = int(wanted[1]), 206
            if start >= len(data):
                return self._headers(416, {"Content-Range": f"bytes */{len(data)}", "Content-Length": "0"})
            headers["Content-Range"] = f"bytes {start}-{len(data) - 1}/{len(data)}"
        self._headers(status, headers | {"Content-Length": str(len(data) - start)})
        end = len(data) if most is None else min(len(data), start + most)
        for at in range(start, end, 16384):
            self.wfile.write(data[at : min(at + 16384, end)])
            if pause_s:
                self.wfile.flush()
                time.sleep(pause_s)
        if end < len(data):
            self.wfile.flush()
            self.close_connection = True

    def _page(self, text, status=200):
        data = text.encode()
        self._headers(status, {"Content-Type": "text/html; charset=utf-8", "Content-Length": str(len(data))})
        self.wfile.write(data)

    def _headers(self, status, headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
