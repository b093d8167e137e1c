"""The end of a release: certificates of destruction, and closing once every duty is done.

A certificate proves that its package arrived, so that it stands for a receipt that
never came. A release is closed when each recipient has certified, no backup of theirs
holds a copy any more, and our own link map has ended.

Source: R60; security points 8, 15 and 20; docs/how-to/deliver-packages.md.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from pathlib import Path

import sqlalchemy as sa

from gateway.adapters import deliveries, descriptors, dispatching, duties
from gateway.adapters import destruction_certificates as certificates
from gateway.adapters.destruction_certificates import About
from gateway.adapters.dispatching import Append
from gateway.adapters.duties import Duty
from gateway.adapters.release_list import one
from gateway.adapters.release_store import (
    RELEASES,
    PackageRecord,
    ReleaseState,
    release_state,
    step,
)
from gateway.sealing import core_digest


def certified(
    connection: sa.Connection,
    append: Append,
    package: str,
    *,
    jws: str,
    sender: str,
    at: dt.datetime,
) -> Duty:
    """Verify a recipient's certificate of destruction and write it down, once.

    Args:
        connection: a transaction.
        append: to the ledger.
        package: what it is said to be about.
        jws: the certificate as it came.
        sender: our own id.
        at: now.

    Raises:
        UsageError: there is no such delivery, or no descriptor to believe it by.
        IntegrityError: `duties/certificate-refused`.
    """
    delivery = deliveries.find(connection, package)
    trust = descriptors.of_recipient(
        connection, delivery.recipient, pinned=delivery.target.get("descriptor", "")
    )
    found = dispatching.package_of(connection, delivery)
    made = one(connection, delivery.release).created.date()
    told = certificates.verify(jws, trust=trust, about=_about(found, sender, made), at=at)
    duty = duties.of_package(connection, package)
    if duty.certified:
        return duty
    dispatching.proved(connection, append, delivery, jws=jws, at=at)
    digest = hashlib.sha256(jws.encode("ascii")).hexdigest()
    facts = {"release": delivery.release, "recipient": delivery.recipient, "package": package}
    facts |= {"receipt_digest": digest, "until": told.unreadable_after}
    append(connection, "recipient-destroyed", facts)
    duties.certify(
        *(connection, package),
        destroyed=told.destroyed,
        unreadable_after=told.unreadable_after,
        certified=at.isoformat(),
        certificate=jws,
        certificate_digest=digest,
    )
    return duties.of_package(connection, package)


def close(
    connection: sa.Connection, append: Append, release: str, *, maps: Path, at: dt.datetime
) -> bool:
    """Close a release whose duties are all done; whether it is closed now.

    Args:
        connection: a transaction.
        append: to the ledger.
        release: its id.
        maps: the folder of link maps; that of a release that is kept there keeps it open.
        at: now.
    """
    state = release_state(connection, release)
    if state is not ReleaseState.ACKNOWLEDGED:
        return state is ReleaseState.CLOSED
    owed = duties.listed(connection, release=release, limit=10_000)
    if link_map_is_kept(maps, release) or not duties.every_done(owed, on=at.date()):
        return False
    append(connection, "release-closed", {"release": release, "code": "duties/done"})
    step(connection, release, ReleaseState.CLOSED)
    return True


def link_map_is_kept(maps: Path, release: str) -> bool:
    """Whether our own map from link ids to people is still there."""
    return any(maps.glob(f"{release}.*"))


def open_ones(connection: sa.Connection) -> list[str]:
    """The releases that have arrived everywhere and are not closed."""
    query = sa.select(RELEASES.c.id).where(RELEASES.c.state == ReleaseState.ACKNOWLEDGED)
    return list(connection.scalars(query))


def _about(package: PackageRecord, sender: str, made: dt.date) -> About:
    core = package.manifest.get("core")
    digests = {certificates.PACKAGE: package.digest}
    if core:
        digests[certificates.MANIFEST] = core_digest(core)
    return About(package=package.id, sender=sender, digests=digests, made=made)
