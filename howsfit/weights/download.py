"""One file from one address, resumed where it broke off.

What has come lies in `NAME.part`, and `NAME.part.json` says from where: the rest is asked for with Range, and with If-Range
where no digest will tell (RFC 9110, 13.1.5 and 14.2). Nothing here says whether it is the right file, but a web page is
told from one.
"""

import errno
import json
import os
import re
import shutil
import time
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urljoin, urlsplit

import httpx

from howsfit.weights.errors import AddressFailed, NoRoom
from stagekit.manifest import WeightFile

ATTEMPTS = 5
"""Attempts in a row that may give nothing new."""
TIMEOUT = httpx.Timeout(connect=20, read=60, write=20, pool=20)

_LARGEST_PAGE = 1 << 20  # no confirmation page is larger
_MOST = 3
"""A file may be so many times as large as it has to be at least: an optimiser keeps up to two more numbers for each weight."""

_SPARE = 64 << 20  # bytes of the disk that are left free

Progress = Callable[[int, int], None]
"""progress(bytes that have come, bytes in all or 0 where nobody says)."""


class Part(NamedTuple):
    """A file on its way."""

    path: Path

    @property
    def note(self) -> Path:
        """Where it says from where the bytes came."""
        return self.path.with_name(self.path.name + ".json")

    def size(self) -> int:
        """Bytes that have come."""
        return self.path.stat().st_size if self.path.exists() else 0

    def origin(self) -> dict[str, Any]:
        """`address`, `version` (ETag or Last-Modified, "" for none) and `total`; empty where that is not known."""
        try:
            origin = json.loads(self.note.read_text())
            return origin if isinstance(origin, dict) else {}
        except (OSError, ValueError):
            return {}

    def forget(self) -> None:
        """Begin anew."""
        self.path.unlink(missing_ok=True)
        self.note.unlink(missing_ok=True)


def download(
    client: httpx.Client, address: str, part: Part, file: WeightFile, progress: Progress, pause_s: float = 1.0
) -> None:
    """Bring all bytes of `address` into `part`. It may have some already, from there or, where its digest is known, elsewhere.

    pause_s: before the second attempt; doubled before each further one.
    Raises AddressFailed, and NoRoom; both leave the bytes that came for another time.
    """
    origin = part.origin()
    if part.size() and not _continues(origin, address, file):
        part.forget()
    failures, most = 0, part.size()
    while True:
        try:
            return _attempt(client, address, part, file, progress)
        except (httpx.TransportError, _TryAgain) as error:
            failures = 0 if part.size() > most else failures + 1
            most = max(most, part.size())
            if failures >= ATTEMPTS:
                raise AddressFailed(f"it broke off {ATTEMPTS} times without anything new ({_told(error)})") from None
            time.sleep(pause_s * 2 ** min(failures, 5) / 2)
        except (httpx.InvalidURL, httpx.TooManyRedirects) as error:
            raise AddressFailed(str(error)) from None
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise NoRoom(
                    f"The disk of {part.path.parent} is full. Free some room and run the same command again: "
                    f"the {part.size() / 1e6:.0f} MB that came are kept."
                ) from None
            raise


def _continues(origin: dict[str, Any], address: str, file: WeightFile) -> bool:
    """Whether bytes of another time may be continued: the digest at the end would tell, or the server does now."""
    return bool(file.digests) or (origin.get("address") == address and bool(origin.get("version")))


class _TryAgain(Exception):
    """The server answered, but not with what was asked for."""


def _attempt(client: httpx.Client, address: str, part: Part, file: WeightFile, progress: Progress) -> None:
    rest = _rest_of(part, file, address)
    url, wanted = address, rest
    for _ in range(5):  # the file, or a page to be confirmed before it
        with client.stream("GET", url, headers={"Accept-Encoding": "identity"} | wanted) as answer:
            _refuse_cleartext(answer, file)
            page = _page(answer)
            if page is None:
                return _receive(answer, address, part, file, progress)
            if answer.status_code == 200:
                url, wanted = _confirmation(page, answer), rest
            else:  # the range was meant for the file behind the page: now the whole page
                wanted = {}
    raise AddressFailed("it asks for a confirmation over and over")


def _rest_of(part: Part, file: WeightFile, address: str) -> dict[str, str]:
    """The headers that ask for what has not come yet."""
    if not part.size():
        return {}
    headers = {"Range": f"bytes={part.size()}-"}
    origin = part.origin()
    if origin.get("version") and origin.get("address") == address and not file.digests:
        headers["If-Range"] = origin["version"]  # a digest says more, and servers behind one name may differ in ETags
    return headers


