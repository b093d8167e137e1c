"""Deliveries and receipts on both databases: each step once, nothing believed unproved."""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa

from gateway.adapters import deliveries, delivery_receipts, descriptors, dispatching, ledger_store
from gateway.adapters.database import Database
from gateway.adapters.deliveries import DELIVERIES, Delivery, DeliveryState
from gateway.adapters.delivery_receipts import OUTSIDE, DeliveryReceipt
from gateway.adapters.descriptors import DESCRIPTORS, Use
from gateway.adapters.keyring_signing import Signer, signer
from gateway.adapters.release_store import (
    PackageRecord,
    ReleaseRecord,
    ReleaseState,
    add_package,
    open_release,
    release_state,
)
from gateway.errors import HeldForPerson, IntegrityError, RefusedError, UsageError
from gateway.ledger import LeafRef
from gateway.sealing import TrustedKey, fingerprint, parse_trust, trust_descriptor

AT = dt.datetime(2026, 5, 4, 12, 0, tzinfo=dt.UTC)
RELEASE, FIRST, SECOND = "rel-a", "rel-a.one", "rel-a.two"
DIGESTS = {name: hashlib.sha256(name.encode()).hexdigest() for name in (FIRST, SECOND)}
RECEIVER: Signer = signer("package-signing-1", bytes(range(32)))
STRANGER: Signer = signer("package-signing-1", bytes(32))


def append(connection: sa.Connection, event: str, facts: Any) -> LeafRef:
    return ledger_store.append(connection, event, facts, salt=secrets.token_bytes(32), at=AT)


def descriptor(receiver: Signer = RECEIVER, since: dt.datetime = AT) -> bytes:
    uses = (("signing", receiver.key_id), ("ledger", "ledger-1"))
    keys = [
        TrustedKey(use=use, key_id=name, public=receiver.public, not_before=since)
        for use, name in uses
    ]
    return trust_descriptor("ons", keys)


@pytest.fixture
def recorded(database: Database) -> Database:
    """A recorded release with two packages that wait for their channel."""
    with database.begin() as connection:
        append(connection, "ledger-opened", {})
        open_release(
            connection,
            ReleaseRecord(
                id=RELEASE,
                state=ReleaseState.RECORDED,
                purpose="national-impact-study",
                agreement="trafford",
                policy_digest="0" * 64,
                officer="rosa",
                created=AT,
            ),
        )
        for package in (FIRST, SECOND):
            _add(connection, package)
        connection.execute(
            DESCRIPTORS.insert().values(
                use=Use.RECEIPTS_OF,
                name="ons-research",
                sender="ons",
                document=descriptor().decode(),
                added=AT.isoformat(),
                added_by="ada",
            )
        )
    return database


def _add(connection: sa.Connection, package: str) -> None:
    record = PackageRecord(
        id=package,
        release=RELEASE,
        output=package.partition(".")[2],
        recipient="ons-research",
        rows=10,
        digest=DIGESTS[package],
        manifest={},
        place="",
    )
    add_package(connection, record)
    row: dict[str, Any] = dict.fromkeys((column.name for column in DELIVERIES.columns), "")
    row |= {"package": package, "release": RELEASE, "recipient": "ons-research"}
    row |= {"channel": "https", "target": "{}", "state": DeliveryState.WAITING}
    row |= {"touched": 0, "attempts": 0, "until": (AT + dt.timedelta(days=3)).isoformat()}
    connection.execute(DELIVERIES.insert().values(**row))


def receipt(package: str = FIRST, by: Signer = RECEIVER, **other: Any) -> str:
    told = DeliveryReceipt(
        package=package,
        package_digest=DIGESTS[package],
        sender="office",
        recipient="ons",
        received=AT.isoformat(timespec="seconds"),
        verified=OUTSIDE,
    )
    return delivery_receipts.give(replace(told, **other), by)


def acknowledge(database: Database, package: str, jws: str) -> Delivery:
    with database.begin() as connection:
        return dispatching.acknowledged(
            connection, append, package, jws=jws, sender="office", at=AT
        )


def events(database: Database) -> list[str]:
    with database.read() as connection:
        return [entry.event for _, entry in ledger_store.entries(connection)]


def state(database: Database) -> ReleaseState:
    with database.read() as connection:
        return release_state(connection, RELEASE)


def test_a_receipt_moves_package_and_release_and_is_written_down_once(recorded: Database) -> None:
    first = acknowledge(recorded, FIRST, receipt())
    assert first.state is DeliveryState.ACKNOWLEDGED
    assert state(recorded) is ReleaseState.RECORDED
    again = acknowledge(recorded, FIRST, receipt())
    assert again.receipt_digest == first.receipt_digest
    acknowledge(recorded, SECOND, receipt(SECOND))
    assert state(recorded) is ReleaseState.ACKNOWLEDGED
    assert events(recorded).count("package-forwarded") == 2
    assert events(recorded).count("package-acknowledged") == 2


