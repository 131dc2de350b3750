"""How many requests a key may make: an allowance that all gateways on a database share.

A bucket of `per_minute` requests that refills evenly, kept as the one time at which it will be full again (the generic
cell rate algorithm, ITU-T I.371): one row for each key, one statement for each request. Who rested may therefore send
`per_minute` requests at once, and then as many per minute.
"""

import math
from dataclasses import dataclass

from sqlalchemy import Column, Connection, Float, String, Table, case, select

from gateway.storage.database import Database, metadata

WINDOW_S = 60.0
_ROUNDING = 1e-3
"""Of a request: the time is a sum of many, in seconds since 1970, whose last bit is a quarter of a microsecond."""

rates = Table(
    "howsfit_rates",
    metadata,
    Column("key_id", String(32), primary_key=True),
    Column("full_at", Float, nullable=False),
)


@dataclass(frozen=True)
class Allowance:
    """What is left of a key's requests after one of them."""

    per_minute: int
    left: int
    next_in_s: int
    """Until one more is allowed, rounded up."""
    exceeded: bool
    """This one was too much, and was not counted."""

    def headers(self) -> dict[str, str]:
        """For the answer (draft-ietf-httpapi-ratelimit-headers-10)."""
        return {
            "RateLimit-Policy": f'"default";q={self.per_minute};w={WINDOW_S:.0f}',
            "RateLimit": f'"default";r={self.left};t={self.next_in_s}',
        }


def take_in(database: Database, connection: Connection, key_id: str, per_minute: int, at: float) -> Allowance:
    """Take one request, in the caller's transaction. at: the database's time, in seconds since 1970."""
    each_s = WINDOW_S / per_minute
    latest_s = WINDOW_S - each_s * (1 - _ROUNDING)
    row = database.insert(rates).values(key_id=key_id, full_at=at + each_s)
    statement = row.on_conflict_do_update(
        index_elements=[rates.c.key_id],
        set_={"full_at": case((rates.c.full_at > at, rates.c.full_at), else_=at) + each_s},
        where=rates.c.full_at <= at + latest_s,
    ).returning(rates.c.full_at)
    full_at = connection.execute(statement).scalar()
    exceeded = full_at is None
    if full_at is None:
        full_at = connection.execute(select(rates.c.full_at).where(rates.c.key_id == key_id)).scalar_one()
    free = (at + WINDOW_S - full_at) / each_s + _ROUNDING  # requests, with the part of one that is coming
    left = max(0, math.floor(free))
    return Allowance(per_minute, left, max(1, math.ceil((left + 1 - free) * each_s)), exceeded)
