"""Deliveries and the inbox by the API: a recipient's machine, a sender's, and all others."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from gateway.adapters import deliveries, delivery_receipts, duties
from gateway.adapters import destruction_certificates as certificates
from gateway.adapters.deliveries import DELIVERIES, DeliveryState
from gateway.adapters.delivery_receipts import OUTSIDE, DeliveryReceipt
from gateway.adapters.descriptors import DESCRIPTORS, Use
from gateway.adapters.destruction_certificates import Certificate
from gateway.adapters.release_store import (
    PackageRecord,
    ReleaseRecord,
    ReleaseState,
    add_package,
    open_release,
)
from gateway.web.desk import desk_of
from tests.delivery import sealed
from tests.web.office import COUNCIL, POLICE, RESEARCH, Browser, Machine

Machines = Callable[[str], Machine]
AT = dt.datetime(2026, 5, 4, 12, 0, tzinfo=dt.UTC)
OURS, THEIRS = "rel-a.research", "rel-a.police"
DIGEST = hashlib.sha256(b"package").hexdigest()
RECEIVER = sealed.OTHER
TYPE = "application/vnd.gateway.package"


@pytest.fixture
def released(app: Flask) -> Flask:
    """A release with a package for the researchers and one for somebody else."""
    with desk_of(app).database.begin() as connection:
        open_release(
            connection,
            ReleaseRecord(
                id="rel-a",
                state=ReleaseState.RECORDED,
                purpose="national-impact-study",
                agreement="trafford-stronger-families",
                policy_digest="0" * 64,
                officer="rosa",
                created=AT,
            ),
        )
        for package, recipient in (
            (OURS, "ons-research"),
            (THEIRS, "greater-manchester-police-partnership"),
        ):
            record = PackageRecord(
                id=package,
                release="rel-a",
                output="payload",
                recipient=recipient,
                rows=10,
                digest=DIGEST,
                manifest={},
                place="",
            )
            add_package(connection, record)
            row: dict[str, Any] = dict.fromkeys((column.name for column in DELIVERIES.columns), "")
            row |= {"package": package, "release": "rel-a", "recipient": recipient}
            row |= {"channel": "https", "target": "{}", "state": DeliveryState.WAITING}
            row |= {"touched": 0, "attempts": 0, "created": AT.isoformat()}
            connection.execute(DELIVERIES.insert().values(**row))
            believed = {"use": Use.RECEIPTS_OF, "name": recipient, "sender": "ons"}
            document = sealed.descriptor("ons", RECEIVER).decode()
            told = {"document": document, "added": AT.isoformat(), "added_by": "ada"}
            connection.execute(DESCRIPTORS.insert().values(**believed, **told))
    return app


def receipt(package: str = OURS, digest: str = DIGEST) -> str:
    told = DeliveryReceipt(
        package=package,
        package_digest=digest,
        sender="office",
        recipient="ons",
        received=AT.isoformat(timespec="seconds"),
        verified=OUTSIDE,
    )
    return delivery_receipts.give(told, RECEIVER)


def test_a_recipient_sees_its_own_deliveries_only(released: Flask, machine: Machines) -> None:
    research = machine(RESEARCH)
    listed = research.get("/api/v1/deliveries").get_json()["deliveries"]
    assert [each["package"] for each in listed] == [OURS]
    foreign = research.get(f"/api/v1/deliveries/{THEIRS}")
    unknown = research.get("/api/v1/deliveries/rel-none")
    assert (foreign.status_code, foreign.get_json()) == (404, unknown.get_json())


def test_its_receipt_is_written_down_once(released: Flask, machine: Machines) -> None:
    research, given = machine(RESEARCH), {"receipt": receipt()}
    first = research.post(f"/api/v1/deliveries/{OURS}/receipt", json=given)
    assert (first.status_code, first.get_json()["state"]) == (200, "acknowledged")
    again = research.post(f"/api/v1/deliveries/{OURS}/receipt", json=given)
    assert again.get_json() == first.get_json()


@pytest.mark.parametrize(
    ("package", "given", "status"),
    [
        (OURS, receipt(THEIRS), 422),
        (OURS, receipt(digest="f" * 64), 422),
        (OURS, receipt()[:-4] + "AAAA", 409),
        (OURS, "no receipt", 400),
        (THEIRS, receipt(THEIRS), 404),
    ],
    ids=["of another package", "of other bytes", "forged", "no receipt", "for another's package"],
)
def test_a_wrong_receipt_changes_nothing(
    released: Flask, machine: Machines, package: str, given: str, status: int
) -> None:
    told = machine(RESEARCH).post(f"/api/v1/deliveries/{package}/receipt", json={"receipt": given})
    assert told.status_code == status
    assert given not in told.text
    with desk_of(released).database.read() as connection:
        states = {each.state for each in deliveries.listed(connection)}
    assert states == {DeliveryState.WAITING}


def certificate(package: str = OURS, digest: str = DIGEST) -> str:
    told = Certificate(
        package=package,
        of=certificates.PACKAGE,
        digest=digest,
        sender="office",
        recipient="ons",
        destroyed="2026-05-05",
        unreadable_after="2026-05-30",
        signed="2026-05-05T12:00:00+00:00",
    )
    return certificates.give(told, RECEIVER)


def test_its_certificate_is_written_down_once(released: Flask, machine: Machines) -> None:
    research, given = machine(RESEARCH), {"certificate": certificate()}
    owed = research.get(f"/api/v1/deliveries/{OURS}/duty").get_json()
    assert (owed["state"], owed["certificate_digest"]) == ("not-begun", "")
    first = research.post(f"/api/v1/deliveries/{OURS}/certificate", json=given)
    assert (first.status_code, first.get_json()["unreadable_after"]) == (200, "2026-05-30")
    again = research.post(f"/api/v1/deliveries/{OURS}/certificate", json=given)
    assert again.get_json() == first.get_json()
    assert research.get(f"/api/v1/deliveries/{OURS}/duty").get_json() == first.get_json()


@pytest.mark.parametrize(
    ("package", "given", "status"),
    [
        (OURS, certificate(THEIRS), 409),
        (OURS, certificate(digest="f" * 64), 409),
        (OURS, certificate()[:-4] + "AAAA", 409),
        (OURS, receipt(), 409),
        (OURS, "no certificate", 400),
        (THEIRS, certificate(THEIRS), 404),
    ],
    ids=["another package", "other bytes", "forged", "a receipt", "nothing", "another's"],
)
def test_a_wrong_certificate_changes_nothing_and_says_nothing(
    released: Flask, machine: Machines, package: str, given: str, status: int
) -> None:
    place = f"/api/v1/deliveries/{package}/certificate"
    told = machine(RESEARCH).post(place, json={"certificate": given})
    assert told.status_code == status
    assert given not in told.text
    if status == 409:
        assert told.get_json()["code"] == "duties/certificate-refused"
    with desk_of(released).database.read() as connection:
        assert not any(each.certified for each in duties.listed(connection))


def test_a_partners_machine_is_no_recipient(released: Flask, machine: Machines) -> None:
    for path in ("", f"/{OURS}", f"/{OURS}/duty"):
        assert machine(POLICE).get(f"/api/v1/deliveries{path}").status_code == 403


def test_an_empty_inbox_says_how_something_can_come(client_as: Callable[[str], Browser]) -> None:
    page = client_as("analyst").get("/inbox").text
    assert "Nothing has arrived yet." in page
    assert "gateway inbox trust PARTY" in page
    assert client_as("release-officer").get("/inbox").status_code == 403
    assert client_as("analyst").get("/inbox/nobody/nothing").status_code == 404


@pytest.fixture
def open_inbox(app: Flask) -> Flask:
    """An inbox that knows the police's gateway."""
    with desk_of(app).database.begin() as connection:
        known = {"use": Use.PACKAGES_OF, "name": POLICE, "sender": sealed.SENDER}
        told = {"document": sealed.descriptor().decode(), "added": "", "added_by": "ada"}
        connection.execute(DESCRIPTORS.insert().values(**known, **told))
    return app


