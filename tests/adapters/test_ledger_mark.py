"""A database that was put back to an earlier day is seen by the mark beside the key ring."""

from __future__ import annotations

import datetime as dt
import json
import os
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from gateway.adapters import backup, ledger_mark, ledger_store
from gateway.adapters.database import Database
from gateway.adapters.ledger_mark import Reached
from gateway.adapters.settings import Settings, read_settings
from gateway.errors import HeldForPerson, Unavailable
from tests.adapters.test_ledger_store import KEY

AT = dt.datetime(2026, 5, 1, 9, 30, tzinfo=dt.UTC)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    (tmp_path / "data" / "keys").mkdir(parents=True)
    return replace(read_settings(tmp_path / "data"), data=tmp_path / "data")


def grow(database: Database, count: int, *, code: str = "limits/too-small") -> Reached:
    with database.begin() as connection:
        for number in range(count):
            facts = {"release": f"r{number}", "code": code}
            ledger_store.append(connection, "release-held", facts, salt=os.urandom(32), at=AT)
        size = ledger_store.size(connection)
        return Reached(size, ledger_store.root(connection, size).hex())


def sign(database: Database) -> None:
    with database.begin() as connection:
        ledger_store.checkpoint(connection, KEY, AT, origin="knowsley")


def put_back(database: Database, size: int) -> None:
    """What a restore by the database's own tools leaves: the first entries, nothing after them."""
    with database.begin() as connection:
        leaves, nodes = ledger_store.LEAVES, ledger_store.NODES
        connection.execute(nodes.delete().where(nodes.c.leaf >= size))
        connection.execute(leaves.delete().where(leaves.c["index"] >= size))


def held(settings: Settings, database: Database) -> dict[str, object]:
    with pytest.raises(HeldForPerson) as refused:
        ledger_mark.require_not_put_back(settings, database)
    assert refused.value.code == "restore/not-reconciled"
    found: dict[str, object] = json.loads((settings.data / backup.HELD).read_text())
    return found


def test_a_ledger_that_grows_moves_its_mark_on(settings: Settings, database: Database) -> None:
    assert ledger_mark.read(settings) == Reached(0, "")
    ledger_mark.require_not_put_back(settings, database)
    for _ in range(3):
        reached = grow(database, 5)
        ledger_mark.require_not_put_back(settings, database)
        assert ledger_mark.read(settings) == reached
    assert not (settings.data / backup.HELD).exists()


def test_a_shorter_ledger_is_in_hold_from_then_on(settings: Settings, database: Database) -> None:
    earlier = grow(database, 4)
    grow(database, 3)
    ledger_mark.follow(settings, database)
    put_back(database, 4)
    told = held(settings, database)
    assert (told["size"], told["root"]) == earlier
    assert told["created"] == "2026-05-01T09:30:00Z"
    grow(database, 3)  # what is entered afterwards takes the lost numbers
    held(settings, database)
    assert ledger_mark.read(settings).size == 7


@pytest.mark.parametrize("checkpoint_at", [0, 2])
def test_a_ledger_that_has_grown_differently_is_in_hold_too(
    settings: Settings, database: Database, checkpoint_at: int
) -> None:
    if checkpoint_at:
        grow(database, checkpoint_at)
        sign(database)
    grow(database, 4 - checkpoint_at)
    grow(database, 3)
    ledger_mark.follow(settings, database)
    noted = ledger_mark.read(settings)
    put_back(database, 4)
    grow(database, 9, code="limits/too-few")
    ledger_mark.follow(settings, database)  # no trace of the loss is written over
    assert ledger_mark.read(settings) == noted
    told = held(settings, database)
    assert told["size"] == checkpoint_at


def test_a_person_who_reconciled_begins_the_mark_anew(
    settings: Settings, database: Database
) -> None:
    grow(database, 7)
    ledger_mark.follow(settings, database)
    put_back(database, 4)
    held(settings, database)
    ledger_mark.begin_anew(settings, database)
    backup.release_hold(settings.data)
    ledger_mark.require_not_put_back(settings, database)
    assert ledger_mark.read(settings).size == 4


@pytest.mark.parametrize("content", [b"", b"seven", b"7 \xff"])
def test_a_mark_that_cannot_be_read_lets_nothing_leave(
    settings: Settings, database: Database, content: bytes
) -> None:
    (settings.ring / ledger_mark.NAME).write_bytes(content)
    with pytest.raises(Unavailable, match="mark"):
        ledger_mark.require_not_put_back(settings, database)
    grow(database, 1)
    ledger_mark.follow(settings, database)
    assert (settings.ring / ledger_mark.NAME).read_bytes() == content


def test_many_at_once_never_take_a_growing_ledger_for_one_put_back(
    settings: Settings, database: Database
) -> None:
    faults: list[str] = []

    def look() -> None:
        for _ in range(20):
            try:
                grow(database, 1)
                ledger_mark.require_not_put_back(settings, database)
                ledger_mark.follow(settings, database)
            except (HeldForPerson, Unavailable) as fault:
                faults.append(fault.code)

    threads = [threading.Thread(target=look) for _ in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert faults == []
    ledger_mark.follow(settings, database)
    assert ledger_mark.read(settings).size == 80
    assert [path.name for path in settings.ring.iterdir()] == [ledger_mark.NAME]
