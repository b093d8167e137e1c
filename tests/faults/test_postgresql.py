"""PostgreSQL stopped, hung, killed and cut off while the ledger is written.

Each time: a clear error in bounded time, nothing half-written, and once the server is
back the same process goes on and the ledger verifies.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import socket
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy import make_url

from gateway.adapters import ledger_check, ledger_store, schema
from gateway.adapters.database import Database
from gateway.errors import Unavailable
from tests.databases import Server, own_server

AT = dt.datetime(2026, 5, 1, 9, 30, tzinfo=dt.UTC)
SOON = {"connect": 1, "lock": 2, "statement": 3, "answer": 4.0}
NOTES = sa.Table("notes", sa.MetaData(), sa.Column("leaf", sa.Integer, primary_key=True))


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with own_server() as started:
        yield started


@pytest.fixture
def database(server: Server) -> Iterator[Database]:
    opened = Database(server.create(), **SOON)
    schema.migrate(opened)
    with opened.begin() as connection:
        NOTES.create(connection)
    yield opened
    opened.close()


def write(database: Database) -> None:
    """A record and its ledger entry, in one transaction."""
    with database.begin() as connection:
        number = ledger_store.size(connection)
        connection.execute(NOTES.insert().values(leaf=number))
        facts = {"release": f"r{number}", "code": "limits/too-small"}
        ledger_store.append(connection, "release-held", facts, salt=os.urandom(32), at=AT)


def written(database: Database) -> int:
    """How many records there are, once each is seen to have its entry and the ledger verifies."""
    with database.read() as connection:
        notes = connection.execute(sa.select(NOTES.c.leaf).order_by(NOTES.c.leaf)).scalars().all()
        assert list(notes) == list(range(ledger_store.size(connection)))
        assert ledger_check.verify(connection, keys={}, outside=()).ok
    return len(notes)


class Writer(threading.Thread):
    """One who writes all the time and counts what the database said about it."""

    def __init__(self, database: Database) -> None:
        super().__init__()
        self.done, self.codes, self.longest = 0, [], 0.0
        self._database, self._ended = database, threading.Event()

    def run(self) -> None:
        while not self._ended.is_set():
            began = time.monotonic()
            try:
                write(self._database)
                self.done += 1
            except Unavailable as fault:
                self.codes.append(fault.code)
                time.sleep(0.1)
            self.longest = max(self.longest, time.monotonic() - began)

    def end(self) -> None:
        self._ended.set()
        self.join(60)
        assert not self.is_alive()


def hang(server: Server) -> None:
    server.hang()
    time.sleep(6)
    server.go_on()


def kill(server: Server) -> None:
    server.kill()
    server.start()


def stop(server: Server) -> None:
    server.stop()
    time.sleep(1)
    server.start()


def cut(server: Server) -> None:
    server.say(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
    )


def kill_one(server: Server) -> None:
    """A backend dies as if memory ran out: PostgreSQL then restarts itself."""
    serving = [each for each in server.processes()[1:] if "[local]" in " ".join(each.cmdline())]
    serving[0].kill()
    time.sleep(0.5)
    server.recovered()


@pytest.mark.parametrize(
    ("fault", "times"), [(hang, 1), (kill, 3), (stop, 1), (cut, 3), (kill_one, 2)]
)
def test_what_was_answered_stands_and_nothing_else_does(
    server: Server, database: Database, fault, times: int
) -> None:
    writers = [Writer(database) for _ in range(3)]
    for writer in writers:
        writer.start()
    for _ in range(times):
        time.sleep(0.5)
        fault(server)
    time.sleep(1.5)
    for writer in writers:
        writer.end()
    done, codes = sum(w.done for w in writers), [code for w in writers for code in w.codes]
    assert max(w.longest for w in writers) < 60
    assert done > 0
    assert set(codes) <= {"store/database", "store/commit-unknown"}
    unknown = codes.count("store/commit-unknown")
    assert done <= written(database) <= done + unknown
    write(database)


@pytest.mark.parametrize("begun", [True, False])
def test_a_hung_server_is_given_up_and_taken_up_again(
    server: Server, database: Database, begun: bool
) -> None:
    write(database)
    if not begun:
        database.close()
    server.hang()
    began = time.monotonic()
    try:
        with pytest.raises(Unavailable, match="store/database"):
            write(database)
    finally:
        took = time.monotonic() - began
        server.go_on()
    assert took < 15
    write(database)
    assert written(database) == 2


def test_a_server_that_is_not_there_is_said_so_by_every_command(
    server: Server, tmp_path: Path
) -> None:
    url = server.create()
    server.stop()
    began = time.monotonic()
    gone = Database(url)
    with pytest.raises(Unavailable, match="PostgreSQL server runs"):
        schema.ready(gone)
    assert time.monotonic() - began < 60
    gone.close()
    server.start()


def test_a_writer_that_stands_still_is_ended_by_the_server_and_writes_nothing(
    server: Server,
) -> None:
    url = server.create()
    still, other = Database(url, **SOON, idle=1), Database(url, **SOON)
    schema.migrate(still)
    with other.begin() as connection:
        NOTES.create(connection)

    def stand_still() -> None:
        with still.begin() as connection:
            connection.execute(NOTES.insert().values(leaf=7))
            time.sleep(2)
            write(other)

    with pytest.raises(Unavailable):
        stand_still()
    assert written(other) == 1
    for each in (still, other):
        each.close()


class Line:
    """The line to the server, which can be cut at a commit: right after it or before it."""

    def __init__(self, server_socket: str, folder: Path) -> None:
        self.cut_at_commit, self.cut_for_good = False, False
        self.instead_of_commit: Callable[[], None] | None = None
        self._happening = threading.Lock()
        self._server_socket = server_socket
        self._listening = socket.socket(socket.AF_UNIX)
        self._listening.bind(str(folder / ".s.PGSQL.5432"))
        self._listening.listen()
        self._ends: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._start(self._accept)

    def _start(self, work: Callable[..., None], *words: socket.socket) -> None:
        self._threads.append(threading.Thread(target=work, args=words, daemon=True))
        self._threads[-1].start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = self._listening.accept()
                far = socket.socket(socket.AF_UNIX)
                self._ends += [near, far]
                try:
                    with self._happening:
                        far.connect(self._server_socket)
                except OSError:
                    near.shutdown(socket.SHUT_RDWR)
                    continue
                for ends in ((near, far), (far, near)):
                    self._start(self._carry, *ends)

    def _carry(self, one: socket.socket, other: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while told := one.recv(65536):
                if self.cut_at_commit and b"COMMIT\0" in told:
                    self.cut_at_commit = False
                    if self.cut_for_good:
                        self.hang_up()
                    one.shutdown(socket.SHUT_RDWR)
                if self.instead_of_commit and b"COMMIT\0" in told:
                    happens, self.instead_of_commit = self.instead_of_commit, None
                    with self._happening:
                        happens()
                    break
                other.sendall(told)
        for end in (one, other):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def hang_up(self) -> None:
        """Let nobody call any more."""
        with contextlib.suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()

    def close(self) -> None:
        self.hang_up()
        for thread in self._threads:
            thread.join(10)
        for end in self._ends:
            end.close()


@contextlib.contextmanager
def lined(server: Server, **patience: float) -> Iterator[tuple[Line, Database, Database]]:
    """A line to a fresh database, whoever writes through it, and somebody beside."""
    url = server.create()
    folder = Path(tempfile.mkdtemp(prefix="gateway-line-"))
    line = Line(f"{make_url(url).query['host']}/.s.PGSQL.5432", folder)
    near = make_url(url).update_query_dict({"host": str(folder)})
    database, beside = Database(str(near), **SOON, **patience), Database(url)
    schema.migrate(database)
    with beside.begin() as connection:
        NOTES.create(connection)
    yield line, database, beside
    for each in (database, beside):
        each.close()
    line.close()


@pytest.mark.parametrize("for_good", [False, True])
def test_a_commit_whose_answer_is_lost_is_asked_after(server: Server, for_good: bool) -> None:
    with lined(server, outcome=2) as (line, database, beside):
        line.cut_at_commit, line.cut_for_good = True, for_good
        if for_good:
            with pytest.raises(Unavailable, match="store/commit-unknown"):
                write(database)
        else:
            write(database)
        assert written(beside) == 1


def test_a_commit_that_was_kept_is_known_while_another_writes(server: Server) -> None:
    known = threading.Event()
    with lined(server, outcome=2) as (line, database, beside):

        def write_long() -> None:
            with beside.begin() as connection:
                connection.execute(NOTES.insert().values(leaf=8))
                known.wait(20)

        other = threading.Thread(target=write_long)
        with database.begin() as connection:
            connection.execute(NOTES.insert().values(leaf=7))
            other.start()
            time.sleep(0.5)
            line.cut_at_commit = True
        known.set()
        other.join()
        with beside.read() as connection:
            assert set(connection.execute(sa.select(NOTES.c.leaf)).scalars()) == {7, 8}


def test_a_transaction_whose_number_is_given_again_after_a_kill_was_not_kept(
    server: Server,
) -> None:
    server.say("ALTER SYSTEM SET wal_writer_delay = '10s'")
    server.say("SELECT pg_reload_conf()")
    with lined(server, outcome=120) as (line, database, beside):
        given: list[object] = []

        def number_of_a_transaction(writer: Database, leaf: int) -> None:
            with writer.begin() as connection:
                connection.execute(NOTES.insert().values(leaf=leaf))
                given.append(connection.exec_driver_sql("SELECT pg_current_xact_id()").scalar())

        def kill_and_write_again() -> None:
            kill(server)
            beside.close()
            for _ in range(5):
                number_of_a_transaction(beside, 100 + len(given))

        # Now and then something else writes the number to the disk before the kill.
        for _ in range(5):
            first, line.instead_of_commit = len(given), kill_and_write_again
            with pytest.raises(Unavailable, match="store/database"):
                number_of_a_transaction(database, 7)
            if given[first] in given[first + 1 :]:
                break
        else:
            pytest.fail("PostgreSQL has never given a number again")
        with beside.read() as connection:
            assert 7 not in connection.execute(sa.select(NOTES.c.leaf)).scalars().all()
    server.say("ALTER SYSTEM RESET wal_writer_delay")
