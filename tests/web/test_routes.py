"""Every route as every role and as a stranger: what the permission table says, and nothing else.

The expected outcome is derived from the table and the guard; no route is named here.

Source: security points 1, 2, 4; OWASP ASVS 5.0, V8.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from gateway.model.permissions import Action, permits
from gateway.model.words import PartyRole
from gateway.web import create_app
from gateway.web.callers import Realm
from gateway.web.desk import desk_of
from gateway.web.route_table import Route, routes_of, stated
from tests.web import office as offices
from tests.web.office import CHEAP, LOGINS, MACHINES, Machine, access_token, signed_in

ROUTES = stated()
GUARDED = [route for route in ROUTES if route.guard.action is not None]
OPEN = [route for route in ROUTES if route.guard.action is None]
SAFE = {"GET", "HEAD", "OPTIONS"}


def named(route: Route) -> str:
    return f"{route.method} {route.path}"


def address(route: Route) -> str:
    """The route's path with something in place of each of its parts."""
    return re.sub(r"<(?:[^<>:]+:)?[^<>]+>", "nothing-there", route.path)


@dataclass(frozen=True)
class Who:
    """Somebody who asks: by what roles, how they come in."""

    name: str
    roles: frozenset[PartyRole]
    realm: Realm | None


PEOPLE = [
    Who(login, frozenset({PartyRole(role.partition("-2")[0])}), Realm.PERSON)
    for role, login in LOGINS.items()
]
PROGRAMS = [Who(party, frozenset({role}), Realm.MACHINE) for party, (_, role) in MACHINES.items()]
STRANGER = Who("a stranger", frozenset(), None)


