"""What administrators do with accounts and clients: permission, act and ledger entry in one.

The ledger names logins and client ids, which are pseudonymous, and who acted. Once there
has been a second administrator, a way in that one of them gives waits for another person.

Source: security points 1, 4, 20, 21.
"""

from __future__ import annotations

import base64
import datetime as dt

from sqlalchemy import Connection

from gateway import policy
from gateway.adapters import (
    access_desk,
    accounts,
    asked_access,
    clients,
    descriptors,
    notice_addresses,
    operators,
    policy_store,
    second_factors,
    sessions,
)
from gateway.adapters.accounts import Account, Binding
from gateway.adapters.asked_access import OF_ACCOUNTS, OF_CLIENTS, Asked, Way
from gateway.adapters.assertions import thumbprint
from gateway.adapters.clients import Client
from gateway.adapters.database import Database
from gateway.adapters.keyring_ledger import record
from gateway.adapters.passwords import Passwords, first_password
from gateway.errors import UsageError
from gateway.model.permissions import Action, authorise
from gateway.model.words import PartyRole

FIRST_PASSWORD_LIVES = dt.timedelta(days=7)


class AccountDesk:
    """An administrator's acts on the accounts and clients of one database."""

    def __init__(
        self, database: Database, *, acting: str, at: dt.datetime, passwords: Passwords
    ) -> None:
        """Act as an operator, who is asked for their role at each act."""
        self._database = database
        self._acting = acting
        self._at = at
        self._passwords = passwords

    def add(self, login: str, binding: Binding) -> str:
        """Add an account; its generated first password, which is kept nowhere.

        Raises:
            RefusedError: who acts is no administrator.
            UsageError: the login or what it is bound to does not hold.
        """
        first = first_password()
        encoded = self._passwords.hashed(first)
        with self._database.begin() as connection:
            self._allow(connection)
            _check_party(connection, binding.party)
            accounts.add(connection, login, binding, by=self._acting, at=self._at)
            self._give_first(connection, login, encoded)
            roles: list[dict[str, str]] = [{"role": role.value} for role in sorted(binding.roles)]
            for facts in roles or [{}]:
                self._record(connection, "account-added", account=login, **_whose(binding), **facts)
            self._ask(connection, Way.ACCOUNT, login, owner=login, **_whose(binding))
        return first

    def reset(self, login: str) -> str:
        """Give an account a new first password and let it set up its second factor anew.

        Raises:
            UsageError: there is no such account, or it is closed.
        """
        first = first_password()
        encoded = self._passwords.hashed(first)
        with self._database.begin() as connection:
            self._allow(connection)
            account = _open(connection, login)
            self._give_first(connection, login, encoded)
            second_factors.remove(connection, login)
            sessions.end_all(connection, login)
            self._record(connection, "account-reset", account=login, **_whose_account(account))
            self._ask(connection, Way.RESET, login, owner=login, **_whose_account(account))
        return first

    def disable(self, login: str) -> Account:
        """Close an account for good and end its sessions.

        Raises:
            UsageError: there is no such account, or it is closed.
        """
        with self._database.begin() as connection:
            self._allow(connection)
            account = _open(connection, login)
            sessions.end_all(connection, login)
            second_factors.remove(connection, login)
            accounts.disable(connection, login, at=self._at)
            notice_addresses.forget(connection, {login, account.operator})
            self._record(connection, "account-disabled", account=login, **_whose_account(account))
            return accounts.known(connection, login)

    def bind(self, login: str, *, issuer: str, subject: str) -> None:
        """Let a person of the OpenID Connect provider sign in as this account.

        Raises:
            UsageError: there is no such account, or that person has one already.
        """
        with self._database.begin() as connection:
            self._allow(connection)
            account = _open(connection, login)
            accounts.bind_subject(connection, login, issuer=issuer, subject=subject)
            self._record(connection, "account-bound", account=login, **_whose_account(account))
            mark = asked_access.subject_mark(issuer, subject)
            self._ask(connection, Way.SUBJECT, mark, owner=login, **_whose_account(account))

    def confirm(self, login: str) -> tuple[Asked, ...]:
        """Let an account be used as somebody else has asked; what waited.

        Raises:
            UsageError: there is no such open account, or nothing waits for it.
            RefusedError: it is one who asked, or the one whose account it is.
        """
        with self._database.begin() as connection:
            account = _open(connection, login)
            waiting = asked_access.waiting(connection, OF_ACCOUNTS, owner=login)
            facts = {asked.name: _whose_account(account) for asked in waiting}
            who = {"acting": self._acting, "operator": account.operator}
            access_desk.confirm(connection, waiting, facts, **who, at=self._at)
            return waiting

    def add_client(
        self, client: str, *, party: str, roles: frozenset[PartyRole], public: bytes
    ) -> Client:
        """Register a client of a party with its public key.

        Raises:
            UsageError: the id, the party, the roles or the key does not hold.
        """
        with self._database.begin() as connection:
            self._allow(connection)
            # Whose packages are believed may bring them, whatever the documents name.
            if not descriptors.of_party(connection, party):
                _check_party(connection, party)
            added = clients.add(
                connection,
                client,
                party=party,
                roles=roles,
                public=public,
                by=self._acting,
                at=self._at,
            )
            for role in sorted(roles):
                facts = {"party": party, "role": role.value, "key_digest": _key_digest(public)}
                self._record(connection, "client-added", client=client, key=client, **facts)
            digest = _key_digest(public)
            self._ask(connection, Way.KEY, added.keys[0][0], owner=client, key_digest=digest)
            return added

    def add_client_key(self, client: str, *, public: bytes) -> str:
        """Register one more key of a client; its id.

        Raises:
            UsageError: there is no such client in force, or the key is known.
        """
        with self._database.begin() as connection:
            self._allow(connection)
            _client_in_force(connection, client)
            kid = clients.add_key(connection, client, public=public, at=self._at)
            facts = {"client": client, "key": client, "key_digest": _key_digest(public)}
            self._record(connection, "client-key-added", **facts)
            self._ask(connection, Way.KEY, kid, owner=client, key_digest=_key_digest(public))
            return kid

    def confirm_client(self, client: str, *, kid: str = "") -> tuple[Asked, ...]:
        """Let the keys of a client serve that somebody else has asked for; which.

        Raises:
            UsageError: there is no such client in force, or nothing waits for it.
            RefusedError: it is one who asked.
        """
        with self._database.begin() as connection:
            keys = dict(_client_in_force(connection, client).keys)
            waiting = asked_access.waiting(connection, OF_CLIENTS, owner=client, name=kid)
            facts = {asked.name: {"key_digest": _key_digest(keys[asked.name])} for asked in waiting}
            access_desk.confirm(connection, waiting, facts, acting=self._acting, at=self._at)
            return waiting

    def revoke_client(self, client: str, *, kid: str = "") -> Client:
        """End a client, or one of its keys.

        Raises:
            UsageError: there is no such client in force, or it has no such key.
        """
        with self._database.begin() as connection:
            self._allow(connection)
            found = _client_in_force(connection, client)
            keys = dict(found.keys)
            clients.revoke(connection, client, kid=kid, at=self._at)
            if kid:
                facts = {"client": client, "key": client, "key_digest": _key_digest(keys[kid])}
                self._record(connection, "client-key-revoked", **facts)
            else:
                self._record(connection, "client-revoked", client=client, party=found.party)
            return clients.known(connection, client)

    def _allow(self, connection: Connection) -> None:
        authorise(operators.find(connection, self._acting), Action.ACCOUNT_ADD)

    def _ask(
        self, connection: Connection, way: Way, name: str, *, owner: str, **facts: str
    ) -> None:
        asked = Asked(way=way, name=name, owner=owner, asked_by=self._acting)
        access_desk.ask(connection, asked, facts, at=self._at)

    def _give_first(self, connection: Connection, login: str, encoded: str) -> None:
        until = self._at + FIRST_PASSWORD_LIVES
        accounts.set_password(connection, login, encoded, first_until=until)

    def _record(self, connection: Connection, event: str, **facts: str) -> None:
        record(connection, event, {**facts, "approver": self._acting}, at=self._at)