@pytest.mark.parametrize(
    ("jws", "code"),
    [
        (receipt(SECOND), "delivery/other-receipt"),
        (receipt(package_digest="f" * 64), "delivery/other-receipt"),
        (receipt(sender="elsewhere"), "delivery/other-receipt"),
        (receipt(by=STRANGER), "jws/signature"),
        (receipt(recipient="another"), "delivery/receipt-key"),
        (receipt(received="2020-01-01T00:00:00+00:00"), "delivery/receipt-key"),
        (receipt(received="yesterday"), "delivery/receipt-form"),
        (receipt(received="2026-05-04T12:00:00"), "delivery/receipt-form"),
        (receipt(verified=("form",)), "delivery/receipt-form"),
        (receipt(verified=(*OUTSIDE, "more")), "delivery/receipt-form"),
        ("x" * 9000, "delivery/receipt-form"),
        ("not.a.receipt", "jws/form"),
    ],
    ids=[
        *("another package", "other bytes", "another sender", "another key", "another gateway"),
        *("before the key", "no time", "no zone", "verified too little", "verified the unknown"),
        *("endless", "no signature"),
    ],
)
def test_a_receipt_that_is_not_this_one_is_refused(recorded: Database, jws: str, code: str) -> None:
    with pytest.raises(IntegrityError, match=code):
        acknowledge(recorded, FIRST, jws)
    assert "package-acknowledged" not in events(recorded)
    with recorded.read() as connection:
        assert deliveries.find(connection, FIRST).state is DeliveryState.WAITING


def test_a_receipt_counts_only_under_the_descriptor_that_was_approved(recorded: Database) -> None:
    good = fingerprint(parse_trust(descriptor()))
    with recorded.begin() as connection:
        deliveries.update(connection, FIRST, target='{"descriptor": "' + "0" * 64 + '"}')
        deliveries.update(connection, SECOND, target='{"descriptor": "' + good + '"}')
    with pytest.raises(RefusedError, match="delivery/other-descriptor"):
        acknowledge(recorded, FIRST, receipt())
    assert acknowledge(recorded, SECOND, receipt(SECOND)).state is DeliveryState.ACKNOWLEDGED


def test_without_a_descriptor_no_receipt_is_believed(recorded: Database) -> None:
    with recorded.begin() as connection:
        connection.execute(DESCRIPTORS.delete())
    with pytest.raises(UsageError, match="delivery/no-descriptor"):
        acknowledge(recorded, FIRST, receipt())


def test_a_package_is_carried_only_once_it_was_fetched_and_counted_once(
    recorded: Database,
) -> None:
    told: dict[str, Any] = {"number": "2026-0815", "operator": "rosa", "at": AT}
    with recorded.begin() as connection, pytest.raises(UsageError, match="not-to-be-carried"):
        dispatching.carried(connection, append, FIRST, **told)
    with recorded.begin() as connection:
        package = dispatching.package_of(connection, deliveries.find(connection, FIRST))
        dispatching.left(connection, append, package, channel="portal", at=AT)
        found = dispatching.carried(connection, append, FIRST, **told)
    assert (found.state, found.receipt) == (DeliveryState.CARRIED, "2026-0815")
    with recorded.begin() as connection, pytest.raises(UsageError, match="not-to-be-carried"):
        dispatching.carried(connection, append, FIRST, **told)
    assert events(recorded).count("package-acknowledged") == 1


def _moved(*_: object) -> None:
    raise HeldForPerson("release/register-moved", "The register moved.")


def test_an_objection_before_the_first_try_withdraws_the_release(recorded: Database) -> None:
    assert _may_leave(recorded) is ReleaseState.WITHDRAWN
    with recorded.read() as connection:
        (first, second) = deliveries.listed(connection, release=RELEASE)
    assert {first.state, second.state} == {DeliveryState.NOT_DELIVERED}
    assert first.last_code == "release/register-moved"


def test_an_objection_after_a_try_of_unknown_end_holds_the_release(recorded: Database) -> None:
    with recorded.begin() as connection:
        deliveries.update(connection, FIRST, touched=1)
    assert _may_leave(recorded) is ReleaseState.HELD


def test_a_receipt_is_still_written_down_when_its_release_is_held(recorded: Database) -> None:
    with recorded.begin() as connection:
        deliveries.update(connection, FIRST, touched=1)
    _may_leave(recorded)
    assert acknowledge(recorded, FIRST, receipt()).state is DeliveryState.ACKNOWLEDGED
    assert state(recorded) is ReleaseState.HELD


def _may_leave(database: Database) -> ReleaseState:
    with database.begin() as connection:
        release = next(iter(_releases(connection)))
        return dispatching.may_still_leave(connection, release, append=append, still_valid=_moved)


def _releases(connection: sa.Connection) -> list[ReleaseRecord]:
    from gateway.adapters.release_store import releases

    return releases(connection)


def test_a_package_that_is_not_delivered_is_in_the_ledger_with_its_reason(
    recorded: Database,
) -> None:
    with recorded.begin() as connection:
        delivery = deliveries.find(connection, FIRST)
        dispatching.not_delivered(connection, append, delivery, code="delivery/out-of-reach")
    assert "package-not-delivered" in events(recorded)
    with recorded.read() as connection:
        assert deliveries.needed(connection) == {RELEASE}


def test_descriptors_of_a_party_are_replaced_by_the_same_gateways_next_one(
    database: Database,
) -> None:
    from gateway.adapters import operators
    from gateway.model.words import PartyRole

    with database.begin() as connection:
        operators.add(connection, "ada", roles=[(PartyRole.ADMINISTRATOR, "")], by="", at=AT)
    words: dict[str, Any] = {"acting": "ada", "at": AT}
    for receiver in (STRANGER, RECEIVER):
        content = descriptor(receiver)
        descriptors.register(
            database, Use.PACKAGES_OF, "trafford-council", content=content, **words
        )
    with database.read() as connection:
        (kept,) = descriptors.of_party(connection, "trafford-council")
    assert kept.keys_for("signing") == {RECEIVER.key_id: RECEIVER.public}
