"""The end of a package at its recipient: destroyed here, and certified to its sender.

    written down -> the sealed file goes -> the certificate is signed and kept

A kill between two of them is finished by the next call; no certificate exists while the
file does. What was opened elsewhere, and its backups, is the word of the person who acts.

Source: security points 8, 15, 20 and 25; docs/how-to/deliver-packages.md.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from gateway.adapters import destruction_certificates as certificates
from gateway.adapters.database import METADATA
from gateway.adapters.destruction_certificates import Certificate
from gateway.adapters.durable import sync_directory
from gateway.adapters.inbox import Inbox
from gateway.adapters.inbox_records import INBOX, Arrived, InboxState
from gateway.errors import Unavailable, UsageError
from gateway.sealing import Signer

INBOX_CERTIFICATES = sa.Table(
    "inbox_certificates",
    METADATA,
    sa.Column("sender", sa.String(64), primary_key=True),
    sa.Column("package", sa.String(64), primary_key=True),
    sa.Column("destroyed", sa.String(10), nullable=False),
    sa.Column("unreadable_after", sa.String(10), nullable=False),
    sa.Column("by", sa.String(60), nullable=False),
    sa.Column("certified", sa.String(40), nullable=False),
    sa.Column("certificate", sa.Text, nullable=False),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Destroyed:
    """What a person says of their copies: gone since a day, backups included after another."""

    destroyed: dt.date
    unreadable_after: dt.date
    by: str


def certify(
    shelf: Inbox, found: Arrived, told: Destroyed, *, signer: Signer, recipient: str
) -> str:
    """Destroy our sealed copy of a package and sign that every copy is gone.

    Args:
        shelf: the inbox.
        found: the package, with its receipt given.
        told: what the person says; the first word stays if it was certified before.
        signer: our package-signing key.
        recipient: our own id.

    Raises:
        UsageError: the days cannot be.
        Unavailable: the file cannot be removed; the next call goes on from there.
    """
    require_possible(told, since=dt.datetime.fromisoformat(found.arrived), at=shelf.now())
    row = _written_down(shelf, found, told)
    if row.certificate:
        return str(row.certificate)
    _remove(shelf, found)
    certificate = Certificate(
        package=found.package,
        of=certificates.PACKAGE,
        digest=found.digest,
        sender=found.sender,
        recipient=recipient,
        destroyed=row.destroyed,
        unreadable_after=row.unreadable_after,
        signed=shelf.now().astimezone(dt.UTC).isoformat(timespec="seconds"),
    )
    return _kept(shelf, found, certificates.give(certificate, signer))


def require_possible(told: Destroyed, *, since: dt.datetime | None, at: dt.datetime) -> None:
    """Refuse days that cannot be: before it came, in the future, or the wrong way round.

    Raises:
        UsageError: `duties/days`.
    """
    came = since.date() if since else told.destroyed
    if not came <= told.destroyed <= min(at.date(), told.unreadable_after):
        raise UsageError(
            "duties/days",
            "It came, then it was destroyed, and no backup can be read after a later day.",
            remedy="Certify once it is destroyed; --unreadable-after is when the last backup ends.",
        )


def of_package(connection: sa.Connection, sender: str, package: str) -> str:
    """The certificate given for a package; empty before."""
    query = sa.select(INBOX_CERTIFICATES.c.certificate).where(_own(sender, package))
    return connection.scalar(query) or ""


def found_or_none(connection: sa.Connection, sender: str, package: str) -> Any:
    """What was said of a package that was destroyed, or nothing."""
    query = sa.select(INBOX_CERTIFICATES).where(_own(sender, package))
    return connection.execute(query).one_or_none()


def destroyed() -> UsageError:
    """The package is not there any more."""
    return UsageError(
        "inbox/destroyed",
        "That package was destroyed here.",
        remedy="If it is needed again, ask its sender for a new release.",
    )


def _written_down(shelf: Inbox, found: Arrived, told: Destroyed) -> Any:
    with shelf.database.begin() as connection:
        before = found_or_none(connection, found.sender, found.package)
        if before is not None:
            return before
        until = told.unreadable_after.isoformat()
        row = {"sender": found.sender, "package": found.package, "by": told.by}
        row |= {"destroyed": told.destroyed.isoformat(), "unreadable_after": until}
        row |= {"certified": shelf.now().isoformat(), "certificate": ""}
        facts: dict[str, str | int] = {"package": found.package, "package_digest": found.digest}
        facts |= {"party": found.party, "until": until, "operator": told.by}
        shelf.append(connection, "package-destroyed", facts)
        connection.execute(INBOX_CERTIFICATES.insert().values(**row))
        mine = sa.and_(INBOX.c.sender == found.sender, INBOX.c.package == found.package)
        connection.execute(INBOX.update().where(mine).values(state=InboxState.DESTROYED))
        return found_or_none(connection, found.sender, found.package)


def _remove(shelf: Inbox, found: Arrived) -> None:
    place = shelf.place(found)
    try:
        place.unlink(missing_ok=True)
        if place.parent.is_dir():
            sync_directory(place.parent)
    except OSError as fault:
        raise Unavailable(
            "inbox/not-removed",
            f"The sealed package cannot be removed ({fault.strerror}).",
            remedy="Make the data directory writable, then certify again.",
        ) from None


def _kept(shelf: Inbox, found: Arrived, signed: str) -> str:
    """The certificate that stands: the first one that was signed."""
    own = _own(found.sender, found.package)
    with shelf.database.begin() as connection:
        empty = sa.and_(own, INBOX_CERTIFICATES.c.certificate == "")
        connection.execute(INBOX_CERTIFICATES.update().where(empty).values(certificate=signed))
        return of_package(connection, found.sender, found.package)


def _own(sender: str, package: str) -> sa.ColumnElement[bool]:
    return sa.and_(INBOX_CERTIFICATES.c.sender == sender, INBOX_CERTIFICATES.c.package == package)
