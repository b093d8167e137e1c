"""The version of the schema: what is behind is brought forward, what is ahead is refused.

A database that a newer gateway has written is not touched, because a table that
this one does not know may be the one that forbids a release. Each migration is one
transaction under the writer's lock: it is done or it is not, and two processes that
open the same database at once do it once.

Source: docs/how-to/run-on-postgresql.md; Alembic documentation, "Commands".
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from gateway.adapters import keyring_files
from gateway.adapters.database import Database
from gateway.adapters.database_url import read_url
from gateway.adapters.settings import Settings
from gateway.errors import IntegrityError, Unavailable

VERSION_TABLE = "schema_version"
MIGRATIONS = Path(__file__).parent / "migrations"
FIRST = "0001"


def newest() -> str:
    """The version that this gateway knows and works on."""
    return max(path.name[1:5] for path in (MIGRATIONS / "versions").glob("v[0-9]*.py"))


def current(database: Database) -> str:
    """The version of a database; "" where the gateway has made none.

    Raises:
        Unavailable: the database cannot be reached.
    """
    with database.read() as connection:
        return _version(connection)


def migrate(database: Database) -> str:
    """Make the schema, or bring it forward to what this gateway knows.

    Returns:
        The version it was before; "" if there was none.

    Raises:
        Unavailable: a newer gateway has written it, or it holds tables of something else.
    """
    found = current(database)
    if found == newest():
        return found
    require_known(found)
    with database.begin_migration() as connection:
        found = _version(connection)
        require_known(found)
        if not found and _adopted(connection):
            _alembic(connection, "stamp", FIRST)
        upgrade_to(connection)
    return found


def database_in(settings: Settings) -> Database:
    """The database of an existing data directory, as it is.

    Raises:
        Unavailable: the directory was not made yet, or another account could enter it.
    """
    if not settings.data.exists():
        raise Unavailable(
            "store/no-data-directory",
            f"There is no data directory {settings.data}.",
            remedy="Run `gateway init` first, or name the directory with --data.",
        )
    keyring_files.check_directory(settings.data.resolve())
    require_there(settings)
    return Database(settings.database_url)


def require_there(settings: Settings) -> None:
    """Refuse a data directory that was founded and whose SQLite file is gone or empty.

    Opening it would make an empty one, and every advice after that would be unfit.

    Raises:
        Unavailable: `store/database-gone`.
    """
    url = read_url(settings.database_url)
    if url.get_backend_name() != "sqlite" or not url.database:
        return
    if settings.founded and _is_empty(Path(url.database)):
        raise Unavailable(
            "store/database-gone",
            "The database is gone.",
            remedy="Restore it from a backup: `gateway restore`, into a directory with the key "
            "ring alone. Keep this directory until then.",
        )


def _is_empty(file: Path) -> bool:
    """Whether there is no such file, or no table in it; a damaged one is not empty."""
    if not file.exists() or file.stat().st_size == 0:
        return not file.with_name(file.name + "-wal").exists()
    try:
        with contextlib.closing(
            sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)
        ) as base:
            return not base.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    except sqlite3.Error:
        return False


def ready(database: Database) -> Database:
    """A founded database at this gateway's version, brought forward if it was behind.

    Raises:
        Unavailable: it was never founded, or a newer gateway has written it.
    """
    found = current(database)
    if not found:
        with database.read() as connection:
            if not sa.inspect(connection).get_table_names():
                raise Unavailable(
                    "store/not-founded",
                    "The database holds no tables of the gateway.",
                    remedy="Run `gateway init` first, or correct GATEWAY_DATABASE_URL. What was "
                    "founded before is restored from a backup.",
                )
    if found != newest():
        migrate(database)
    return database


def require_known(found: str) -> None:
    """Refuse a version that this gateway has never heard of.

    Raises:
        Unavailable: it is newer, or none of ours.
    """
    if found > newest():
        raise Unavailable(
            "store/schema-newer",
            f"A newer gateway has written the database: its schema is {found}, "
            f"this gateway knows {newest()}.",
            remedy="Run that version of the gateway, or a newer one.",
            found=found,
            known=newest(),
        )


def differences(connection: sa.Connection) -> list[str]:
    """What the tables that the code declares and those of the database do not share."""
    from alembic.autogenerate import compare_metadata
    from alembic.runtime.migration import MigrationContext

    from gateway.adapters.database import METADATA

    context = MigrationContext.configure(
        connection, opts={"version_table": VERSION_TABLE, "compare_type": True}
    )
    return sorted(_said(each) for each in compare_metadata(context, METADATA))


def _said(difference: Any) -> str:
    """One difference in a line: what, and of which table."""
    if isinstance(difference, list):
        return "; ".join(_said(each) for each in difference)
    kind, *parts = difference
    return " ".join([kind, *(str(getattr(part, "name", part)) for part in parts if part)])


def _version(connection: sa.Connection) -> str:
    if not sa.inspect(connection).has_table(VERSION_TABLE):
        return ""
    rows = connection.exec_driver_sql(f"SELECT version_num FROM {VERSION_TABLE}").scalars().all()  # noqa: S608
    if len(rows) > 1:
        raise IntegrityError(
            "store/schema-version",
            "The database says that it has several versions at once.",
            remedy="Restore the database from a backup; change nothing by hand.",
        )
    return str(rows[0]) if rows else ""


def _adopted(connection: sa.Connection) -> bool:
    """Whether tables without a version are those of the first one.

    Raises:
        Unavailable: some are ours and some are not: nobody knows what this is.
    """
    there = _columns(connection)
    if not there:
        return False
    engine = sa.create_engine("sqlite://")
    with engine.begin() as scratch:
        upgrade_to(scratch, FIRST)
        wanted = _columns(scratch)
    engine.dispose()
    if any(there.get(name) != columns for name, columns in wanted.items()):
        raise Unavailable(
            "store/foreign-tables",
            "The database holds tables that no version of the gateway has made.",
            remedy="Name an empty database, or restore the gateway's own.",
        )
    return True


def _columns(connection: sa.Connection) -> Mapping[str, frozenset[str]]:
    inspector = sa.inspect(connection)
    return {
        name: frozenset(str(column["name"]) for column in inspector.get_columns(name))
        for name in inspector.get_table_names()
        if name != VERSION_TABLE
    }


def upgrade_to(connection: sa.Connection, version: str = "head") -> None:
    """Run the versions up to one, in the caller's transaction."""
    _alembic(connection, "upgrade", version)


def _alembic(connection: sa.Connection, command: str, version: str) -> None:
    import alembic.command

    getattr(alembic.command, command)(configured(connection), version)


def configured(connection: sa.Connection, **attributes: Any) -> Any:
    """Alembic's configuration for one connection."""
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.set_main_option("file_template", "v%%(rev)s_%%(slug)s")
    config.attributes.update(connection=connection, **attributes)
    return config
