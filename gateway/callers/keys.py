"""API keys: whose requests they are, what they may do, and how much of it.

A key is `hft_ID_SECRET`. The id is public. Of the secret only the SHA-256 is kept: it has 256 random bits, so that nobody
can try them all, and a slow hash, which protects what people choose, would only cost time at every request. For the same
reason nobody is locked out for wrong keys. Each request looks its key up, so a revoked key is dead at once, everywhere.

One more key, HOWSFIT_ADMIN_KEY, is in no database and may do everything. Without it no keys are asked for at all.
"""

import hashlib
import hmac
import re
import secrets
import string
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal, get_args

from sqlalchemy import Boolean, Column, Connection, Float, Integer, String, Table, select, update

from gateway.callers.rates import Allowance, take_in
from gateway.errors import KeysOff, NotFound, Unauthorized
from gateway.settings import Settings
from gateway.storage.database import Database, metadata, now

Scope = Literal["read", "write", "admin"]
SCOPES: tuple[Scope, ...] = get_args(Scope)
"""read: see the owner's things. write: make and delete them. admin: everything, of everybody, and the keys."""

USED_EVERY_S = 60.0
"""`last_used_at` is written no more often: a request need not cost a write for it."""

_ALPHABET = string.ascii_letters + string.digits
_SECRET_LENGTH = 43  # of 62 characters: 256 bits
_FORM = re.compile(f"hft_(?P<id>[0-9a-f]{{16}})_(?P<secret>[A-Za-z0-9]{{{_SECRET_LENGTH}}})")

keys = Table(
    "howsfit_keys",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("digest", String(64), nullable=False),
    Column("owner", String(64), nullable=False),
    Column("name", String(100), nullable=False),
    Column("scopes", String(40), nullable=False),
    Column("rate_per_minute", Integer),
    Column("max_jobs", Integer),
    Column("created_at", Float, nullable=False),
    Column("last_used_at", Float),
    Column("expires_at", Float),
    Column("revoked", Boolean, nullable=False),
)


@dataclass(frozen=True)
class Key:
    """A key as it stands, without its secret."""

    id: str
    owner: str
    """Whose try-ons, images and batches it makes and sees; empty for the gateway's own admin key."""
    name: str
    scopes: tuple[Scope, ...]
    rate_per_minute: int
    """Requests; 0: no bound."""
    max_jobs: int
    """Try-ons that the owner may have under way; 0: no bound."""
    created_at: datetime | None = None
    last_used_at: datetime | None = None
    """Within a minute."""
    expires_at: datetime | None = None
    revoked: bool = False


ADMIN = Key("admin", "", "HOWSFIT_ADMIN_KEY", SCOPES, 0, 0)


class Keys:
    """The keys of all owners. Every method may raise StorageUnavailable."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self._database = database
        self._settings = settings
        admin_key = settings.admin_key
        self._admin_digest = _digest(admin_key.get_secret_value()) if admin_key else None

    @property
    def on(self) -> bool:
        """Whether requests need a key."""
        return self._admin_digest is not None

    def require_on(self) -> None:
        """Raises KeysOff."""
        if not self.on:
            raise KeysOff("This gateway asks for no keys. Set HOWSFIT_ADMIN_KEY and start it again, then make some.")

    async def use(self, presented: str) -> tuple[Key, Allowance | None]:
        """The key of a request, which counts against its rate; no Allowance where there is no bound.

        Raises Unauthorized. Whether the rate is exceeded, the Allowance tells.
        """
        if self._admin_digest and hmac.compare_digest(_digest(presented), self._admin_digest):
            return ADMIN, None
        key = _FORM.fullmatch(presented)
        if key is None:
            raise _unknown()
        return await self._database.transact(lambda c: self._use_in(c, key["id"], key["secret"]))

    async def create(
        self,
        owner: str,
        name: str,
        scopes: Iterable[Scope],
        *,
        rate_per_minute: int | None = None,
        max_jobs: int | None = None,
        expires_at: datetime | None = None,
    ) -> tuple[Key, str]:
        """Make a key: what it is, and the key itself, which nobody can tell later. Limits left out: the settings'."""
        key_id = secrets.token_hex(8)
        secret = "".join(secrets.choice(_ALPHABET) for _ in range(_SECRET_LENGTH))
        row = keys.insert().values(
            id=key_id,
            digest=_digest(secret),
            owner=owner,
            name=name,
            scopes=" ".join(scope for scope in SCOPES if scope in set(scopes)),
            rate_per_minute=rate_per_minute,
            max_jobs=max_jobs,
            created_at=now(),
            expires_at=expires_at.timestamp() if expires_at else None,
            revoked=False,
        )
        await self._database.transact(lambda c: c.execute(row))
        return await self._get(key_id), f"hft_{key_id}_{secret}"

    async def list(self) -> list[Key]:
        """All of them, the newest first, with those that were revoked."""
        query = select(keys).order_by(keys.c.created_at.desc(), keys.c.id)
        return [self._key(row) for row in await self._database.transact(lambda c: c.execute(query).all())]

    async def revoke(self, key_id: str) -> None:
        """It opens nothing from now on; what it made stays its owner's. Raises NotFound."""
        revoked = update(keys).where(keys.c.id == key_id).values(revoked=True)
        if not await self._database.transact(lambda c: c.execute(revoked).rowcount):
            raise _missing(key_id)

    def _use_in(self, connection: Connection, key_id: str, secret: str) -> tuple[Key, Allowance | None]:
        row = connection.execute(select(keys, now().label("at")).where(keys.c.id == key_id)).first()
        if row is None or not hmac.compare_digest(_digest(secret), row.digest):
            raise _unknown()
        if row.revoked:
            raise Unauthorized(f"The key {key_id} was revoked. Ask for a new one.")
        if row.expires_at is not None and row.expires_at <= row.at:
            raise Unauthorized(f"The key {key_id} has expired. Ask for a new one.")
        if row.last_used_at is None or row.last_used_at < row.at - USED_EVERY_S:
            connection.execute(update(keys).where(keys.c.id == key_id).values(last_used_at=row.at))
        key = self._key(row)
        if key.rate_per_minute == 0:
            return key, None
        return key, take_in(self._database, connection, key_id, key.rate_per_minute, row.at)

    async def _get(self, key_id: str) -> Key:
        row = await self._database.transact(lambda c: c.execute(select(keys).where(keys.c.id == key_id)).first())
        if row is None:
            raise _missing(key_id)
        return self._key(row)

    def _key(self, row: Any) -> Key:
        defaults = self._settings
        return Key(
            id=row.id,
            owner=row.owner,
            name=row.name,
            scopes=tuple(row.scopes.split()),
            rate_per_minute=defaults.rate_per_minute if row.rate_per_minute is None else row.rate_per_minute,
            max_jobs=defaults.max_jobs if row.max_jobs is None else row.max_jobs,
            created_at=_time(row.created_at),
            last_used_at=_time(row.last_used_at),
            expires_at=_time(row.expires_at),
            revoked=row.revoked,
        )


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).hexdigest()


def _time(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


def _unknown() -> Unauthorized:
    return Unauthorized("The key is not known here. Check that it is whole, and meant for this gateway.")


def _missing(key_id: str) -> NotFound:
    return NotFound(f"There is no key '{key_id}'. GET /v1/keys lists them.")
