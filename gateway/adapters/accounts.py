"""Accounts: who may sign in as a person, and for whom they act.

An account is bound to an operator (the council's own staff, whose roles stay in
the operators' table) or to a party of `policies/` with roles of its own. Logins
are pseudonymous ids like operators' names; no personal name is kept. Everything
is read anew at each request, so that what is taken away is gone with the next.

Source: docs/explanation/service.md, "Callers"; security points 1, 4.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field

from sqlalchemy import (
    Column,
    Connection,
    ForeignKey,
    Integer,
    LargeBinary,
    String,
    Table,
    insert,
    select,
    update,
)

from gateway.adapters import asked_access, operators
from gateway.adapters.asked_access import OF_ACCOUNTS, Way
from gateway.adapters.database import METADATA
from gateway.errors import UsageError
from gateway.model.keys import ID
from gateway.model.permissions import Owing
from gateway.model.words import PartyRole

PARTNER_ROLES = frozenset({PartyRole.UPLOADER, PartyRole.RECIPIENT})

ACCOUNTS = Table(
    "accounts",
    METADATA,
    Column("login", String(40), primary_key=True),
    # NULL where the account belongs to a party; one account for each operator.
    Column("operator", ForeignKey("operators.name"), nullable=True, unique=True),
    Column("party", String(60), nullable=False),
    Column("password", String(200), nullable=True),
    # When a generated first password ends; "" once its owner has chosen one.
    Column("first_until", String(40), nullable=False),
    Column("factor", LargeBinary, nullable=True),
    Column("factor_step", Integer, nullable=False),
    Column("disabled", String(40), nullable=False),
    Column("added", String(40), nullable=False),
    Column("added_by", String(40), nullable=False),
)
ACCOUNT_ROLES = Table(
    "account_roles",
    METADATA,
    Column("login", ForeignKey("accounts.login"), primary_key=True),
    Column("role", String(40), primary_key=True),
)
# Who an OpenID Connect provider says somebody is; nothing is ever created from it.
ACCOUNT_SUBJECTS = Table(
    "account_subjects",
    METADATA,
    Column("issuer", String(200), primary_key=True),
    Column("subject", String(200), primary_key=True),
    Column("login", ForeignKey("accounts.login"), nullable=False),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """One account and the roles that it has now.

    `operator` is "" for partners, `party` is "" for the council's own staff. `waits` says
    that a second person has not confirmed it yet.
    """

    login: str
    operator: str
    party: str
    roles: frozenset[PartyRole]
    disabled: bool
    first_until: dt.datetime | None
    has_factor: bool
    password: str | None = field(repr=False)
    owes: Owing = Owing.NOTHING
    waits: bool = False

    @property
    def admitted(self) -> bool:
        """Whether anybody may come in by it at all."""
        return not self.disabled and not self.waits

    @property
    def name(self) -> str:
        """By whom acts are done: the operator, or the account itself."""
        return self.operator or self.login


@dataclass(frozen=True, slots=True, kw_only=True)
class Binding:
    """For whom an account acts: an operator, or a party with roles."""

    operator: str = ""
    party: str = ""
    roles: frozenset[PartyRole] = frozenset()


def add(connection: Connection, login: str, binding: Binding, *, by: str, at: dt.datetime) -> None:
    """Add an account that nobody can use yet: it has no password.

    Raises:
        UsageError: the login is malformed or taken, or the binding is not whole.
    """
    _check(connection, login, binding)
    connection.execute(
        insert(ACCOUNTS).values(
            login=login,
            operator=binding.operator or None,
            party=binding.party,
            first_until="",
            factor_step=0,
            disabled="",
            added=at.isoformat(),
            added_by=by,
        )
    )
    for role in sorted(binding.roles):
        connection.execute(insert(ACCOUNT_ROLES).values(login=login, role=role.value))


def find(connection: Connection, login: str) -> Account | None:
    """Read one account, or nothing."""
    row = connection.execute(select(ACCOUNTS).where(ACCOUNTS.c.login == login)).mappings().first()
    if row is None:
        return None
    roles, owes = _standing(connection, row["login"], row["operator"])
    return Account(
        login=row["login"],
        operator=row["operator"] or "",
        party=row["party"],
        roles=roles,
        disabled=bool(row["disabled"]),
        first_until=dt.datetime.fromisoformat(row["first_until"]) if row["first_until"] else None,
        has_factor=row["factor"] is not None,
        password=row["password"],
        owes=owes,
        waits=any(asked_access.waits(connection, way, login) for way in (Way.ACCOUNT, Way.RESET)),
    )


def known(connection: Connection, login: str) -> Account:
    """Read one account that has to be there.

    Raises:
        UsageError: there is none of that login.
    """
    found = find(connection, login)
    if found is None:
        raise UsageError(
            "accounts/unknown",
            "There is no account of that login.",
            remedy="`gateway accounts list` shows them.",
        )
    return found


def listed(connection: Connection) -> tuple[Account, ...]:
    """Read every account, by login."""
    logins = connection.scalars(select(ACCOUNTS.c.login).order_by(ACCOUNTS.c.login)).all()
    return tuple(known(connection, login) for login in logins)


def set_password(
    connection: Connection, login: str, encoded: str | None, *, first_until: dt.datetime | None
) -> None:
    """Keep the hash of a password; a generated first one ends at `first_until`."""
    until = first_until.isoformat() if first_until else ""
    values = {"password": encoded, "first_until": until}
    connection.execute(update(ACCOUNTS).where(ACCOUNTS.c.login == login).values(**values))


def disable(connection: Connection, login: str, *, at: dt.datetime) -> None:
    """Close an account for good; its login is never given again."""
    connection.execute(
        update(ACCOUNTS)
        .where(ACCOUNTS.c.login == login)
        .values(disabled=at.isoformat(), password=None, factor=None, operator=None)
    )
    connection.execute(ACCOUNT_SUBJECTS.delete().where(ACCOUNT_SUBJECTS.c.login == login))
    asked_access.forget(connection, OF_ACCOUNTS, owner=login)


def bind_subject(connection: Connection, login: str, *, issuer: str, subject: str) -> None:
    """Let a person of an OpenID Connect provider in as an account.

    Raises:
        UsageError: that person is bound to an account already.
    """
    if _bound(connection, issuer, subject) is not None:
        raise UsageError(
            "accounts/subject-taken",
            "That subject of the provider is bound to an account already.",
            remedy="`gateway accounts list` shows to which.",
        )
    connection.execute(insert(ACCOUNT_SUBJECTS).values(issuer=issuer, subject=subject, login=login))


def by_subject(connection: Connection, *, issuer: str, subject: str) -> Account | None:
    """The account of a person of an OpenID Connect provider, unless the binding waits."""
    mark = asked_access.subject_mark(issuer, subject)
    if asked_access.waits(connection, Way.SUBJECT, mark):
        return None
    login = _bound(connection, issuer, subject)
    return find(connection, login) if login else None


def _bound(connection: Connection, issuer: str, subject: str) -> str | None:
    login: str | None = connection.scalar(
        select(ACCOUNT_SUBJECTS.c.login).where(
            ACCOUNT_SUBJECTS.c.issuer == issuer, ACCOUNT_SUBJECTS.c.subject == subject
        )
    )
    return login


def _standing(
    connection: Connection, login: str, operator: str | None
) -> tuple[frozenset[PartyRole], Owing]:
    """The roles of an account now, and what its operator owes."""
    if operator:
        person = operators.find(connection, operator)
        return person.role_words(), person.owes
    held = connection.scalars(select(ACCOUNT_ROLES.c.role).where(ACCOUNT_ROLES.c.login == login))
    return frozenset(PartyRole(role) for role in held), Owing.NOTHING


def _check(connection: Connection, login: str, binding: Binding) -> None:
    if not ID.fullmatch(login):
        raise UsageError(
            "accounts/malformed-login",
            "A login is written with a-z, 0-9 and hyphens, 40 at most, and names no person.",
            remedy="Choose one such as police-desk-2.",
        )
    if find(connection, login) is not None:
        raise UsageError(
            "accounts/exists",
            f"There is or was an account {login}.",
            remedy="Choose another login: one that was used is never given again.",
        )
    _check_binding(connection, binding)


def _check_binding(connection: Connection, binding: Binding) -> None:
    if bool(binding.operator) == bool(binding.party):
        raise UsageError(
            "accounts/binding",
            "An account belongs either to an operator or to a party.",
            remedy="Give --operator, or --party with --role.",
        )
    if binding.party and (not binding.roles or binding.roles - PARTNER_ROLES):
        raise UsageError(
            "accounts/role",
            "A party's account is an uploader, a recipient, or both; other roles are operators'.",
            remedy="Give --role uploader, --role recipient, or both; for staff give --operator.",
        )
    if binding.operator:
        _check_operator(connection, binding)


def _check_operator(connection: Connection, binding: Binding) -> None:
    held = operators.find(connection, binding.operator).role_words()
    if binding.roles or held & PARTNER_ROLES:
        raise UsageError(
            "accounts/operator-roles",
            "An operator's account has the operator's roles, and none of a partner.",
            remedy="Leave --role out; for a partner's account give --party.",
        )
    taken = select(ACCOUNTS.c.login).where(ACCOUNTS.c.operator == binding.operator)
    if connection.scalar(taken):
        raise UsageError(
            "accounts/operator-taken",
            f"{binding.operator} has an account already: one each.",
            remedy="`gateway accounts list` shows it; `gateway accounts reset` gives it "
            "a new first password.",
        )
