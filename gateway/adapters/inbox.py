"""The recipient's inbox: packages that arrived, each once, and the receipts given for them.

    arrived -> acknowledged -> opened -> destroyed

Everything outside is verified before a package is taken: form, envelope signature by a
gateway whose descriptor is registered for the party that brings it, digest. The same
package again gets the same answer; other bytes under a known id are refused. The inside
needs the recipient's secret key, which this gateway need not hold.

Source: security point 15; docs/reference/package.md; docs/how-to/deliver-packages.md.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import sqlalchemy as sa

from gateway import sealing
from gateway.adapters import delivery_receipts, descriptors, jobs
from gateway.adapters.database import Database
from gateway.adapters.delivery_receipts import OUTSIDE, DeliveryReceipt
from gateway.adapters.durable import private, synced, take_name
from gateway.adapters.inbox_records import (
    INBOX,
    Arrived,
    InboxState,
    find,
    found_or_none,
    listed,
    unknown,
)
from gateway.adapters.jobs import JobKind
from gateway.errors import InputRejected, IntegrityError, RefusedError, Unavailable
from gateway.ledger import LeafRef
from gateway.sealing import Outer, Signer, Trust

__all__ = ["Arrived", "Inbox", "InboxState", "acknowledge", "find", "listed", "unknown"]

BLOCK = 1 << 20


class Source(Protocol):
    """Where a package's bytes come from."""

    def read(self, size: int, /) -> bytes:
        """At most `size` bytes; none at the end."""


Append = Callable[[sa.Connection, str, dict[str, str | int]], LeafRef]


@dataclass(frozen=True, slots=True, kw_only=True)
class Inbox:
    """The inbox of one data directory."""

    folder: Path
    database: Database = field(repr=False)
    append: Append = field(repr=False)
    now: Callable[[], dt.datetime]
    longest: int

    def place(self, found: Arrived) -> Path:
        """The file of a package."""
        return self.folder / found.sender / f"{found.package}.gwp"

    def take(self, source: Source, *, party: str, by: str) -> tuple[Arrived, bool]:
        """Take in one package, whole and verified outside, or refuse it.

        Args:
            source: its bytes.
            party: who brings it.
            by: the party's client, or our operator.

        Returns:
            The package, and whether it is new.

        Raises:
            RefusedError: the party has no descriptor here.
            IntegrityError: it does not verify, or is another package of a known id.
            InputRejected: it is too long.
            Unavailable: it cannot be stored.
        """
        with self.database.read() as connection:
            trusted = descriptors.of_party(connection, party)
        if not trusted:
            raise _no_descriptor()
        incoming = self._incoming()
        try:
            digest, size = self._stored(source, incoming)
            outer, trust = _verified(incoming, trusted)
            return self._kept(
                incoming,
                outer,
                {"sender": trust.sender, "party": party, "by": by, "digest": digest, "size": size},
            )
        except ConnectionError:
            raise
        except OSError as fault:
            raise _not_stored(fault) from None
        finally:
            with suppress(OSError):
                incoming.unlink(missing_ok=True)

    def _kept(self, incoming: Path, outer: Outer, known: dict[str, Any]) -> tuple[Arrived, bool]:
        """Give a verified file its name and write it down, once."""
        package, sender = outer.envelope.package, known["sender"]
        with self.database.begin() as connection:
            before = found_or_none(connection, sender, package)
            if before is not None:
                _require_same(before, known)
                return before, False
            place = self.folder / sender / f"{package}.gwp"
            place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            take_name(incoming, place)
            at = self.now()
            row = {"package": package, "recipient_key": outer.envelope.recipient_key, **known}
            row |= {"state": InboxState.ARRIVED, "arrived": at.isoformat()}
            row |= dict.fromkeys(("receipt", "acknowledged", "opened"), "")
            connection.execute(INBOX.insert().values(**row))
            facts: dict[str, str | int] = {"package": package, "package_digest": known["digest"]}
            self.append(connection, "package-arrived", {**facts, "party": known["party"]})
            jobs.enqueue(
                connection,
                JobKind.ACKNOWLEDGE,
                subject=f"{sender}/{package}",
                by="",
                request={"sender": sender, "package": package},
                at=at,
            )
            return find(connection, sender, package), True

    def _incoming(self) -> Path:
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            for part in self.folder.glob("incoming-*.part"):
                # A killed process left it; nobody takes a day for one package.
                with suppress(FileNotFoundError):  # whoever wrote it has just ended with it
                    if part.stat().st_mtime < self.now().timestamp() - 86_400:
                        part.unlink()
        except OSError as fault:
            raise _not_stored(fault) from None
        return self.folder / f"incoming-{secrets.token_hex(8)}.part"

    def _stored(self, source: Source, incoming: Path) -> tuple[str, int]:
        digest, size = hashlib.sha256(), 0
        with open(incoming, "xb", opener=private) as file:
            while block := source.read(BLOCK):
                size += len(block)
                if size > self.longest:
                    raise InputRejected(
                        "inbox/too-long",
                        "The package is longer than this inbox takes.",
                        remedy="Ask the recipient to raise GATEWAY_UPLOAD_MAX_MIB.",
                    )
                digest.update(block)
                file.write(block)
            synced(file)
        return digest.hexdigest(), size


