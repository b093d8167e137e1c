"""The recipient's inbox on both databases: each package once, and only what verifies."""

from __future__ import annotations

import datetime as dt
import io
import os
import secrets
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from gateway import sealing
from gateway.adapters import delivery_receipts, inbox, jobs, ledger_store
from gateway.adapters.database import Database
from gateway.adapters.descriptors import DESCRIPTORS, Use
from gateway.adapters.inbox import Inbox, InboxState
from gateway.adapters.jobs import JobKind
from gateway.errors import GatewayError, InputRejected, IntegrityError, RefusedError
from gateway.ledger import LeafRef
from tests.delivery import sealed

AT = dt.datetime(2026, 5, 4, 12, 0, tzinfo=dt.UTC)
PARTY, NAME = "trafford-council", "rel-a.research"


def append(connection: sa.Connection, event: str, facts: Any) -> LeafRef:
    return ledger_store.append(connection, event, facts, salt=secrets.token_bytes(32), at=AT)


@pytest.fixture
def shelf(database: Database, tmp_path: Path) -> Inbox:
    """An inbox that knows one sender."""
    with database.begin() as connection:
        append(connection, "ledger-opened", {})
        known(connection, sealed.descriptor())
    return Inbox(
        folder=tmp_path / "inbox", database=database, append=append, now=lambda: AT, longest=1 << 20
    )


def known(connection: sa.Connection, document: bytes, party: str = PARTY) -> None:
    trust = sealing.parse_trust(document)
    row = {"use": Use.PACKAGES_OF, "name": party, "sender": trust.sender}
    told = {"document": document.decode(), "added": AT.isoformat(), "added_by": "ada"}
    connection.execute(DESCRIPTORS.insert().values(**row, **told))


def take(shelf: Inbox, content: bytes, party: str = PARTY) -> tuple[inbox.Arrived, bool]:
    return shelf.take(io.BytesIO(content), party=party, by="trafford-gateway")


def files(shelf: Inbox) -> list[str]:
    return sorted(path.name for path in shelf.folder.rglob("*") if path.is_file())


def test_a_package_is_kept_written_down_and_receipted_later(shelf: Inbox) -> None:
    found, new = take(shelf, sealed.package(NAME))
    assert (new, found.state, found.receipt) == (True, InboxState.ARRIVED, "")
    assert shelf.place(found).read_bytes() == sealed.package(NAME)
    assert shelf.place(found).stat().st_mode & 0o077 == 0
    with shelf.database.read() as connection:
        (job,) = jobs.listed(connection, kind=JobKind.ACKNOWLEDGE)
        events = [entry.event for _, entry in ledger_store.entries(connection)]
    assert job.request == {"sender": sealed.SENDER, "package": NAME}
    assert events == ["ledger-opened", "package-arrived"]


def test_the_same_package_again_is_the_same_one(shelf: Inbox) -> None:
    first, _ = take(shelf, sealed.package(NAME))
    again, new = take(shelf, sealed.package(NAME))
    assert (again, new) == (first, False)
    assert files(shelf) == [f"{NAME}.gwp"]


def test_other_bytes_under_a_known_id_are_refused_and_the_first_stay(shelf: Inbox) -> None:
    first, _ = take(shelf, sealed.package(NAME))
    with pytest.raises(IntegrityError, match="inbox/other-bytes"):
        take(shelf, sealed.package(NAME, b"other"))
    assert shelf.place(first).read_bytes() == sealed.package(NAME)
    assert files(shelf) == [f"{NAME}.gwp"]


def test_what_a_kill_left_half_taken_is_cleared_after_a_day(shelf: Inbox) -> None:
    shelf.folder.mkdir()
    old, young = (shelf.folder / f"incoming-{name}.part" for name in ("a", "b"))
    for path, age in ((old, 90_000), (young, 60)):
        path.write_bytes(b"half")
        os.utime(path, (AT.timestamp() - age, AT.timestamp() - age))
    take(shelf, sealed.package(NAME))
    assert files(shelf) == [young.name, f"{NAME}.gwp"]


