"""PostgreSQL connections that wait for nothing longer than they were told to.

The server ends a statement or a wait for a lock that takes too long. A server that
is hung itself ends nothing, so each wait for its answer has an end of its own
here: the connection is then given up, and the pool makes a new one.

Source: PostgreSQL documentation, "Client Connection Defaults"; psycopg 3, `Connection.wait`.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import Any, TypeVar

from psycopg import Connection, OperationalError
from psycopg.errors import Error
from sqlalchemy import Engine, event

Answer = TypeVar("Answer")
DEAD_AFTER = {"keepalives_idle": 30, "keepalives_interval": 10, "keepalives_count": 3}


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How many seconds each kind of wait may take; together less than a minute."""

    connect: int = 5
    lock: int = 25
    statement: int = 40
    answer: float = 45.0
    idle: int = 60
    outcome: float = 10.0


class BoundedConnection(Connection[Any]):
    """A connection of which no answer is awaited longer than `patience` seconds."""

    patience: float = 5.0

    def wait(
        self, gen: Generator[Any, Any, Answer], interval: float = 0.1, timeout: float | None = None
    ) -> Answer:
        """Wait for an answer, and give the connection up when none comes.

        Raises:
            OperationalError: the server has not answered in time.
        """
        try:
            return super().wait(gen, interval, self.patience if timeout is None else timeout)
        except Error as fault:
            if type(fault).__name__ != "_WaitTimeout" or timeout is not None:
                raise
            self.pgconn.finish()
            raise OperationalError("the server has not answered in time") from None

    def __del__(self, *_: Any) -> None:
        """Close in silence: a command that ends forgets its pool with all that is in it."""
        if hasattr(self, "pgconn"):
            self.pgconn.finish()


def bound(engine: Engine, patience: Patience) -> None:
    """Make every connection of an engine a bounded one."""

    @event.listens_for(engine, "do_connect")
    def connect(_dialect: Any, _record: Any, words: Any, options: dict[str, Any]) -> Any:
        found = BoundedConnection.connect(
            *words, **{**DEAD_AFTER, "connect_timeout": patience.connect, **options}
        )
        found.patience = float(patience.connect)
        return found

    @event.listens_for(engine, "connect")
    def settle(connection: BoundedConnection, _record: Any) -> None:
        try:
            connection.execute(_settings(patience))
            connection.commit()
        except BaseException:
            connection.close()
            raise

    @event.listens_for(engine, "checkout")
    def lend(connection: BoundedConnection, _record: Any, _proxy: Any) -> None:
        connection.patience = patience.answer

    @event.listens_for(engine, "checkin")
    def take_back(connection: BoundedConnection | None, _record: Any) -> None:
        # The next wait is the ping: a hung server is found out soon.
        if connection is not None:
            connection.patience = float(patience.connect)


def _settings(patience: Patience) -> Any:
    """What the session is told: ends of waiting, and that a commit is on disk when it returns."""
    wanted = {
        "lock_timeout": f"{patience.lock}s",
        "statement_timeout": f"{patience.statement}s",
        "idle_in_transaction_session_timeout": f"{patience.idle}s",
        "tcp_keepalives_idle": "30",
        "tcp_keepalives_interval": "10",
        "tcp_keepalives_count": "3",
        "synchronous_commit": "on",
        "TimeZone": "UTC",
    }
    return "; ".join(f"SET {name} = '{value}'" for name, value in wanted.items())
