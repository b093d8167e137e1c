"""The books of custody: orders of destruction, copies given away, acceptances, grants.

Everything is written in the transaction of its ledger entry.

Source: docs/reference/keys.md, "Grants"; docs/how-to/rotate-and-destroy-keys.md, "Destroy";
security point 20.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from sqlalchemy import Column, Connection, String, Table, insert, select

from gateway.adapters import keyring_grants as grants
from gateway.adapters import operators, policy_store
from gateway.adapters.database import METADATA, Database
from gateway.adapters.keyring import KeyRing
from gateway.adapters.keyring_ledger import record
from gateway.errors import RefusedError
from gateway.model.keys import Destruction, KeyKind, KeyRecord
from gateway.model.permissions import Action, Operator
from gateway.workflows.ports_keys import Books, CustodyDesk

COPIES = Table(
    "key_copies",
    METADATA,
    Column("key", String(100), primary_key=True),
    Column("party", String(100), primary_key=True),
    Column("offered", String(40), nullable=False),
)
ACCEPTANCES = Table(
    "key_acceptances",
    METADATA,
    Column("key", String(100), primary_key=True),
    Column("accepted_by", String(40), nullable=False),
    Column("accepted", String(40), nullable=False),
)


class SqlBooks:
    """The books over one open transaction."""

    def __init__(self, connection: Connection, ring: KeyRing, *, at: dt.datetime) -> None:
        """Write into this transaction, at this time."""
        self._connection = connection
        self._ring = ring
        self._at = at

    def operator(self, name: str) -> Operator:
        """Read an operator as of now."""
        return operators.find(self._connection, name)

    def anyone_may(self, action: Action) -> bool:
        """Whether anybody holds a role for this act."""
        return operators.anyone_may(self._connection, action)

    def record(self, event: str, facts: Mapping[str, str | int]) -> None:
        """Append one ledger entry."""
        record(self._connection, event, facts, at=self._at)

    def destroyed(self, key: str) -> bool:
        """Whether destruction of a key of this id was ever ordered."""
        found = select(grants.DESTRUCTIONS.c.key).where(grants.DESTRUCTIONS.c.key == key)
        return self._connection.scalar(found) is not None

    def destruction(self, key: str) -> Destruction | None:
        """Read the order to destroy a key."""
        found = select(grants.DESTRUCTIONS).where(grants.DESTRUCTIONS.c.key == key)
        row = self._connection.execute(found).one_or_none()
        if row is None:
            return None
        ordered = dt.datetime.fromisoformat(row.ordered)
        return Destruction(key=key, kind=KeyKind(row.kind), by=row.ordered_by, ordered=ordered)

    def order_destruction(self, record: KeyRecord, by: str) -> None:
        """Note that a key is to be destroyed."""
        self._connection.execute(
            insert(grants.DESTRUCTIONS).values(
                key=record.id, kind=record.kind.value, ordered=self._at.isoformat(), ordered_by=by
            )
        )

    def offered(self, key: str, party: str) -> None:
        """Note who received a copy; a second offer to the same party is the same copy."""
        if party not in self.holders(key):
            self._connection.execute(
                insert(COPIES).values(key=key, party=party, offered=self._at.isoformat())
            )

    def holders(self, key: str) -> tuple[str, ...]:
        """List who else received a copy."""
        found = select(COPIES.c.party).where(COPIES.c.key == key).order_by(COPIES.c.party)
        return tuple(self._connection.scalars(found).all())

    def accepted_by(self, key: str) -> str:
        """Say who accepted a key."""
        found = select(ACCEPTANCES.c.accepted_by).where(ACCEPTANCES.c.key == key)
        return self._connection.scalar(found) or ""

    def note_acceptance(self, key: str, by: str) -> None:
        """Note who accepted a key; an interrupted acceptance is simply repeated."""
        self._connection.execute(ACCEPTANCES.delete().where(ACCEPTANCES.c.key == key))
        self._connection.execute(
            insert(ACCEPTANCES).values(key=key, accepted_by=by, accepted=self._at.isoformat())
        )

    def acted_on_policy(self, policy_digest: str) -> frozenset[str]:
        """Say who proposed or approved this policy digest."""
        return policy_store.actors(self._connection, policy_digest)

    def add_grant(
        self, key: str, purpose: str, policy_digest: str, until: dt.date, by: str
    ) -> None:
        """Sign and keep a grant."""
        grant = grants.Grant(
            key=key, purpose=purpose, policy_digest=policy_digest, until=until, granted_by=by
        )
        signature = self._ring.sign_as(by, grant.message())
        grants.add(self._connection, grant, signature=signature, at=self._at)


def custody_desk(ring: KeyRing, database: Database, *, acting: str, at: dt.datetime) -> CustodyDesk:
    """Put together what the custody workflow works with."""

    @contextmanager
    def books() -> Iterator[Books]:
        with database.begin() as connection:
            yield SqlBooks(connection, ring, at=at)

    return CustodyDesk(ring=ring, books=books, acting=acting, at=at)


def unfinished(connection: Connection, ring: KeyRing) -> tuple[str, ...]:
    """List keys whose destruction was ordered and whose files are still there."""
    ordered = set(connection.scalars(select(grants.DESTRUCTIONS.c.key)).all())
    return tuple(record.id for record in ring.records() if record.id in ordered)


def record_use(
    connection: Connection,
    grant: grants.Grant,
    *,
    kind: str,
    count: int,
    operator: str,
    at: dt.datetime,
    release: str = "",
) -> None:
    """Record that a key was used under a grant: who, for what, how often.

    Raises:
        RefusedError: the user is the custodian who granted it (security point 3).
    """
    require_apart(grant, operator)
    facts: dict[str, str | int] = {
        "key": grant.key,
        "kind": kind,
        "purpose": grant.purpose,
        "policy_digest": grant.policy_digest,
        "count": count,
        "operator": operator,
    }
    record(connection, "key-used", {**facts, "release": release} if release else facts, at=at)


def require_apart(grant: grants.Grant, operator: str) -> None:
    """Refuse a use by the custodian who granted it (security point 3).

    Raises:
        RefusedError: it is the same person.
    """
    if operator == grant.granted_by:
        raise RefusedError(
            "operators/same-person",
            f"Whoever granted {grant.key} may not run the release that uses it.",
            remedy="Ask another release officer.",
            key=grant.key,
        )
