"""Adding an operator: the permission, the ledger entry, the account, the personal key.

Source: security points 4, 20; docs/reference/keys.md.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from sqlalchemy import Connection

from gateway.adapters import operators
from gateway.adapters.database import Database
from gateway.adapters.keyring import KeyRing
from gateway.adapters.keyring_ledger import record
from gateway.errors import RefusedError, UsageError
from gateway.model.keys import KeyKind, KeyRecord
from gateway.model.permissions import Action, Operator, authorise
from gateway.model.words import PartyRole

BOUND_TO_CONTROLLER = frozenset({PartyRole.APPROVER})


def add_operator(
    ring: KeyRing,
    database: Database,
    name: str,
    *,
    roles: Sequence[tuple[PartyRole, str]],
    acting: str,
    at: dt.datetime,
) -> Operator:
    """Add a person and their key; whoever opens the ring may, until there is an administrator.

    A key whose account was never written (a kill between the two) is taken over.
    """
    _check_roles(roles)
    ring.unlock()
    with database.begin() as connection:
        _allow(connection, acting)
        operators.add(connection, name, roles=roles, by=acting or "bootstrap", at=at)
        key = _key_of(ring, name, at)
        operators.add_key(connection, name, key_id=key.id, public=key.public, at=at)
        by = {"approver": acting} if acting else {}
        record(connection, "operator-added", {"operator": name, "key": key.id, **by}, at=at)
        for role in sorted({role for role, _ in roles}):
            facts = {"operator": name, "role": role.value, **by}
            record(connection, "role-granted", facts, at=at)
        return operators.find(connection, name)


def revoke_role(
    database: Database, name: str, role: PartyRole, *, acting: str, at: dt.datetime
) -> Operator:
    """Take a role from a person; what they signed before stays signed.

    Raises:
        RefusedError: it is the last administrator's.
    """
    with database.begin() as connection:
        authorise(operators.find(connection, acting), Action.OPERATOR_ADD)
        operators.find(connection, name)
        operators.revoke(connection, name, role)
        if not operators.anyone_may(connection, Action.OPERATOR_ADD):
            raise RefusedError(
                "operators/last-administrator",
                "Without an administrator whoever opens the key ring could add people.",
                remedy="Add another administrator first.",
            )
        facts = {"operator": name, "role": role.value, "approver": acting}
        record(connection, "role-revoked", facts, at=at)
        return operators.find(connection, name)


def _check_roles(roles: Sequence[tuple[PartyRole, str]]) -> None:
    for role, controller in roles:
        if role in BOUND_TO_CONTROLLER and not controller:
            raise UsageError(
                "operators/controller-missing",
                f"An {role} acts for one controller.",
                remedy="Name it with --controller.",
            )


def _allow(connection: Connection, acting: str) -> None:
    if acting:
        authorise(operators.find(connection, acting), Action.OPERATOR_ADD)
    elif operators.anyone_may(connection, Action.OPERATOR_ADD):
        raise UsageError(
            "operators/name-missing",
            "There is an administrator; only they add people.",
            remedy="Name them with --as.",
        )


def _key_of(ring: KeyRing, name: str, at: dt.datetime) -> KeyRecord:
    for there in ring.records():
        if (there.kind, there.owner) == (KeyKind.OPERATOR, name):
            return there
    return ring.make(KeyKind.OPERATOR, owner=name, epoch="1", at=at)
