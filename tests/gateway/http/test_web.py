"""The web app is served as browsers like it, open to everybody, and its client is made from the API as it is."""

import asyncio
import contextlib
import gzip
import json

import httpx
import pytest

from gateway.app import create_app
from gateway.settings import Settings
from scripts.openapi import PLACE, document
from tests.servers import ROOT

INDEX = "<!doctype html><title>Howsfit</title>"
SCRIPT = "console.log('made'); " * 100


@pytest.fixture
def folder(tmp_path):
    """A built web app, as small as can be."""
    files = {"index.html": INDEX, "sw.js": "//", "manifest.webmanifest": "{}", "icons/icon.svg": "<svg/>"}
    files |= {"assets/app-1a2b3c.js": SCRIPT, "docs/index.html": "<!doctype html>API", "docs/swagger-ui.css": "a{}"}
    for name, text in files.items():
        path = tmp_path / "dist" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path / "dist"


def asked(folder, *requests, **settings):
    """The answers of a gateway that serves the app in the folder."""

    async def ask():
        stages = {"tryon": "http://tryon:8000"}
        app = create_app(Settings(web_dir=folder, data_dir=folder / "data", stages=stages, **settings))
        async with contextlib.AsyncExitStack() as stack:
            await app.state.gateway.database.create_tables()
            stack.push_async_callback(app.state.gateway.database.close)
            transport = httpx.ASGITransport(app=app)
            client = await stack.enter_async_context(httpx.AsyncClient(transport=transport, base_url="http://gateway"))
            return [await client.request(method, path, headers=headers) for method, path, headers in requests]

    return asyncio.run(ask())


def get(path, **headers):
    return "GET", path, {name.replace("_", "-"): value for name, value in headers.items()}


def test_every_page_of_the_app_is_the_same_document_and_asked_for_anew(folder):
    addresses = ("/", "/gallery", "/cluster", "/tryons/abc", "/batches/new", "/batches/abc", "/comparisons/abc")
    pages = asked(folder, *map(get, addresses))
    for page in pages:
        assert (page.status_code, page.text) == (200, INDEX)
        assert page.headers["content-type"] == "text/html; charset=utf-8"
        assert page.headers["cache-control"] == "no-cache" and page.headers["x-content-type-options"] == "nosniff"
        assert "script-src 'self';" in page.headers["content-security-policy"]
        assert "http" not in page.headers["content-security-policy"]


def test_files_with_a_digest_in_their_name_are_kept_forever_and_travel_compressed(folder):
    packed, plain = asked(
        folder, get("/assets/app-1a2b3c.js"), get("/assets/app-1a2b3c.js", accept_encoding="identity")
    )
    assert packed.text == plain.text == SCRIPT
    assert packed.headers["content-encoding"] == "gzip" and "content-encoding" not in plain.headers
    assert int(packed.headers["content-length"]) == len(gzip.compress(SCRIPT.encode(), 9, mtime=0)) < len(SCRIPT)
    assert "immutable" in packed.headers["cache-control"]
    assert packed.headers["content-type"].startswith("text/javascript")
    (again,) = asked(folder, get("/assets/app-1a2b3c.js", if_none_match=packed.headers["etag"]))
    assert (again.status_code, again.content) == (304, b"")


def test_it_is_open_where_keys_are_asked_for_and_the_rest_is_not(folder):
    paths = ("/", "/tryons/abc", "/assets/app-1a2b3c.js", "/sw.js", "/manifest.webmanifest", "/docs", "/icons/icon.svg")
    answers = asked(folder, *map(get, paths), admin_key="correct-horse-battery")
    assert [answer.status_code for answer in answers] == [200] * len(paths)
    closed = ("/v1/tryons", "/v1/tryons/abc", "/debug", "/assets", "/moon")
    answers = asked(folder, *map(get, closed), admin_key="correct-horse-battery")
    assert [answer.status_code for answer in answers] == [401] * len(closed)
    outside = ("/assets/../gateway/settings.py", "/assets/%2e%2e/index.html", "/assets/moon.js")
    answers = asked(folder, *map(get, outside), admin_key="correct-horse-battery")
    assert {answer.status_code for answer in answers} <= {401, 404}


def test_the_documentation_comes_from_here(folder):
    page, style = asked(folder, get("/docs"), get("/docs/swagger-ui.css"))
    assert page.text.endswith("API") and style.headers["content-type"].startswith("text/css")
    assert "'unsafe-inline'" not in page.headers["content-security-policy"].split("style-src")[0]


def test_downloads_by_signed_links_are_allowed_to_go_where_they_lead(folder):
    (page,) = asked(
        folder, get("/"), s3_bucket="pictures", s3_public_endpoint="https://pictures.example:8333/", s3_access_key="a",
        s3_secret_key="b",
    )  # fmt: skip
    assert "connect-src 'self' https://pictures.example:8333;" in page.headers["content-security-policy"]


def test_downloads_from_a_bucket_that_is_a_host_of_its_own_are_allowed_too(folder):
    (page,) = asked(
        folder, get("/"), s3_bucket="pictures", s3_public_endpoint="https://s3.example", s3_addressing="virtual",
        s3_access_key="a", s3_secret_key="b",
    )  # fmt: skip
    assert "connect-src 'self' https://pictures.s3.example;" in page.headers["content-security-policy"]


def test_a_shared_picture_that_nobody_took_leads_to_the_app(folder):
    (answer,) = asked(folder, ("POST", "/share", {}))
    assert (answer.status_code, answer.headers["location"]) == (303, "/?shared=missed")


def test_without_it_the_gateway_is_as_before(tmp_path):
    home, docs, page = asked(tmp_path, get("/"), get("/docs"), get("/gallery"))
    assert home.headers["location"] == "/debug"
    assert (docs.status_code, page.status_code) == (200, 404)


def test_the_document_that_the_client_is_made_from_is_up_to_date():
    assert PLACE.read_text() == document(), "run `make web-client`"


def test_packages_are_locked_and_name_no_host():
    lock = (ROOT / "web" / "package-lock.json").read_text()
    packages = [name for name in json.loads(lock)["packages"] if name]
    assert '"resolved"' not in lock and len(packages) > 50
    assert all(json.loads(lock)["packages"][name].get("integrity") for name in packages)
    wanted = json.loads((ROOT / "web" / "package.json").read_text())
    for version in (wanted["dependencies"] | wanted["devDependencies"]).values():
        assert version[0].isdigit(), version
