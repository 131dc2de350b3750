"""What each owner had done, by month: kept when the jobs themselves are forgotten, and without anything of theirs."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import Column, Connection, Float, Index, String, Table, delete, func, select

from gateway.jobs.events import Event
from gateway.storage.database import Database, metadata

MONTH = r"^20[0-9]{2}-(0[1-9]|1[0-2])$"

WHOLE = ""
"""In the place of a stage: the row of the job itself, whose engine is its kind and end."""

usage = Table(
    "howsfit_usage",
    metadata,
    Column("job_id", String(36), primary_key=True),
    Column("stage", String(40), primary_key=True),
    Column("owner", String(64), nullable=False),
    Column("month", String(7), nullable=False),
    Column("engine", String(100), nullable=False),
    Column("seconds", Float, nullable=False),
    Index("howsfit_usage_by_month", "month", "owner"),
)

usage_keys = Table(
    "howsfit_usage_keys",
    metadata,
    Column("job_id", String(36), primary_key=True),
    Column("key_id", String(32), nullable=False),
)
"""By which key each job was ordered first, where keys are asked for."""


@dataclass(frozen=True)
class Used:
    """A sum: of a stage's engine, or of jobs of a kind that ended in the same way."""

    owner: str
    key_id: str
    """By which key; empty: by none, or before that was written down."""
    stage: str
    engine: str
    runs: int
    seconds: float


class Usage:
    """What was done, for how long. Every method may raise StorageUnavailable."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def note_key(self, job_id: str, key_id: str) -> None:
        """A job is ordered by this key. Ordered again by another one, it stays the first one's."""
        row = self._database.insert(usage_keys).values(job_id=job_id, key_id=key_id).on_conflict_do_nothing()
        await self._database.transact(lambda c: c.execute(row))

    async def note(
        self, job_id: str, owner: str, month: str, end: str, seconds: float, events: Sequence[Event]
    ) -> None:
        """A job has ended. end: its kind and how, as "tryon succeeded"; seconds: of the whole. Told twice, it counts once."""
        rows = [(WHOLE, end, seconds), *_stages(events)]

        def write(connection: Connection) -> None:
            connection.execute(delete(usage).where(usage.c.job_id == job_id))
            for stage, engine, took in rows:
                values = {
                    "job_id": job_id,
                    "stage": stage,
                    "owner": owner,
                    "month": month,
                    "engine": engine,
                    "seconds": took,
                }
                connection.execute(self._database.insert(usage).values(values).on_conflict_do_nothing())

        await self._database.transact(write)

    async def of(self, month: str, owner: str | None) -> list[Used]:
        """The sums of a month, by key. owner: whose; None for everybody's."""
        key_id = func.coalesce(usage_keys.c.key_id, "")
        columns = (usage.c.owner, key_id, usage.c.stage, usage.c.engine)
        together = usage.outerjoin(usage_keys, usage.c.job_id == usage_keys.c.job_id)
        query = select(*columns, func.count(), func.sum(usage.c.seconds)).select_from(together)
        query = query.where(usage.c.month == month)
        if owner is not None:
            query = query.where(usage.c.owner == owner)
        query = query.group_by(*columns).order_by(*columns)
        return [Used(*row) for row in await self._database.transact(lambda c: c.execute(query).all())]


def _stages(events: Iterable[Event]) -> list[tuple[str, str, float]]:
    """(stage, engine, seconds) of the runs that were no reuse; those of further samples count with the first."""
    found: dict[str, tuple[str, float]] = {}
    for event in events:
        data = event.data
        if data.get("status") == "succeeded" and not data.get("reused"):
            before = found.get(data["stage"], ("", 0.0))[1]
            found[data["stage"]] = (
                str(data.get("engine", "")),
                before + float(data.get("timings", {}).get("total", 0.0)),
            )
    return [(stage, engine, seconds) for stage, (engine, seconds) in found.items()]