def _whose(binding: Binding) -> dict[str, str]:
    return {"operator": binding.operator} if binding.operator else {"party": binding.party}


def _whose_account(account: Account) -> dict[str, str]:
    return _whose(Binding(operator=account.operator, party=account.party))


def _key_digest(public: bytes) -> str:
    """The ledger's name of a public key: what its id is made of, in hex."""
    return base64.urlsafe_b64decode(thumbprint(public) + "=").hex()


def _open(connection: Connection, login: str) -> Account:
    account = accounts.known(connection, login)
    if account.disabled:
        raise UsageError(
            "accounts/disabled", "That account is closed.", remedy="Add another under a new login."
        )
    return account


def _client_in_force(connection: Connection, client: str) -> Client:
    found = clients.known(connection, client)
    if found.revoked:
        raise UsageError(
            "clients/revoked", "That client was revoked.", remedy="Add another under a new id."
        )
    return found


def _check_party(connection: Connection, party: str) -> None:
    if not party:
        return
    bundle, _faults = policy.load(policy_store.bundle(connection))
    if party not in bundle.vocabulary.parties:
        raise UsageError(
            "accounts/unknown-party",
            "The governed documents know no party of that name.",
            remedy="`policies/vocabulary.toml` lists the parties; `gateway inbox trust` makes "
            "known who sends packages to the inbox.",
        )
