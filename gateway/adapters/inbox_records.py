"""The table of packages that arrived, and a package as it is read from it.

Source: docs/how-to/deliver-packages.md.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from gateway.adapters.database import METADATA
from gateway.errors import UsageError

INBOX = sa.Table(
    "inbox",
    METADATA,
    sa.Column("sender", sa.String(64), primary_key=True),
    sa.Column("package", sa.String(64), primary_key=True),
    sa.Column("party", sa.String(60), nullable=False, index=True),
    sa.Column("by", sa.String(60), nullable=False),
    sa.Column("digest", sa.String(64), nullable=False),
    sa.Column("size", sa.BigInteger, nullable=False),
    sa.Column("recipient_key", sa.String(40), nullable=False),
    sa.Column("state", sa.String(20), nullable=False),
    sa.Column("arrived", sa.String(40), nullable=False),
    sa.Column("receipt", sa.Text, nullable=False),
    sa.Column("acknowledged", sa.String(40), nullable=False),
    sa.Column("opened", sa.String(40), nullable=False),
)


class InboxState(StrEnum):
    """Where a package stands at its recipient's."""

    ARRIVED = "arrived"
    ACKNOWLEDGED = "acknowledged"
    OPENED = "opened"
    DESTROYED = "destroyed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrived:
    """One package in the inbox; times are ISO texts, empty where there is none yet."""

    sender: str
    package: str
    party: str
    by: str
    digest: str
    size: int
    recipient_key: str
    state: InboxState
    arrived: str
    receipt: str = field(repr=False)
    acknowledged: str
    opened: str


def find(connection: sa.Connection, sender: str, package: str) -> Arrived:
    """One package of the inbox.

    Raises:
        UsageError: it is not there.
    """
    found = found_or_none(connection, sender, package)
    if found is None:
        raise unknown()
    return found


def unknown() -> UsageError:
    """There is no such package; nobody learns whose there are."""
    return UsageError(
        "inbox/unknown",
        "There is no such package in the inbox.",
        remedy="`gateway inbox list` shows what arrived.",
    )


def listed(
    connection: sa.Connection,
    *,
    party: str = "",
    package: str = "",
    limit: int | None = None,
    offset: int = 0,
) -> list[Arrived]:
    """What arrived, newest first; of one party or of one id if named."""
    query = sa.select(INBOX).order_by(INBOX.c.arrived.desc(), INBOX.c.package)
    query = query.where(INBOX.c.party == party) if party else query
    query = query.where(INBOX.c.package == package) if package else query
    return [_arrived(row) for row in connection.execute(query.limit(limit).offset(offset))]


def found_or_none(connection: sa.Connection, sender: str, package: str) -> Arrived | None:
    """One package of the inbox, or nothing."""
    own = sa.and_(INBOX.c.sender == sender, INBOX.c.package == package)
    row = connection.execute(sa.select(INBOX).where(own)).one_or_none()
    return None if row is None else _arrived(row)


def _arrived(row: Any) -> Arrived:
    return Arrived(**{**row._asdict(), "state": InboxState(row.state)})
