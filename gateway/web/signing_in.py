"""How callers are known: a person by the session in a cookie, a machine by its access token.

Both are read from the tables at each request: a role, an account or a client that
was taken away is gone with the next one.

Source: docs/explanation/service.md, "Callers"; security points 4, 9; OWASP ASVS 5.0, V7.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from flask import Flask, Request, current_app, g
from werkzeug.middleware.proxy_fix import ProxyFix

from gateway.adapters import accounts, sessions
from gateway.adapters.access_tokens import TokenDesk
from gateway.adapters.accounts import Account
from gateway.adapters.oidc import Provider, provider_of
from gateway.adapters.passwords import Passwords
from gateway.adapters.sessions import Session, Stage
from gateway.adapters.settings import Settings, is_protected
from gateway.adapters.sign_in import SignIn
from gateway.adapters.web_keys import WebKeys, open_web_keys
from gateway.errors import UsageError
from gateway.web import cookies, csrf, guards
from gateway.web.callers import Caller, Realm
from gateway.web.desk import desk, desk_of

_NAME = "gateway-sign-in"
_BEARER = "bearer "


@dataclass(frozen=True, slots=True, kw_only=True)
class SignInDesk:
    """What signing in works with."""

    keys: WebKeys = field(repr=False)
    passwords: Passwords
    tokens: TokenDesk
    provider: Provider | None


def install(app: Flask, settings: Settings, *, passwords: Passwords | None = None) -> None:
    """Say how callers are known, and protect what people send.

    Args:
        app: the application; its desk is there already.
        settings: where the web's keys lie and at which address it is reached.
        passwords: the hasher; the usual one when absent.

    Raises:
        UsageError: the public address is neither https nor this machine itself.
        Unavailable: the web's keys are not safe or cannot be made.
    """
    _check_address(settings.public_url)
    keys = open_web_keys(settings, at=desk_of(app).now())
    app.extensions[_NAME] = SignInDesk(
        keys=keys,
        passwords=passwords or Passwords(),
        tokens=TokenDesk(keys=keys, address=settings.public_url),
        provider=provider_of(settings),
    )
    if settings.proxies:
        # The caller's address is what our own proxies saw, never what a caller wrote.
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=settings.proxies, x_proto=0, x_host=0)  # type: ignore[method-assign]
    guards.identify_by(app, Realm.PERSON, person)
    guards.identify_by(app, Realm.MACHINE, machine)
    csrf.install(app, keys.subkey("csrf"))
    app.jinja_env.globals["elsewhere"] = settings.oidc_issuer != ""


def desk_of_sign_in(app: Flask) -> SignInDesk:
    """The parts of an application, outside a request."""
    found: SignInDesk = app.extensions[_NAME]
    return found


def sign_in_desk() -> SignInDesk:
    """The parts of the application that answers this request."""
    found: SignInDesk = current_app.extensions[_NAME]
    return found


def sign_in_steps() -> SignIn:
    """The steps of signing in on this request's database."""
    found = sign_in_desk()
    return SignIn(database=desk().database, keys=found.keys, passwords=found.passwords)


def person(request: Request) -> Caller | None:
    """The person whose whole session the cookie names."""
    if "person" not in g:
        g.person = _person(request)
    found: Caller | None = g.person
    return found


def machine(request: Request) -> Caller | None:
    """The client that an access token was given to."""
    if "machine" not in g:
        g.machine = _machine(request)
    found: Caller | None = g.machine
    return found


def current_session(request: Request, *stages: Stage) -> Session | None:
    """The session of this request, if it is at one of these stages of signing in."""
    found = _session_and_account(request, *stages)
    return found[0] if found else None


def _session_and_account(request: Request, *stages: Stage) -> tuple[Session, Account] | None:
    session_id = cookies.read(request, cookies.SESSION)
    if session_id is None:
        return None
    with desk().database.read() as connection:
        found = sessions.find(connection, session_id, at=desk().now())
        account = accounts.find(connection, found.login) if found else None
    if found is None or found.stage not in stages or account is None:
        return None
    return (found, account) if account.admitted else None


def _person(request: Request) -> Caller | None:
    found = _session_and_account(request, Stage.WHOLE)
    if found is None:
        return None
    session, account = found
    now = desk().now()
    if now - session.seen > sessions.SEEN_EVERY:
        with desk().database.begin() as connection:
            sessions.touch(connection, session, at=now)
    return Caller(
        name=account.name,
        party=account.party,
        roles=account.roles,
        realm=Realm.PERSON,
        owes=account.owes,
    )


def _machine(request: Request) -> Caller | None:
    sent = request.headers.getlist("Authorization")
    # The scheme in any case: RFC 9110, section 11.1.
    if len(sent) != 1 or not sent[0].lower().startswith(_BEARER):
        return None
    with desk().database.read() as connection:
        client = sign_in_desk().tokens.client_of(
            connection, sent[0][len(_BEARER) :], at=desk().now()
        )
    if client is None:
        return None
    return Caller(name=client.id, party=client.party, roles=client.roles, realm=Realm.MACHINE)


def _check_address(address: str) -> None:
    if not is_protected(address):
        raise UsageError(
            "settings/address-not-https",
            "GATEWAY_PUBLIC_URL is neither https nor this machine itself; people's passwords "
            "would cross the network in the clear.",
            remedy="Set the https address at which callers reach the service.",
        )
