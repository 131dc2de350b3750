"""Whom jobs are for, as their callers name them: so that one shopper's jobs are found, and forgotten, together."""

from sqlalchemy import Column, Float, Index, String, Table, delete, select

from gateway.storage.database import Database, metadata, now

REFERENCE = r"^[A-Za-z0-9._:@+-]{1,128}$"
"""A caller's own id of a shopper or an order; it goes into addresses."""

subjects = Table(
    "howsfit_subjects",
    metadata,
    Column("job_id", String(36), primary_key=True),
    Column("owner", String(64), nullable=False),
    Column("reference", String(128), nullable=False),
    Column("created_at", Float, nullable=False, index=True),
    Index("howsfit_subjects_by_reference", "reference", "owner"),
)


class Subjects:
    """Which jobs have which reference. Every method may raise StorageUnavailable."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def note(self, job_id: str, owner: str, reference: str) -> None:
        """Before the job is there: one that nobody finds could not be forgotten."""
        row = self._database.insert(subjects).values(job_id=job_id, owner=owner, reference=reference, created_at=now())
        await self._database.transact(lambda c: c.execute(row.on_conflict_do_nothing()))

    async def jobs(self, reference: str, owner: str | None) -> list[str]:
        """Ids of the jobs with a reference, some of which may be gone. owner: whose; None for anybody's."""
        query = select(subjects.c.job_id).where(subjects.c.reference == reference)
        if owner is not None:
            query = query.where(subjects.c.owner == owner)
        return await self._database.transact(lambda c: list(c.execute(query).scalars()))

    async def forget(self, job_id: str) -> None:
        """Nothing happens where it had none."""
        await self._database.transact(lambda c: c.execute(delete(subjects).where(subjects.c.job_id == job_id)))

    async def sweep(self, retention_s: float) -> None:
        """Forget those whose jobs the sweep of jobs deletes, and those whose jobs never came to be."""
        old = delete(subjects).where(subjects.c.created_at < now() - retention_s)
        await self._database.transact(lambda c: c.execute(old))
