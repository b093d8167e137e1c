"""Adding an operator: the permission, the ledger entry, the account, the personal key.

Source: security points 4, 20; docs/reference/keys.md.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from sqlalchemy import Connection

from gateway.adapters import ledger_store, operators
from gateway.adapters.database import Database
from gateway.adapters.keyring import KeyRing
from gateway.adapters.keyring_ledger import record
from gateway.errors import RefusedError, UsageError
from gateway.model.keys import KeyKind, KeyRecord
from gateway.model.permissions import Action, Operator, authorise
from gateway.model.words import PartyRole

# Nobody can be a second pair of eyes before there are two.
FIRST_ADMINISTRATORS = 2
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

    Their roles count at once as long as there has only been one administrator; from the
    second on they wait until another person has confirmed them. A key whose account was
    never written (a kill between the two) is taken over. Whoever is there already is given
    back what was taken from them, by the same rule and with the key they have.
    """
    _check_roles(roles)
    ring.unlock()
    with database.begin() as connection:
        _allow(connection, acting)
        alone = one_is_enough(connection)
        by = {"approver": acting} if acting else {}
        if not _were_taken(connection, name, roles):
            operators.add(connection, name, roles=(), by=acting or "bootstrap", at=at)
            key = _key_of(ring, name, at)
            operators.add_key(connection, name, key_id=key.id, public=key.public, at=at)
            record(connection, "operator-added", {"operator": name, "key": key.id, **by}, at=at)
        if alone:
            operators.give(connection, name, roles)
        else:
            operators.ask(connection, name, roles, by=acting)
        for role in sorted({role for role, _ in roles}):
            facts = {"operator": name, "role": role.value, **by}
            record(connection, "role-granted" if alone else "role-asked", facts, at=at)
        return operators.find(connection, name)


def confirm_roles(database: Database, name: str, *, acting: str, at: dt.datetime) -> Operator:
    """Let the roles count that somebody else has asked for (security point 4).

    Raises:
        UsageError: nothing waits for this person.
        RefusedError: it is the one who asked, or the one who would hold them.
    """
    with database.begin() as connection:
        authorise(operators.find(connection, acting), Action.OPERATOR_CONFIRM)
        operators.find(connection, name)
        waiting = operators.asked(connection, name)
        if not waiting:
            raise UsageError(
                "operators/nothing-asked",
                "No role waits for this person.",
                remedy="`gateway operators list` shows what waits.",
            )
        if acting == name or acting in {by for _, _, by in waiting}:
            raise RefusedError(
                "operators/same-person",
                "Granting a role takes two people, neither of them the one who gets it.",
                remedy="Ask another administrator, an auditor or a custodian.",
            )
        operators.take_asked(connection, name)
        operators.give(connection, name, [(role, controller) for role, controller, _ in waiting])
        for role in sorted({role for role, _, _ in waiting}):
            facts = {"operator": name, "role": role.value, "approver": acting}
            record(connection, "role-granted", facts, at=at)
        return operators.find(connection, name)


def administrators_ever(connection: Connection) -> frozenset[str]:
    """Everybody who has ever been an administrator, by the ledger's word."""
    granted = (entry for _, entry in ledger_store.entries(connection, event="role-granted"))
    administrator = PartyRole.ADMINISTRATOR.value
    return frozenset(
        str(entry.facts["operator"]) for entry in granted if entry.facts["role"] == administrator
    )


def one_is_enough(connection: Connection) -> bool:
    """Whether one administrator grants alone, because there has only ever been one."""
    return len(administrators_ever(connection)) < FIRST_ADMINISTRATORS


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


def _were_taken(connection: Connection, name: str, roles: Sequence[tuple[PartyRole, str]]) -> bool:
    """Whether each of these roles was taken from this person, who neither has nor awaits it."""
    told = (entry for _, entry in ledger_store.entries(connection, event="role-revoked"))
    taken = {entry.facts["role"] for entry in told if entry.facts["operator"] == name}
    if not {role.value for role, _ in roles} <= taken:
        return False
    held = {role for role, _ in operators.find(connection, name).roles}
    waiting = {role for role, _, _ in operators.asked(connection, name)}
    return not {role for role, _ in roles} & (held | waiting)


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
