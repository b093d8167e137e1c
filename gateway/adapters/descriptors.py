"""Descriptors of other gateways: whose packages our inbox believes, whose receipts we do.

A descriptor is what `gateway trust export` prints there; it comes over another way than
what it verifies, and an operator who may register recipients brings it. Where a
recipient's approved document names the descriptor's fingerprint, only that one counts.

Source: docs/reference/package.md; security points 4 and 15.
"""

from __future__ import annotations

import datetime as dt
from enum import StrEnum

import sqlalchemy as sa

from gateway.adapters import operators
from gateway.adapters.database import METADATA, Database
from gateway.adapters.keyring_ledger import record
from gateway.errors import RefusedError, UsageError
from gateway.model.keys import ID
from gateway.model.permissions import Action, authorise
from gateway.sealing import Trust, fingerprint, parse_trust

DESCRIPTORS = sa.Table(
    "descriptors",
    METADATA,
    sa.Column("use", sa.String(20), primary_key=True),
    sa.Column("name", sa.String(60), primary_key=True),
    sa.Column("sender", sa.String(64), primary_key=True),
    sa.Column("document", sa.Text, nullable=False),
    sa.Column("added", sa.String(40), nullable=False),
    sa.Column("added_by", sa.String(40), nullable=False),
)


class Use(StrEnum):
    """What a descriptor is believed for."""

    PACKAGES_OF = "packages-of"  # name: the party that sends
    RECEIPTS_OF = "receipts-of"  # name: the recipient


def register(
    database: Database, use: Use, name: str, *, content: bytes, acting: str, at: dt.datetime
) -> Trust:
    """Register a descriptor, in place of the same gateway's former one.

    Raises:
        UsageError: the name is malformed.
        RefusedError: the operator may not.
        Unavailable: it is no descriptor.
    """
    if not ID.fullmatch(name):
        raise UsageError(
            "descriptors/malformed-name",
            "The name has a-z, 0-9 and hyphens, 40 at most.",
            remedy="Write it so, for example police-desk.",
        )
    trust = parse_trust(content)
    key = {"use": use, "name": name, "sender": trust.sender}
    with database.begin() as connection:
        authorise(operators.find(connection, acting), Action.RECIPIENT_ADD)
        same = sa.and_(*(DESCRIPTORS.c[column] == value for column, value in key.items()))
        connection.execute(DESCRIPTORS.delete().where(same))
        values = {"document": content.decode("utf-8"), "added": at.isoformat(), "added_by": acting}
        connection.execute(DESCRIPTORS.insert().values(**key, **values))
        record(connection, "gateway-trusted", _facts(use, name, trust, acting), at=at)
    return trust


def forget(
    database: Database, use: Use, name: str, *, acting: str, at: dt.datetime
) -> tuple[Trust, ...]:
    """Believe the gateways of a name no more, from now on.

    Returns:
        What was believed.

    Raises:
        UsageError: no descriptor of that name is registered.
        RefusedError: the operator may not.
    """
    with database.begin() as connection:
        authorise(operators.find(connection, acting), Action.RECIPIENT_ADD)
        known = _read(connection, use, name)
        if not known:
            raise UsageError(
                "descriptors/unknown",
                "No descriptor is registered under that name.",
                remedy="Write the name as it was when it was registered.",
            )
        same = sa.and_(DESCRIPTORS.c.use == use, DESCRIPTORS.c.name == name)
        connection.execute(DESCRIPTORS.delete().where(same))
        for trust in known:
            record(connection, "gateway-distrusted", _facts(use, name, trust, acting), at=at)
    return known


def _facts(use: Use, name: str, trust: Trust, acting: str) -> dict[str, str | int]:
    digest = fingerprint(trust)
    return {"kind": use.value, "holder": name, "key_digest": digest, "operator": acting}


def of_party(connection: sa.Connection, party: str) -> tuple[Trust, ...]:
    """The gateways whose packages a party may bring."""
    return _read(connection, Use.PACKAGES_OF, party)


def of_recipient(connection: sa.Connection, recipient: str, *, pinned: str = "") -> Trust:
    """The gateway whose receipts count for a recipient.

    Args:
        connection: of the caller.
        recipient: its id.
        pinned: the fingerprint that its approved document names, if it does.

    Raises:
        UsageError: none is registered.
        RefusedError: it is not the one that the document names.
    """
    found = _read(connection, Use.RECEIPTS_OF, recipient)
    if not found:
        raise UsageError(
            "delivery/no-descriptor",
            "No descriptor of this recipient is registered, so that no receipt can be believed.",
            remedy=f"`gateway deliveries trust {recipient} FILE --as NAME` registers it.",
        )
    chosen = [trust for trust in found if pinned in ("", fingerprint(trust))]
    if not chosen:
        raise RefusedError(
            "delivery/other-descriptor",
            "The registered descriptor is not the one that the recipient's document names.",
            remedy="Register that one, or have the document changed and approved.",
        )
    return chosen[-1]


def _read(connection: sa.Connection, use: Use, name: str) -> tuple[Trust, ...]:
    rows = connection.scalars(
        sa.select(DESCRIPTORS.c.document)
        .where(DESCRIPTORS.c.use == use, DESCRIPTORS.c.name == name)
        .order_by(DESCRIPTORS.c.added)
    )
    return tuple(parse_trust(document.encode("utf-8")) for document in rows)
