"""Who waits for whom, on a file and on a database session alike."""

from __future__ import annotations

import subprocess
import sys
import threading
import time

import pytest
import sqlalchemy as sa

from gateway.adapters import schema
from gateway.adapters.database import Database
from gateway.adapters.locks import NOT_ITS_TURN, one_at_a_time, receiving
from gateway.errors import Unavailable

HOLDER = """
import sys, time
from pathlib import Path
from gateway.adapters.database import Database
from gateway.adapters.locks import one_at_a_time
with one_at_a_time(Path(sys.argv[1]), Database(sys.argv[2])):
    print("held", flush=True)
    time.sleep(600)
"""


@pytest.fixture
def other(database_url):
    opened = Database(database_url)
    yield opened
    opened.close()


def started_holder(tmp_path, url):
    words = [sys.executable, "-c", HOLDER, str(tmp_path), url]
    holder = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
    assert holder.stdout.readline() == "held\n"
    return holder


def test_a_second_release_waits_until_the_first_is_done(database, other, tmp_path):
    order, begun = [], threading.Event()

    def second():
        begun.set()
        with one_at_a_time(tmp_path, other):
            order.append("second")

    with one_at_a_time(tmp_path, database):
        waiting = threading.Thread(target=second)
        waiting.start()
        begun.wait()
        time.sleep(0.5)
        order.append("first")
    waiting.join()
    assert order == ["first", "second"]


def test_whoever_has_other_work_waits_no_longer_than_it_says(database, other, tmp_path):
    with (
        one_at_a_time(tmp_path, database),
        pytest.raises(Unavailable, match=NOT_ITS_TURN),
        one_at_a_time(tmp_path, other, within=0.1),
    ):
        pytest.fail("two at a time")
    with one_at_a_time(tmp_path, other, within=0.1):
        pass


def test_a_killed_release_keeps_nobody_out(database, database_url, tmp_path):
    holder = started_holder(tmp_path, database_url)
    holder.kill()
    holder.wait()
    holder.stdout.close()
    with one_at_a_time(tmp_path, database):
        pass


def test_only_who_receives_alone_sweeps(database, other, tmp_path):
    swept = []
    with receiving(tmp_path, database, sweep=lambda: swept.append("first")):
        with receiving(tmp_path, other, sweep=lambda: swept.append("second")):
            pass
        assert swept == ["first"]
    with receiving(tmp_path, other, sweep=lambda: swept.append("third")):
        pass
    assert swept == ["first", "third"]


def test_a_lock_given_back_is_not_held_by_a_pooled_connection(database, other, tmp_path):
    for _ in range(3):
        with one_at_a_time(tmp_path, database):
            pass
        with one_at_a_time(tmp_path, other), other.begin() as connection:
            connection.execute(sa.text("SELECT 1"))


def test_whoever_lost_the_lock_writes_no_more(postgresql_server, postgresql_url, tmp_path):
    database = Database(postgresql_url)
    schema.migrate(database)
    name = sa.make_url(postgresql_url).database
    try:
        for lock in (one_at_a_time(tmp_path, database), receiving(tmp_path, database, sweep=dict)):
            with lock:
                with database.begin() as connection:
                    connection.execute(sa.text("SELECT 1"))
                # Others work on databases of their own on the same server.
                postgresql_server.say(
                    "SELECT pg_terminate_backend(pid, 10000) FROM pg_locks "
                    "JOIN pg_database ON pg_database.oid = pg_locks.database "
                    f"WHERE locktype = 'advisory' AND datname = '{name}'"
                )
                with pytest.raises(Unavailable, match="store/lock-lost"):
                    refused_write(database)
    finally:
        database.close()


def refused_write(database):
    with database.begin():
        pytest.fail("it wrote without the lock")
