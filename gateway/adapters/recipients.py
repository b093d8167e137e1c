"""Recipients' public keys: registered from a file, used only after two people agreed.

A recipient record in `policies/` names a key and its fingerprint; the public key
itself is registered here. Two different operators compare the fingerprint with
the recipient over another channel; each signs what they compared. A key replaced
by another has to be confirmed again.

Source: docs/reference/policy.md, "Recipients"; keys/README.md; security point 4.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from dataclasses import dataclass

import pyrage
from pyrage import x25519
from sqlalchemy import Column, Connection, String, Table, insert, select

from gateway.adapters import operators
from gateway.adapters.database import METADATA
from gateway.errors import InputRejected, RefusedError, UsageError
from gateway.model.keys import ID
from gateway.sealing import recipient_key_id

CONFIRMERS_WANTED = 2

RECIPIENT_KEYS = Table(
    "recipient_keys",
    METADATA,
    Column("id", String(40), primary_key=True),
    Column("public", String(100), nullable=False),
    Column("fingerprint", String(64), nullable=False),
    Column("added", String(40), nullable=False),
    Column("added_by", String(40), nullable=False),
)
CONFIRMATIONS = Table(
    "recipient_confirmations",
    METADATA,
    Column("recipient", String(40), primary_key=True),
    Column("fingerprint", String(64), primary_key=True),
    Column("operator", String(40), primary_key=True),
    Column("signature", String(128), nullable=False),
    Column("confirmed", String(40), nullable=False),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RecipientKey:
    """One recipient's public key and who confirmed its fingerprint."""

    id: str
    public: str
    fingerprint: str
    confirmed_by: tuple[str, ...]

    @property
    def key_id(self) -> str:
        """The id that envelopes call the key by."""
        return recipient_key_id(self.public)

    @property
    def usable(self) -> bool:
        """Whether two people confirmed it."""
        return len(self.confirmed_by) >= CONFIRMERS_WANTED


def read_public(content: bytes) -> str:
    """Read the one age public key of a file; comment lines are passed over.

    Raises:
        InputRejected: it does not hold exactly one age X25519 public key.
    """
    lines = content.decode("utf-8", "replace").splitlines()
    found = [line.strip() for line in lines if line.strip() and not line.startswith("#")]
    try:
        if len(found) != 1:
            raise ValueError
        return str(x25519.Recipient.from_str(found[0]))
    except (pyrage.RecipientError, ValueError):
        raise InputRejected(
            "recipients/not-a-public-key",
            "The file does not hold exactly one age X25519 public key (age1...).",
            remedy="Ask the recipient for the public file of `gateway recipient-key new`.",
        ) from None


def fingerprint(public: str) -> str:
    """Give the SHA-256 of the public key's age form, as 64 hex digits."""
    return hashlib.sha256(public.encode("ascii")).hexdigest()


def add(
    connection: Connection, recipient: str, *, public: str, by: str, at: dt.datetime
) -> RecipientKey:
    """Register or replace a recipient's public key; nobody has confirmed it yet."""
    if not ID.fullmatch(recipient):
        raise UsageError(
            "recipients/malformed-name",
            "A recipient is named with a-z, 0-9 and hyphens, 40 at most.",
            remedy="Name a recipient of the policy documents: `gateway recipients list`.",
        )
    mark = fingerprint(public)
    connection.execute(RECIPIENT_KEYS.delete().where(RECIPIENT_KEYS.c.id == recipient))
    connection.execute(
        insert(RECIPIENT_KEYS).values(
            id=recipient, public=public, fingerprint=mark, added=at.isoformat(), added_by=by
        )
    )
    return find(connection, recipient)


def find(connection: Connection, recipient: str) -> RecipientKey:
    """Read a recipient's key and whose confirmations of it verify.

    Raises:
        UsageError: no key was registered for that recipient.
    """
    row = (
        connection.execute(select(RECIPIENT_KEYS).where(RECIPIENT_KEYS.c.id == recipient))
        .mappings()
        .first()
    )
    if row is None:
        raise UsageError(
            "recipients/unknown",
            "No public key is registered for that recipient.",
            remedy="`gateway recipients add ID FILE` registers one.",
        )
    return RecipientKey(
        id=row["id"],
        public=row["public"],
        fingerprint=row["fingerprint"],
        confirmed_by=_confirmers(connection, row["id"], row["fingerprint"]),
    )


def confirm(
    connection: Connection, recipient: str, *, operator: str, signature: bytes, at: dt.datetime
) -> RecipientKey:
    """Keep one person's signed word that the fingerprint is the recipient's.

    Raises:
        UsageError: this person has confirmed it before.
    """
    key = find(connection, recipient)
    if operator in key.confirmed_by:
        raise UsageError(
            "recipients/confirmed-before",
            f"{operator} has confirmed this key already; it takes a second person.",
            remedy="Ask another custodian to compare the fingerprint by voice and confirm it.",
        )
    connection.execute(
        insert(CONFIRMATIONS).values(
            recipient=recipient,
            fingerprint=key.fingerprint,
            operator=operator,
            signature=signature.hex(),
            confirmed=at.isoformat(),
        )
    )
    return find(connection, recipient)


def confirmed(connection: Connection, recipient: str) -> RecipientKey:
    """Give the key that packages to a recipient may be sealed to.

    Raises:
        RefusedError: fewer than two people have confirmed its fingerprint.
    """
    key = find(connection, recipient)
    if not key.usable:
        raise RefusedError(
            "recipients/not-confirmed",
            f"{len(key.confirmed_by)} of {CONFIRMERS_WANTED} people have confirmed the key "
            f"of {recipient}.",
            remedy=f"Compare its fingerprint with the recipient over another channel, then "
            f"`gateway recipients confirm {recipient} --as NAME`.",
            recipient=recipient,
        )
    return key


def listed(connection: Connection) -> tuple[RecipientKey, ...]:
    """Read every registered key, by id."""
    names = connection.scalars(select(RECIPIENT_KEYS.c.id).order_by(RECIPIENT_KEYS.c.id)).all()
    return tuple(find(connection, name) for name in names)


def message(recipient: str, mark: str) -> bytes:
    """Write what a confirming person signs."""
    return f"gateway-recipient-confirm/1\n{recipient}\n{mark}".encode("ascii")


def _confirmers(connection: Connection, recipient: str, mark: str) -> tuple[str, ...]:
    rows = connection.execute(
        select(CONFIRMATIONS.c.operator, CONFIRMATIONS.c.signature).where(
            CONFIRMATIONS.c.recipient == recipient, CONFIRMATIONS.c.fingerprint == mark
        )
    ).all()
    return tuple(
        sorted(
            name
            for name, signature in rows
            if operators.signed_by(
                operators.find(connection, name),
                bytes.fromhex(signature),
                message(recipient, mark),
            )
        )
    )