def _receive(answer: httpx.Response, address: str, part: Part, file: WeightFile, progress: Progress) -> None:
    """Write the body of an answer behind what is there, or in its place."""
    have = part.size()
    if answer.status_code == 416 and have:
        if _range(answer)[1] == have:  # everything had come before
            return
        part.forget()
        raise _TryAgain("the server has fewer bytes than came before")
    if answer.status_code in (408, 425, 429) or answer.status_code >= 500:
        raise _TryAgain(f"it answers {answer.status_code}")
    if answer.status_code not in (200, 206):
        raise AddressFailed(f"it answers {answer.status_code}")
    if answer.headers.get("content-encoding", "identity") != "identity":
        raise AddressFailed("it sends the file compressed, so that it cannot be held against its size")
    start, total = _range(answer) if answer.status_code == 206 else (0, _length(answer))
    if answer.status_code == 206 and start != have:
        part.forget()
        raise _TryAgain("the server sends another range than was asked for")
    if answer.status_code == 206 and total != part.origin().get("total", total):
        part.forget()
        raise _TryAgain("the file has another size now")
    _refuse_size(total, file)
    version = _version(answer)
    part.note.write_text(json.dumps({"address": address, "version": version, "total": total}))
    free = shutil.disk_usage(part.path.parent).free
    if total and total - start > free - _SPARE:
        raise NoRoom(
            f"{file.name} needs {(total - start) / 1e6:.0f} MB more, but the disk of {part.path.parent} has "
            f"{free / 1e6:.0f} MB free. Free some room and run the same command again."
        )
    total = total or file.size
    most = total or _MOST * file.at_least
    with part.path.open("r+b" if start else "wb") as target:
        target.seek(start)
        for chunk in answer.iter_raw():  # as they come: bytes held back would be lost with the connection
            target.write(chunk)
            if most and target.tell() > most:
                part.forget()
                raise AddressFailed(f"it sends more than the {most} bytes of {file.name}")
            progress(target.tell(), total)
        target.flush()
        os.fsync(target.fileno())
    if total and part.size() != total:
        raise _TryAgain(f"it sent {part.size()} of {total} bytes")


def _refuse_cleartext(answer: httpx.Response, file: WeightFile) -> None:
    """Where no digest is known, who stands between here and there could send anything: TLS all the way, or this machine."""
    if file.digests:
        return
    for each in (*answer.history, answer):
        if each.url.scheme != "https" and each.url.host not in ("127.0.0.1", "localhost", "::1"):
            raise AddressFailed(f"{each.url.host} is asked without TLS, and no digest of {file.name} is known")


def _refuse_size(total: int, file: WeightFile) -> None:
    if total and file.size and total != file.size:
        raise AddressFailed(f"it has {total} bytes there, not {file.size}")
    if total and total < file.at_least:
        raise AddressFailed(f"it has only {total} bytes there, less than {file.at_least}")
    if total and file.at_least and total > _MOST * file.at_least:
        raise AddressFailed(f"it has {total} bytes there, far more than {file.at_least}")


def _length(answer: httpx.Response) -> int:
    length = answer.headers.get("content-length", "")
    return int(length) if length.isdigit() else 0


def _range(answer: httpx.Response) -> tuple[int, int]:
    """First byte and number of all bytes that Content-Range tells; 0 for what it does not."""
    found = re.fullmatch(r"bytes (?:(\d+)-\d+|\*)/(\d+|\*)", answer.headers.get("content-range", ""))
    if found is None:
        return -1, 0
    return int(found[1] or 0), int(found[2]) if found[2] != "*" else 0


def _version(answer: httpx.Response) -> str:
    """What names this version of the file in If-Range: a strong ETag, or the time of its last change."""
    etag: str = answer.headers.get("etag", "")
    return etag if etag and not etag.startswith("W/") else answer.headers.get("last-modified", "")


def _told(error: Exception) -> str:
    return str(error) or type(error).__name__


# -- Google Drive's confirmation page ----------------------------------------------------------------------------------


def _page(answer: httpx.Response) -> str | None:
    """The text of a web page sent in place of a file; None for anything else, of which nothing is read."""
    if answer.status_code not in (200, 206, 416) or "text/html" not in answer.headers.get("content-type", ""):
        return None
    text = b""
    for chunk in answer.iter_bytes():
        text += chunk
        if len(text) > _LARGEST_PAGE:
            break
    return text.decode("utf-8", "replace")


def _confirmation(page: str, answer: httpx.Response) -> str:
    """The address behind "Download anyway". Raises AddressFailed for a page without it, with what the page says."""
    form = _Form()
    form.feed(page)
    if form.action is None:
        if "quota" in page.lower():
            raise AddressFailed("Google Drive's quota for this file is used up: try tomorrow, or with a browser")
        title = " ".join(form.title.split())
        raise AddressFailed(f"it sends a web page ({title[:80] or 'without a title'}) instead of a file")
    target = httpx.URL(urljoin(str(answer.url), form.action))
    if not _same_house(str(target), str(answer.url)):
        raise AddressFailed(f"its confirmation page leads to {target.host}")
    return str(target.copy_merge_params(form.fields))


def _same_house(one: str, other: str) -> bool:
    hosts = {urlsplit(url).hostname or "" for url in (one, other)}
    return len(hosts) == 1 or all(re.search(r"(^|\.)(google|googleusercontent)\.com$", host) for host in hosts)


class _Form(HTMLParser):
    """Finds the form `download-form` with its fields, and the page's title."""

    def __init__(self) -> None:
        super().__init__()
        self.action: str | None = None
        self.fields: dict[str, str] = {}
        self.title = ""
        self._inside = ""

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attributes}
        if tag == "title" or (tag == "form" and given.get("id") == "download-form"):
            self._inside = tag
            if tag == "form":
                self.action = given.get("action", "")
        elif tag == "input" and self._inside == "form" and "name" in given:
            self.fields[given["name"]] = given.get("value", "")

    def handle_endtag(self, tag: str) -> None:
        if tag == self._inside:
            self._inside = ""

    def handle_data(self, data: str) -> None:
        if self._inside == "title":
            self.title += data