@pytest.fixture(scope="module")
def app(office_template: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    """One application for the whole walk."""
    office = offices.copied(office_template, tmp_path_factory.mktemp("walk") / "office")
    made = create_app(offices.settings_of(office), passwords=CHEAP)
    yield made
    desk_of(made).database.close()


def asks(app: Flask, who: Who, route: Route, *, with_token: bool = True) -> TestResponse:
    """Let somebody call a route."""
    path, method = address(route), route.method
    if who.realm is Realm.MACHINE:
        return Machine(app, MACHINES[who.name][0], who.name).open(path, method=method)
    if who.realm is None:
        return app.test_client().open(path, method=method)
    browser = signed_in(app, who.name)
    if not with_token:
        browser.token = ""
    return browser.open(path, method=method)


def code_of(answer: TestResponse) -> str:
    """The code of a problem, in a document or on a page."""
    if answer.mimetype == "application/problem+json":
        code: str = (answer.get_json() or {})["code"]
        return code
    found = re.search(r'class="app-code">([a-z/-]+)<', answer.get_data(as_text=True))
    return found[1] if found else ""


def is_shut_out(route: Route, answer: TestResponse) -> bool:
    """Whether somebody unknown was answered as such."""
    if answer.status_code == 303:
        return str(answer.location).startswith("/sign-in")
    return answer.status_code == 401 and code_of(answer) == "access/not-signed-in"


@pytest.mark.parametrize("route", GUARDED, ids=named)
def test_a_guarded_route_lets_in_whom_the_table_names_and_nobody_else(
    app: Flask, route: Route
) -> None:
    action = route.guard.action
    assert isinstance(action, Action)
    assert is_shut_out(route, asks(app, STRANGER, route))
    for who in [*PEOPLE, *PROGRAMS]:
        answer = asks(app, who, route)
        if who.realm not in route.guard.realms:
            assert is_shut_out(route, answer), who
        elif permits(action, who.roles):
            assert answer.status_code != 401, who
            assert code_of(answer) != "access/not-permitted", who
        else:
            assert answer.status_code == 403, who
            assert code_of(answer) == "access/not-permitted", who


@pytest.mark.parametrize("route", OPEN, ids=named)
def test_an_open_route_says_why_and_shuts_nobody_out(app: Flask, route: Route) -> None:
    assert len(route.guard.why_open) > 5
    assert asks(app, STRANGER, route).status_code < 500


@pytest.mark.parametrize(
    "route",
    [route for route in GUARDED if route.method not in SAFE and Realm.PERSON in route.guard.realms],
    ids=named,
)
def test_what_a_person_changes_needs_the_token_of_their_own_page(app: Flask, route: Route) -> None:
    action = route.guard.action
    assert action is not None
    who = next(who for who in PEOPLE if permits(action, who.roles))
    bare = asks(app, who, route, with_token=False)
    assert (bare.status_code, code_of(bare)) == (403, "access/form-expired")
    stolen = signed_in(app, who.name)
    stolen.token = signed_in(app, who.name).token
    other = stolen.open(address(route), method=route.method)
    assert code_of(other) == "access/form-expired", "a token of another session"
    cross = signed_in(app, who.name)
    elsewhere = cross.open(
        address(route), method=route.method, headers={"Sec-Fetch-Site": "cross-site"}
    )
    assert code_of(elsewhere) == "access/form-expired", "a page of another site"


@pytest.mark.parametrize(
    "route",
    [
        route
        for route in OPEN
        if route.method not in SAFE and not route.path.startswith(("/oauth/", "/api/"))
    ],
    ids=named,
)
def test_what_a_stranger_sends_needs_the_token_of_our_page_too(app: Flask, route: Route) -> None:
    bare = asks(app, STRANGER, route)
    assert (bare.status_code, code_of(bare)) == (403, "access/form-expired")


def test_every_stranger_to_the_api_gets_one_same_answer(app: Flask) -> None:
    """No token, a forged one, an ended one, a token of nobody: nothing tells them apart."""
    routes = [r for r in GUARDED if Realm.MACHINE in r.guard.realms and r.path.startswith("/api/")]
    tokens = ["", "Bearer ", "Bearer x", "Bearer " + "x" * 9000, "Basic eDp4", "bearer a.b.c"]
    good = access_token(app, "police-nightly")
    forged = [f"Bearer {good[:-4]}AAAA", f"Bearer {good} ", f"Bearer {good}, Bearer {good}"]
    bodies = set()
    for route in routes:
        answers = {stranger_with(app, route, token) for token in [*tokens, *forged]}
        assert len(answers) == 1, route
        bodies |= {body for _, body, _ in answers}
    assert len(bodies) == 1


def stranger_with(app: Flask, route: Route, token: str) -> tuple[int, bytes, str]:
    """Everything that an answer says to whoever sends this as their access token."""
    headers = {"Authorization": token} if token else {}
    answer = app.test_client().open(address(route), method=route.method, headers=headers)
    return answer.status_code, answer.data, repr(sorted(answer.headers.items()))


def test_the_walk_covers_every_route_of_the_application(app: Flask) -> None:
    walked = {(route.path, route.method) for route in ROUTES}
    there = {(route.path, route.method) for route in routes_of(app)}
    assert there - walked == {("/static/<path:filename>", "GET")}
    assert len(PEOPLE) == len(LOGINS)
    assert {role for who in PEOPLE for role in who.roles} == set(PartyRole)


def test_a_route_without_a_guard_stops_the_start(app: Flask) -> None:
    from gateway.web import guards

    bare = Flask("bare", static_folder="static")
    bare.add_url_rule("/open-door", "open_door", lambda: "come in")
    with pytest.raises(RuntimeError, match="open_door"):
        guards.install(bare)


def test_a_form_that_sends_a_file_carries_the_token_of_its_path_in_its_address(
    app: Flask,
) -> None:
    """The body of an upload is never read for a token: it would lie on the disk in the clear."""
    from gateway.web import csrf
    from gateway.web.cookies import SESSION

    browser = signed_in(app, "anna")
    cookie = browser.get_cookie(SESSION)
    assert cookie is not None
    headers = {"Cookie": f"{SESSION}={cookie.value}"}
    with app.test_request_context(headers=headers):
        good = csrf.address("/account/sessions/end")
        elsewhere = csrf.address("/account/password").partition("?")[2]
    browser.token = ""
    files = {"content_type": "multipart/form-data; boundary=x", "data": b"--x--\r\n"}
    assert browser.post(good, **files).status_code == 303
    wrong = browser.post(f"/account/sessions/end?{elsewhere}", **files)
    assert code_of(wrong) == "access/form-expired"
    no_file = browser.post(good)
    assert code_of(no_file) == "access/form-expired"


def test_cookies_are_bound_to_this_host_over_https(office_template: Any, tmp_path: Any) -> None:
    office = offices.copied(office_template, tmp_path / "office")
    settings = offices.settings_of(office, GATEWAY_PUBLIC_URL="https://gateway.council.example")
    made = create_app(settings, passwords=CHEAP)
    cookie = made.test_client().get("/sign-in").headers["Set-Cookie"]
    desk_of(made).database.close()
    assert cookie.startswith("__Host-gateway-session=")
    for part in ("Secure", "HttpOnly", "SameSite=Strict", "Path=/"):
        assert part in cookie
    assert "Domain" not in cookie


def test_an_address_in_the_clear_that_is_not_this_machine_stops_the_start(
    office_template: Any,
) -> None:
    from gateway.errors import UsageError

    settings = offices.settings_of(office_template, GATEWAY_PUBLIC_URL="http://gateway.example")
    with pytest.raises(UsageError, match="settings/address-not-https"):
        create_app(settings)