def acknowledge(
    database: Database,
    found: Arrived,
    *,
    signer: Signer,
    recipient: str,
    at: dt.datetime,
    opened: bool = False,
) -> str:
    """Sign the receipt of a package and keep it; one that was signed before stays.

    Args:
        database: where it is kept.
        found: the package.
        signer: our package-signing key.
        recipient: our own id.
        at: now.
        opened: whether it was opened as well, with all that is inside verified.
    """
    receipt = DeliveryReceipt(
        package=found.package,
        package_digest=found.digest,
        sender=found.sender,
        recipient=recipient,
        received=at.astimezone(dt.UTC).isoformat(timespec="seconds"),
        verified=(*OUTSIDE, "manifest", "ledger") if opened else OUTSIDE,
    )
    signed = delivery_receipts.give(receipt, signer)
    own = sa.and_(INBOX.c.sender == found.sender, INBOX.c.package == found.package)
    with database.begin() as connection:
        before = find(connection, found.sender, found.package)
        told: dict[str, str] = {}
        if not before.receipt:
            told |= {"receipt": signed, "acknowledged": at.isoformat()}
            told |= {"state": InboxState.ACKNOWLEDGED}
        if opened and not before.opened:
            told |= {"state": InboxState.OPENED, "opened": at.isoformat()}
        if told:
            connection.execute(INBOX.update().where(own).values(**told))
        return before.receipt or signed


def _verified(incoming: Path, trusted: tuple[Trust, ...]) -> tuple[Outer, Trust]:
    """Whose package it is; the fault of the last one tried if nobody's."""
    for place, trust in enumerate(trusted, start=1):
        try:
            with open(incoming, "rb") as file:
                return sealing.check_outer(file, trust=trust), trust
        except IntegrityError as fault:
            other = fault.code in ("package/other-sender", "jws/unknown-key")
            if not other or place == len(trusted):
                raise
    raise _no_descriptor()


def _require_same(before: Arrived, known: dict[str, Any]) -> None:
    if before.party != known["party"]:
        raise unknown()
    if before.digest != known["digest"]:
        raise IntegrityError(
            "inbox/other-bytes",
            "Another package arrived under this id before.",
            remedy="The sender looks at which of the two it made; a new release has new ids.",
        )


def _no_descriptor() -> RefusedError:
    return RefusedError(
        "inbox/no-descriptor",
        "No descriptor of your gateway is registered here for your party.",
        remedy="Ask the recipient to run `gateway inbox trust` with your descriptor.",
    )


def not_believed() -> RefusedError:
    """For a package whose sender's descriptor was taken back since it came."""
    return RefusedError(
        "inbox/not-believed",
        "The descriptor of the gateway that this package came from was taken back.",
        remedy="Register its present descriptor with `gateway inbox trust`, or leave it sealed.",
    )


def _not_stored(fault: OSError) -> Unavailable:
    return Unavailable(
        "inbox/not-stored",
        f"The package cannot be stored ({fault.strerror}).",
        remedy="Nothing was taken. Free disk space at the recipient's; it is tried again.",
    )
