"""One database for jobs, releases, register and ledger: SQLite by default, PostgreSQL by URL.

A record and its ledger leaf are one transaction (record before effect), so
every adapter takes the `Connection` of `Database.begin` rather than opening its
own. On both, one writer at a time holds the lock from its first statement: what a
transaction has read is still so when it commits. A commit that returned survives
power loss: WAL and synchronous FULL on SQLite, synchronous_commit on PostgreSQL.
`Database.read` waits for no writer, sees one moment, and cannot write.

Source: docs/explanation/architecture.md; SQLite documentation, "WAL", "synchronous";
PostgreSQL documentation, "Explicit Locking".
"""

from __future__ import annotations

import os
import sqlite3
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Engine, MetaData, Transaction, create_engine, event, text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from gateway.adapters.database_url import read_url
from gateway.errors import Unavailable

METADATA = MetaData()

LOCK_WAIT_MS = 30_000
# Advisory locks are named by two numbers: the first is the gateway's, "gate" in ASCII.
LOCKS = 0x67617465
WRITER = 1
THREADS = 16
MORE = 16
MIGRATION_SECONDS = 3600.0

_OPEN: weakref.WeakSet[Database] = weakref.WeakSet()


class Database:
    """The one store of records; every write goes through `begin`."""

    def __init__(self, url: str, **patience: Any) -> None:
        """Open lazily: nothing is touched before the first transaction.

        Args:
            url: of a SQLite file or a PostgreSQL database.
            patience: the waits of `postgresql.Patience` that shall differ.

        Raises:
            UsageError: the address is malformed or of another kind.
        """
        address = read_url(url)
        self._postgresql = address.drivername != "sqlite"
        self._outcome_within = float(patience.get("outcome", 10))
        self._engine = _postgresql(address, patience) if self._postgresql else _sqlite(address)
        mode = {"isolation_level": "REPEATABLE READ"} if self._postgresql else {}
        self._reading = self._engine.execution_options(
            gateway_begin="read", postgresql_readonly=True, **mode
        )
        self._conditions: list[Callable[[Connection], None]] = []
        _OPEN.add(self)

    @property
    def postgresql(self) -> bool:
        """Whether several machines may work on it."""
        return self._postgresql

    def create_all(self) -> None:
        """Make every table that an imported adapter has declared, without a version.

        For tests of one adapter; a data directory is made and kept by `schema.migrate`.
        """
        with self.begin() as connection:
            METADATA.create_all(connection)

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        """One transaction, the only writing one: committed at the end, rolled back on a fault.

        Where the connection breaks at the commit itself, PostgreSQL is asked what became of it.

        Raises:
            Unavailable: the database cannot be reached, written or locked in time.
        """
        with self._told(), self._engine.connect() as connection, connection.begin() as transaction:
            if self._postgresql:
                take_lock(connection, WRITER)
            for condition in tuple(self._conditions):
                condition(connection)
            yield connection
            if self._postgresql:
                self._commit(connection, transaction)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """One moment of the database, beside any writer; a write is refused.

        Raises:
            Unavailable: the database cannot be reached or read in time.
        """
        with self._told(), self._reading.begin() as connection:
            yield connection

    @contextmanager
    def begin_migration(self) -> Iterator[Connection]:
        """One writing transaction that may change tables and may take its time.

        Raises:
            Unavailable: the database cannot be reached or locked, or a row would be orphaned.
        """
        engine = self._engine.execution_options(gateway_begin="migrate")
        with self._told(), engine.begin() as connection:
            if self._postgresql:
                take_lock(connection, WRITER)
                connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
                connection.connection.driver_connection.patience = MIGRATION_SECONDS  # type: ignore[union-attr]
            yield connection
            if not self._postgresql:
                _require_no_orphan(connection)

    @contextmanager
    def pinned(self) -> Iterator[Connection]:
        """A session of its own without a transaction, for a lock that outlives transactions.

        It ends with the block, and the lock with it. PostgreSQL only.
        """
        with (
            self._told(),
            self._engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection,
        ):
            connection.detach()
            connection.exec_driver_sql("SET idle_session_timeout = 0")
            yield connection

    @contextmanager
    def on_condition(self, condition: Callable[[Connection], None]) -> Iterator[None]:
        """Within the block, each writing transaction begins with this question."""
        self._conditions.append(condition)
        try:
            yield
        finally:
            self._conditions.remove(condition)

    def close(self) -> None:
        """Give back every connection."""
        self._engine.dispose()

    def forget(self) -> None:
        """Drop the connections of a parent process without ending them."""
        self._engine.dispose(close=False)

    def _commit(self, connection: Connection, transaction: Transaction) -> None:
        from gateway.adapters import commit_marks

        mark = commit_marks.leave(connection)
        try:
            transaction.commit()
        except DBAPIError as fault:
            if not fault.connection_invalidated:
                raise
            kept = commit_marks.kept(self._engine, mark, within=self._outcome_within)
            if kept is None:
                raise Unavailable(
                    "store/commit-unknown",
                    "The database stopped answering at a commit: whether it was kept is not known.",
                    remedy="Once PostgreSQL answers, do it again: what was kept is found.",
                ) from None
            if not kept:
                raise

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except SQLAlchemyError as fault:
            if _is_damaged(fault):
                raise Unavailable(
                    "store/damaged",
                    "The database is damaged: its file is not what SQLite wrote.",
                    remedy="Stop the service, keep the file, and restore the newest backup into "
                    "another directory: docs/how-to/run-the-service.md.",
                ) from None
            remedy = (
                "Check that the PostgreSQL server runs, answers and has room; then do it again."
                if self._postgresql
                else "Check that the data directory is writable and its disk is not full."
            )
            raise Unavailable(
                "store/database",
                "The database did not do what was asked.",
                remedy=remedy,
                fault=type(fault).__name__,
            ) from None


