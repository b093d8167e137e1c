"""One database for jobs, releases, register and ledger: SQLite by default, PostgreSQL by URL.

A record and its ledger leaf are one transaction (record before effect), so
every adapter takes the `Connection` of `Database.begin` rather than opening its
own. SQLite runs in WAL with synchronous FULL: a commit that returned survives
power loss, and one writer at a time holds the lock from its first statement.

Source: docs/explanation/architecture.md; SQLite documentation, "WAL", "synchronous".
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Engine, MetaData, create_engine, event
from sqlalchemy.exc import SQLAlchemyError

from gateway.errors import Unavailable

METADATA = MetaData()

LOCK_WAIT_MS = 60_000


class Database:
    """The one store of records; every write goes through `begin`."""

    def __init__(self, url: str) -> None:
        """Open lazily: nothing is touched before the first transaction."""
        self._engine: Engine = create_engine(url, connect_args=_connect_args(url))
        if self._engine.dialect.name == "sqlite":
            event.listen(self._engine, "connect", _configure_sqlite)
            event.listen(self._engine, "begin", _begin_immediate)

    def create_all(self) -> None:
        """Make every table that an imported adapter has declared."""
        with self.begin() as connection:
            METADATA.create_all(connection)

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        """One transaction: committed at the end, rolled back on any exception.

        Raises:
            Unavailable: the database cannot be reached, written or locked in time.
        """
        try:
            with self._engine.begin() as connection:
                yield connection
        except SQLAlchemyError as fault:
            raise Unavailable(
                "store/database",
                f"The database did not do what was asked ({type(fault).__name__}).",
                remedy="Check that the data directory is writable and its disk is not full.",
            ) from None

    def close(self) -> None:
        """Give back every connection."""
        self._engine.dispose()


def _connect_args(url: str) -> dict[str, Any]:
    return {"timeout": LOCK_WAIT_MS / 1000} if url.startswith("sqlite") else {}


def _configure_sqlite(connection: Any, _record: Any) -> None:
    # The driver's own transaction control is switched off: `_begin_immediate` does it.
    connection.isolation_level = None
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        f"busy_timeout={LOCK_WAIT_MS}",
        "trusted_schema=OFF",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _begin_immediate(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")
