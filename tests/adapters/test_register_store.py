"""The register on disk: gapless, chained, in step with the ledger, sealed."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import polars as pl
import pytest
import sqlalchemy as sa

from gateway import objections
from gateway.adapters import ledger_store, register_store
from gateway.adapters.database import METADATA, Database
from gateway.adapters.keyring import KeyRing
from gateway.adapters.register_seal import pack, register_keys, seal_batch, unpack, unseal_batch
from gateway.adapters.register_store import NewEntries, RegisterMark
from gateway.adapters.register_trust import ENTRIES
from gateway.errors import Unavailable
from gateway.identity import RegisterRoot
from gateway.model.keys import KeyKind
from gateway.objections import EntryKind
from tests.databases import native

AT = dt.datetime(2026, 11, 22, 9, 30, tzinfo=dt.UTC)
COUNCIL = "trafford-council"


def details(*people: dict[str, str]) -> pl.DataFrame:
    rows = [{name: person.get(name) for name in objections.FIELDS} for person in people]
    return pl.DataFrame(rows, schema=dict.fromkeys(objections.FIELDS, pl.String))


ANNA = {
    "forename": "Anna",
    "surname": "Testerson",
    "date_of_birth": "2001-02-03",
    "postcode": "ZA1 1AA",
    "nhs_number": "9990000018",
}


def entries(
    people: pl.DataFrame,
    *,
    kind: str = "objection",
    purpose: str = "study",
    lifts: tuple[int, ...] = (),
) -> NewEntries:
    return NewEntries(
        receipt="reg-0123456789abcdef",
        kind=EntryKind(kind),
        purpose=purpose,
        controller=COUNCIL,
        authority="self",
        operator="",
        details=people,
        elements=objections.standard_form(people),
        lifts=lifts,
    )


def new_ring(directory: Path) -> KeyRing:
    made = KeyRing.create(directory, b"correct horse battery staple 42", sender="trafford")
    made.make(KeyKind.REGISTER_ROOT, owner=COUNCIL, epoch="1", at=AT)
    return made


@pytest.fixture(scope="module")
def ring(tmp_path_factory: pytest.TempPathFactory) -> KeyRing:
    """One ring for all: its passphrase costs a second, and no test here changes it."""
    return new_ring(tmp_path_factory.mktemp("ring") / "keys")


@pytest.fixture
def mark(tmp_path: Path) -> RegisterMark:
    return RegisterMark(tmp_path / "register.mark")


def add(database: Database, ring: KeyRing, mark: RegisterMark, *wanted: NewEntries) -> None:
    for new in wanted:
        with database.begin() as connection:
            keys = register_store.keys_or_new(connection, ring, COUNCIL, at=AT)
            register_store.record(connection, new, keys, at=AT)
        with database.begin() as connection:
            mark.advance(connection)


def opened(
    database: Database, ring: KeyRing, mark: RegisterMark, purpose: str = "study"
) -> objections.Register:
    with database.begin() as connection:
        return register_store.open_register(connection, ring, purpose, COUNCIL, mark=mark)


def test_an_entry_comes_back_with_its_tombstones_and_identity(
    database: Database, ring: KeyRing, mark: RegisterMark
) -> None:
    add(database, ring, mark, entries(details(ANNA, {"surname": "Quill"})))
    register = opened(database, ring, mark)
    assert register.entries["sequence"].to_list() == [1, 2]
    assert register.sequence == 2
    assert register.identities.filter(pl.col("sequence") == 1)["sn1"].to_list() == ["TESTERSON"]
    made = objections.tombstones_of(register.identities, register.key)
    assert register.tombstones.sort("token").equals(made.sort("token"))
    assert "TN-nhs" in register.tombstones["token"].to_list()
    assert set(register.tombstones["sequence"]) == {1}


def test_nothing_of_a_person_stands_in_the_database_in_clear(
    database: Database, ring: KeyRing, mark: RegisterMark
) -> None:
    add(database, ring, mark, entries(details(ANNA)))
    with database.read() as connection:
        rows = [row for each in METADATA.sorted_tables for row in connection.execute(each.select())]
    stored = b" ".join(v if isinstance(v, bytes) else str(v).encode() for row in rows for v in row)
    assert b"reg-0123456789abcdef" in stored
    for value in (b"Testerson", b"TESTERSON", b"9990000018", b"2001-02-03", b"ZA1"):
        assert value not in stored


def test_only_entries_of_the_purpose_and_of_all_purposes_are_opened(
    database: Database, ring: KeyRing, mark: RegisterMark
) -> None:
    for purpose in ("study", "*", "other"):
        add(database, ring, mark, entries(details(ANNA), purpose=purpose))
    assert opened(database, ring, mark).entries["sequence"].to_list() == [1, 2]
    assert opened(database, ring, mark, "third").entries["sequence"].to_list() == [2]


def test_an_empty_register_opens_without_a_key(
    database: Database, tmp_path: Path, mark: RegisterMark
) -> None:
    bare = KeyRing.create(tmp_path / "bare", b"correct horse battery staple 42", sender="trafford")
    assert opened(database, bare, mark).sequence == 0


def test_the_first_objection_makes_the_root_but_a_lost_root_is_not_replaced(
    database: Database, tmp_path: Path, ring: KeyRing, mark: RegisterMark
) -> None:
    bare = KeyRing.create(tmp_path / "bare", b"correct horse battery staple 42", sender="trafford")
    add(database, bare, mark, entries(details(ANNA)))
    bare.destroy(f"register-{COUNCIL}-1")
    with pytest.raises(Unavailable, match="keys/"):
        add(database, bare, mark, entries(details(ANNA)))
    with pytest.raises(Unavailable, match="keys/"):
        opened(database, bare, mark)
    with pytest.raises(Unavailable, match="register/not-trustworthy"):
        opened(database, ring, mark)  # another root of the same name


def test_entries_of_an_older_generation_are_made_anew_under_the_newest(
    database: Database, tmp_path: Path, mark: RegisterMark
) -> None:
    ring = new_ring(tmp_path / "keys")
    add(database, ring, mark, entries(details(ANNA)))
    ring.make(KeyKind.REGISTER_ROOT, owner=COUNCIL, epoch="2", at=AT + dt.timedelta(days=1))
    add(database, ring, mark, entries(details(ANNA)))
    register = opened(database, ring, mark)
    first, second = (
        register.tombstones.filter(pl.col("sequence") == number).drop("sequence").sort("token")
        for number in (1, 2)
    )
    assert first.equals(second)


def test_a_lifted_entry_is_not_opened(
    database: Database, ring: KeyRing, mark: RegisterMark
) -> None:
    add(database, ring, mark, entries(details(ANNA)))
    add(database, ring, mark, entries(details(ANNA), kind="objection-withdrawn", lifts=(1,)))
    assert opened(database, ring, mark).entries.height == 0


def test_each_entry_stands_in_the_ledger_by_reference_only(
    database: Database, ring: KeyRing, mark: RegisterMark
) -> None:
    add(database, ring, mark, entries(details(ANNA)))
    add(database, ring, mark, entries(details(ANNA, ANNA), purpose="*"))
    add(database, ring, mark, entries(details(ANNA), kind="objection-withdrawn", lifts=(1,)))
    with database.begin() as connection:
        found = [(entry.event, entry.facts) for _ref, entry in ledger_store.entries(connection)]
    assert [event for event, _ in found] == [
        "register-entry-added",
        "register-loaded",
        "register-entry-lifted",
    ]
    assert [facts["register_sequence"] for _, facts in found] == [1, 3, 4]
    assert found[1][1]["purpose"] == "all-purposes"
    assert found[1][1]["entries"] == 2


def test_an_entry_and_its_ledger_event_stand_or_fall_together(
    database: Database, ring: KeyRing, mark: RegisterMark
) -> None:
    keys = register_store.keys_of(ring, COUNCIL)

    def fall() -> None:
        with database.begin() as connection:
            register_store.record(connection, entries(details(ANNA)), keys, at=AT)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fall()
    with database.begin() as connection:
        assert register_store.sequence(connection) == 0
        assert ledger_store.size(connection) == 0


@pytest.mark.parametrize(
    "fault",
    [
        "DELETE FROM register_entries WHERE sequence = 2",
        "DELETE FROM register_entries WHERE sequence = 3",
        "DELETE FROM register_entries",
        "UPDATE register_entries SET kind = 'consent' WHERE sequence = 2",
        "UPDATE register_entries SET lifts = '[1]' WHERE sequence = 3",
        "UPDATE register_entries SET sequence = 9 WHERE sequence = 3",
        "UPDATE register_entries SET tombstones = x'' WHERE sequence = 1",
    ],
)
def test_a_register_that_lost_or_changed_something_opens_for_nobody(
    database: Database, ring: KeyRing, mark: RegisterMark, fault: str
) -> None:
    for _ in range(3):
        add(database, ring, mark, entries(details(ANNA)))
    with database.begin() as connection:
        connection.exec_driver_sql(native(database, fault))
    with pytest.raises(Unavailable, match="register/not-trustworthy") as caught:
        opened(database, ring, mark)
    assert caught.value.exit_code == 7


def test_a_database_restored_from_yesterday_is_seen_by_the_mark(
    database: Database, ring: KeyRing, mark: RegisterMark
) -> None:
    for _ in range(2):
        add(database, ring, mark, entries(details(ANNA)))
    with database.begin() as connection:
        connection.execute(sa.delete(ENTRIES).where(ENTRIES.c.sequence == 2))
        connection.exec_driver_sql('DELETE FROM ledger_leaves WHERE "index" = 1')
        connection.exec_driver_sql("DELETE FROM ledger_nodes WHERE leaf = 1")
    with pytest.raises(Unavailable, match="shorter than it has been"):
        opened(database, ring, mark)
    add(database, ring, mark, entries(details({"surname": "Other"})))
    with pytest.raises(Unavailable, match="noted beside the key ring"):
        opened(database, ring, mark)
    mark.path.write_text("not a mark")
    with pytest.raises(Unavailable, match="its mark beside the key ring is not readable"):
        opened(database, ring, mark)
    with database.begin() as connection:
        assert register_store.open_register(connection, ring, "study", COUNCIL).sequence == 2


def test_the_mark_never_goes_back(database: Database, ring: KeyRing, mark: RegisterMark) -> None:
    add(database, ring, mark, entries(details(ANNA)))
    before = mark.read()
    with database.begin() as connection:
        mark.advance(connection)
    assert mark.read() == before
    assert mark.path.stat().st_mode & 0o777 == 0o600


def test_packed_tombstones_come_back_as_they_were() -> None:
    made = pl.DataFrame(
        {
            "sequence": [1, 3, 3],
            "token": ["T01", "TN-nino", "T39"],
            "value": [bytes(16), b"\x00" * 15 + b"\x01", b"\xff" * 16],
        }
    )
    packed = pack(made, [1, 2, 3])
    assert [len(each) for each in packed] == [17, 0, 34]
    back = unpack(pl.DataFrame({"sequence": [1, 2, 3], "tombstones": packed}))
    assert back.sort("sequence", "token").equals(made.sort("sequence", "token"))
    assert pack(made.clear(), [4]) == [b""]
    assert unpack(pl.DataFrame({"sequence": [4], "tombstones": [b""]})).height == 0


def test_the_two_keys_of_a_register_differ_by_use_controller_and_generation() -> None:
    made = [
        register_keys(RegisterRoot(bytes(range(32))), controller=controller, generation=generation)
        for controller in ("a", "b")
        for generation in ("1", "2")
    ]
    assert len({key for keys in made for key in (keys.tombstone.secret, keys.sealing)}) == 8
    assert "sealing" not in repr(made[0])


def test_a_batch_is_sealed_as_one_block_of_which_each_entry_can_be_opened(
    database: Database, ring: KeyRing, mark: RegisterMark
) -> None:
    people = details(ANNA, {"surname": "Quill"}, {"surname": "Marlow"})
    add(database, ring, mark, entries(people), entries(details({"surname": "Solo"})))
    add(database, ring, mark, entries(people, purpose="other"))
    with database.begin() as connection:
        held = connection.execute(sa.select(ENTRIES.c.details)).scalars().all()
    assert [bool(each) for each in held] == [True, False, False, True, True, False, False]
    lifting = entries(details(ANNA), kind="objection-withdrawn", lifts=(1, 3))
    add(database, ring, mark, lifting)
    register = opened(database, ring, mark)
    assert register.identities.select("sequence", "sn1").rows() == [(2, "QUILL"), (4, "SOLO")]


def test_a_batch_opens_only_at_its_own_places(ring: KeyRing) -> None:
    keys = register_keys(RegisterRoot(bytes(32)), controller=COUNCIL, generation="1")
    people = details(ANNA, {"surname": "Quill"})
    sealed = seal_batch(people, keys, first=5, nonce=bytes(12))
    assert unseal_batch(sealed, keys, first=5, count=2).select(people.columns).equals(people)
    for first, count in ((6, 2), (5, 3)):
        with pytest.raises(Unavailable, match="register/not-trustworthy"):
            unseal_batch(sealed, keys, first=first, count=count)
