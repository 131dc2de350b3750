"""A database that an earlier version made goes on as it is, with what came later."""

import asyncio

import sqlalchemy as sa

from gateway.storage.database import Database, metadata

LATER = {"howsfit_webhooks": ["events"]}
"""Columns that came after their table."""


def rows(database, query):
    return asyncio.run(database.transact(lambda c: c.execute(sa.text(query)).all()))


def test_columns_that_came_later_are_added_with_their_defaults_and_nothing_is_lost(database):
    made = Database(database)
    earlier = sa.MetaData()
    for name, later in LATER.items():
        columns = [column._copy() for column in metadata.tables[name].columns if column.name not in later]
        sa.Table(name, earlier, *columns)
    earlier.create_all(made.engine)
    hook = "INSERT INTO howsfit_webhooks (job_id, owner, url, state, expected_at, attempts) VALUES ('{}', '', '', '', 0, 0)"
    with made.engine.begin() as connection:
        connection.execute(sa.text(hook.format("before")))
    for _ in range(2):
        asyncio.run(made.create_tables())
    with made.engine.begin() as connection:
        connection.execute(sa.text(hook.format("by a gateway of the earlier version")))
    assert [events for (events,) in rows(made, "SELECT events FROM howsfit_webhooks")] == ["ended"] * 2
    asyncio.run(made.close())


def test_gateways_that_start_at_once_do_not_both_add_them(database):
    async def main():
        gateways = [Database(database) for _ in range(4)]
        earlier = [column._copy() for column in metadata.tables["howsfit_webhooks"].columns if column.name != "events"]
        sa.Table("howsfit_webhooks", sa.MetaData(), *earlier).create(gateways[0].engine)
        await asyncio.gather(*(each.create_tables() for each in gateways))
        for each in gateways:
            await each.close()

    asyncio.run(main())
