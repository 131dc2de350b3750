"""What the settings make of their values."""

from sqlalchemy import text

from gateway.settings import Settings
from gateway.storage.database import Database


def test_a_data_folder_may_have_any_name(tmp_path):
    folder = tmp_path / "옷 50%25 ?a=1#[b]"
    database = Database(Settings(data_dir=folder).database())
    with database.engine.begin() as connection:
        connection.execute(text("create table there (id integer)"))
    database.engine.dispose()
    assert [path.name for path in tmp_path.iterdir()] == [folder.name]
    assert (folder / "howsfit.sqlite").stat().st_size > 0
