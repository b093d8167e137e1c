"""What recipients owe, on both databases: certified once, only when proved, and then closed."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import json
import secrets
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import rfc8785
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from gateway import sealing
from gateway.adapters import closing, delivery_receipts, duties, ledger_store, schema
from gateway.adapters import destruction_certificates as certificates
from gateway.adapters.database import Database
from gateway.adapters.deliveries import DELIVERIES, DeliveryState
from gateway.adapters.delivery_receipts import OUTSIDE, DeliveryReceipt
from gateway.adapters.descriptors import DESCRIPTORS, Use
from gateway.adapters.destruction_certificates import Certificate
from gateway.adapters.duties import Duty, DutyState
from gateway.adapters.duty_records import DUTIES
from gateway.adapters.keyring_signing import Signer, signer
from gateway.adapters.release_store import (
    PACKAGES,
    PackageRecord,
    ReleaseRecord,
    ReleaseState,
    add_package,
    open_release,
    release_state,
)
from gateway.errors import IntegrityError, UsageError
from gateway.ledger import LeafRef
from gateway.sealing import TrustedKey, trust_descriptor

AT = dt.datetime(2026, 5, 4, 12, 0, tzinfo=dt.UTC)
LATER = AT + dt.timedelta(days=60)
BY = "2027-03-31"
RELEASE, FIRST, SECOND = "rel-a", "rel-a.one", "rel-a.two"
DIGESTS = {name: hashlib.sha256(name.encode()).hexdigest() for name in (FIRST, SECOND)}
RECEIVER: Signer = signer("package-signing-1", bytes(range(32)))
STRANGER: Signer = signer("package-signing-1", bytes(32))
KEY = TrustedKey(use="signing", key_id=RECEIVER.key_id, public=RECEIVER.public, not_before=AT)
REFUSED = "duties/certificate-refused"


def core(package: str) -> dict[str, Any]:
    return {"package": package, "duties": ["research-only", f"destroy-by {BY}", "A sentence."]}


def append(connection: sa.Connection, event: str, facts: Any) -> LeafRef:
    return ledger_store.append(connection, event, facts, salt=secrets.token_bytes(32), at=AT)


@pytest.fixture
def sent(database: Database) -> Database:
    """A release whose two packages have left; one has its receipt."""
    with database.begin() as connection:
        append(connection, "ledger-opened", {})
        record = ReleaseRecord(
            id=RELEASE,
            state=ReleaseState.FORWARDED,
            purpose="national-impact-study",
            agreement="trafford",
            policy_digest="0" * 64,
            officer="rosa",
            created=AT,
        )
        open_release(connection, record)
        for package in (FIRST, SECOND):
            _add(connection, package)
        connection.execute(
            DESCRIPTORS.insert().values(
                use=Use.RECEIPTS_OF,
                name="ons-research",
                sender="ons",
                document=trust_descriptor("ons", [KEY]).decode(),
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
        manifest={"core": core(package)},
        place="",
    )
    add_package(connection, record)
    connection.execute(PACKAGES.update().values(forwarded=AT.isoformat()))
    row: dict[str, Any] = dict.fromkeys((column.name for column in DELIVERIES.columns), "")
    row |= {"package": package, "release": RELEASE, "recipient": "ons-research"}
    arrived = DeliveryState.ACKNOWLEDGED if package == FIRST else DeliveryState.DISPATCHED
    row |= {"channel": "https", "target": "{}", "state": arrived, "touched": 1, "attempts": 0}
    connection.execute(DELIVERIES.insert().values(**row))


GOOD = Certificate(
    package=FIRST,
    of=certificates.PACKAGE,
    digest=DIGESTS[FIRST],
    sender="office",
    recipient="ons",
    destroyed="2026-06-01",
    unreadable_after="2026-06-30",
    signed="2026-06-01T10:00:00+00:00",
)


def certificate(by: Signer = RECEIVER, **other: str) -> str:
    return certificates.give(replace(GOOD, **other), by)


def of_second(**other: str) -> str:
    return certificate(package=SECOND, digest=DIGESTS[SECOND], **other)


def certify(database: Database, jws: str, package: str = FIRST) -> Duty:
    with database.begin() as connection:
        return closing.certified(connection, append, package, jws=jws, sender="office", at=LATER)


def close(database: Database, maps: Path, at: dt.datetime = LATER) -> bool:
    with database.begin() as connection:
        return closing.close(connection, append, RELEASE, maps=maps, at=at)


def events(database: Database) -> list[str]:
    with database.read() as connection:
        return [entry.event for _, entry in ledger_store.entries(connection)]


def test_a_certificate_is_written_down_once_and_the_first_one_stays(sent: Database) -> None:
    first = certify(sent, certificate())
    assert (first.destroyed, first.unreadable_after) == ("2026-06-01", "2026-06-30")
    again = certify(sent, certificate())
    other = certify(sent, certificate(unreadable_after="2026-12-31"))
    assert first == again == other
    assert events(sent).count("recipient-destroyed") == 1
    with sent.read() as connection:
        (entry,) = [e for _, e in ledger_store.entries(connection) if e.event.endswith("destroyed")]
    assert entry.facts["package"] == FIRST
    assert entry.facts["receipt_digest"] == hashlib.sha256(certificate().encode()).hexdigest()


def test_a_manifest_that_was_kept_proves_as_much_as_the_package(sent: Database) -> None:
    digest = sealing.core_digest(core(FIRST))
    assert certify(sent, certificate(of=certificates.MANIFEST, digest=digest)).certified


WORDS: dict[str, Any] = {
    "trust": sealing.parse_trust(trust_descriptor("ons", [KEY])),
    "about": certificates.About(
        package=FIRST,
        sender="office",
        digests={certificates.PACKAGE: DIGESTS[FIRST]},
        made=AT.date(),
    ),
    "at": LATER,
}
RECEIPT = delivery_receipts.give(
    DeliveryReceipt(
        package=FIRST,
        package_digest=DIGESTS[FIRST],
        sender="office",
        recipient="ons",
        received="2026-06-01T10:00:00+00:00",
        verified=OUTSIDE,
    ),
    RECEIVER,
)


@pytest.mark.parametrize(
    "jws",
    [
        certificate(by=STRANGER),
        certificate(by=signer("another-key", bytes(range(32)))),
        of_second(),
        certificate(digest=DIGESTS[SECOND]),
        certificate(of=certificates.MANIFEST),
        certificate(of="something"),
        certificate(sender="elsewhere"),
        certificate(recipient="another"),
        certificate(destroyed="2026-05-03"),
        certificate(destroyed="2026-06-02"),
        certificate(unreadable_after="2026-05-31"),
        certificate(signed="2026-05-04T11:59:59+00:00", destroyed="2026-05-04"),
        certificate(signed="2026-07-03T12:06:00+00:00"),
        certificate(signed="2026-06-01T10:00:00"),
        certificate(signed="2026-06-01T10:00:00+01:00"),
        certificate(destroyed="20260601"),
        certificate(destroyed="soon"),
        certificate()[:-4] + "AAAA",
        RECEIPT,
        "x" * 9000,
        "",
        "not.a.certificate",
        "þ.a.b",
    ],
    ids=[
        *("another's key", "unknown key id", "another package", "another's digest"),
        *("package taken for manifest", "of something else", "another sender", "another gateway"),
        *(
            "destroyed before it was made",
            "destroyed after signing",
            "readable until before it went",
        ),
        *("signed before the key", "signed in the future", "no zone", "another zone"),
        *("another spelling of a day", "no day", "forged", "a receipt instead", "endless"),
        *("empty", "no signature", "not ascii"),
    ],
)
def test_whatever_is_wrong_with_a_certificate_the_answer_is_the_same(jws: str) -> None:
    assert certificates.verify(certificate(), **WORDS) == GOOD
    with pytest.raises(IntegrityError, match=REFUSED) as found:
        certificates.verify(jws, **WORDS)
    assert str(found.value) == str(certificates.refused())


def test_a_refused_certificate_leaves_no_trace(sent: Database) -> None:
    for jws in (of_second(), certificate(by=STRANGER), RECEIPT):
        with pytest.raises(IntegrityError, match=REFUSED):
            certify(sent, jws)
    assert "recipient-destroyed" not in events(sent)
    with sent.read() as connection:
        assert not duties.of_package(connection, FIRST).certified


@given(at=st.integers(0, len(certificate()) - 1), letter=st.sampled_from("Aa0_.-=/"))
def test_a_certificate_with_any_letter_changed_is_refused(at: int, letter: str) -> None:
    jws = certificate()
    changed = f"{jws[:at]}{letter}{jws[at + 1 :]}"
    if changed != jws:
        with pytest.raises(IntegrityError, match=REFUSED):
            certificates.verify(changed, **WORDS)


def test_a_member_too_many_is_refused_though_it_is_signed(sent: Database) -> None:
    payload = base64.urlsafe_b64decode(certificate().split(".")[1] + "==")
    told = {**json.loads(payload), "person": "somebody"}
    jws = sealing.sign_compact(
        rfc8785.dumps(told), typ=certificates.CERTIFICATE_TYP, signer=RECEIVER
    )
    with pytest.raises(IntegrityError, match=REFUSED):
        certify(sent, jws)


def test_without_a_descriptor_no_certificate_is_believed(sent: Database) -> None:
    with sent.begin() as connection:
        connection.execute(DESCRIPTORS.delete())
    with pytest.raises(UsageError, match="delivery/no-descriptor"):
        certify(sent, certificate())


def test_a_certificate_stands_for_a_receipt_that_never_came(sent: Database) -> None:
    certify(sent, of_second(), SECOND)
    assert events(sent).count("package-acknowledged") == 1
    with sent.read() as connection:
        assert release_state(connection, RELEASE) is ReleaseState.ACKNOWLEDGED


def test_a_release_is_closed_once_all_is_certified_backups_and_our_map_included(
    sent: Database, tmp_path: Path
) -> None:
    kept = tmp_path / f"{RELEASE}.map"
    kept.write_bytes(b"")
    certify(sent, certificate())
    assert not close(sent, tmp_path)
    certify(sent, of_second(unreadable_after="2026-07-03"), SECOND)
    assert not close(sent, tmp_path), "our own link map is still there"
    kept.unlink()
    assert not close(sent, tmp_path, LATER - dt.timedelta(days=1)), "a backup can still be read"
    assert close(sent, tmp_path)
    assert close(sent, tmp_path)
    assert events(sent)[-1] == "release-closed"
    assert events(sent).count("release-closed") == 1
    with sent.read() as connection:
        assert release_state(connection, RELEASE) is ReleaseState.CLOSED
        assert closing.open_ones(connection) == []


def test_a_duty_is_due_a_month_before_its_day_and_overdue_after_it(sent: Database) -> None:
    with sent.read() as connection:
        duty = duties.of_package(connection, FIRST)
        day = dt.date.fromisoformat(BY)
        assert [duty.state(day + dt.timedelta(days=days)) for days in (-31, -30, 0, 1)] == [
            *(DutyState.RUNNING, DutyState.DUE, DutyState.DUE, DutyState.OVERDUE)
        ]
        late = duties.overdue(connection, on=day + dt.timedelta(days=1))
        assert [each.package for each in late] == [FIRST, SECOND]
        assert duties.overdue(connection, on=day) == []
    certify(sent, certificate())
    with sent.read() as connection:
        late = duties.overdue(connection, on=day + dt.timedelta(days=1))
    assert [each.package for each in late] == [SECOND]


def test_a_package_that_never_left_is_owed_by_nobody(sent: Database) -> None:
    with sent.begin() as connection:
        connection.execute(PACKAGES.update().where(PACKAGES.c.id == FIRST).values(forwarded=""))
        assert [d.package for d in duties.listed(connection, still_open=True)] == [SECOND]
        assert duties.of_package(connection, FIRST).state(LATER.date()) is DutyState.NOT_BEGUN


def test_packages_from_before_duties_were_kept_get_theirs_from_the_manifest(
    database_url: str,
) -> None:
    found = Database(database_url)
    manifests = {"with": {"core": core("with")}, "without": {"data_digest": "0" * 64}}
    with found.begin_migration() as connection:
        schema.upgrade_to(connection, "0012")
        release = {"id": "old", "sequence": 1, "state": "forwarded", "purpose": "p"}
        release |= {
            "agreement": "a",
            "policy_digest": "",
            "officer": "o",
            "created": "",
            "record": "",
        }
        connection.execute(sa.text(_insert("releases", release)), release)
        for name, manifest in manifests.items():
            row: dict[str, Any] = dict.fromkeys(("output", "digest", "place", "forwarded"), "")
            row |= {"id": name, "release": "old", "recipient": "ons-research", "rows": 1}
            row |= {"manifest": json.dumps(manifest)}
            connection.execute(sa.text(_insert("packages", row)), row)
    schema.migrate(found)
    with found.read() as connection:
        rows = connection.execute(sa.select(DUTIES.c.package, DUTIES.c.destroy_by))
        days = {row.package: row.destroy_by for row in rows}
    assert days == {"with": BY, "without": ""}
    found.close()


def _insert(table: str, row: dict[str, Any]) -> str:
    names = ", ".join(f'"{name}"' for name in row)
    return f"INSERT INTO {table} ({names}) VALUES ({', '.join(f':{name}' for name in row)})"
