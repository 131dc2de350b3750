"""What DBOS Transact has no public name for in the locked version. No other module names anything private of it.

Whoever locks a newer DBOS looks here first, and takes out what has become public.
"""

from collections.abc import Iterable

import sqlalchemy as sa
from dbos import DBOS, StepReservation
from dbos._migration import sqlite_migrations
from dbos._sys_db_sqlite import SQLiteSystemDatabase


def number_step(reservation: StepReservation, number: int) -> None:
    """Record the step under this number. `step_id` is public, but only to read."""
    reservation._step_ctx.function_id = number


def jobs_here(dbos: DBOS) -> set[str]:
    """The jobs that this process runs. Publicly there is only what the database says, which may be wrong: a job can be taken
    and not started; and a task of ours goes on after DBOS has let go of its job, waiting for another one to end it."""
    return set(dbos._active_workflows_set.activeList())


def take_over(dbos: DBOS, executors: Iterable[str]) -> None:
    """Queue the jobs of dead executors again, each once however many gateways do so. `resume_workflow`, which is public,
    would start a job again that another gateway runs already, and would forget how often it was tried."""
    dbos._recover_pending_workflows(sorted(executors))


def give_sqlite_milliseconds() -> None:
    """On Python 3.11 DBOS's clock on SQLite has whole seconds: jobs that come within one would start and be listed in
    any order. Its newer way needs a newer SQLite than 3.11 may have; this one works everywhere. No setting chooses."""
    seconds, exact = "(strftime('%s','now') * 1000)", "CAST(round((julianday('now') - 2440587.5) * 86400000) AS BIGINT)"
    sqlite_migrations[:] = [migration.replace(seconds, f"({exact})") for migration in sqlite_migrations]
    setattr(SQLiteSystemDatabase, "_now_ms_sql", lambda _: sa.literal_column(exact, sa.BigInteger))  # noqa: B010