def push(machine: Machine, content: bytes, kind: str = TYPE) -> Any:
    return machine.post("/api/v1/inbox/packages", data=content, content_type=kind)


def test_a_package_is_taken_once_and_its_receipt_asked_for(
    open_inbox: Flask, machine: Machines
) -> None:
    police = machine(POLICE)
    first, again = push(police, sealed.package("p1")), push(police, sealed.package("p1"))
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.get_json() == again.get_json()
    asked = police.get("/api/v1/inbox/packages/p1")
    assert (asked.status_code, asked.get_json()["receipt"]) == (200, "")


def test_other_bytes_under_a_known_id_are_refused(open_inbox: Flask, machine: Machines) -> None:
    push(machine(POLICE), sealed.package("p1"))
    told = push(machine(POLICE), sealed.package("p1", b"other"))
    assert (told.status_code, told.get_json()["code"]) == (409, "inbox/other-bytes")


def test_what_is_no_package_is_refused_without_being_repeated(
    open_inbox: Flask, machine: Machines
) -> None:
    told = push(machine(POLICE), b"Zora Testerson, 9990000018")
    assert (told.status_code, told.get_json()["code"]) == (409, "package/form")
    assert "Zora" not in told.text
    assert push(machine(POLICE), sealed.package("p1"), "text/plain").status_code == 415


def test_nobody_sees_what_another_party_brought(open_inbox: Flask, machine: Machines) -> None:
    push(machine(POLICE), sealed.package("p1"))
    assert machine(COUNCIL).get("/api/v1/inbox/packages/p1").status_code == 404
    refused = push(machine(COUNCIL), sealed.package("p2"))
    assert (refused.status_code, refused.get_json()["code"]) == (403, "inbox/no-descriptor")
