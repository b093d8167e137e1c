"""The ledger's rows on each back end: O(log n), and no tampering goes unseen."""

import datetime as dt
import json
import os
from dataclasses import dataclass

import pytest
import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gateway import ledger
from gateway.adapters import ledger_check, ledger_store
from gateway.errors import IntegrityError, Unavailable, UsageError
from tests.databases import native

AT = dt.datetime(2026, 5, 1, 9, 30, tzinfo=dt.UTC)
SEED = Ed25519PrivateKey.from_private_bytes(bytes(32))


@dataclass(frozen=True)
class LedgerKey:
    key_id: str = "ledger-2026"
    private: Ed25519PrivateKey = SEED

    def sign(self, message):
        return self.private.sign(message)


KEY = LedgerKey()
KEYS = {"ledger-2026": SEED.public_key().public_bytes_raw()}


def append(connection, number, event="release-held"):
    facts = {"release": f"r{number}", "code": "limits/too-small"}
    return ledger_store.append(connection, event, facts, salt=os.urandom(32), at=AT)


def filled(database, count, *, checkpoints=()):
    with database.begin() as connection:
        for number in range(count):
            append(connection, number)
            if number + 1 in checkpoints:
                ledger_store.checkpoint(connection, KEY, AT, origin="knowsley")


def report(database, outside=()):
    with database.begin() as connection:
        return ledger_check.verify(connection, keys=KEYS, outside=outside)


def change(database, *statements):
    with database.begin() as connection:
        for statement in statements:
            connection.exec_driver_sql(native(database, statement))


def test_an_empty_ledger_verifies(database):
    found = report(database)
    assert (found.size, found.ok, found.root) == (0, True, ledger.EMPTY_ROOT.hex())


@pytest.mark.parametrize("count", [1, 2, 3, 7, 8, 33])
def test_root_and_every_proof_hold_at_every_size(database, count):
    filled(database, count, checkpoints=(count,))
    assert report(database).ok
    with database.begin() as connection:
        for index in range(count):
            ledger.check_entry(ledger_store.prove(connection, index))
        for old in range(count + 1):
            ledger.check_consistency(
                ledger_store.root(connection, old),
                ledger_store.root(connection),
                old=old,
                new=count,
                path=ledger_store.prove_continuity(connection, old, count),
            )


def test_an_entry_is_proved_by_its_id(database):
    with database.begin() as connection:
        ref = append(connection, 1)
        proof = ledger_store.prove(connection, ref.entry_id)
        assert proof.index == ref.index == 0
        with pytest.raises(UsageError, match="ledger/no-such-entry"):
            ledger_store.prove(connection, "nothing")


