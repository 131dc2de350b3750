"""What the settings make of their values."""

import asyncio
import sqlite3

from gateway.database import Database
from gateway.settings import Settings


def test_a_data_folder_may_have_any_name(tmp_path):
    folder = tmp_path / "옷 50%25 ?a=1#[b]"
    asyncio.run(Database(Settings(data_dir=folder).database()).create_tables())
    assert [path.name for path in tmp_path.iterdir()] == [folder.name]
    with sqlite3.connect(folder / "howsfit.sqlite") as opened:
        assert opened.execute("select count(*) from sqlite_master").fetchone()[0] > 0
