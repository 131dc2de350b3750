"""Pictures given by their address: what is fetched, from where, and what is said when nothing comes."""

import asyncio
import contextlib
import hashlib
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest

from gateway.app import create_app
from gateway.errors import PictureNotFetched, UploadTooLarge
from gateway.outgoing.fetching import Fetcher
from gateway.settings import Settings

PICTURE = b"\x89PNG what the server has"


class Shop(BaseHTTPRequestHandler):
    """The paths say what it answers."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.server.asked.append(self.path)
        _, action, rest = self.path.split("/", 2)
        if action == "to":
            self.send_response(302)
            self.send_header("location", rest)
            self.send_header("content-length", "0")
            self.end_headers()
        elif action == "slow":
            time.sleep(float(rest))
        elif action == "endless":
            self.send_response(200)
            self.end_headers()
            with contextlib.suppress(OSError):
                while True:
                    self.wfile.write(bytes(100_000))
        else:
            self.send_response(int(action))
            data = self.server.picture
            self.send_header("content-length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

    def log_message(self, *args):
        pass


@pytest.fixture
def shop():
    """A server of pictures on 127.0.0.1, which is listed; it has no certificate."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Shop)
    server.asked, server.picture = [], PICTURE
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    server.url = f"http://127.0.0.1:{server.server_port}"
    yield server
    server.shutdown()
    server.server_close()


def fetched(url, allow="127.0.0.1", **settings):
    fetcher = Fetcher(Settings(picture_allow=allow, **settings))
    try:
        return asyncio.run(fetcher.fetch(url, "photo"))
    finally:
        fetcher.close()


def refusal(url, allow="127.0.0.1", **settings):
    with pytest.raises(PictureNotFetched) as refused:
        fetched(url, allow, **settings)
    return refused.value.detail


def test_what_the_server_has_is_fetched_through_redirects(shop):
    assert fetched(f"{shop.url}/200/me.png") == PICTURE
    assert fetched(f"{shop.url}/to/{shop.url}/to//200/me.png") == PICTURE
    assert shop.asked[-1] == "/200/me.png"


def test_every_address_on_the_way_must_be_allowed(shop):
    for inner in (
        "http://127.0.0.2:1/",
        "http://[::1]/",
        "http://169.254.169.254/latest/",
        "http://10.0.0.1",
    ):
        said = refusal(f"{shop.url}/to/{inner}")
        assert "not public" in said and "HOWSFIT_PICTURE_ALLOW" in said
    assert len(shop.asked) == 4
    assert "whole URL" in refusal(f"{shop.url}/to/file:///etc/passwd")
    assert "over https" in refusal("http://8.8.8.8/me.png")
    assert "not public" in refusal(f"{shop.url}/200/me.png", allow="")
    assert "no user name" in refusal("https://me:secret@8.8.8.8/me.png")


def test_a_circle_of_redirects_ends(shop):
    shop_path = "/to/" * 20
    assert "from one to the next" in refusal(f"{shop.url}{shop_path}{shop.url}/200/me.png")
    assert len(shop.asked) == 6


@pytest.mark.parametrize("status", (401, 404, 500, 204))
def test_what_the_server_refuses_is_told_with_its_status(shop, status):
    assert str(status) in refusal(f"{shop.url}/{status}/me.png")


def test_size_and_time_are_bounded(shop):
    for path in ("/endless/", "/200/me.png"):
        shop.picture = bytes(200_000)
        with pytest.raises(UploadTooLarge, match=r"0\.1 MB"):
            fetched(shop.url + path, max_upload_mb=0.1)
    began = time.monotonic()
    assert "within 0.3 s" in refusal(f"{shop.url}/slow/2", picture_timeout_s=0.3)
    assert time.monotonic() - began < 1.5
    assert "cannot be reached" in refusal("http://127.0.0.1:1/me.png")


def test_a_request_may_give_an_address_in_a_picture_s_place(shop, tmp_path, bundled):
    shop.picture = bundled[0]
    settings = Settings(data_dir=tmp_path, picture_allow="127.0.0.1", stages={"resize": "http://127.0.0.1:1"})

    async def main():
        app = create_app(settings, {})
        transport = httpx.ASGITransport(app=app)
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(transport=transport, base_url="http://gateway") as client,
        ):
            url = f"{shop.url}/200/me.jpg"
            for sent in ({"json": {"image": url}}, {"data": {"image": url}}):
                answer = await client.post("/v1/images", **sent)
                assert answer.status_code == 201, answer.text
                assert answer.json()["id"] == "sha256:" + hashlib.sha256(bundled[0]).hexdigest()
            shop.picture = b"<html>no picture at all, but a page</html>"
            assert (await client.post("/v1/images", json={"image": url})).json()["code"] == "unreadable-image"
            for path in ("/v1/images", "/v1/tryons", "/v1/preprocess/person", "/v1/preprocess/cloth"):
                names = {"/v1/images": ["image"], "/v1/tryons": ["photo", "garment"]}.get(
                    path, ["photo" if "person" in path else "garment"]
                )
                answer = await client.post(path, json=dict.fromkeys(names, f"{shop.url}/404/me.jpg"))
                assert (answer.status_code, answer.json()["code"]) == (422, "picture-not-fetched"), answer.text
                assert names[0] in answer.json()["detail"]

    asyncio.run(main())
