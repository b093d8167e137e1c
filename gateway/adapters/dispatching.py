"""The steps of a delivery, each in one transaction with its ledger entry.

What has left is written down once, a receipt once; a release moves on with the last of
its packages. Whoever dies between two steps finds them again where they were.

Source: security points 15, 16 and 20; docs/how-to/deliver-packages.md.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path

import sqlalchemy as sa

from gateway.adapters import deliveries, delivery_receipts, descriptors
from gateway.adapters.deliveries import ARRIVED, LEFT, Delivery, DeliveryState
from gateway.adapters.release_store import (
    PackageRecord,
    ReleaseRecord,
    ReleaseState,
    mark_forwarded,
    packages_of,
    release_state,
    step,
)
from gateway.errors import HeldForPerson, UsageError
from gateway.ledger import LeafRef
from gateway.model import SharingRequest

Append = Callable[[sa.Connection, str, Mapping[str, str | int]], LeafRef]
StillValid = Callable[[sa.Connection, SharingRequest, str, int], None]


def left(
    connection: sa.Connection,
    append: Append,
    package: PackageRecord,
    *,
    channel: str,
    at: dt.datetime,
) -> None:
    """Write down that a package has left by its channel."""
    facts = {"release": package.release, "package": package.id, "channel": channel}
    facts |= {"recipient": package.recipient, "package_digest": package.digest}
    append(connection, "package-forwarded", facts)
    mark_forwarded(connection, package.id, at)
    gone: dict[str, str | int] = {"dispatched_at": at.isoformat(), "touched": 1, "last_code": ""}
    deliveries.update(connection, package.id, state=DeliveryState.DISPATCHED, **gone)


def all_left(connection: sa.Connection, release: str) -> bool:
    """Move a recorded release on once each of its packages has left; whether they all have."""
    packages = packages_of(connection, release)
    if not all(package.forwarded for package in packages):
        return False
    if release_state(connection, release) is ReleaseState.RECORDED:
        step(connection, release, ReleaseState.FORWARDED)
    return True


def withdraw(connection: sa.Connection, append: Append, release: str, *, code: str) -> None:
    """Write down that a release did not come through; nothing of it has left."""
    append(connection, "release-withdrawn", {"release": release, "code": code})
    step(connection, release, ReleaseState.WITHDRAWN)


def may_still_leave(
    connection: sa.Connection,
    release: ReleaseRecord,
    *,
    append: Append,
    still_valid: StillValid,
) -> ReleaseState:
    """Withdraw, or hold, a recorded release whose ground has gone; its state then.

    In the transaction that begins a dispatch: an objection counts up to that moment.
    """
    request = SharingRequest(purpose=release.purpose, agreement=release.agreement)
    sequence = int(release.record.get("register_sequence", -1))
    try:
        still_valid(connection, request, release.policy_digest, sequence)
    except HeldForPerson as moved:
        gone = deliveries.may_have_left(connection, release.id)
        deliveries.stopped(connection, release.id, code=moved.code)
        if not gone:
            withdraw(connection, append, release.id, code=moved.code)
            return ReleaseState.WITHDRAWN
        append(connection, "release-held", {"release": release.id, "code": moved.code})
        step(connection, release.id, ReleaseState.HELD)
        return ReleaseState.HELD
    return release.state


def package_of(connection: sa.Connection, delivery: Delivery) -> PackageRecord:
    """The package that a delivery brings."""
    every = packages_of(connection, delivery.release)
    return next(each for each in every if each.id == delivery.package)


def arrived(
    connection: sa.Connection, append: Append, delivery: Delivery, *, at: dt.datetime
) -> None:
    """Write down that the recipient has the package, if that was not known before."""
    if delivery.state in LEFT:
        return
    package = package_of(connection, delivery)
    if not package.forwarded:
        left(connection, append, package, channel=delivery.channel, at=at)
    else:
        deliveries.update(connection, delivery.package, state=DeliveryState.DISPATCHED)
    all_left(connection, delivery.release)


def acknowledged(
    connection: sa.Connection,
    append: Append,
    package: str,
    *,
    jws: str,
    sender: str,
    at: dt.datetime,
) -> Delivery:
    """Verify a recipient's receipt and write it down, once.

    Args:
        connection: a transaction.
        append: to the ledger.
        package: what it is said to be about.
        jws: the receipt as it came.
        sender: our own id.
        at: now.

    Raises:
        UsageError: there is no such delivery, or no descriptor to believe it by.
        IntegrityError: it does not verify, or is about another package or other bytes.
    """
    delivery = deliveries.find(connection, package)
    trust = descriptors.of_recipient(
        connection, delivery.recipient, pinned=delivery.target.get("descriptor", "")
    )
    digest = package_of(connection, delivery).digest
    delivery_receipts.verify(jws, trust=trust, package=package, digest=digest, sender=sender)
    proved(connection, append, delivery, jws=jws, at=at)
    return deliveries.find(connection, package)


def proved(
    connection: sa.Connection, append: Append, delivery: Delivery, *, jws: str, at: dt.datetime
) -> None:
    """Write down that a package arrived, by what its recipient signed, if that was not known."""
    if delivery.state in ARRIVED:
        return
    arrived(connection, append, delivery, at=at)
    _received(
        *(connection, append, delivery),
        state=DeliveryState.ACKNOWLEDGED,
        receipt=jws,
        digest=delivery_receipts.digest_of(jws),
        channel=delivery.channel,
        at=at,
    )


def carried(
    connection: sa.Connection,
    append: Append,
    package: str,
    *,
    number: str,
    operator: str,
    at: dt.datetime,
) -> Delivery:
    """Write down the receipt number that the recipient's portal gave, once.

    Raises:
        UsageError: there is no such delivery, or it has its receipt already.
    """
    delivery = deliveries.find(connection, package)
    if delivery.state in ARRIVED or not delivery.touched:
        raise UsageError(
            "delivery/not-to-be-carried",
            "That package has its receipt already, or nobody has fetched it to carry it.",
            remedy="Look at its delivery; fetch it first, then bring it to the portal.",
        )
    arrived(connection, append, delivery, at=at)
    _received(
        *(connection, append, delivery),
        state=DeliveryState.CARRIED,
        receipt=number,
        digest=hashlib.sha256(number.encode("utf-8")).hexdigest(),
        channel=deliveries.PORTAL,
        at=at,
        operator=operator,
    )
    return deliveries.find(connection, package)


def not_delivered(
    connection: sa.Connection, append: Append, delivery: Delivery, *, code: str
) -> None:
    """Write down that a package was not delivered, and why."""
    facts = {"release": delivery.release, "package": delivery.package, "code": code}
    facts |= {"recipient": delivery.recipient, "channel": delivery.channel}
    append(connection, "package-not-delivered", facts)
    deliveries.update(
        connection,
        delivery.package,
        state=DeliveryState.NOT_DELIVERED,
        last_code=code,
        next_at="",
    )


def drop_arrived(connection: sa.Connection, outgoing: Path, release: str) -> None:
    """Remove the sealed packages of a release that have arrived; their recipients have them."""
    for each in deliveries.listed(connection, release=release):
        if each.state in ARRIVED:
            (outgoing / f"{each.package}.gwp").unlink(missing_ok=True)


def _received(
    connection: sa.Connection,
    append: Append,
    delivery: Delivery,
    *,
    state: DeliveryState,
    receipt: str,
    digest: str,
    channel: str,
    at: dt.datetime,
    operator: str = "",
) -> None:
    facts = {"release": delivery.release, "package": delivery.package, "channel": channel}
    facts |= {"recipient": delivery.recipient, "receipt_digest": digest}
    append(connection, "package-acknowledged", facts | ({"operator": operator} if operator else {}))
    told = {"receipt": receipt, "receipt_digest": digest, "acknowledged_at": at.isoformat()}
    told |= {"last_code": "", "next_at": ""}
    deliveries.update(connection, delivery.package, state=state, **told)
    forwarded = release_state(connection, delivery.release) is ReleaseState.FORWARDED
    if forwarded and deliveries.every_arrived(connection, delivery.release):
        step(connection, delivery.release, ReleaseState.ACKNOWLEDGED)
