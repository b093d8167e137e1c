"""Signing in, step by step: password, then a code; each step under a fresh session id.

Unknown, wrong, closed and locked all cost one password verification and end in the
same `None`; only a network that tried too much is turned away before. A try is
counted before anything is looked at; only a sign-in that came to its end clears the
count, so that a known password gives no endless codes.

Source: OWASP ASVS 5.0, V6 and V7; NIST SP 800-63B; security points 1, 4.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field

from sqlalchemy import Connection, select, update

from gateway.adapters import accounts, second_factors, sessions, sign_in_limits
from gateway.adapters.accounts import Account
from gateway.adapters.database import Database
from gateway.adapters.passwords import Passwords, refuse_weak
from gateway.adapters.sessions import SESSIONS, Session, Stage
from gateway.adapters.web_keys import WebKeys
from gateway.errors import InputRejected
from gateway.model.keys import ID

CODE_TRIES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What a step led to: the fresh id for the cookie, and the step that comes next."""

    session_id: str = field(repr=False)
    stage: Stage
    recovery_codes: tuple[str, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Counted:
    """Whether a try is within the limits of its login and of its network."""

    login: bool
    network: bool

    @property
    def within(self) -> bool:
        return self.login and self.network


@dataclass(frozen=True, slots=True, kw_only=True)
class SignIn:
    """The steps of signing in on one database."""

    database: Database = field(repr=False)
    keys: WebKeys = field(repr=False)
    passwords: Passwords

    def password(self, login: str, password: str, *, address: str, at: dt.datetime) -> Step | None:
        """The first step: one verification, whoever asks."""
        with self.database.begin() as connection:
            account = accounts.find(connection, login) if ID.fullmatch(login) else None
            counted = self._counted(connection, login, address, at)
        if not counted.network:
            return None  # says nothing of any account, and spares the memory of a verification
        right = self.passwords.matches(_usable(account, at), password)
        if account is None or not right or not counted.login:
            return None
        fresh = self._rehashed(account, password)
        with self.database.begin() as connection:
            now = accounts.known(connection, account.login)
            if now.password != account.password:
                return None  # changed or closed while the password was being verified
            if fresh is not None:
                accounts.set_password(connection, now.login, fresh, first_until=now.first_until)
            return _begun(connection, now.login, _after_password(now), at)

    def new_password(self, session: Session, password: str, *, at: dt.datetime) -> Step:
        """Replace a generated first password.

        Raises:
            InputRejected: it is too short, too common, or the first one again.
        """
        refuse_weak(password, login=session.login)
        with self.database.read() as connection:
            account = accounts.known(connection, session.login)
        if self.passwords.matches(account.password, password):
            raise InputRejected(
                "accounts/password-again",
                "That is the password that you were given: choose one.",
                remedy="Choose another one.",
            )
        encoded = self.passwords.hashed(password)
        with self.database.begin() as connection:
            sessions.end_all(connection, session.login)
            accounts.set_password(connection, session.login, encoded, first_until=None)
            stage = Stage.CODE if account.has_factor else Stage.ENROL
            return _begun(connection, session.login, stage, at)

    def code(self, session: Session, code: str, *, address: str, at: dt.datetime) -> Step | None:
        """The second step: a code of the authenticator, or a recovery code."""
        with self.database.begin() as connection:
            counted = self._counted(connection, session.login, address, at)
            if sessions.count_try(connection, session) > CODE_TRIES:
                sessions.end(connection, session)
                return None
            if not counted.within or not self._taken(connection, session.login, code, at):
                return None
            sessions.end(connection, session)
            return self._whole(connection, session.login, at)

    def secret_to_enrol(self, session: Session) -> bytes:
        """The authenticator's secret that a session is setting up; the same until it is done."""
        here = SESSIONS.c.digest == session.digest
        with self.database.begin() as connection:
            pending: bytes | None = connection.scalar(select(SESSIONS.c.pending).where(here))
            if pending is not None:
                return second_factors.opened(pending, login=session.login, key=self._key)
            secret = second_factors.new_secret()
            kept = second_factors.sealed(secret, login=session.login, key=self._key)
            connection.execute(update(SESSIONS).where(here).values(pending=kept))
            return secret

    def enrol(self, session: Session, code: str, *, at: dt.datetime) -> Step | None:
        """Keep the authenticator if it shows the right code; its recovery codes come once."""
        secret = self.secret_to_enrol(session)
        if second_factors.step_of(secret, code, at=at) is None:
            return None
        with self.database.begin() as connection:
            codes = second_factors.enrol(connection, session.login, secret, key=self._key)
            second_factors.take_code(connection, session.login, code, key=self._key, at=at)
            sessions.end(connection, session)
            step = self._whole(connection, session.login, at)
        return Step(session_id=step.session_id, stage=step.stage, recovery_codes=codes)

    def elsewhere(self, login: str, *, at: dt.datetime) -> Step:
        """Begin the session of somebody whom the OpenID Connect provider has signed in."""
        with self.database.begin() as connection:
            return self._whole(connection, login, at)

    def proves(self, login: str, password: str, *, address: str, at: dt.datetime) -> bool:
        """Whether somebody who is signed in still knows their password; counted like a sign-in."""
        with self.database.begin() as connection:
            account = accounts.known(connection, login)
            counted = self._counted(connection, login, address, at)
        right = self.passwords.matches(_usable(account, at), password)
        return right and counted.within

    def _counted(
        self, connection: Connection, login: str, address: str, at: dt.datetime
    ) -> _Counted:
        """Count this try for the login and for the network."""
        key = self.keys.subkey("sign-in-tries")
        of_login = sign_in_limits.count(connection, sign_in_limits.account_mark(key, login), at=at)
        network = sign_in_limits.network_mark(key, address)
        of_network = sign_in_limits.count(connection, network, at=at)
        return _Counted(
            login=of_login <= sign_in_limits.PER_ACCOUNT,
            network=of_network <= sign_in_limits.PER_NETWORK,
        )

    def _taken(self, connection: Connection, login: str, code: str, at: dt.datetime) -> bool:
        if second_factors.take_code(connection, login, code, key=self._key, at=at):
            return True
        return second_factors.take_recovery_code(connection, login, code)

    def _whole(self, connection: Connection, login: str, at: dt.datetime) -> Step:
        mark = sign_in_limits.account_mark(self.keys.subkey("sign-in-tries"), login)
        sign_in_limits.forget(connection, mark)
        return _begun(connection, login, Stage.WHOLE, at)

    def _rehashed(self, account: Account, password: str) -> str | None:
        outdated = account.password is not None and self.passwords.outdated(account.password)
        return self.passwords.hashed(password) if outdated else None

    @property
    def _key(self) -> bytes:
        return self.keys.subkey("second-factor")


def _begun(connection: Connection, login: str, stage: Stage, at: dt.datetime) -> Step:
    return Step(session_id=sessions.begin(connection, login, stage, at=at), stage=stage)


def _usable(account: Account | None, at: dt.datetime) -> str | None:
    """The stored hash, unless the account is closed or waits, or its first password is over."""
    if account is None or not account.admitted:
        return None
    if account.first_until is not None and account.first_until <= at:
        return None
    return account.password


def _after_password(account: Account) -> Stage:
    if account.first_until is not None:
        return Stage.NEW_PASSWORD
    return Stage.CODE if account.has_factor else Stage.ENROL
