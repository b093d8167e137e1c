"""The versions make exactly the declared tables, on both back ends, and refuse what is ahead."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa
from alembic.script import ScriptDirectory

from gateway.adapters import founding, ledger_store, schema
from gateway.adapters.database import METADATA, Database
from gateway.adapters.migrations.draft import declare_tables
from gateway.errors import Unavailable

WHAT_TO_DO = """
The tables that the code declares are not those that the versions make. Write the next version:

    python -m gateway.adapters.migrations.draft "What it adds" TABLE...

read what it wrote, and commit it with the tables. (CONTRIBUTING.md, "A table".)
"""


@pytest.fixture
def empty(database_url):
    opened = Database(database_url)
    yield opened
    opened.close()


def tables(database):
    with database.read() as connection:
        return set(sa.inspect(connection).get_table_names())


def test_the_versions_make_exactly_the_declared_tables(database):
    declare_tables()
    with database.read() as connection:
        found = schema.differences(connection)
    assert not found, WHAT_TO_DO + "\n".join(found)
    assert tables(database) == {schema.VERSION_TABLE, *METADATA.tables}, WHAT_TO_DO


def test_versions_stand_in_one_line_and_their_names_say_the_newest():
    with sa.create_engine("sqlite://").connect() as connection:
        script = ScriptDirectory.from_config(schema.configured(connection))
    numbers = sorted(each.revision for each in script.walk_revisions())
    assert script.get_heads() == [schema.newest()], "two versions have the same parent: renumber"
    assert numbers == [f"{n:04}" for n in range(1, len(numbers) + 1)]


def test_a_second_migration_finds_nothing_to_do(database):
    assert schema.migrate(database) == schema.newest() == schema.current(database)


def test_two_processes_that_open_an_empty_database_make_it_once(database_url):
    several = [Database(database_url) for _ in range(4)]
    with ThreadPoolExecutor(4) as threads:
        before = list(threads.map(schema.migrate, several))
    assert sorted(before) == ["", *[schema.newest()] * 3]
    for each in several:
        each.close()


def test_a_database_of_a_newer_gateway_is_left_alone(database):
    with database.begin() as connection:
        connection.exec_driver_sql(f"UPDATE {schema.VERSION_TABLE} SET version_num = '9999'")
    for act in (schema.migrate, schema.ready):
        with pytest.raises(Unavailable, match=r"store/schema-newer.*9999") as found:
            act(database)
        assert found.value.exit_code == 7


def test_a_database_that_was_never_founded_is_not_made_by_opening_it(empty):
    with pytest.raises(Unavailable, match="store/not-founded"):
        schema.ready(empty)
    assert tables(empty) == set()


def test_tables_from_before_versions_were_kept_are_adopted_with_their_rows(empty):
    import datetime as dt

    with empty.begin_migration() as connection:
        schema.upgrade_to(connection, schema.FIRST)
        connection.exec_driver_sql(f"DROP TABLE {schema.VERSION_TABLE}")
        ledger_store.append(
            connection, "ledger-opened", {}, salt=bytes(32), at=dt.datetime.now(dt.UTC)
        )
    schema.ready(empty)
    assert schema.current(empty) == schema.newest()
    with empty.read() as connection:
        assert ledger_store.size(connection) == 1


def test_tables_of_something_else_are_never_taken_for_ours(empty):
    with empty.begin_migration() as connection:
        connection.exec_driver_sql("CREATE TABLE releases (id INTEGER PRIMARY KEY)")
    for act in (schema.migrate, schema.ready):
        with pytest.raises(Unavailable, match="store/foreign-tables"):
            act(empty)
    assert tables(empty) == {"releases"}


def test_a_version_that_fails_halfway_leaves_nothing(empty):
    def half():
        with empty.begin_migration() as connection:
            schema.upgrade_to(connection, schema.FIRST)
            connection.exec_driver_sql("CREATE TABLE ledger_leaves (id INTEGER PRIMARY KEY)")

    with pytest.raises(Unavailable):
        half()
    assert tables(empty) == set()


def test_every_listed_module_declares_a_table():
    declare_tables()
    assert len(METADATA.tables) >= len(founding.TABLES)
