"""What happens to a job before its end: written down when it happens, once, so that whoever asked to be told is told of all of
it and in order, whatever becomes of the gateway meanwhile."""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal, get_args

from sqlalchemy import Column, Connection, Float, Integer, String, Table, Text, delete, literal, select, update
from sqlalchemy.sql import ColumnElement

from gateway.storage.database import Database, metadata, now

WebhookEvent = Literal["started", "stage_retried", "ended"]
EVENTS: tuple[WebhookEvent, ...] = get_args(WebhookEvent)
"""What a webhook may be told of."""

AT_THE_END: tuple[WebhookEvent, ...] = ("ended",)
"""What it is told of where nobody says."""

table = Table(
    "howsfit_webhook_news",
    metadata,
    Column("job_id", String(200), primary_key=True),
    Column("type", String(60), primary_key=True),
    Column("which", String(100), primary_key=True),
    Column("noted_at", Float, nullable=False),
    # What the message says of the job, in JSON. NULL: as it stands when it is sent; or it was sent.
    Column("data", Text),
    Column("attempts", Integer, nullable=False),
    # When it is sent again. NULL: nothing is left to do.
    Column("due_at", Float),
)


@dataclass(frozen=True)
class News:
    """Something that happened."""

    kind: str
    """Of what: a tryon, or a batch, for instance."""
    event: WebhookEvent
    which: str = ""
    """Tells it from others of the same event: what is noted twice is told once."""
    more: Mapping[str, Any] = field(default_factory=dict)
    """What is said beside the document."""

    @property
    def type(self) -> str:
        """Of the message: tryon.stage-retried, for instance."""
        return f"{self.kind}.{self.event.replace('_', '-')}"


@dataclass(frozen=True)
class Noted:
    """Something that happened and is to be told still."""

    type: str
    which: str
    at: datetime
    data: dict[str, Any] | None
    """None: the document as it stands."""
    attempts: int
    """That were made to tell it."""
    due_in_s: float
    """Until it is to be told, or told again; 0 or less: now."""


class NewsLog:
    """The news of all jobs. Its methods work in the caller's transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def has(self, connection: Connection, job_id: str, news: News) -> bool:
        """Whether it was noted before, told or not."""
        return (
            connection.execute(select(table.c.job_id).where(*_this(job_id, news.type, news.which))).first() is not None
        )

    def note(
        self,
        connection: Connection,
        job_id: str,
        news: News,
        data: Mapping[str, Any] | None,
        *only_if: ColumnElement[bool],
    ) -> None:
        """Note it, unless it was before. only_if: what must hold at this moment."""
        values = {
            "job_id": literal(job_id),
            "type": literal(news.type),
            "which": literal(news.which),
            "noted_at": now(),
            "data": literal(None if data is None else json.dumps({**data, **news.more}), Text()),
            "attempts": literal(0),
            "due_at": now(),
        }
        found = select(*values.values()).where(*only_if)  # type: ignore[call-overload]
        row = self._database.insert(table).from_select([*values], found)
        connection.execute(row.on_conflict_do_nothing())

    def pending(self, connection: Connection, job_id: str) -> list[Noted]:
        """What is to be told still, in the order in which it happened."""
        query = select(table, (table.c.due_at - now()).label("due_in_s"))
        query = query.where(table.c.job_id == job_id, table.c.due_at.is_not(None))
        return [
            Noted(
                type=row.type,
                which=row.which,
                at=datetime.fromtimestamp(row.noted_at, UTC),
                data=None if row.data is None else json.loads(row.data),
                attempts=row.attempts,
                due_in_s=row.due_in_s,
            )
            for row in connection.execute(query.order_by(table.c.noted_at, table.c.type, table.c.which))
        ]

    def put_off(self, connection: Connection, job_id: str, noted: Noted, pause_s: float) -> None:
        """One more attempt was in vain; the next comes after the pause."""
        later = {"attempts": noted.attempts + 1, "due_at": now() + pause_s}
        connection.execute(update(table).where(*_this(job_id, noted.type, noted.which)).values(later))

    def done(self, connection: Connection, job_id: str, told: Collection[Noted]) -> None:
        """These are told no more. That they were noted stays known, and nothing else of them."""
        for each in told:
            this = _this(job_id, each.type, each.which)
            connection.execute(update(table).where(*this).values(due_at=None, data=None))

    def all_done(self, connection: Connection, job_id: str) -> None:
        """Nothing of this job is told any more."""
        connection.execute(update(table).where(table.c.job_id == job_id).values(due_at=None, data=None))

    def forget(self, connection: Connection, job_id: str) -> None:
        """The job is deleted."""
        connection.execute(delete(table).where(table.c.job_id == job_id))


def _this(job_id: str, type_: str, which: str) -> tuple[ColumnElement[bool], ...]:
    return table.c.job_id == job_id, table.c.type == type_, table.c.which == which
