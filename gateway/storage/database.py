"""The SQL database that all gateways share: SQLite in a file, or PostgreSQL. Digests and documents, never images."""

import asyncio
import logging
import random
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, Float, MetaData, Table, create_engine, event, inspect, make_url, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.schema import CreateColumn
from sqlalchemy.sql.expression import FunctionElement

from gateway.storage.blobs import StorageFull, StorageUnavailable
from gateway.storage.threads import to_its_end

log = logging.getLogger("howsfit.gateway")
T = TypeVar("T")

metadata = MetaData()
"""Every table of ours is declared on it."""

BUSY_S = 10.0
"""How long a SQLite connection waits for another's write."""

PAUSES_S = (0.1, 0.5, 1.5, 3.0)
"""Before each further attempt when the database does not answer: together longer than a restart of PostgreSQL takes."""

_CREATION_LOCK = 0x686F7773666974
_SQLITE_BUSY, _SQLITE_FULL, _SQLITE_TROUBLE = (5, 6), 13, (5, 6, 10, 14)


class now(FunctionElement[float]):  # noqa: N801 - reads as the SQL function that it is
    """Seconds since 1970 by the database's own clock: the clocks of several gateways need not agree."""

    type = Float()
    inherit_cache = True


@compiles(now, "sqlite")
def _now_sqlite(element: Any, compiler: Any, **options: Any) -> str:
    return "((julianday('now') - 2440587.5) * 86400.0)"


@compiles(now, "postgresql")
def _now_postgresql(element: Any, compiler: Any, **options: Any) -> str:
    return "extract(epoch from clock_timestamp())::float8"


class Database:
    """Runs functions in transactions, in threads."""

    def __init__(self, url: str) -> None:
        """url: sqlite:///PATH or postgresql://USER:PASSWORD@HOST/NAME. Raises ValueError for any other kind."""
        address = make_url(url)
        self.is_sqlite = address.get_backend_name() == "sqlite"
        self.url = address.set(drivername=address.get_backend_name()).render_as_string(hide_password=False)
        if self.is_sqlite:
            if not address.database:
                raise ValueError("A database in memory would not survive anything. Write sqlite:///PATH.")
            Path(address.database).parent.mkdir(parents=True, exist_ok=True)
            self.engine = create_engine(address, connect_args={"timeout": BUSY_S})
            _prepare_sqlite(self.engine)
        elif address.get_backend_name() == "postgresql":
            address = address.set(drivername="postgresql+psycopg")
            # After a restart of the server the pool holds dead connections: pre_ping finds them out.
            self.engine = create_engine(address, pool_pre_ping=True, connect_args={"connect_timeout": 5})
        else:
            raise ValueError(f"A database of kind '{address.get_backend_name()}' cannot be used: sqlite or postgresql.")

    async def create_tables(self) -> None:
        """Make those that are missing, and the columns that those of an earlier version lack. Raises StorageUnavailable."""

        def create(connection: Connection) -> None:
            if not self.is_sqlite:  # two gateways that start at once would collide in PostgreSQL's catalogue
                connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _CREATION_LOCK})
            metadata.create_all(connection)
            _add_columns(connection)

        await self.transact(create)

    async def transact(self, work: Callable[[Connection], T]) -> T:
        """Run `work` in a transaction of its own, which has ended when this returns, even by cancellation.

        Its statements may run twice, when the first attempt met trouble or its end was not heard of: it must not matter.
        Raises StorageFull, or StorageUnavailable when the database does not answer.
        """
        return await to_its_end(asyncio.to_thread(self.transact_here, work))

    def insert(self, table: Table) -> Any:
        """INSERT with ON CONFLICT, which the two databases spell alike but SQLAlchemy keeps apart."""
        return (sqlite if self.is_sqlite else postgresql).insert(table)

    async def close(self) -> None:
        """Close all connections."""
        await asyncio.to_thread(self.engine.dispose)

    def transact_here(self, work: Callable[[Connection], T]) -> T:
        """The same in the calling thread."""
        for pause_s in (*PAUSES_S, None):
            try:
                with self.engine.begin() as connection:
                    return work(connection)
            except DBAPIError as error:
                if _is_full(error):
                    raise StorageFull("The database's disk is full. Free some space there, then try again.") from None
                if not _is_trouble(error):
                    raise
                log.warning("database: %s", str(error.orig).partition("\n")[0])
                # SQLite has waited already. Uneven, so that two that deadlocked do not meet again.
                if pause_s is not None and not _is_busy(error):
                    time.sleep(pause_s * random.uniform(0.7, 1.3))
        raise StorageUnavailable(
            "The database does not answer. Try again; if it stays so, check that it runs and can be reached.",
            retry_after_s=10,
        )


def _add_columns(connection: Connection) -> None:
    """A column that came later may be NULL or has a default of the server's: rows that are there get it, and gateways of the
    earlier version, of which some may run on for a while, go on writing rows without it."""
    there = inspect(connection)
    for table in metadata.sorted_tables:
        names = {column["name"] for column in there.get_columns(table.name)}
        for column in table.columns:
            if column.name not in names:
                told = CreateColumn(column).compile(dialect=connection.dialect)
                connection.exec_driver_sql(f"ALTER TABLE {table.name} ADD COLUMN {told}")


def _prepare_sqlite(engine: Engine) -> None:
    @event.listens_for(engine, "connect")
    def connected(connection: sqlite3.Connection, _: Any) -> None:
        connection.isolation_level = (
            None  # the driver would begin late, with a lock that cannot always be raised to a write
        )
        connection.execute("PRAGMA journal_mode=WAL")  # readers do not wait for the writer
        # In WAL mode a power failure may take the last commits, never more; a later commit that DBOS syncs secures them too.
        connection.execute("PRAGMA synchronous=NORMAL")

    @event.listens_for(engine, "begin")
    def begun(connection: Connection) -> None:
        # At once: of two that have read, only one could go on to write, and the other would fail without any wait.
        connection.exec_driver_sql("BEGIN IMMEDIATE")


def _is_busy(error: DBAPIError) -> bool:
    return (_sqlite_code(error) or 0) in _SQLITE_BUSY


def _is_full(error: DBAPIError) -> bool:
    return _sqlite_code(error) == _SQLITE_FULL or getattr(error.orig, "sqlstate", None) == "53100"


def _is_trouble(error: DBAPIError) -> bool:
    """Whether another attempt may do: anything else is a bug, and must show as one."""
    code = _sqlite_code(error)
    if code is not None:
        return code in _SQLITE_TROUBLE
    # Class 08 connection, 40 deadlock and serialization, 53 resources, 57 shutdown; none when there was no connection at all.
    state = getattr(error.orig, "sqlstate", None)
    return error.connection_invalidated or state is None or state[:2] in ("08", "40", "53", "57")


def _sqlite_code(error: DBAPIError) -> int | None:
    code = getattr(error.orig, "sqlite_errorcode", None)
    return code & 0xFF if isinstance(code, int) else None  # the upper bits only say more about the same