def _is_damaged(fault: SQLAlchemyError) -> bool:
    code = getattr(getattr(fault, "orig", None), "sqlite_errorcode", 0) & 0xFF
    return code in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}


def take_lock(connection: Connection, number: int) -> None:
    """Wait for an advisory lock that ends with the transaction (PostgreSQL)."""
    connection.execute(
        text("SELECT pg_advisory_xact_lock(:gateway, :number)"),
        {"gateway": LOCKS, "number": number},
    )


def _postgresql(address: Any, patience: dict[str, Any]) -> Engine:
    from gateway.adapters.postgresql import Patience, bound

    waits = Patience(**patience)
    engine = create_engine(
        address,
        hide_parameters=True,
        isolation_level="READ COMMITTED",
        pool_pre_ping=True,
        pool_size=THREADS,
        max_overflow=MORE,
        pool_timeout=waits.lock,
    )
    bound(engine, waits)
    return engine


def _sqlite(address: Any) -> Engine:
    engine = create_engine(
        address,
        hide_parameters=True,
        connect_args={"timeout": LOCK_WAIT_MS / 1000},
        pool_size=THREADS,
        max_overflow=MORE,
    )
    event.listen(engine, "connect", _configure_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _configure_sqlite(connection: Any, _record: Any) -> None:
    # The driver's own transaction control is switched off: `_begin_sqlite` does it.
    connection.isolation_level = None
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        f"busy_timeout={LOCK_WAIT_MS}",
        "trusted_schema=OFF",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    kind = connection.get_execution_options().get("gateway_begin")
    # A table that is made anew by a migration would otherwise take its children with it.
    connection.exec_driver_sql(f"PRAGMA foreign_keys={'OFF' if kind == 'migrate' else 'ON'}")
    connection.exec_driver_sql(f"PRAGMA query_only={'ON' if kind == 'read' else 'OFF'}")
    connection.exec_driver_sql("BEGIN" if kind == "read" else "BEGIN IMMEDIATE")


def _require_no_orphan(connection: Connection) -> None:
    if connection.exec_driver_sql("PRAGMA foreign_key_check").first() is not None:
        raise Unavailable(
            "store/orphans",
            "After the migration some rows would belong to nothing; it was not made.",
            remedy="Run the version of the gateway that wrote the database, and report this.",
        )


def _forget_after_fork() -> None:
    for database in list(_OPEN):
        database.forget()


os.register_at_fork(after_in_child=_forget_after_fork)
