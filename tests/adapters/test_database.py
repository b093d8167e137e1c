"""What a database promises its adapters, on both back ends; and which addresses it takes."""

from __future__ import annotations

import json
import threading

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from gateway.adapters import schema
from gateway.adapters.database import Database
from gateway.adapters.database_url import read_url
from gateway.cli import main
from gateway.errors import Unavailable, UsageError

COUNTER = sa.Table("counter", sa.MetaData(), sa.Column("value", sa.Integer))


@pytest.fixture
def counter(database):
    with database.begin() as connection:
        COUNTER.create(connection)
        connection.execute(COUNTER.insert().values(value=0))
    return database


def value(database):
    with database.read() as connection:
        return connection.execute(sa.select(COUNTER.c.value)).scalar_one()


def test_what_a_writer_has_read_is_still_so_when_it_commits(counter):
    def count():
        for _ in range(25):
            with counter.begin() as connection:
                found = connection.execute(sa.select(COUNTER.c.value)).scalar_one()
                connection.execute(COUNTER.update().values(value=found + 1))

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert value(counter) == 100


def test_a_reader_sees_one_moment_and_waits_for_no_writer(counter):
    with counter.read() as reading:
        assert reading.execute(sa.select(COUNTER.c.value)).scalar_one() == 0
        with counter.begin() as connection:
            connection.execute(COUNTER.update().values(value=1))
            assert value(counter) == 0
        assert reading.execute(sa.select(COUNTER.c.value)).scalar_one() == 0
    assert value(counter) == 1


def test_a_reader_cannot_write_and_the_next_writer_can(counter):
    def write_while_reading():
        with counter.read() as connection:
            connection.execute(COUNTER.update().values(value=9))

    with pytest.raises(Unavailable, match="store/database"):
        write_while_reading()
    with counter.begin() as connection:
        connection.execute(COUNTER.update().values(value=2))
    assert value(counter) == 2


def test_a_fault_within_takes_everything_back(counter):
    def halfway():
        with counter.begin() as connection:
            connection.execute(COUNTER.update().values(value=3))
            raise KeyError

    with pytest.raises(KeyError):
        halfway()
    assert value(counter) == 0


def test_no_fault_of_the_database_tells_a_value(counter):
    def insert_twice():
        with counter.begin() as connection:
            connection.execute(sa.text("INSERT INTO counter VALUES (:v)"), {"v": "9990000018x" * 9})
            connection.execute(sa.text("SELECT nothing FROM counter"))

    with pytest.raises(Unavailable) as found:
        insert_twice()
    assert "9990000018" not in str(found.value)
    assert found.value.__suppress_context__


@pytest.mark.parametrize(
    ("written", "mode"),
    [
        ("postgresql://u@db.example/g", "verify-full"),
        ("postgres://u@db.example/g?sslmode=verify-ca", "verify-ca"),
        ("postgresql+psycopg://u@/g?host=db.example", "verify-full"),
        ("postgresql://u@127.0.0.1/g", None),
        ("postgresql://u@/g?host=/run/postgresql", None),
    ],
)
def test_a_server_on_the_network_has_to_prove_who_it_is(written, mode):
    url = read_url(written)
    assert url.drivername == "postgresql+psycopg"
    assert url.query.get("sslmode") == mode


@pytest.mark.parametrize("mode", ["disable", "allow", "prefer", "nonsense"])
def test_an_address_that_would_cross_the_network_in_clear_is_refused(mode):
    for place in ("u@db.example/g?", "u@/g?host=/run/pg,db.example&"):
        with pytest.raises(UsageError, match="settings/database-in-clear"):
            read_url(f"postgresql://{place}sslmode={mode}")


@pytest.mark.parametrize("written", ["mysql://u@h/g", "nonsense", "postgresql://u@h/", "://", ""])
def test_another_kind_of_database_is_refused_by_name(written):
    with pytest.raises(UsageError, match="settings/database-url"):
        read_url(written)


def test_the_command_says_the_version_and_brings_it_forward(tmp_path, database_url):
    opened = Database(database_url)
    with opened.begin_migration() as connection:
        schema.upgrade_to(connection, schema.FIRST)
    opened.close()
    (tmp_path / "data").mkdir(mode=0o700)

    def ask(word):
        words = ["--data", str(tmp_path / "data"), "database", word, "--json"]
        done = CliRunner().invoke(main, words, env={"GATEWAY_DATABASE_URL": database_url})
        assert done.exit_code == 0, done.output
        return json.loads(done.stdout)

    assert ask("current")["version"] == schema.FIRST
    assert ask("upgrade")["before"] == schema.FIRST
    assert ask("current")["version"] == schema.newest()


@pytest.mark.parametrize("damage", ["head", "pages"])
def test_a_damaged_file_is_told_as_such_and_not_as_a_full_disk(tmp_path, damage):
    path = tmp_path / "gateway.sqlite"
    opened = Database(f"sqlite:///{path}")
    schema.migrate(opened)
    opened.close()
    content = bytearray(path.read_bytes())
    if damage == "head":
        content[:16] = b"no database file"
    else:
        content[4096:] = b"\xff" * (len(content) - 4096)
    path.write_bytes(content)
    with pytest.raises(Unavailable, match="store/damaged"), opened.read() as connection:
        connection.execute(sa.text("SELECT count(*) FROM ledger_leaves")).scalar()
    opened.close()
