"""A council's office as the service sees it: staff and partners with accounts, machines with keys.

Made once in a session and copied for each test. Nothing here is a stub: the data
directory is founded by `gateway init`, its staff added and its agreement approved by
the commands, and every account and client stands in the tables.
"""

from __future__ import annotations

import datetime as dt
import secrets
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from gateway.adapters import accounts, clients, second_factors, sessions
from gateway.adapters.access_tokens import assertion
from gateway.adapters.accounts import Binding
from gateway.adapters.assertions import thumbprint
from gateway.adapters.database import Database
from gateway.adapters.keyring_signing import public_of, raw_public
from gateway.adapters.passwords import Passwords
from gateway.adapters.settings import Settings, read_settings
from gateway.adapters.web_keys import open_web_keys
from gateway.model.words import PartyRole
from tests.journeys import borough
from tests.journeys.office import Office

POLICE, COUNCIL = "greater-manchester-police", "trafford-council"
RESEARCH = "ons"
ADDRESS = "http://127.0.0.1:8000"
PASSWORD = "correct-horse-battery"
# Cheap on purpose: the cost of a hash is not what most tests are about.
CHEAP = Passwords(memory_kib=64, passes=1)

# Role or party -> login. Council logins are bound to the operator of the same name.
LOGINS: Mapping[str, str] = {
    "uploader": "police-desk",
    "uploader-2": "council-desk",
    "recipient": "ons-desk",
    "analyst": "anna",
    "release-officer": "rosa",
    "editor": "edith",
    "approver": "april",
    "custodian": "kit",
    "rights-officer": "rita",
    "auditor": "aude",
    "data-protection-officer": "dora",
    "administrator": "ada",
    "practitioner": "pia",
}
PARTNERS: Mapping[str, tuple[str, PartyRole]] = {
    "police-desk": (POLICE, PartyRole.UPLOADER),
    "council-desk": (COUNCIL, PartyRole.UPLOADER),
    "ons-desk": (RESEARCH, PartyRole.RECIPIENT),
}
# Party -> (client id, role).
MACHINES: Mapping[str, tuple[str, PartyRole]] = {
    POLICE: ("police-nightly", PartyRole.UPLOADER),
    COUNCIL: ("council-nightly", PartyRole.UPLOADER),
    RESEARCH: ("ons-inbox", PartyRole.RECIPIENT),
}
MORE_STAFF = {
    "anna": "analyst",
    "aude": "auditor",
    "dora": "data-protection-officer",
    "pia": "practitioner",
}


def secret_of(name: str) -> bytes:
    """The private key of a test client, or the authenticator secret of a test account."""
    return (name.encode() * 32)[:32]


def factor_of(login: str) -> bytes:
    """What the authenticator of a test account holds."""
    return secret_of(login)[: second_factors.SECRET_BYTES]


def built(home: Path, *, database_url: str = "") -> Office:
    """A founded office whose study may be released at once, with accounts and clients."""
    office = borough.founded(home, database_url=database_url)
    with office.open():
        for name, role in MORE_STAFF.items():
            office.must("operators", "add", name, "--role", role, "--as", "ada")
        borough.permit_study(office)
    settings = settings_of(office)
    database = Database(settings.database_url)
    at = dt.datetime.now(dt.UTC)
    key = open_web_keys(settings, at=at).subkey("second-factor")
    with database.begin() as connection:
        for login in LOGINS.values():
            account(connection, login, key, at)
        for party, (client, role) in MACHINES.items():
            public = raw_public(public_of(secret_of(client)))
            roles = frozenset({role})
            clients.add(
                connection, client, party=party, roles=roles, public=public, by="ada", at=at
            )
    database.close()
    return office


def settings_of(office: Office, **more: str) -> Settings:
    """The settings of an office, as a process of its service reads them."""
    environ = {**office.environment(), "GATEWAY_PUBLIC_URL": ADDRESS, **more}
    return read_settings(office.data, environ=environ)


def copied(office: Office, home: Path) -> Office:
    """The same office elsewhere, to be changed at will."""
    shutil.copytree(office.home, home)
    return Office(home, policies=home / "policies")


