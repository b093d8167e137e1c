"""Who may work on the same records at the same time as whom.

On SQLite the processes of one data directory meet at a file in it. On PostgreSQL
several machines meet at the database: the lock is one of its sessions, and is gone
when that session ends. Whoever held it then writes nothing more: each of its
transactions first asks whether the session is still there.

Source: docs/adr/0243-locks-between-machines-are-sessions.md; PostgreSQL documentation,
"Advisory Locks".
"""

from __future__ import annotations

import contextlib
import fcntl
import math
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from sqlalchemy import Connection, text

from gateway.adapters.database import LOCKS, Database
from gateway.errors import Unavailable

RELEASES = 2
RECEIVING = 3
ASK_EVERY = 0.25
# Told by who would not wait longer.
NOT_ITS_TURN = "job/not-its-turn"


@contextlib.contextmanager
def receiving(data: Path, database: Database, *, sweep: Callable[[], object]) -> Iterator[None]:
    """Several files are taken in at once; whoever begins alone sweeps what a crash left.

    Args:
        data: the data directory.
        database: its database.
        sweep: removes what no record names.
    """
    lock = _session(database, RECEIVING) if database.postgresql else _file(data / "receive.lock")
    with lock as (alone, shared):
        if alone():
            sweep()
        # Nothing of this run is on disk yet, so that a sweep in between takes nothing from it.
        shared()
        yield


@contextlib.contextmanager
def one_at_a_time(data: Path, database: Database, *, within: float = math.inf) -> Iterator[None]:
    """Releases are made one after the other; a second one waits.

    Args:
        data: the data directory.
        database: its database.
        within: seconds that it waits; a worker has other jobs to do.

    Raises:
        Unavailable: it was not its turn in that time (`NOT_ITS_TURN`).
    """
    if not database.postgresql:
        with _lock_file(data / "release.lock") as descriptor:
            if within == math.inf:
                fcntl.flock(descriptor, fcntl.LOCK_EX)
            else:
                _wait_until(lambda: _tried(descriptor), within)
            yield
        return
    with database.pinned() as connection:
        _wait_until(lambda: _ask(connection, "pg_try_advisory_lock", RELEASES), within)
        with database.on_condition(_still_held(connection, RELEASES)):
            yield


@contextlib.contextmanager
def _file(path: Path) -> Iterator[tuple[Callable[[], bool], Callable[[], None]]]:
    """Try to be alone, and then to be one of several, by a file."""
    with _lock_file(path) as descriptor:
        yield lambda: _tried(descriptor), lambda: fcntl.flock(descriptor, fcntl.LOCK_SH)


@contextlib.contextmanager
def _session(
    database: Database, number: int
) -> Iterator[tuple[Callable[[], bool], Callable[[], None]]]:
    """Try to be alone, and then to be one of several, by a session of the database."""
    with database.pinned() as connection, contextlib.ExitStack() as held:

        def alone() -> bool:
            if not _ask(connection, "pg_try_advisory_lock", number):
                return False
            held.callback(_ask, connection, "pg_advisory_unlock", number)
            return True

        def shared() -> None:
            _wait_until(lambda: _ask(connection, "pg_try_advisory_lock_shared", number))
            held.close()
            held.enter_context(database.on_condition(_still_held(connection, number)))

        yield alone, shared


def _wait_until(had: Callable[[], bool], within: float = math.inf) -> None:
    """Ask until the lock is had: each question is short, so that a hung server is noticed."""
    until = time.monotonic() + within
    while not had():
        if time.monotonic() > until:
            raise Unavailable(
                "job/not-its-turn",
                "Another release is being made, and one is made after the other.",
                remedy="Nothing is to be done: it is tried again. If this goes on for longer than "
                "a release takes, a process that makes one stands still: start the service again.",
            )
        time.sleep(ASK_EVERY)


def _tried(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _ask(connection: Connection, function: str, number: int) -> bool:
    words = {"gateway": LOCKS, "number": number}
    return bool(connection.execute(text(f"SELECT {function}(:gateway, :number)"), words).scalar())


def _still_held(connection: Connection, number: int) -> Callable[[Connection], None]:
    """What each transaction asks: is the session that holds the lock still there."""
    own = connection.exec_driver_sql(
        "SELECT pid, backend_start FROM pg_stat_activity WHERE pid = pg_backend_pid()"
    ).one()
    question = text(
        "SELECT 1 FROM pg_locks JOIN pg_stat_activity USING (pid) WHERE locktype = 'advisory' "
        "AND granted AND classid = :gateway AND objid = :number "
        "AND pid = :pid AND backend_start = :began"
    )
    words = {"gateway": LOCKS, "number": number, "pid": own.pid, "began": own.backend_start}

    def require(asking: Connection) -> None:
        if asking.execute(question, words).first() is None:
            raise Unavailable(
                "store/lock-lost",
                "The database ended the session that kept others from this work.",
                remedy="Run the command again: it finishes or withdraws what was begun.",
            )

    return require


@contextlib.contextmanager
def _lock_file(path: Path) -> Iterator[int]:
    """A file to lock; the lock ends with the process, whatever becomes of it."""
    try:
        descriptor = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
    except OSError as fault:
        raise Unavailable(
            "store/not-writable",
            f"The data directory cannot be written ({fault.strerror}).",
            remedy="Mount it writable, free disk space, or name another with --data.",
        ) from None
    try:
        yield descriptor
    finally:
        os.close(descriptor)
