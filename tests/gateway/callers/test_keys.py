"""API keys in a database: made, used, expired, revoked; never kept as they are."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import ValidationError

from gateway.callers.keys import SCOPES, Keys
from gateway.errors import NotFound, Unauthorized
from gateway.settings import Settings
from gateway.storage.database import Database

ADMIN_KEY = "correct-horse-battery"


@pytest.fixture
def make_keys(database):
    """Keys on one database: a gateway's, as often as it is called."""
    made = []

    def make(**settings):
        made.append(Database(database))
        asyncio.run(made[-1].create_tables())
        return Keys(made[-1], Settings(admin_key=ADMIN_KEY, **settings))

    yield make
    for each in made:
        asyncio.run(each.close())


def test_a_key_is_known_by_its_secret_alone(make_keys):
    async def story(keys):
        made, text = await keys.create("shop", "till", ["write", "read"])
        assert text.startswith(f"hft_{made.id}_") and made.scopes == ("read", "write") and made.owner == "shop"
        used, _ = await keys.use(text)
        assert (used.id, used.owner, used.name) == (made.id, "shop", "till")
        other, _ = await keys.create("shop", "other", ["read"])
        wrong = (text[:-1], text + "a", text[:-1] + ("a" if text[-1] != "a" else "b"), text.replace(made.id, other.id))
        for presented in (
            *wrong,
            "",
            "hft_",
            "hft__",
            f"hft_{made.id}_",
            "moon",
            "hft_ü_ü",
            "\udce4" * 60,
            "%",
            "' OR 1=1 --",
        ):
            with pytest.raises(Unauthorized):
                await keys.use(presented)

    asyncio.run(story(make_keys()))


def test_the_admin_key_may_do_everything_and_is_in_no_database(make_keys):
    keys = make_keys()
    admin, allowance = asyncio.run(keys.use(ADMIN_KEY))
    assert admin.scopes == SCOPES and admin.owner == "" and allowance is None
    assert asyncio.run(keys.list()) == []


def test_a_revoked_key_is_dead_at_once_at_every_gateway(make_keys):
    async def story(here, there):
        made, text = await here.create("shop", "", ["read"])
        await there.use(text)
        await here.revoke(made.id)
        with pytest.raises(Unauthorized, match="revoked"):
            await there.use(text)
        assert [(key.id, key.revoked) for key in await there.list()] == [(made.id, True)]
        with pytest.raises(NotFound):
            await here.revoke("moon")

    asyncio.run(story(make_keys(), make_keys()))


def test_an_expired_key_opens_nothing(make_keys):
    async def story(keys):
        at = datetime.now(UTC)
        _, old = await keys.create("shop", "", ["read"], expires_at=at - timedelta(seconds=5))
        _, new = await keys.create("shop", "", ["read"], expires_at=at + timedelta(minutes=5))
        with pytest.raises(Unauthorized, match="expired"):
            await keys.use(old)
        key, _ = await keys.use(new)
        assert abs(key.expires_at - at - timedelta(minutes=5)) < timedelta(milliseconds=1)

    asyncio.run(story(make_keys()))


def test_limits_are_the_keys_own_or_else_the_settings(make_keys):
    async def story(keys):
        texts = [(await keys.create("shop", "", ["read"], rate_per_minute=n, max_jobs=n))[1] for n in (None, 3, 0)]
        used = [await keys.use(text) for text in texts]
        assert [(key.rate_per_minute, key.max_jobs) for key, _ in used] == [(30, 7), (3, 3), (0, 0)]
        assert [allowance and allowance.left for _, allowance in used] == [29, 2, None]

    asyncio.run(story(make_keys(rate_per_minute=30, max_jobs=7)))


def test_gateways_on_a_database_share_the_rate(make_keys):
    async def story(gateways):
        _, text = await gateways[0].create("shop", "", ["read"], rate_per_minute=6)
        used = await asyncio.gather(*(gateways[n % 2].use(text) for n in range(24)))
        assert sum(not allowance.exceeded for _, allowance in used) == 6

    asyncio.run(story([make_keys(), make_keys()]))


def test_the_last_use_is_told_but_not_written_each_time(make_keys):
    async def story(keys):
        made, text = await keys.create("shop", "", ["read"])
        assert made.last_used_at is None
        await keys.use(text)
        first = (await keys.list())[0].last_used_at
        await keys.use(text)
        assert (await keys.list())[0].last_used_at == first
        assert abs(datetime.now(UTC) - first) < timedelta(seconds=30)

    asyncio.run(story(make_keys()))


def test_the_database_does_not_hold_the_secret(tmp_path):
    async def make():
        database = Database(f"sqlite:///{tmp_path / 'jobs.sqlite'}")
        await database.create_tables()
        _, text = await Keys(database, Settings(admin_key=ADMIN_KEY)).create("shop", "till", ["read"])
        await database.close()
        return text

    secret = asyncio.run(make()).rpartition("_")[2]
    stored = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert b"till" in stored and secret.encode() not in stored and ADMIN_KEY.encode() not in stored


@pytest.mark.parametrize("key", ["short", "fifteen-letters", "with spaces in it!", "schlüssel-schlüssel"])
def test_an_admin_key_that_is_easy_to_guess_is_refused_without_telling_it(key):
    with pytest.raises(ValidationError, match="16 characters") as refused:
        Settings(admin_key=key)
    assert key not in str(refused.value)


@pytest.mark.parametrize(
    "written, meant",
    [
        ("https://a.example, http://localhost:5173/", ["https://a.example", "http://localhost:5173"]),
        ('["https://a.example"]', ["https://a.example"]),
        ("*", ["*"]),
        ("", []),
    ],
)
def test_origins_are_a_list_with_commas_or_json(monkeypatch, written, meant):
    monkeypatch.setenv("HOWSFIT_CORS_ORIGINS", written)
    assert Settings().cors_origins == meant


@pytest.mark.parametrize("written", ["a.example", "https://a.example/shop", "https://*.example", "[1", "[1]"])
def test_what_is_no_origin_is_refused(monkeypatch, written):
    monkeypatch.setenv("HOWSFIT_CORS_ORIGINS", written)
    with pytest.raises(ValueError, match="(?i)cors_origins"):
        Settings()
