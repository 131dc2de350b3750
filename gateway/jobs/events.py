"""What happened to a job, in order: a log that can be read again from any number on. And notes: how far what is under way has
come, of which only the latest are kept.
"""

import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    Column,
    Connection,
    Float,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
    delete,
    func,
    literal,
    select,
)

from gateway.storage.database import Database, metadata, now

told = Table(
    "howsfit_events",
    metadata,
    Column("job_id", String(64), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("attempt", Integer, nullable=False),
    Column("digest", String(64), nullable=False),
    Column("told_at", Float, nullable=False),
    Column("body", Text, nullable=False),
    UniqueConstraint("job_id", "attempt", "digest"),
)

noted = Table(
    "howsfit_notes",
    metadata,
    Column("job_id", String(64), primary_key=True),
    Column("about", String(100), primary_key=True),
    Column("noted_at", Float, nullable=False),
    Column("body", Text, nullable=False),
)


@dataclass(frozen=True)
class Note:
    """The latest of what is under way in a job."""

    about: str
    at: datetime
    data: dict[str, Any]


@dataclass(frozen=True)
class Event:
    """One event of a job. Numbers start at 1 and have no gaps."""

    number: int
    at: datetime
    data: dict[str, Any]


class EventLog:
    """The events of all jobs. Its methods block; call them in a thread."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def tell(self, job_id: str, attempt: int, *events: dict[str, Any]) -> None:
        """Append events, each once: one that equals an earlier event of the same attempt is not told again.

        A job that starts again after a crash tells its story from the beginning; readers hear only what is new.
        """

        def tell(connection: Connection) -> None:
            for data in events:
                while not self._tell(connection, job_id, attempt, data):
                    pass  # another event took the number at the same moment

        self._database.transact_here(tell)

    def read(self, job_id: str, after: int) -> tuple[list[Event], list[Note]]:
        """The events with numbers above `after`, and the notes."""
        query = select(told).where(told.c.job_id == job_id, told.c.number > after).order_by(told.c.number)
        notes = select(noted).where(noted.c.job_id == job_id).order_by(noted.c.about)
        rows, noted_rows = self._database.transact_here(lambda c: (c.execute(query).all(), c.execute(notes).all()))
        return (
            [Event(row.number, datetime.fromtimestamp(row.told_at, UTC), json.loads(row.body)) for row in rows],
            [Note(row.about, datetime.fromtimestamp(row.noted_at, UTC), json.loads(row.body)) for row in noted_rows],
        )

    def note(self, job_id: str, about: str, data: dict[str, Any]) -> None:
        """Write down how far it is, in the place of what was written about the same before."""
        values = {"noted_at": now(), "body": json.dumps(data)}
        row = self._database.insert(noted).values(job_id=job_id, about=about, **values)
        row = row.on_conflict_do_update(index_elements=[noted.c.job_id, noted.c.about], set_=values)
        self._database.transact_here(lambda c: c.execute(row))

    def drop_notes(self, job_id: str, about: str | None = None) -> None:
        """That is over; by default all of the job's."""
        row = delete(noted).where(noted.c.job_id == job_id)
        row = row if about is None else row.where(noted.c.about == about)
        self._database.transact_here(lambda c: c.execute(row))

    def forget(self, job_id: str) -> None:
        """Remove a job's events and notes."""

        def forget(connection: Connection) -> None:
            for table in (told, noted):
                connection.execute(delete(table).where(table.c.job_id == job_id))

        self._database.transact_here(forget)

    def _tell(self, connection: Connection, job_id: str, attempt: int, data: dict[str, Any]) -> bool:
        """False if it must be tried again; without an error, of which PostgreSQL would write a line into its log each time."""
        body = json.dumps(data, sort_keys=True, separators=(",", ":"))
        digest = hashlib.sha256(body.encode()).hexdigest()
        next_number = func.coalesce(func.max(told.c.number), 0) + 1
        row = select(literal(job_id), next_number, literal(attempt), literal(digest), now(), literal(body)).where(
            told.c.job_id == job_id
        )
        statement = self._database.insert(told).from_select(
            ["job_id", "number", "attempt", "digest", "told_at", "body"], row
        )
        if connection.execute(statement.on_conflict_do_nothing().returning(told.c.number)).first() is not None:
            return True
        same = told.c.job_id == job_id, told.c.attempt == attempt, told.c.digest == digest
        return connection.execute(select(told.c.number).where(*same)).first() is not None