def test_a_half_package_that_goes_while_it_is_looked_at_stops_nobody(
    shelf: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    shelf.folder.mkdir()
    gone = shelf.folder / "incoming-c.part"
    gone.write_bytes(b"half")
    listing: Callable[[Path, str], Iterator[Path]] = Path.glob

    def listed(folder: Path, pattern: str) -> Iterator[Path]:
        for path in list(listing(folder, pattern)):
            gone.unlink(missing_ok=True)  # its writer ends between the listing and the look
            yield path

    monkeypatch.setattr(Path, "glob", listed)
    assert take(shelf, sealed.package(NAME))[1]


def test_two_that_bring_it_at_once_make_one(shelf: Inbox) -> None:
    outcomes: list[bool] = []

    def bring() -> None:
        outcomes.append(take(shelf, sealed.package(NAME))[1])

    both = [threading.Thread(target=bring) for _ in range(4)]
    for each in both:
        each.start()
    for each in both:
        each.join()
    assert sorted(outcomes) == [False, False, False, True]
    assert files(shelf) == [f"{NAME}.gwp"]


def test_what_a_kill_left_in_its_place_is_written_over(shelf: Inbox) -> None:
    place = shelf.folder / sealed.SENDER / f"{NAME}.gwp"
    place.parent.mkdir(parents=True)
    place.write_bytes(b"no row knows this")
    found, new = take(shelf, sealed.package(NAME))
    assert new
    assert shelf.place(found).read_bytes() == sealed.package(NAME)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (sealed.package(NAME, by=sealed.OTHER), "jws/unknown-key"),
        (sealed.package(NAME, sender="another"), "package/other-sender"),
        (sealed.package(NAME)[:-1], "package/form"),
        (sealed.package(NAME) + b"\0", "package/form"),
        (b"", "package/form"),
        (b"<html>", "package/form"),
    ],
    ids=["unknown key", "another sender", "cut", "extended", "empty", "something else"],
)
def test_what_does_not_verify_is_not_kept(shelf: Inbox, content: bytes, code: str) -> None:
    with pytest.raises(IntegrityError, match=code):
        take(shelf, content)
    assert files(shelf) == []


def test_a_party_brings_only_what_its_own_gateways_have_signed(shelf: Inbox) -> None:
    with pytest.raises(RefusedError, match="inbox/no-descriptor"):
        take(shelf, sealed.package(NAME), party="greater-manchester-police")
    theirs = sealed.descriptor("police", sealed.OTHER)
    with shelf.database.begin() as connection:
        known(connection, theirs, "greater-manchester-police")
    with pytest.raises(IntegrityError, match="jws/unknown-key"):
        take(shelf, sealed.package(NAME), party="greater-manchester-police")


def test_a_party_with_two_gateways_may_use_both(shelf: Inbox) -> None:
    with shelf.database.begin() as connection:
        known(connection, sealed.descriptor("second", sealed.OTHER))
    for sender, by in ((sealed.SENDER, sealed.SIGNING), ("second", sealed.OTHER)):
        found, _ = take(shelf, sealed.package(NAME, sender=sender, by=by))
        assert found.sender == sender


def test_a_package_that_is_too_long_is_refused_and_nothing_stays(shelf: Inbox) -> None:
    with pytest.raises(InputRejected, match="inbox/too-long"):
        take(shelf, sealed.package(NAME, bytes(2 << 20)))
    assert files(shelf) == []


def test_a_receipt_is_signed_once_and_names_what_was_verified(shelf: Inbox) -> None:
    found, _ = take(shelf, sealed.package(NAME))
    words: dict[str, Any] = {"signer": sealed.OTHER, "recipient": "ons", "at": AT}
    first = inbox.acknowledge(shelf.database, found, **words)
    again = inbox.acknowledge(shelf.database, found, opened=True, **words)
    assert first == again
    told = delivery_receipts.verify(
        first,
        trust=sealing.parse_trust(sealed.descriptor("ons", sealed.OTHER)),
        package=NAME,
        digest=found.digest,
        sender=sealed.SENDER,
    )
    assert told.verified == ("form", "envelope", "digest")
    with shelf.database.read() as connection:
        (kept,) = inbox.listed(connection, party=PARTY)
    assert (kept.state, kept.receipt) == (InboxState.OPENED, first)


@given(at=st.integers(min_value=0, max_value=len(sealed.package(NAME)) - 1), bit=st.integers(0, 7))
def test_any_flipped_bit_outside_refuses(at: int, bit: int) -> None:
    content = bytearray(sealed.package(NAME))
    content[at] ^= 1 << bit
    trust = sealing.parse_trust(sealed.descriptor())
    with pytest.raises(GatewayError):
        sealing.check_outer(io.BytesIO(bytes(content)), trust=trust)
