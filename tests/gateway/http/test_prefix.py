"""Below a path of a proxy: what clients see, whatever the proxy does with the path."""

import asyncio

import pytest

from gateway.paths import parse_prefix
from gateway.settings import Settings
from tests.gateway.http.test_access import ADMIN_KEY, bearer, serving
from tests.pictures import encoded, picture

PROXIES = {
    "takes it off": ("", {}),
    "leaves it": ("/shop/tryon", {}),
    "tells it, and takes it off": ("", {"X-Forwarded-Prefix": "/shop/tryon"}),
    "tells it, and leaves it": ("/shop/tryon", {"X-Forwarded-Prefix": "/shop/tryon/"}),
    "is two of them": ("", {"X-Forwarded-Prefix": "/shop, /tryon"}),
}


def told(story, folder, **settings):
    async def run():
        async with serving(folder, **settings) as client:
            await story(client)

    asyncio.run(run())


@pytest.mark.parametrize("proxy", PROXIES)
def test_every_address_that_is_told_is_the_clients(tmp_path, proxy):
    before, added = PROXIES[proxy]
    headers = bearer(ADMIN_KEY) | added

    async def story(client):
        sent = {"image": encoded(picture("RGB"), "JPEG")}
        answer = await client.post(f"{before}/v1/images", files=sent, headers=headers)
        assert answer.status_code == 201, answer.text
        here = f"/shop/tryon/v1/images/{answer.json()['id']}"
        assert answer.headers["Location"] == here and answer.json()["urls"]["content"] == here + "/content"
        if before:
            assert (await client.get(here, headers=headers)).json()["id"] == answer.json()["id"]
        home = await client.get(f"{before}/", headers=headers)
        assert home.headers["Location"] == "/shop/tryon/debug"
        page = await client.get(f"{before}/stages/pose/debug", headers=headers)
        assert page.json() == "everybody's pictures"
        assert (await client.get(f"{before}/stages/pose/debug", headers=added)).status_code == 401
        assert (await client.get(f"{before}/livez", headers=added)).status_code == 200

    told(story, tmp_path, base_path="" if added else "/shop/tryon")


def test_the_path_alone_leads_to_the_page_below_it(tmp_path):
    async def story(client):
        answer = await client.get("/shop?garment=7")
        assert (answer.status_code, answer.headers["Location"]) == (308, "/shop/?garment=7")

    told(story, tmp_path, base_path="/shop/")


@pytest.mark.parametrize("value", ["//evil.example", "/a b", "/<script>", "/../x", "/v1", "x" * 200, "/é"])
def test_a_prefix_of_another_form_is_ignored(tmp_path, value):
    async def story(client):
        headers = bearer(ADMIN_KEY) | {"X-Forwarded-Prefix": value.encode()}
        assert (await client.get("/", headers=headers)).headers["Location"] == "/debug"

    told(story, tmp_path)


def test_a_stranger_tells_nothing(tmp_path):
    async def story(client):
        headers = bearer(ADMIN_KEY) | {"X-Forwarded-Prefix": "/shop"}
        assert (await client.get("/", headers=headers)).headers["Location"] == "/debug"

    told(story, tmp_path, trusted_proxies="10.0.0.0/8")


@pytest.mark.parametrize(
    "settings, word", [({"base_path": "/v1/x"}, "address of the gateway"), ({"trusted_proxies": "proxy"}, "10.0.0.0/8")]
)
def test_a_wrong_setting_says_how_it_is_written(tmp_path, settings, word):
    with pytest.raises(ValueError, match=word):
        Settings(data_dir=tmp_path, **settings)


def test_a_prefix_is_read_with_and_without_its_last_slash():
    assert parse_prefix("/shop/tryon/") == parse_prefix(" /shop/tryon") == "/shop/tryon"
    assert parse_prefix("/") == parse_prefix("") == ""
