"""Operators: verified people, one account each, with roles and a personal key.

The table is read at each act, never cached: a revoked role ends with the next
command (security point 4). The public halves stay when a person leaves, because
what they signed has to verify as long as it is in force.

Source: security points 1, 3, 4.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from sqlalchemy import Column, Connection, ForeignKey, String, Table, insert, select

from gateway.adapters import emergency_records
from gateway.adapters.database import METADATA
from gateway.adapters.keyring_signing import verifies
from gateway.errors import UsageError
from gateway.model.keys import ID
from gateway.model.permissions import Action, Operator, permits
from gateway.model.words import PartyRole

OPERATORS = Table(
    "operators",
    METADATA,
    Column("name", String(40), primary_key=True),
    Column("added", String(40), nullable=False),
    Column("added_by", String(40), nullable=False),
)
ROLES = Table(
    "operator_roles",
    METADATA,
    Column("operator", ForeignKey("operators.name"), primary_key=True),
    Column("role", String(40), primary_key=True),
    Column("controller", String(40), primary_key=True),
)
# Roles that one administrator has asked for and a second person has not confirmed yet.
ASKED = Table(
    "operator_roles_asked",
    METADATA,
    Column("operator", ForeignKey("operators.name"), primary_key=True),
    Column("role", String(40), primary_key=True),
    Column("controller", String(40), primary_key=True),
    Column("asked_by", String(40), nullable=False),
)
KEYS = Table(
    "operator_keys",
    METADATA,
    Column("key_id", String(100), primary_key=True),
    Column("operator", ForeignKey("operators.name"), nullable=False),
    Column("public", String(80), nullable=False),
    Column("added", String(40), nullable=False),
)


def add(
    connection: Connection,
    name: str,
    *,
    roles: Iterable[tuple[PartyRole, str]],
    by: str,
    at: dt.datetime,
) -> None:
    """Add a person with roles; their key follows by `add_key`.

    Raises:
        UsageError: the name is malformed or taken.
    """
    if not ID.fullmatch(name):
        raise UsageError(
            "operators/malformed-name",
            "An operator is named with a-z, 0-9 and hyphens, 40 at most.",
            remedy="Choose such a name.",
        )
    if connection.scalar(select(OPERATORS.c.name).where(OPERATORS.c.name == name)):
        raise UsageError(
            "operators/exists",
            f"There is an operator {name} already.",
            remedy="Choose another name: one that was used is never given to somebody else. Only "
            "a role that was taken from them is given back to them so.",
        )
    connection.execute(insert(OPERATORS).values(name=name, added=at.isoformat(), added_by=by))
    give(connection, name, roles)


def give(connection: Connection, name: str, roles: Iterable[tuple[PartyRole, str]]) -> None:
    """Let a person hold roles from now on."""
    for role, controller in sorted(set(roles)):
        connection.execute(
            insert(ROLES).values(operator=name, role=role.value, controller=controller)
        )


def ask(
    connection: Connection, name: str, roles: Iterable[tuple[PartyRole, str]], *, by: str
) -> None:
    """Keep roles until a second person confirms them; they count for nothing before."""
    for role, controller in sorted(set(roles)):
        connection.execute(
            insert(ASKED).values(operator=name, role=role.value, controller=controller, asked_by=by)
        )


def asked(connection: Connection, name: str) -> tuple[tuple[PartyRole, str, str], ...]:
    """The roles that wait for a second person: role, controller, who asked."""
    rows = connection.execute(
        select(ASKED.c.role, ASKED.c.controller, ASKED.c.asked_by)
        .where(ASKED.c.operator == name)
        .order_by(ASKED.c.role, ASKED.c.controller)
    )
    return tuple((PartyRole(role), controller, by) for role, controller, by in rows)


def take_asked(connection: Connection, name: str) -> None:
    """Forget what was asked for a person, because it was confirmed or is not wanted."""
    connection.execute(ASKED.delete().where(ASKED.c.operator == name))


def add_key(
    connection: Connection, name: str, *, key_id: str, public: str, at: dt.datetime
) -> None:
    """Add the public half of a person's signing key."""
    connection.execute(
        insert(KEYS).values(key_id=key_id, operator=name, public=public, added=at.isoformat())
    )


def revoke(connection: Connection, name: str, role: PartyRole) -> None:
    """Take a role from a person, for every controller; their next act finds it gone.

    Raises:
        UsageError: they do not hold it.
    """
    held = (ROLES.c.operator == name) & (ROLES.c.role == role.value)
    if connection.execute(ROLES.delete().where(held)).rowcount == 0:
        raise UsageError(
            "operators/role-not-held",
            "That operator does not hold this role.",
            remedy="`gateway operators list` shows who holds which.",
        )


def find(connection: Connection, name: str) -> Operator:
    """Read one person and the roles they hold now.

    Raises:
        UsageError: there is no such operator.
    """
    if not connection.scalar(select(OPERATORS.c.name).where(OPERATORS.c.name == name)):
        raise UsageError(
            "operators/unknown",
            "There is no operator of that name.",
            remedy="`gateway operators list` shows them; an administrator adds one.",
        )
    return _read(connection, name)


def listed(connection: Connection) -> tuple[Operator, ...]:
    """Read every operator, by name."""
    names = connection.scalars(select(OPERATORS.c.name).order_by(OPERATORS.c.name)).all()
    return tuple(_read(connection, name) for name in names)


def anyone_may(connection: Connection, action: Action) -> bool:
    """Whether somebody holds a role that permits an act (until then, bootstrap)."""
    held = connection.scalars(select(ROLES.c.role)).all()
    return bool(permits(action, [PartyRole(role) for role in held]))


def signed_by(operator: Operator, signature: bytes, message: bytes) -> bool:
    """Whether one of a person's keys made this signature."""
    return any(verifies(public, signature, message) for _, public in operator.keys)


def _read(connection: Connection, name: str) -> Operator:
    roles = connection.execute(
        select(ROLES.c.role, ROLES.c.controller).where(ROLES.c.operator == name)
    )
    keys = connection.execute(
        select(KEYS.c.key_id, KEYS.c.public)
        .where(KEYS.c.operator == name)
        .order_by(KEYS.c.added, KEYS.c.key_id)
    )
    return Operator(
        name=name,
        roles=frozenset((PartyRole(role), controller) for role, controller in roles),
        keys=tuple((key, public) for key, public in keys),
        owes=emergency_records.owing(connection, name),
    )
