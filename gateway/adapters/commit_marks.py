"""What became of a commit whose answer was lost: the mark that the transaction left tells.

Each writing transaction on PostgreSQL writes a random mark of its own beside what it
keeps, one row for each session. The number of the transaction could not tell: after a
crash PostgreSQL gives again the numbers that had not reached the disk, and then says of
a lost transaction what became of another one.

Source: docs/adr/0345-a-mark-says-whether-a-commit-was-kept.md; PostgreSQL documentation,
"Transaction ID and Snapshot Information Functions".
"""

from __future__ import annotations

import contextlib
import secrets
import time

from sqlalchemy import BigInteger, Column, Connection, Engine, String, Table, select, text
from sqlalchemy.exc import SQLAlchemyError

from gateway.adapters.database import METADATA, WRITER, take_lock

COMMIT_MARKS = Table(
    "commit_marks",
    METADATA,
    Column("session", String(32), primary_key=True),
    Column("mark", String(32), nullable=False),
    Column("left_at", BigInteger, nullable=False, index=True),
)
KEPT_SECONDS = 24 * 60 * 60

# By the server's clock: those of the machines that work on it may differ.
_LEAVE = text(
    "INSERT INTO commit_marks (session, mark, left_at) "
    "SELECT :session, :mark, CAST(EXTRACT(EPOCH FROM clock_timestamp()) AS bigint) "
    "WHERE pg_current_xact_id_if_assigned() IS NOT NULL "
    "ON CONFLICT (session) DO UPDATE SET mark = excluded.mark, left_at = excluded.left_at "
    "RETURNING mark"
)
_TIDY = text(
    "DELETE FROM commit_marks "
    "WHERE left_at < CAST(EXTRACT(EPOCH FROM clock_timestamp()) AS bigint) - :kept"
)


def leave(connection: Connection) -> str:
    """Mark this transaction as the last act before its commit; "" if it has written nothing."""
    session = connection.info.get("marks")
    if session is None:
        session = connection.info["marks"] = secrets.token_hex(16)
        connection.execute(_TIDY, {"kept": KEPT_SECONDS})
    given = {"session": session, "mark": secrets.token_hex(16)}
    return connection.execute(_LEAVE, given).scalar() or ""


def kept(engine: Engine, mark: str, *, within: float) -> bool | None:
    """Whether the transaction that left a mark was committed.

    A mark that is seen is certain. One that is not may still come: a transaction holds
    the writer's lock until it has ended, so whoever has waited for the lock knows.

    Args:
        engine: whose transactions see what is committed at each statement (READ COMMITTED).
        mark: what `leave` gave.
        within: seconds.

    Returns:
        None if the server does not say so in time.
    """
    if not mark:
        return True
    until = time.monotonic() + within
    question = select(COMMIT_MARKS.c.mark).where(COMMIT_MARKS.c.mark == mark)
    while (left := until - time.monotonic()) > 0:
        with contextlib.suppress(SQLAlchemyError), engine.begin() as connection:
            connection.connection.driver_connection.patience = left  # type: ignore[union-attr]
            if connection.scalar(question) is not None:
                return True
            connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{max(1, int(left * 1000))}ms'")
            take_lock(connection, WRITER)
            return connection.scalar(question) is not None
        time.sleep(0.25)
    return None
