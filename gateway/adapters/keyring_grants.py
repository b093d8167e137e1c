"""Grants: a key is used for a purpose, under one policy digest, until a day, or not at all.

Whoever opens the ring can unwrap a key; a release may use it only under a grant
that a custodian signed for exactly that purpose and policy. A changed policy has
another digest, so its grant is asked for again.

Source: security point 7; docs/reference/keys.md, "Grants".
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import Column, Connection, Integer, String, Table, insert, select

from gateway.adapters import operators
from gateway.adapters.database import METADATA
from gateway.errors import RefusedError

GRANTS = Table(
    "key_grants",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("key", String(100), nullable=False, index=True),
    Column("purpose", String(100), nullable=False),
    Column("policy_digest", String(64), nullable=False),
    Column("until", String(10), nullable=False),
    Column("granted_by", String(40), nullable=False),
    Column("granted", String(40), nullable=False),
    Column("signature", String(128), nullable=False),
)
# A key whose destruction was ordered is used no more, its file there or not.
DESTRUCTIONS = Table(
    "key_destructions",
    METADATA,
    Column("key", String(100), primary_key=True),
    Column("kind", String(40), nullable=False),
    Column("ordered", String(40), nullable=False),
    Column("ordered_by", String(40), nullable=False),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """Leave to use one key; `until` is the last day of it."""

    key: str
    purpose: str
    policy_digest: str
    until: dt.date
    granted_by: str

    def message(self) -> bytes:
        """Write what the custodian signs."""
        parts = (self.key, self.purpose, self.policy_digest, str(self.until), self.granted_by)
        return "\n".join(("gateway-key-grant/1", *parts)).encode("utf-8")


def add(connection: Connection, grant: Grant, *, signature: bytes, at: dt.datetime) -> None:
    """Keep a signed grant."""
    connection.execute(
        insert(GRANTS).values(
            key=grant.key,
            purpose=grant.purpose,
            policy_digest=grant.policy_digest,
            until=grant.until.isoformat(),
            granted_by=grant.granted_by,
            granted=at.isoformat(),
            signature=signature.hex(),
        )
    )


def listed(connection: Connection, key: str) -> tuple[Grant, ...]:
    """List the grants of a key whose signatures verify, oldest first."""
    rows = connection.execute(select(GRANTS).where(GRANTS.c.key == key).order_by(GRANTS.c.id))
    found = []
    for row in rows.mappings().all():
        grant = Grant(
            key=row["key"],
            purpose=row["purpose"],
            policy_digest=row["policy_digest"],
            until=dt.date.fromisoformat(row["until"]),
            granted_by=row["granted_by"],
        )
        signer = operators.find(connection, grant.granted_by)
        if operators.signed_by(signer, bytes.fromhex(row["signature"]), grant.message()):
            found.append(grant)
    return tuple(found)


def require(
    connection: Connection, key_id: str, *, purpose: str, policy_digest: str, on: dt.date
) -> Grant:
    """Find the grant that lets a key be used today for a purpose under a policy.

    Raises:
        RefusedError: `keys/no-grant`: there is none, or its last day is past;
            `keys/destroyed`: its destruction was ordered.
    """
    if connection.scalar(select(DESTRUCTIONS.c.key).where(DESTRUCTIONS.c.key == key_id)):
        raise RefusedError(
            "keys/destroyed",
            f"{key_id} was destroyed here.",
            key=key_id,
            remedy="Make the key of the next epoch and have it granted.",
        )
    fitting = [
        grant
        for grant in listed(connection, key_id)
        if (grant.purpose, grant.policy_digest) == (purpose, policy_digest)
    ]
    for grant in fitting:
        if on <= grant.until:
            return grant
    ended = max((grant.until for grant in fitting), default=None)
    raise RefusedError(
        "keys/no-grant",
        f"{key_id} may not be used for {purpose} under this policy"
        + (f": its grant ended on {ended}." if ended else "."),
        remedy=f"A custodian runs `gateway keys grant {key_id} --purpose {purpose} "
        f"--policy {policy_digest} --until DATE --as NAME`.",
        key=key_id,
        purpose=purpose,
    )
