"""Who gets in, and what they may do there: first the gateway's app without any engine, then the whole thing."""

import asyncio
import base64
import concurrent.futures
import contextlib
import io
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from fastapi import FastAPI
from PIL import Image
from sqlalchemy import literal

from gateway.app import create_app
from gateway.callers import keys
from gateway.settings import Settings
from tests.pictures import encoded
from tests.servers import howsfit_serve

ADMIN_KEY = "correct-horse-battery"
SITE = "https://shop.example"


def bearer(key):
    return {"Authorization": f"Bearer {key}"}


def basic(key):
    return {"Authorization": "Basic " + base64.b64encode(f"me:{key}".encode()).decode()}


@contextlib.asynccontextmanager
async def serving(folder, **settings):
    """A client of a gateway with one mounted app and no engine; what runs jobs is not started."""
    stage = FastAPI()
    stage.get("/debug")(lambda: "everybody's pictures")
    settings = {"data_dir": folder, "admin_key": ADMIN_KEY, "stages": {"pose": "inproc://pose"}} | settings
    settings = {"web_dir": folder / "no-web"} | settings
    app = create_app(Settings(**settings), {"pose": stage})
    await app.state.gateway.database.create_tables()
    app.get("/v1/bug", include_in_schema=False)(lambda: 1 // 0)
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://gateway") as client:
        yield client
    await app.state.gateway.database.close()


async def new_key(client, owner="shop", **options):
    answer = await client.post("/v1/keys", json={"owner": owner} | options, headers=bearer(ADMIN_KEY))
    assert answer.status_code == 201, answer.text
    return answer.json()["key"]


def checks(**settings):
    """Run an async test with a client of a gateway that has these settings."""

    def decorate(story):
        def test(tmp_path):
            async def run():
                async with serving(tmp_path, **settings) as client:
                    await story(client)

            asyncio.run(run())

        test.__name__ = story.__name__
        return test

    return decorate


def refused(answer, status, code):
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json"), answer.text
    problem = answer.json()
    assert problem["code"] == code and problem["detail"] and len(problem["trace_id"]) == 32
    return True


@checks()
async def test_without_a_key_nothing_opens_but_what_is_listed(client):
    for path in ("/livez", "/metrics", "/docs", "/openapi.json", "/"):
        answer = await client.get(path)
        assert answer.status_code in (200, 307) and "cache-control" not in answer.headers, path
    schema = (await client.get("/openapi.json")).json()
    asked = [(method, path) for path, methods in schema["paths"].items() for method in methods]
    assert len(asked) > 20
    for method, path in [*asked, ("get", "/moon"), ("get", "/stages/pose/debug"), ("options", "/v1/tryons")]:
        if path not in ("/livez", "/readyz", "/metrics"):
            answer = await client.request(method, path.replace("{", "").replace("}", ""))
            assert refused(answer, 401, "unauthorized"), path
            page = path.startswith(("/debug", "/stages"))
            assert answer.headers["www-authenticate"] == f'{"Basic" if page else "Bearer"} realm="howsfit"'


@checks()
async def test_what_opens_nothing(client):
    key = await new_key(client)
    for headers in (
        bearer(key[:-1]),
        bearer("moon"),
        {"Authorization": key},
        {"Authorization": "Bearer"},
        {"Authorization": f"Digest {key}"},
        {"Authorization": "Basic !"},
        {"Authorization": "Basic " + base64.b64encode(b"\xff:\xff").decode()},
        {"Authorization": "Basic " + base64.b64encode(key.encode()).decode()},
        {"Authorization": b"Bearer \xe4\xff" + b"a" * 60},
        basic(f"hft_{16 * chr(0)}_{43 * chr(0)}"),
        basic("hft_" + 16 * "0" + "_" + 42 * "a" + "ä"),
        {"X-Api-Key": key},
    ):
        assert refused(await client.get("/v1/keys/me", headers=headers), 401, "unauthorized"), headers
    assert refused(await client.get("/v1/keys/me", params={"key": key}), 401, "unauthorized")


@checks()
async def test_a_key_is_taken_as_bearer_and_as_password(client):
    key = await new_key(client, name="till", max_jobs=3)
    for headers in (bearer(key), basic(key), {"Authorization": f"bearer  {key}"}):
        answer = await client.get("/v1/keys/me", headers=headers)
        assert answer.status_code == 200 and answer.json()["name"] == "till" and answer.json()["max_jobs"] == 3
        assert answer.headers["cache-control"] == "private" and "Authorization" in answer.headers["vary"]
    assert (await client.get("/v1/keys/me", headers=bearer(ADMIN_KEY))).json()["id"] == "admin"


@checks()
async def test_other_sites_cannot_use_a_browsers_password(client):
    for origin, status in ((None, 201), ("http://gateway", 201), ("https://evil.example", 403), ("null", 403)):
        headers = basic(ADMIN_KEY) | ({"Origin": origin} if origin else {})
        assert (await client.post("/v1/keys", json={"owner": "x"}, headers=headers)).status_code == status, origin
    assert (await client.get("/v1/keys", headers=basic(ADMIN_KEY) | {"Origin": "null"})).status_code == 200
    headers = bearer(ADMIN_KEY) | {"Origin": "https://evil.example"}
    assert (await client.post("/v1/keys", json={"owner": "x"}, headers=headers)).status_code == 201


@checks()
async def test_scopes(client):
    reader, writer, admin = [await new_key(client, scopes=[scope]) for scope in ("read", "write", "admin")]
    picture = {"image": b"no picture"}
    assert refused(await client.post("/v1/images", files=picture, headers=bearer(reader)), 403, "forbidden")
    assert refused(await client.post("/v1/images", files=picture, headers=bearer(writer)), 422, "unreadable-image")
    assert refused(await client.get("/v1/tryons", headers=bearer(writer)), 403, "forbidden")
    for key in (reader, writer):
        for method, path in (
            ("GET", "/v1/keys"),
            ("POST", "/v1/keys"),
            ("DELETE", "/v1/keys/x"),
            ("GET", "/stages/pose/debug"),
        ):
            body = {"json": {"owner": "x"}} if method == "POST" else {}
            assert refused(await client.request(method, path, headers=bearer(key), **body), 403, "forbidden")
    for key in (admin, ADMIN_KEY):
        assert len((await client.get("/v1/keys", headers=bearer(key))).json()["keys"]) == 3
        assert "everybody" in (await client.get("/stages/pose/debug", headers=basic(key))).text


@checks()
async def test_keys_are_shown_once_listed_without_secrets_and_revoked(client):
    admin = bearer(ADMIN_KEY)
    made = await client.post("/v1/keys", json={"owner": "shop", "name": "till"}, headers=admin)
    document, key = made.json(), made.json()["key"]
    assert made.headers["cache-control"] == "no-store" and document["scopes"] == ["read", "write"]
    listed = await client.get("/v1/keys", headers=admin)
    assert key.rpartition("_")[2] not in listed.text and listed.json()["keys"][0]["id"] == document["id"]
    assert (await client.get("/v1/keys/me", headers=bearer(key))).status_code == 200
    assert (await client.delete(f"/v1/keys/{document['id']}", headers=admin)).status_code == 204
    assert refused(await client.get("/v1/keys/me", headers=bearer(key)), 401, "unauthorized")
    assert (await client.get("/v1/keys", headers=admin)).json()["keys"][0]["revoked"]
    assert refused(await client.delete("/v1/keys/moon", headers=admin), 404, "not-found")


@checks()
async def test_a_key_expires(client):
    end = datetime.now(UTC) + timedelta(hours=1)
    key = await new_key(client, expires_at=end.isoformat())
    assert (await client.get("/v1/keys/me", headers=bearer(key))).status_code == 200
    for second, opens in ((-1, True), (0, False), (1, False)):
        then = literal(end.timestamp() + second)
        with pytest.MonkeyPatch.context() as patch:
            # The database's clock, an hour on: nobody waits for it, and no busy machine is late.
            patch.setattr(keys, "now", lambda then=then: then)
            answer = await client.get("/v1/keys/me", headers=bearer(key))
            assert answer.status_code == 200 if opens else refused(answer, 401, "unauthorized")


@checks()
async def test_malformed_keys_are_not_made(client):
    for wanted in (
        {},
        {"owner": ""},
        {"owner": "a:b"},
        {"owner": "a" * 65},
        {"owner": "a", "scopes": []},
        {"owner": "a", "scopes": ["all"]},
        {"owner": "a", "rate_per_minute": -1},
        {"owner": "a", "expires_at": "2020-01-01T00:00:00Z"},
        {"owner": "a", "expires_at": "2120-01-01T00:00:00"},
        {"owner": "a", "expires_at": "9999-12-31T23:59:59-12:00"},
        {"owner": "a", "name": "\0"},
        {"owner": "a", "secret": "mine"},
    ):
        assert refused(await client.post("/v1/keys", json=wanted, headers=bearer(ADMIN_KEY)), 400, "bad-request"), (
            wanted
        )


@checks()
async def test_every_answer_tells_the_rate_and_beyond_it_is_429(client):
    key = await new_key(client, rate_per_minute=4)
    answers = [await client.get(path, headers=bearer(key)) for path in ("/v1/keys/me", "/moon", "/v1/keys", "/v1/bug")]
    assert [answer.status_code for answer in answers] == [200, 404, 403, 500]
    for left, answer in zip((3, 2, 1), answers, strict=False):
        assert answer.headers["ratelimit-policy"] == '"default";q=4;w=60'
        assert answer.headers["ratelimit"].startswith(f'"default";r={left};t=')
    answer = await client.get("/v1/keys/me", headers=bearer(key))
    assert refused(answer, 429, "rate-limited") and 1 <= int(answer.headers["retry-after"]) <= 15
    assert answer.headers["ratelimit"] == f'"default";r=0;t={answer.headers["retry-after"]}'
    assert (await client.get("/v1/keys/me", headers=bearer(await new_key(client)))).status_code == 200
    assert "ratelimit" not in (await client.get("/v1/keys/me", headers=bearer(ADMIN_KEY))).headers
    unbounded = bearer(await new_key(client, rate_per_minute=0))
    assert "ratelimit" not in (await client.get("/v1/keys/me", headers=unbounded)).headers


@checks(cors_origins=[SITE])
async def test_pages_of_listed_origins_may_use_the_api(client):
    asked = {
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,prefer,traceparent",
    }
    preflight = await client.options("/v1/tryons", headers={"Origin": SITE} | asked)
    assert preflight.status_code == 200 and preflight.headers["access-control-allow-origin"] == SITE
    allowed = preflight.headers["access-control-allow-headers"].lower()
    for name in ("authorization", "idempotency-key", "prefer", "last-event-id", "cache-control", "traceparent"):
        assert name in allowed
    assert (await client.options("/v1/tryons", headers={"Origin": "https://evil.example"} | asked)).status_code == 400
    admin = bearer(ADMIN_KEY)
    large = {"content": b"", "headers": admin | {"Origin": SITE, "Content-Length": "999999999"}}
    for answer, status in (
        (await client.get("/v1/keys/me", headers=admin | {"Origin": SITE}), 200),
        (await client.get("/v1/keys/me", headers={"Origin": SITE}), 401),
        (await client.post("/v1/tryons", **large), 413),
        (await client.get("/v1/bug", headers=admin | {"Origin": SITE}), 500),
    ):
        assert answer.status_code == status and answer.headers["access-control-allow-origin"] == SITE
        exposed = answer.headers["access-control-expose-headers"]
        for name in ("Location", "Retry-After", "RateLimit", "RateLimit-Policy", "Preference-Applied"):
            assert name in exposed.split(", ")
        assert "access-control-allow-credentials" not in answer.headers
    assert refused(await client.get("/v1/bug", headers=admin), 500, "internal-error")
    stranger = await client.get("/v1/keys/me", headers=admin | {"Origin": "https://evil.example"})
    assert "access-control-allow-origin" not in stranger.headers


@checks(admin_key=None)
async def test_without_an_admin_key_no_keys_are_asked_for(client):
    for method, path in (("GET", "/v1/keys"), ("GET", "/v1/keys/me"), ("POST", "/v1/keys"), ("DELETE", "/v1/keys/x")):
        answer = await client.request(method, path, **({"json": {"owner": "x"}} if method == "POST" else {}))
        assert refused(answer, 409, "keys-off") and "HOWSFIT_ADMIN_KEY" in answer.json()["detail"]
    answer = await client.get("/stages/pose/debug", headers={"Authorization": "Basic !"})
    assert answer.status_code == 200 and "cache-control" not in answer.headers
    preflight = {"Origin": SITE, "Access-Control-Request-Method": "POST"}
    assert "access-control-allow-origin" not in (await client.options("/v1/tryons", headers=preflight)).headers


@checks()
async def test_generated_clients_know_of_keys(client):
    schema = (await client.get("/openapi.json")).json()
    ((name, scheme),) = schema["components"]["securitySchemes"].items()
    assert (scheme["type"], scheme["scheme"]) == ("http", "bearer")
    for path, methods in schema["paths"].items():
        for method, operation in methods.items():
            if path.startswith("/v1/"):
                assert {"400", "401", "403", "429"} <= operation["responses"].keys(), (method, path)
                scopes = (
                    []
                    if path == "/v1/keys/me"
                    else ["admin"]
                    if "keys" in path
                    else ["read" if method == "get" and "secret" not in path else "write"]
                )
                assert operation["security"] == [{name: scopes}], (method, path)


# The whole thing: a gateway of its own, with all default engines.


@pytest.fixture(scope="module")
def gateway(tmp_path_factory):
    """Makes clients: gateway(owner, **options of the key); without an owner the admin's."""
    folder = tmp_path_factory.mktemp("keyed")
    with howsfit_serve(folder, {"HOWSFIT_ADMIN_KEY": ADMIN_KEY}) as url, contextlib.ExitStack() as stack:
        admin = stack.enter_context(httpx.Client(base_url=url, headers=bearer(ADMIN_KEY), timeout=120))

        def client(owner=None, **options):
            if owner is None:
                return admin
            made = admin.post("/v1/keys", json={"owner": owner} | options)
            assert made.status_code == 201, made.text
            return stack.enter_context(httpx.Client(base_url=url, headers=bearer(made.json()["key"]), timeout=120))

        yield client


@pytest.fixture(scope="module")
def anna(gateway):
    return gateway("anna")


@pytest.fixture(scope="module")
def bert(gateway):
    return gateway("bert")


@pytest.fixture(scope="module")
def annas(anna, bundled):
    """A finished try-on of Anna's."""
    files = dict(zip(("photo", "garment"), bundled, strict=True))
    document = anna.post("/v1/tryons", files=files, headers={"Prefer": "wait=100"}).json()
    assert document["status"] == "succeeded", document
    return document


def ids(client, **params):
    return [tryon["id"] for tryon in client.get("/v1/tryons", params=params).json()["tryons"]]


def order(client, photo, garment):
    return client.post("/v1/tryons", files={"photo": photo, "garment": garment})


def other_photos(bundled, count):
    """The same portrait in other bytes, which no cache knows."""
    portrait = Image.open(io.BytesIO(bundled[0])).convert("RGB")
    return [encoded(portrait, "JPEG", quality=60 + n + count) for n in range(count)]


@pytest.mark.slow
def test_a_tenant_sees_nothing_of_anothers_tryons(anna, bert, gateway, annas):
    for path in [*annas["urls"].values(), *annas["artifacts"].values()]:
        method = "POST" if path.endswith("cancel") else "GET"
        assert refused(bert.request(method, path), 404, "not-found"), path
    assert refused(bert.delete(annas["urls"]["get"]), 404, "not-found")
    assert refused(bert.post(annas["urls"]["get"] + "/retry"), 404, "not-found")
    assert annas["id"] not in ids(bert) and annas["id"] not in bert.get("/debug").text
    for client in (anna, gateway("anna", scopes=["read"]), gateway("carl", scopes=["admin"]), gateway()):
        assert annas["id"] in ids(client) and annas["id"] in client.get("/debug").text
        answer = client.get(annas["artifacts"]["tryon"])
        assert answer.content.startswith(b"\x89PNG") and answer.headers["cache-control"] == "private"


@pytest.mark.slow
def test_a_tenant_cannot_use_anothers_images_batches_or_comparisons(anna, bert, gateway, bundled):
    photo, garment = (anna.post("/v1/images", files={"image": data}).json()["id"] for data in bundled)
    for answer in (
        bert.get(f"/v1/images/{photo}"),
        bert.get(f"/v1/images/{photo}/content"),
        bert.delete(f"/v1/images/{photo}"),
        bert.post("/v1/tryons", data={"photo_id": photo, "garment_id": garment}),
        bert.post("/v1/preprocess/cloth", data={"garment_id": garment}),
        bert.post("/v1/batches", json={"photo_ids": [photo], "garment_ids": [garment]}),
        bert.post("/v1/comparisons", json={"photo_id": photo, "garment_id": garment, "variants": [{}, {}]}),
    ):
        assert refused(answer, 404, "not-found")
    batch = anna.post("/v1/batches", json={"photo_ids": [photo], "garment_ids": [garment]}).json()
    wanted = {"photo_id": photo, "garment_id": garment, "variants": [{}, {}]}
    comparison = anna.post("/v1/comparisons", json=wanted).json()
    for method, path in (
        ("GET", batch["urls"]["get"]),
        ("POST", batch["urls"]["cancel"]),
        ("DELETE", batch["urls"]["get"]),
        ("GET", comparison["urls"]["get"]),
        ("GET", comparison["urls"]["sheet"]),
        ("POST", comparison["urls"]["cancel"]),
        ("DELETE", comparison["urls"]["get"]),
    ):
        assert refused(bert.request(method, path), 404, "not-found")
    for client in (anna, gateway()):
        assert client.get(batch["urls"]["get"]).status_code == 200
        assert client.get(comparison["urls"]["sheet"]).content.startswith(b"\x89PNG")
        assert client.get(f"/v1/images/{photo}/content").content == bundled[0]
    assert bert.post("/v1/images", files={"image": bundled[0]}).json()["id"] == photo
    assert bert.delete(f"/v1/images/{photo}").status_code == 204
    assert anna.get(f"/v1/images/{photo}").status_code == 200, "each has their own of the same picture"


@pytest.mark.slow
def test_the_same_idempotency_key_of_two_tenants_is_two_tryons(anna, bert, bundled):
    files = dict(zip(("photo", "garment"), bundled, strict=True))
    one, again, other = (
        client.post("/v1/tryons", files=files, headers={"Idempotency-Key": "1", "Prefer": "wait=60"}).json()["id"]
        for client in (anna, anna, bert)
    )
    assert one == again != other


@pytest.mark.slow
def test_lists_hold_the_owners_own_on_every_page(gateway, bundled):
    dora, emil = gateway("dora"), gateway("emil")
    mine, reused = [], []
    for _ in range(3):
        for client in (dora, emil):
            made = client.post(
                "/v1/preprocess/cloth", files={"garment": bundled[1]}, headers={"Prefer": "wait=60"}
            ).json()
            mine += [made["id"]] if client is dora else []
            reused.append({stage["reused"] for stage in made["stages"]})
    assert reused == [{False}] * 2 + [{True}] * 4, "nobody learns from it what others have uploaded"
    first = dora.get("/v1/tryons", params={"limit": 2}).json()
    second = dora.get(first["next"]).json()
    assert [t["id"] for t in first["tryons"] + second["tryons"]] == mine[::-1] and second["next"] is None
    both = gateway("dora")
    assert ids(both) == mine[::-1], "another key of the same owner sees the same"


@pytest.mark.slow
def test_the_quota_holds_against_many_requests_at_once_and_is_free_again_after(gateway, bundled):
    fred = gateway("fred", max_jobs=2)
    photos = other_photos(bundled, 9)
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda photo: order(fred, photo, bundled[1]), photos[:8]))
    accepted = [answer.json() for answer in answers if answer.status_code == 202]
    assert len(accepted) == 2
    for answer in answers:
        assert answer.status_code == 202 or (refused(answer, 429, "quota-reached") and answer.headers["retry-after"])
    for job in accepted:
        assert "completed" in fred.get(job["urls"]["events"]).text  # waits for its end
    last = order(fred, photos[8], bundled[1])
    assert last.status_code == 202
    assert fred.post(last.json()["urls"]["cancel"]).status_code == 200