@pytest.mark.parametrize(
    "change",
    [
        {"entry": b'{"event":"ledger-opened","facts":{},"time":"2026-05-01T09:30:00Z"}'},
        {"entry": b"{"},
        {"salt": bytes(32)},
        {"salt": b""},
        {"event": "ledger-opened"},
        {"id": "another"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_an_entry_that_is_not_what_was_written_is_neither_proved_nor_exported(
    database, tmp_path, change
):
    filled(database, 5)
    with database.begin() as connection:
        third = ledger_store.LEAVES.c["index"] == 2
        connection.execute(ledger_store.LEAVES.update().where(third).values(**change))
        ledger_store.prove(connection, 1)
        with pytest.raises(IntegrityError, match="ledger/entry-changed"):
            ledger_store.prove(connection, 2)
        with pytest.raises(IntegrityError, match="ledger/entry-changed"):
            ledger_check.export(connection, tmp_path / "x", origin="k", show=bool)
    assert list(tmp_path.glob("x*")) == []


def test_an_entry_and_its_id_made_to_fit_are_not_proved(database):
    filled(database, 5)
    with database.begin() as connection:
        third = ledger_store.LEAVES.c["index"] == 2
        row = connection.execute(sa.select(ledger_store.LEAVES).where(third)).mappings().one()
        made = ledger.entry_id(ledger.commit(bytes(row["entry"]), salt=bytes(31) + b"1"))
        forged = {"salt": bytes(31) + b"1", "id": made}
        connection.execute(ledger_store.LEAVES.update().where(third).values(**forged))
        with pytest.raises(IntegrityError, match="ledger/not-included"):
            ledger_store.prove(connection, 2)


def test_append_root_and_proof_read_few_rows_of_a_long_log(database):
    filled(database, 1030)
    read = []
    engine = database._engine

    @sa.event.listens_for(engine, "after_cursor_execute")
    def count(conn, cursor, statement, *_rest):
        read.append(statement)

    with database.begin() as connection:
        append(connection, 5000)
        appended = len(read)
        ledger_store.prove(connection, 500)
    assert appended <= 20
    assert len(read) - appended <= 60
    reads = [s for s in read if "SELECT" in s and "FROM" in s and "max(" not in s]
    assert all("WHERE" in s for s in reads)


def test_a_rolled_back_transaction_leaves_no_leaf(database):
    class StopError(Exception):
        pass

    def interrupted():
        with database.begin() as connection:
            append(connection, 4)
            raise StopError

    filled(database, 3)
    with pytest.raises(StopError):
        interrupted()
    found = report(database)
    assert (found.size, found.ok) == (3, True)


def test_empty_facts_are_left_out(database):
    with database.begin() as connection:
        facts = {"release": "r1", "code": "x", "purpose": ""}
        ledger_store.append(connection, "release-held", facts, salt=bytes(32), at=AT)
        ((_, entry),) = ledger_store.entries(connection, event="release-held")
    assert dict(entry.facts) == {"release": "r1", "code": "x"}


def test_entries_are_listed_by_event(database):
    filled(database, 2)
    with database.begin() as connection:
        ledger_store.append(connection, "ledger-opened", {}, salt=bytes(32), at=AT)
        listed = [ref.index for ref, _ in ledger_store.entries(connection)]
        opened = [ref.index for ref, _ in ledger_store.entries(connection, event="ledger-opened")]
    assert (listed, opened) == ([0, 1, 2], [2])


TAMPERINGS = {
    "an edited entry": "UPDATE ledger_leaves SET entry ="
    " CAST(replace(entry, 'r5', 'r6') AS BLOB) WHERE \"index\"=5",
    "an entry of another type": "UPDATE ledger_leaves SET entry = 'text' WHERE \"index\"=5",
    "an edited salt": 'UPDATE ledger_leaves SET salt = zeroblob(32) WHERE "index"=5',
    "a short salt": "UPDATE ledger_leaves SET salt = x'00' WHERE \"index\"=5",
    "an edited event": "UPDATE ledger_leaves SET event = 'ledger-opened' WHERE \"index\"=5",
    "an edited id": "UPDATE ledger_leaves SET id = 'x' WHERE \"index\"=5",
    "a removed entry": 'DELETE FROM ledger_leaves WHERE "index"=5',
    "a removed first entry": 'DELETE FROM ledger_leaves WHERE "index"=0',
    "a removed last entry": 'DELETE FROM ledger_leaves WHERE "index"=11',
    "an edited node": "UPDATE ledger_nodes SET hash = zeroblob(32) WHERE leaf=7 AND level=2",
    "a removed node": "DELETE FROM ledger_nodes WHERE leaf=7 AND level=2",
    "an added node": "INSERT INTO ledger_nodes VALUES (4, 3, zeroblob(32))",
    "an edited checkpoint": "UPDATE ledger_checkpoints SET jws = replace(jws, 'ey', 'eY')",
    "a checkpoint that is no signature": "UPDATE ledger_checkpoints SET jws = 'x'",
}


@pytest.mark.parametrize("name", TAMPERINGS)
def test_tampering_is_found(database, name):
    filled(database, 12, checkpoints=(4, 9))
    assert report(database).ok
    change(database, TAMPERINGS[name])
    assert not report(database).ok


def test_a_removed_tail_with_its_nodes_is_found_by_the_checkpoint(database):
    filled(database, 12, checkpoints=(9,))
    change(
        database,
        'DELETE FROM ledger_leaves WHERE "index" >= 8',
        "DELETE FROM ledger_nodes WHERE leaf >= 8",
    )
    assert report(database).faults == ("ledger/rolled-back from 9",)


def test_two_exchanged_entries_are_found(database):
    filled(database, 6, checkpoints=(6,))
    change(
        database,
        'UPDATE ledger_leaves SET "index" = 100 WHERE "index" = 2',
        'UPDATE ledger_leaves SET "index" = 2 WHERE "index" = 3',
        'UPDATE ledger_leaves SET "index" = 3 WHERE "index" = 100',
    )
    assert not report(database).ok


def rewritten(database):
    """An attacker with the database rewrites the whole log, and its nodes with it."""
    change(database, "DELETE FROM ledger_leaves", "DELETE FROM ledger_nodes")
    filled(database, 12)


def test_a_log_rewritten_from_the_start_is_found_by_the_checkpoint(database):
    filled(database, 12, checkpoints=(9,))
    rewritten(database)
    assert report(database).faults == ("ledger/not-consistent at 9",)


def test_a_roll_back_of_the_whole_database_is_found_by_a_checkpoint_kept_outside(database):
    filled(database, 12, checkpoints=(9,))
    with database.begin() as connection:
        kept = ledger_store.last_checkpoint(connection).jws
    change(
        database,
        'DELETE FROM ledger_leaves WHERE "index" >= 5',
        "DELETE FROM ledger_nodes WHERE leaf >= 5",
        "DELETE FROM ledger_checkpoints",
    )
    assert report(database).ok
    assert report(database, outside=[kept]).faults == ("ledger/rolled-back from 9",)


def test_a_checkpoint_by_another_key_is_a_fault(database):
    filled(database, 3, checkpoints=(3,))
    with database.begin() as connection:
        found = ledger_check.verify(connection, keys={"ledger-2026": bytes(32)})
    assert found.faults == ("ledger/checkpoint-signature",)


def test_no_checkpoint_is_signed_over_a_rewritten_log(database):
    filled(database, 12, checkpoints=(9,))
    rewritten(database)
    with (
        database.begin() as connection,
        pytest.raises(IntegrityError, match="ledger/not-consistent"),
    ):
        ledger_store.checkpoint(connection, KEY, AT, origin="knowsley")


def test_no_checkpoint_is_signed_under_another_name(database):
    filled(database, 2, checkpoints=(1,))
    with database.begin() as connection, pytest.raises(Unavailable, match="ledger/other-origin"):
        ledger_store.checkpoint(connection, KEY, AT, origin="kirklees")


def test_an_append_over_a_missing_node_refuses(database):
    filled(database, 3)
    change(database, "DELETE FROM ledger_nodes")
    with database.begin() as connection, pytest.raises(IntegrityError, match="ledger/node-missing"):
        append(connection, 4)


def test_each_package_of_a_recipient_is_tied_to_those_before(database):
    parts = []
    for number in range(12):
        with database.begin() as connection:
            leaf = append(connection, number)
            signed = ledger_store.checkpoint(connection, KEY, AT, origin="knowsley")
            parts.append(ledger_store.ledger_part(connection, leaf, signed, recipient_key="age-1"))
    known = {}
    for part in parts:
        shown = ledger_check.read_checkpoint(part.checkpoint, KEYS)
        claims = [ledger.Continuation(size=s, root=r, path=p) for s, r, p in part.consistency]
        tied, known = ledger.link(shown, claims, known=known)
        assert tied == ("first" if part is parts[0] else "linked")
    assert [size for size, _, _ in parts[-1].consistency] == [4, 5, 6, 7, 8, 9, 10, 11]


def test_an_export_shows_only_what_may_be_shown(database, tmp_path):
    filled(database, 3, checkpoints=(2,))
    with database.begin() as connection:
        ledger_store.append(connection, "ledger-opened", {}, salt=bytes(32), at=AT)
        wanted = {size: ledger_store.root(connection, size) for size in range(5)}
        path = tmp_path / "export.jsonl"
        shown = "ledger-opened".__eq__
        assert ledger_check.export(connection, path, origin="knowsley", show=shown) == 4
        with pytest.raises(UsageError, match="ledger/export-exists"):
            ledger_check.export(connection, path, origin="knowsley", show=shown)
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert ["entry" in line for line in lines] == [False] * 4 + [True, False]
    assert ["salt" in line for line in lines] == [False] * 4 + [True, False]
    assert ledger_check.exported_roots(path, range(5)) == wanted


def test_an_export_that_cannot_be_written_says_so(database, tmp_path):
    with database.begin() as connection, pytest.raises(Unavailable, match="ledger/not-exported"):
        ledger_check.export(connection, tmp_path / "no" / "x", origin="k", show=bool)


@pytest.mark.parametrize("content", [b"{", b'{"commitment": "zz"}', b'{"commitment": 5}', b"5"])
def test_a_malformed_export_is_refused(tmp_path, content):
    path = tmp_path / "export"
    path.write_bytes(content)
    with pytest.raises(IntegrityError, match="ledger/export-form"):
        ledger_check.exported_roots(path, [1])


def test_two_processes_append_to_one_unbroken_log(database, database_url):
    import subprocess
    import sys

    code = (
        "import sys, os, datetime as dt\n"
        "from gateway.adapters import ledger_store\n"
        "from gateway.adapters.database import Database\n"
        "store = Database(sys.argv[1])\n"
        "for i in range(40):\n"
        "    with store.begin() as c:\n"
        "        ledger_store.append(c, 'ledger-opened', {}, salt=os.urandom(32),"
        " at=dt.datetime.now(dt.UTC))\n"
        "store.close()\n"
    )
    words = [sys.executable, "-c", code, database_url]
    running = [subprocess.Popen(words) for _ in range(2)]
    assert [process.wait(60) for process in running] == [0, 0]
    found = report(database)
    assert (found.size, found.ok) == (80, True)
