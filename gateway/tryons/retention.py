"""How long a job is kept whose request says so itself: so long after its end, or until its result was fetched.

All of it is in the database before it holds: whichever gateway dies, another ends what it began.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

from sqlalchemy import Boolean, Column, Connection, Float, String, Table, delete, select, update

from gateway.cluster.graph import RESULTS
from gateway.errors import BadRequest
from gateway.jobs.events import Event
from gateway.jobs.job import ENDED, Job
from gateway.storage.database import Database, metadata, now
from gateway.tryons.orders import artifacts_of, begin_of, kind_of, wishes_of

SHORTEST_S = 60.0
"""A minute: time enough to fetch what was made."""

Forget = Literal["fetched"]
"""When a job is to be forgotten before its time is over: as soon as its result was fetched."""

LOOK_AGAIN_S = 60.0
"""After a look at a job that found nothing to do, or was cut off."""

ANSWERED_S = 600.0
"""A request whose job is not there after so long never came to an end."""

retentions = Table(
    "howsfit_retentions",
    metadata,
    Column("job_id", String(36), primary_key=True),
    Column("noted_at", Float, nullable=False),
    # When to look whether its time is over.
    Column("due_at", Float, nullable=False, index=True),
    # Nothing of it is left to fetch.
    Column("fetched", Boolean, nullable=False),
)
fetches = Table(
    "howsfit_fetches",
    metadata,
    Column("job_id", String(36), primary_key=True),
    Column("what", String(60), primary_key=True),
)


@dataclass(frozen=True)
class Due:
    """A job to look at."""

    job_id: str
    fetched: bool
    age_s: float
    """Since its request came."""

    def is_over(self, job: Job, longest_s: float) -> bool:
        """Whether the job is to be forgotten now. longest_s: how long the gateway keeps any."""
        if self.fetched and forgets(job):
            return True
        end = expires_at(job, longest_s)
        return end is not None and end <= datetime.now(UTC)

    def is_left_over(self) -> bool:
        """Of one whose job is not there: whether none is on its way."""
        return self.fetched or self.age_s > ANSWERED_S


class Retentions:
    """Of the jobs whose requests say how long. Every method may raise StorageUnavailable."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def note(self, job_id: str, within_s: float) -> None:
        """Before the job is there, so that none is kept for longer. within_s: when to look at it first."""
        values = {"noted_at": now(), "due_at": now() + within_s, "fetched": False}
        row = self._database.insert(retentions).values(job_id=job_id, **values)
        row = row.on_conflict_do_update(index_elements=[retentions.c.job_id], set_=values)

        def write(connection: Connection) -> None:
            # An Idempotency-Key may have had another job, whose deletion was cut off.
            connection.execute(delete(fetches).where(fetches.c.job_id == job_id))
            connection.execute(row)

        await self._database.transact(write)

    async def note_fetched(self, job_id: str, what: Collection[str], results: Sequence[Collection[str]]) -> bool:
        """It was fetched; whether nothing is left to fetch now. results: as results_of gives them."""
        row = self._database.insert(retentions).values(job_id=job_id, noted_at=now(), due_at=now(), fetched=True)
        row = row.on_conflict_do_update(index_elements=[retentions.c.job_id], set_={"due_at": now(), "fetched": True})

        def write(connection: Connection) -> bool:
            rows = [{"job_id": job_id, "what": each} for each in sorted(what)]
            connection.execute(self._database.insert(fetches).values(rows).on_conflict_do_nothing())
            known = set(connection.execute(select(fetches.c.what).where(fetches.c.job_id == job_id)).scalars())
            is_all = all(known & set(result) for result in results)
            if is_all:
                connection.execute(row)
            return is_all

        return await self._database.transact(write)

    async def take(self, limit: int) -> list[Due]:
        """Some of those to look at now; nobody else does so for a while, in which to settle them."""
        due = retentions.c.due_at <= now()
        query = select(retentions.c.job_id, retentions.c.fetched, now() - retentions.c.noted_at).where(due)
        query = query.order_by(retentions.c.due_at).limit(limit).with_for_update(skip_locked=True)

        def take(connection: Connection) -> list[Due]:
            taken = [Due(*row) for row in connection.execute(query).all()]
            these = retentions.c.job_id.in_([each.job_id for each in taken])
            connection.execute(update(retentions).where(these).values(due_at=now() + LOOK_AGAIN_S))
            return taken

        return await self._database.transact(take)

    async def put_off(self, job_id: str, until: datetime) -> None:
        """Look at it again then, unless it was fetched meanwhile."""
        this = retentions.c.job_id == job_id, retentions.c.fetched.is_(False)
        row = update(retentions).where(*this).values(due_at=until.timestamp())
        await self._database.transact(lambda c: c.execute(row))

    async def drop(self, job_id: str) -> None:
        """It is forgotten, and so is this."""

        def write(connection: Connection) -> None:
            for table in (fetches, retentions):
                connection.execute(delete(table).where(table.c.job_id == job_id))

        await self._database.transact(write)


def check_retention(retention_s: float | None, longest_s: float) -> None:
    """Raises BadRequest for one that the gateway does not grant. longest_s: how long it keeps any job."""
    if retention_s is not None and not min(SHORTEST_S, longest_s) <= retention_s <= longest_s:
        raise BadRequest(
            f"retention_s must be from {min(SHORTEST_S, longest_s):g} to {longest_s:g} seconds, as long as this gateway keeps "
            "any try-on. To have one forgotten as soon as its result was fetched, send forget=fetched."
        )


def forgets(job: Job) -> bool:
    """Whether it has a result, and is to be forgotten as soon as that was fetched."""
    return job.payload.get("forget") is not None and job.state == "succeeded"


def expires_at(job: Job, longest_s: float) -> datetime | None:
    """When its time is over; None while it has not ended. longest_s: how long the gateway keeps any job."""
    if job.state not in ENDED:
        return None
    ends = [job.created_at + timedelta(seconds=longest_s)]
    if "retention_s" in job.payload:
        ends.append((job.completed_at or job.created_at) + timedelta(seconds=job.payload["retention_s"]))
    return min(ends)


def picture_of(name: str, sample: int) -> str:
    """What is noted as fetched when this picture was. sample: which one's, where there are several."""
    return f"{name} {sample}"


def results_of(job: Job, events: list[Event]) -> list[set[str]]:
    """What is to be fetched of a job, as picture_of names it: one out of each set.

    Of each sample of a try-on one size will do; of a job of preprocessing it is all that was made.
    """
    if kind_of(job.payload) == "tryon":
        samples = range(1, wishes_of(job.payload).samples + 1)
        return [{picture_of(name, sample) for name in RESULTS} for sample in samples]
    begin = begin_of(job.payload)
    return [{picture_of(name, 1)} for name in artifacts_of(job, events) if name not in begin]
