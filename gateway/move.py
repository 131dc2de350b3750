"""Move all that a gateway keeps in its folder, a SQLite file and images, to PostgreSQL and the store that the settings choose.

    python -m gateway.move DATA_DIR        with HOWSFIT_DATABASE_URL and, for S3, HOWSFIT_S3_… set as for the new gateway

The source is only read. First come the images, then all rows in one transaction: killed at any moment, it has moved either no
try-on or all, and whoever runs it again goes on. What is there already stays as it is there.
"""

import argparse
import asyncio
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from dbos import DBOS
from sqlalchemy.dialects import postgresql

from gateway.callers.keys import keys
from gateway.errors import GatewayError
from gateway.jobs.events import told
from gateway.jobs.heartbeat import executors
from gateway.pictures.images import images
from gateway.settings import SQLITE, Settings
from gateway.storage.blobs import BlobCorrupt, BlobMissing, BlobStore, LocalBlobs, chosen_store, local_store
from gateway.storage.cache import entries, entry_origins
from gateway.storage.database import Database, now
from gateway.storage.holdings import blobs, references
from gateway.tryons.batches import batches
from gateway.tryons.comparisons import comparisons
from gateway.tryons.retention import fetches, retentions
from gateway.tryons.subjects import subjects
from gateway.tryons.usage import usage, usage_keys
from gateway.webhooks.delivery import webhooks
from gateway.webhooks.news import table as news

OURS = (
    blobs,
    references,
    entries,
    entry_origins,
    told,
    images,
    keys,
    batches,
    comparisons,
    subjects,
    retentions,
    fetches,
    usage,
    usage_keys,
    webhooks,
    news,
)
"""What is moved, in an order in which each may refer to those before. Left out is what lives for seconds: who is alive, who is
making what, and how many requests a key has left."""

JOBS = "workflow_status"
OF_DBOS = (JOBS, "workflow_input", "workflow_output", "operation_outputs")
"""DBOS's tables of jobs and steps. No other is used by ours."""

SCHEMA = "dbos"
"""Where DBOS keeps them in PostgreSQL."""

ALIVE_S = 15.0
"""A gateway beats more often."""

ROWS = 500
"""Written at a time."""

SIDE_BY_SIDE = 8
"""Images copied at the same time."""

Tell = Callable[[str], None]


class CannotMove(Exception):
    """What is wrong, and what to do about it."""


@dataclass(frozen=True)
class Moved:
    """What was moved now; what was there before does not count."""

    rows: dict[str, int]
    """Table -> rows."""
    images: int
    lost: int
    """Images that the source should have and has not, or damaged."""

    def __str__(self) -> str:
        jobs, pictures = self.rows[JOBS], f"{self.images} image files"
        lost = f" {self.lost} image files of the source are missing or damaged." if self.lost else ""
        return f"Moved {jobs} jobs, {self.rows['howsfit_keys']} keys, {self.rows['howsfit_batches']} batches, {pictures}.{lost}"


async def move(folder: Path, settings: Settings, tell: Tell) -> Moved:
    """Move what the folder keeps to where these settings point. tell: called with each step, and with the images so far.

    Raises CannotMove, StorageUnavailable, StorageFull.
    """
    target = Database(settings.database())
    if target.is_sqlite:
        raise CannotMove("Set HOWSFIT_DATABASE_URL to the PostgreSQL database that all shall go to.")
    source = _open(folder)
    try:
        _check_nobody_runs(source, folder)
        tell("Making the tables in PostgreSQL")
        await target.create_tables()
        await asyncio.to_thread(DBOS.migrate, target.url)
        copied, lost = await _move_images(source, local_store(folder), chosen_store(settings), tell)
        tell("Copying the rows")
        rows = await target.transact(lambda connection: _move_rows(source, connection))
    finally:
        source.dispose()
        await target.close()
    return Moved(rows, copied, lost)


def jobs_left(folder: Path, oldest_ms: float, target: Database) -> int:
    """How many jobs the folder's SQLite file has that the target has not, of those made after `oldest_ms` (epoch)."""
    if target.is_sqlite or not (folder / SQLITE).is_file():
        return 0
    source = _open(folder)
    try:
        with source.connect() as connection:
            there = _jobs_since(oldest_ms, connection)
        return len(there - target.transact_here(lambda c: _jobs_since(oldest_ms, c, SCHEMA)))
    except (sa.exc.SQLAlchemyError, GatewayError):
        return 0  # it is a hint, and no more
    finally:
        source.dispose()


