"""Everybody who can come in to a running service, by the headers that they are known by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from gateway.web import create_app
from gateway.web.cookies import SESSION
from gateway.web.desk import desk_of
from tests.journeys.office import Office
from tests.service.serving import Service
from tests.web import office as offices


def callers(office: Office, service: Service) -> dict[str, dict[str, str]]:
    """The headers of each signed-in person by login, of a program, and of a stranger ("")."""
    app = create_app(offices.settings_of(office), passwords=offices.CHEAP)
    told: dict[str, dict[str, str]] = {"": {}}
    try:
        for login in offices.LOGINS.values():
            browser = offices.signed_in(app, login)
            cookie = browser.get_cookie(SESSION)
            assert cookie is not None
            told[login] = {"Cookie": f"{SESSION}={cookie.value}", "X-CSRF-Token": browser.token}
            told[login]["Origin"] = service.url
    finally:
        desk_of(app).database.close()
    told["machine"] = offices.bearer(service.url, offices.MACHINES[offices.COUNCIL][0])
    return told


# One client for all: making one reads every authority's certificate anew.
_CLIENT = httpx.Client(timeout=120, verify=False)


def ask(method: str, address: str, **more: Any) -> httpx.Response:
    """One request of somebody who keeps no cookie but the one that is given."""
    _CLIENT.cookies.clear()
    return _CLIENT.request(method, address, **more)


@dataclass(frozen=True)
class Person:
    """Somebody at their desk; what they ask for may break off."""

    url: str
    headers: Mapping[str, str]

    def get(self, path: str) -> httpx.Response:
        """Ask for a page."""
        return ask("GET", self.url + path, headers=self.headers)

    def post(self, path: str, form: Mapping[str, str] | None = None) -> httpx.Response:
        """Send a form."""
        return ask("POST", self.url + path, headers=self.headers, data=form or {})
