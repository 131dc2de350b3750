"""Deletions, noted before they begin: whichever gateway dies in the middle of one, another ends it, and nobody is given the id
of a job that may still run somewhere."""

from sqlalchemy import Boolean, Column, Connection, Float, String, Table, delete, select, update

from gateway.storage.database import Database, metadata, now

TAKEN_UP_S = 60.0
"""One that is not over after so long was cut off. Longer than a job is waited for to stop."""

REST_S = 2.0
"""So long after a deletion a run of its job may go on, at another gateway, which looks once a second."""

deletions = Table(
    "howsfit_deletions",
    metadata,
    Column("job_id", String(36), primary_key=True),
    Column("executor", String(255), nullable=False),
    # When to take it up again; once it is over, when its job's id may be used again.
    Column("due_at", Float, nullable=False, index=True),
    Column("over", Boolean, nullable=False),
)


class Deletions:
    """Those of all gateways. Every method may raise StorageUnavailable."""

    def __init__(self, database: Database, executor: str) -> None:
        self._database = database
        self._executor = executor

    async def begin(self, job_id: str) -> None:
        """Before anything is deleted."""
        await self._put(job_id, TAKEN_UP_S, over=False)

    async def end(self, job_id: str) -> None:
        """Nothing is left."""
        await self._put(job_id, REST_S, over=True)

    async def give_up(self, job_id: str) -> None:
        """The job stays."""
        await self._database.transact(lambda c: c.execute(delete(deletions).where(deletions.c.job_id == job_id)))

    async def rest_s(self, job_id: str) -> float | None:
        """How long the id is to rest yet, 0 where it need not; None while the deletion is not over."""
        query = select(deletions.c.over, deletions.c.due_at - now()).where(deletions.c.job_id == job_id)
        row = await self._database.transact(lambda c: c.execute(query).first())
        if row is None:
            return 0.0
        return max(0.0, row[1]) if row[0] else None

    async def take_up_own(self) -> None:
        """Those that this gateway was about when it ended are cut off."""
        own = deletions.c.executor == self._executor, deletions.c.over.is_(False)
        await self._database.transact(lambda c: c.execute(update(deletions).where(*own).values(due_at=now())))

    async def take(self, limit: int) -> list[str]:
        """Ids of some that were cut off; nobody else takes them for a while. Those whose ids have rested are forgotten."""
        due = deletions.c.due_at <= now()
        query = select(deletions.c.job_id).where(due, deletions.c.over.is_(False)).limit(limit)

        def take(connection: Connection) -> list[str]:
            connection.execute(delete(deletions).where(due, deletions.c.over.is_(True)))
            taken = list(connection.execute(query.with_for_update(skip_locked=True)).scalars())
            these = deletions.c.job_id.in_(taken)
            connection.execute(update(deletions).where(these).values(due_at=now() + TAKEN_UP_S))
            return taken

        return await self._database.transact(take)

    async def _put(self, job_id: str, within_s: float, over: bool) -> None:
        values = {"executor": self._executor, "due_at": now() + within_s, "over": over}
        row = self._database.insert(deletions).values(job_id=job_id, **values)
        row = row.on_conflict_do_update(index_elements=[deletions.c.job_id], set_=values)
        await self._database.transact(lambda c: c.execute(row))