def account(connection: Any, login: str, key: bytes, at: dt.datetime) -> None:
    if login in PARTNERS:
        party, role = PARTNERS[login]
        binding = Binding(party=party, roles=frozenset({role}))
    else:
        binding = Binding(operator=login)
    accounts.add(connection, login, binding, by="ada", at=at)
    accounts.set_password(connection, login, CHEAP.hashed(PASSWORD), first_until=None)
    second_factors.enrol(connection, login, factor_of(login), key=key)


class Browser(FlaskClient):
    """A signed-in browser without a window: it sends the CSRF token with what it changes."""

    token = ""
    login = ""

    def open(self, *args: Any, **kwargs: Any) -> TestResponse:
        """Ask for a page; a changing request carries the token as a header."""
        method = str(kwargs.get("method", "GET"))
        if self.token and method not in {"GET", "HEAD", "OPTIONS"}:
            headers = dict(kwargs.pop("headers", None) or {})
            kwargs["headers"] = {"X-CSRF-Token": self.token, **headers}
        return super().open(*args, **kwargs)


def signed_in(app: Flask, login: str) -> Browser:
    """A browser of somebody who has signed in just now."""
    from gateway.web import csrf
    from gateway.web.cookies import SESSION
    from gateway.web.desk import desk_of

    desk = desk_of(app)
    with desk.database.begin() as connection:
        session = sessions.begin(connection, login, sessions.Stage.WHOLE, at=desk.now())
    browser = Browser(app, TestResponse)
    browser.login = login
    browser.set_cookie(SESSION, session)
    with app.test_request_context(headers={"Cookie": f"{SESSION}={session}"}):
        browser.token = csrf.token()
    return browser


def access_token(app: Flask, client: str) -> str:
    """An access token as the service gives it to a client that has proved itself."""
    from gateway.web.desk import desk_of
    from gateway.web.signing_in import desk_of_sign_in

    tokens = desk_of_sign_in(app).tokens
    return tokens.give(client, jti=secrets.token_hex(8), at=desk_of(app).now())


@dataclass(frozen=True)
class Machine:
    """A registered program: it sends its access token with each request."""

    app: Flask
    client: str
    party: str

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {access_token(self.app, self.client)}"}

    def open(self, path: str, **kwargs: Any) -> TestResponse:
        headers = {**self.headers, **dict(kwargs.pop("headers", None) or {})}
        return self.app.test_client().open(path, headers=headers, **kwargs)

    def get(self, path: str, **kwargs: Any) -> TestResponse:
        return self.open(path, method="GET", **kwargs)

    def head(self, path: str, **kwargs: Any) -> TestResponse:
        return self.open(path, method="HEAD", **kwargs)

    def post(self, path: str, **kwargs: Any) -> TestResponse:
        return self.open(path, method="POST", **kwargs)

    def put(self, path: str, **kwargs: Any) -> TestResponse:
        return self.open(path, method="PUT", **kwargs)

    def patch(self, path: str, **kwargs: Any) -> TestResponse:
        return self.open(path, method="PATCH", **kwargs)

    def delete(self, path: str, **kwargs: Any) -> TestResponse:
        return self.open(path, method="DELETE", **kwargs)


def proof_of(client: str, *, address: str = ADDRESS) -> str:
    """A fresh assertion by which a test client proves itself at the token endpoint."""
    secret = secret_of(client)
    return assertion(
        secret,
        client=client,
        kid=thumbprint(raw_public(public_of(secret))),
        address=address,
        jti=secrets.token_hex(16),
        at=dt.datetime.now(dt.UTC),
    )


def bearer(url: str, client: str) -> dict[str, str]:
    """The headers of a test client that has proved itself at a running service."""
    form = {
        "grant_type": "client_credentials",
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "client_assertion": proof_of(client, address=url),
    }
    answer = httpx.post(f"{url}/oauth/token", data=form)
    assert answer.status_code == 200, answer.text
    return {"Authorization": f"Bearer {answer.json()['access_token']}"}


def shown_code(login: str) -> str:
    """What the authenticator of a test account shows now."""
    return second_factors.code_at(factor_of(login), dt.datetime.now(dt.UTC))