@pytest.mark.slow
def test_neither_a_batch_nor_a_retry_gets_round_the_quota(gateway, bundled):
    hugo = gateway("hugo", max_jobs=1)
    photos = other_photos(bundled, 2)
    images = [hugo.post("/v1/images", files={"image": data}).json()["id"] for data in (bundled[1], *photos)]
    assert refused(
        hugo.post("/v1/batches", json={"photo_ids": images[1:], "garment_ids": images[:1]}), 429, "quota-reached"
    )
    first = order(hugo, photos[0], bundled[1]).json()
    assert hugo.post(first["urls"]["cancel"]).json()["status"] == "canceled"
    second = order(hugo, photos[1], bundled[1])
    assert second.status_code == 202, "a canceled one is not under way"
    assert refused(hugo.post(f"/v1/tryons/{first['id']}/retry"), 429, "quota-reached")
    assert hugo.post(second.json()["urls"]["cancel"]).status_code == 200
    assert hugo.post(f"/v1/tryons/{first['id']}/retry").status_code == 200
    assert hugo.delete(first["urls"]["get"]).status_code == 204


@pytest.mark.slow
def test_events_are_streamed_to_whoever_has_the_key(gateway, anna, annas):
    stream = anna.get(annas["urls"]["events"])
    assert "event: completed" in stream.text and stream.headers["cache-control"] == "no-cache, private"
    assert stream.headers["ratelimit"].startswith('"default";r=')
    assert httpx.get(anna.base_url.join(annas["urls"]["events"])).status_code == 401


@pytest.mark.slow
def test_stage_pages_need_an_admin(gateway, anna):
    url = f"{anna.base_url}/stages/pose/"
    for path in ("debug", "info", "docs", "run", ""):
        assert httpx.get(url + path).headers["www-authenticate"].startswith("Basic")
        assert refused(anna.get(f"/stages/pose/{path}"), 403, "forbidden")
    assert httpx.get(url + "debug", auth=("me", ADMIN_KEY)).status_code == 200
    assert httpx.get(f"{anna.base_url}/readyz").status_code == 200


@pytest.mark.slow
def test_an_admins_key_reaches_everything_of_everybody(gateway, bundled):
    gina, admin = gateway("gina"), gateway("ops", scopes=["admin"])
    image = gina.post("/v1/images", files={"image": bundled[1]}).json()["id"]
    made = gina.post("/v1/preprocess/cloth", data={"garment_id": image}, headers={"Prefer": "wait=60"}).json()
    assert ids(admin)[0] == made["id"]
    assert admin.delete(made["urls"]["get"]).status_code == 204 and gina.get(made["urls"]["get"]).status_code == 404
    assert admin.delete(f"/v1/images/{image}").status_code == 204 and gina.get(f"/v1/images/{image}").status_code == 404