def _jobs_since(oldest_ms: float, connection: sa.Connection, schema: str | None = None) -> set[str]:
    jobs = sa.table(JOBS, sa.column("workflow_uuid"), sa.column("created_at"), schema=schema)
    return set(connection.execute(sa.select(jobs.c.workflow_uuid).where(jobs.c.created_at > oldest_ms)).scalars())


def _open(folder: Path) -> sa.Engine:
    path = (folder / SQLITE).absolute()
    if not path.is_file():
        raise CannotMove(f"There is no {SQLITE} in '{folder}'. Name the folder that was HOWSFIT_DATA_DIR.")
    return sa.create_engine(f"sqlite:///file:{path}?mode=ro&uri=true")


def _check_nobody_runs(source: sa.Engine, folder: Path) -> None:
    query = sa.select(executors.c.executor).where(executors.c.beat_at > now() - ALIVE_S)
    try:
        with source.connect() as connection:
            alive = connection.execute(query).scalars().all()
    except sa.exc.DBAPIError as error:
        raise CannotMove(f"'{folder / SQLITE}' cannot be read as a gateway's database ({error.orig}).") from None
    if alive:
        raise CannotMove(
            f"The gateway '{alive[0]}' still works with '{folder}', or was killed just now. Stop it, wait {ALIVE_S:.0f} s, and "
            "move then: what it did meanwhile would be left behind."
        )


async def _move_images(source: sa.Engine, old: LocalBlobs, new: BlobStore, tell: Tell) -> tuple[int, int]:
    """How many were copied, and how many the source lacks."""
    if isinstance(new, LocalBlobs) and new.folder.resolve() == old.folder.resolve():
        tell("The image files stay where they are")
        return 0, 0
    with source.connect() as connection:
        digests = connection.execute(sa.select(blobs.c.digest)).scalars().all()
    copied = lost = done = 0
    waiting = iter(digests)

    async def copy() -> None:
        nonlocal copied, lost, done
        for digest in waiting:
            if not await new.has(digest):
                try:
                    await new.put(await old.get(digest))
                    copied += 1
                except (BlobMissing, BlobCorrupt):
                    lost += 1
            done += 1
            if done % 100 == 0 or done == len(digests):
                tell(f"Image files: {done} of {len(digests)}")

    async with asyncio.TaskGroup() as group:
        for _ in range(SIDE_BY_SIDE):
            group.create_task(copy())
    return copied, lost


def _move_rows(source: sa.Engine, target: sa.Connection) -> dict[str, int]:
    """Table -> how many rows were new."""
    # As the columns are in both: either may be a version ahead.
    there = [sa.Table(name, sa.MetaData(), autoload_with=target, schema=SCHEMA) for name in OF_DBOS]
    with source.connect() as connection:
        return {table.name: _copy(connection, target, table) for table in (*OURS, *there)}


def _copy(source: sa.Connection, target: sa.Connection, table: sa.Table) -> int:
    if not sa.inspect(source).has_table(table.name):
        return 0
    names = {column["name"] for column in sa.inspect(source).get_columns(table.name)}
    columns = [column for column in table.columns if column.name in names]
    # With the target's types, so that SQLite's 0 and 1 become booleans, and its text JSON.
    query = sa.select(*(sa.column(c.name, _read_as(c.type)) for c in columns)).select_from(sa.table(table.name))
    new = 0
    for rows in _pages(source.execute(query)):
        if table is blobs:
            rows = [row | {"condemned_until": None} for row in rows]
        statement = postgresql.insert(table).on_conflict_do_nothing().returning(sa.literal(1))
        new += len(target.execute(statement, rows).all())
    return new


def _read_as(kind: sa.types.TypeEngine[Any]) -> sa.types.TypeEngine[Any]:
    if isinstance(kind, sa.JSON):
        return sa.JSON()
    return sa.Boolean() if isinstance(kind, sa.Boolean) else sa.types.NullType()


def _pages(rows: sa.CursorResult[Any]) -> Iterator[list[dict[str, Any]]]:
    for page in rows.mappings().partitions(ROWS):
        yield [dict(row) for row in page]


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m gateway.move", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folder", type=Path, metavar="DATA_DIR", help="the folder that was HOWSFIT_DATA_DIR")
    folder = parser.parse_args().folder
    try:
        print(asyncio.run(move(folder, Settings(), lambda said: print(said, flush=True))))
    except (CannotMove, GatewayError, ValueError) as error:
        sys.exit(f"howsfit: {error}")


if __name__ == "__main__":
    main()
