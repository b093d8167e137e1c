"""People sign in with a password and a code, and nothing about a failure tells what failed.

Source: OWASP ASVS 5.0, V6 and V7; security points 1, 4.
"""

from __future__ import annotations

import datetime as dt
import io
import re
from collections.abc import Callable

import pytest
from flask import Flask, request
from flask.testing import FlaskClient
from sqlalchemy import update
from werkzeug.test import TestResponse

from gateway.adapters import accounts, second_factors, sessions, sign_in_limits
from gateway.adapters.account_desk import AccountDesk
from gateway.adapters.accounts import ACCOUNTS, Binding
from gateway.adapters.passwords import Passwords
from gateway.adapters.settings import Settings
from gateway.adapters.sign_in_limits import PER_ACCOUNT, SIGN_IN_TRIES
from gateway.model.words import PartyRole
from gateway.web import create_app
from gateway.web.cookies import SESSION
from gateway.web.desk import desk_of
from tests.journeys.office import Office
from tests.web.office import (
    CHEAP,
    COUNCIL,
    PASSWORD,
    POLICE,
    Browser,
    factor_of,
    settings_of,
)


def code_of(login: str, *, later: int = 0) -> str:
    """What the person's authenticator shows now, or some steps later."""
    at = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=30 * later)
    return second_factors.code_at(factor_of(login), at)


def token_in(page: TestResponse) -> str:
    """The token of the forms of a page."""
    found = re.search(r'name="csrf_token" value="([0-9a-f]{64})"', page.get_data(as_text=True))
    assert found is not None
    return found[1]


def sent(browser: FlaskClient, path: str, **fields: str) -> TestResponse:
    """Open a page and send its form, as a browser does."""
    shown = browser.get(path)
    assert shown.status_code == 200, (path, shown.status_code, shown.location)
    action = path.partition("?")[0]
    return browser.post(action, data={"csrf_token": token_in(shown), **fields})


def cookie_of(browser: FlaskClient) -> str | None:
    """The session cookie that the browser holds."""
    found = browser.get_cookie(SESSION)
    return found.value if found else None


def proved(browser: FlaskClient, login: str, password: str = PASSWORD) -> TestResponse:
    """The first step."""
    return sent(browser, "/sign-in", login=login, password=password)


def test_a_password_and_a_code_sign_a_person_in(app: Flask) -> None:
    browser = app.test_client()
    step = proved(browser, "rosa")
    assert (step.status_code, step.location) == (303, "/sign-in/code?next=/")
    assert b"Signed in as" not in browser.get("/").data
    assert sent(browser, "/sign-in/code", code=code_of("rosa")).status_code == 303
    assert b"Signed in as rosa" in browser.get("/").data


def test_every_step_is_under_a_fresh_session_id(app: Flask) -> None:
    """An id that somebody planted in the browser never becomes a signed-in one."""
    browser = app.test_client()
    browser.set_cookie(SESSION, "planted-by-somebody-else-0123456789abcdef")
    proved(browser, "rosa")
    half = cookie_of(browser)
    sent(browser, "/sign-in/code", code=code_of("rosa"))
    whole = cookie_of(browser)
    assert len({"planted-by-somebody-else-0123456789abcdef", half, whole}) == 3
    for old in ("planted-by-somebody-else-0123456789abcdef", half):
        assert old is not None
        other = app.test_client()
        other.set_cookie(SESSION, old)
        assert b"Signed in as" not in other.get("/").data


def test_only_the_digest_of_a_session_id_is_stored(
    app: Flask, client_as: Callable[[str], Browser]
) -> None:
    session_id = cookie_of(client_as("analyst"))
    with desk_of(app).database.read() as connection:
        stored = [tuple(row) for row in connection.execute(sessions.SESSIONS.select())]
    assert session_id is not None
    assert session_id not in repr(stored)
    assert sessions.digest(session_id) in repr(stored)


@pytest.mark.parametrize("login", ["rosa", "nobody-here", "No Login At All", "", "police-desk"])
def test_unknown_and_wrong_get_one_same_answer(app: Flask, login: str) -> None:
    browser = app.test_client()
    answer = proved(browser, login, "wrong-horse-battery")
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert "Your login or password is not right, or there were too many tries." in page
    assert page.replace(token_in(answer), "") == wrong_page(app)


def wrong_page(app: Flask) -> str:
    """The page of a wrong password of an account that is there, without its token."""
    answer = proved(app.test_client(), "edith", "wrong-horse-battery")
    return answer.get_data(as_text=True).replace(token_in(answer), "")


class Counting(Passwords):
    """The real hasher; counts the verifications that it was asked for."""

    def __init__(self) -> None:
        super().__init__(memory_kib=64, passes=1)
        self.verifications: list[str | None] = []

    def matches(self, stored: str | None, password: str) -> bool:
        self.verifications.append(stored)
        return super().matches(stored, password)


def test_known_unknown_closed_and_locked_logins_cost_one_verification_each(
    data: Settings,
) -> None:
    counting = Counting()
    app = create_app(data, passwords=counting)
    desk = AccountDesk(
        desk_of(app).database, acting="ada", at=dt.datetime.now(dt.UTC), passwords=CHEAP
    )
    desk.disable("edith")
    for login in ("rosa", "nobody-here", "edith", "?"):
        before = len(counting.verifications)
        proved(app.test_client(), login, "wrong-horse-battery")
        assert len(counting.verifications) == before + 1, login
    for _ in range(PER_ACCOUNT + 2):
        before = len(counting.verifications)
        proved(app.test_client(), "anna", "wrong-horse-battery")
        assert len(counting.verifications) == before + 1
    desk_of(app).database.close()


def test_a_network_that_tried_too_much_costs_no_verification(data: Settings) -> None:
    """It learns about its own count only, and cannot take the memory of the process."""
    counting = Counting()
    app = create_app(data, passwords=counting)
    desk, keys = desk_of(app), app.extensions["gateway-sign-in"].keys
    mark = sign_in_limits.network_mark(keys.subkey("sign-in-tries"), "127.0.0.1")
    with desk.database.begin() as connection:
        for _ in range(sign_in_limits.PER_NETWORK):
            sign_in_limits.count(connection, mark, at=desk.now())
    for login in ("rosa", "nobody-here"):
        assert proved(app.test_client(), login).status_code == 422
    assert counting.verifications == []
    desk.database.close()


def test_too_many_tries_close_the_door_to_the_right_password_too(app: Flask) -> None:
    for _ in range(PER_ACCOUNT):
        assert proved(app.test_client(), "rosa", "wrong-horse-battery").status_code == 422
    locked = proved(app.test_client(), "rosa")
    assert locked.status_code == 422
    assert locked.get_data(as_text=True).replace(token_in(locked), "") == wrong_page(app)
    assert proved(app.test_client(), "anna").status_code == 303


def test_tries_are_forgotten_when_their_window_is_over(app: Flask) -> None:
    for _ in range(PER_ACCOUNT + 1):
        proved(app.test_client(), "rosa", "wrong-horse-battery")
    past = dt.datetime.now(dt.UTC) - dt.timedelta(seconds=1)
    with desk_of(app).database.begin() as connection:
        connection.execute(update(SIGN_IN_TRIES).values(until=past.isoformat()))
    assert proved(app.test_client(), "rosa").status_code == 303


def test_neither_a_typed_login_nor_an_address_is_kept(app: Flask) -> None:
    browser = app.test_client()
    shown = browser.get("/sign-in")
    fields = {"csrf_token": token_in(shown), "login": "my-secret-typed-here", "password": "x"}
    browser.post("/sign-in", data=fields, environ_base={"REMOTE_ADDR": "198.51.100.77"})
    with desk_of(app).database.read() as connection:
        kept = repr([tuple(row) for row in connection.execute(SIGN_IN_TRIES.select())])
    assert "my-secret" not in kept
    assert "198.51" not in kept


def test_a_network_that_tries_too_much_is_refused_and_others_are_not(app: Flask) -> None:
    key = app.extensions["gateway-sign-in"].keys.subkey("sign-in-tries")
    mark = sign_in_limits.network_mark(key, "198.51.100.7")
    desk = desk_of(app)
    with desk.database.begin() as connection:
        for _ in range(sign_in_limits.PER_NETWORK):
            sign_in_limits.count(connection, mark, at=desk.now())

    def status(address: str) -> int:
        browser = app.test_client()
        token = token_in(browser.get("/sign-in"))
        fields = {"csrf_token": token, "login": "rosa", "password": PASSWORD}
        return browser.post(
            "/sign-in", data=fields, environ_base={"REMOTE_ADDR": address}
        ).status_code

    assert status("198.51.100.200") == 422
    assert status("203.0.113.7") == 303


def test_a_code_serves_once(app: Flask) -> None:
    first, second = app.test_client(), app.test_client()
    code = code_of("rosa")
    proved(first, "rosa")
    assert sent(first, "/sign-in/code", code=code).status_code == 303
    proved(second, "rosa")
    again = sent(second, "/sign-in/code", code=code)
    assert again.status_code == 422
    assert "was used before" in again.get_data(as_text=True)


def test_an_older_code_does_not_serve_after_a_newer_one(app: Flask) -> None:
    first, second = app.test_client(), app.test_client()
    proved(first, "rosa")
    assert sent(first, "/sign-in/code", code=code_of("rosa", later=1)).status_code == 303
    proved(second, "rosa")
    assert sent(second, "/sign-in/code", code=code_of("rosa")).status_code == 422


def test_a_half_signed_in_session_ends_after_five_wrong_codes(app: Flask) -> None:
    browser = app.test_client()
    proved(browser, "rosa")
    for _ in range(5):
        assert sent(browser, "/sign-in/code", code="000000").status_code == 422
    token = token_in(browser.get("/sign-in/code"))
    over = browser.post("/sign-in/code", data={"csrf_token": token, "code": code_of("rosa")})
    assert (over.status_code, "too many wrong codes" in over.text) == (422, True)
    assert 'name="password"' in over.text
    assert b"Signed in as" not in browser.get("/").data


def test_wrong_codes_count_against_the_account(app: Flask) -> None:
    """A stolen password gives no endless codes by signing in anew."""
    for _ in range(3):
        browser = app.test_client()
        proved(browser, "rosa")
        for _ in range(3):
            if browser.get("/sign-in/code").status_code == 200:
                sent(browser, "/sign-in/code", code="000000")
    assert proved(app.test_client(), "rosa").status_code == 422


def test_a_recovery_code_serves_once_in_place_of_the_authenticator(app: Flask) -> None:
    with desk_of(app).database.begin() as connection:
        codes = second_factors.new_recovery_codes(connection, "rosa")
    typed = f"{codes[0][:8]} {codes[0][8:]}".upper()
    browser = app.test_client()
    proved(browser, "rosa")
    assert sent(browser, "/sign-in/code", code=typed).status_code == 303
    assert b"Signed in as rosa" in browser.get("/").data
    again = app.test_client()
    proved(again, "rosa")
    assert sent(again, "/sign-in/code", code=codes[0]).status_code == 422


def new_account(app: Flask) -> str:
    """A police account that was added just now; its first password."""
    desk = AccountDesk(desk_of(app).database, acting="ada", at=desk_of(app).now(), passwords=CHEAP)
    binding = Binding(party=POLICE, roles=frozenset({PartyRole.UPLOADER}))
    return desk.add("police-desk-2", binding)


def test_a_new_account_chooses_a_password_and_sets_up_its_authenticator(app: Flask) -> None:
    first = new_account(app)
    browser = app.test_client()
    assert proved(browser, "police-desk-2", first).location == "/sign-in/new-password?next=/"
    same = sent(browser, "/sign-in/new-password", password=first)
    assert same.status_code == 422
    chosen = sent(browser, "/sign-in/new-password", password="plum-otter-window")
    assert chosen.location == "/sign-in/set-up?next=/"
    page = browser.get("/sign-in/set-up").get_data(as_text=True)
    assert "<svg" in page
    assert "data:" not in page
    found = re.search(r"Key: <span[^>]*>([A-Z2-7 ]+)<", page)
    assert found is not None
    secret = secret_in(found[1])
    wrong = sent(browser, "/sign-in/set-up", code="123456")
    assert wrong.status_code == 422
    code = second_factors.code_at(secret, dt.datetime.now(dt.UTC))
    done = sent(browser, "/sign-in/set-up", code=code)
    assert done.get_data(as_text=True).count('class="app-code"') == 10
    assert b"Signed in as police-desk-2" in browser.get("/").data
    again = app.test_client()
    assert proved(again, "police-desk-2", first).status_code == 422
    assert proved(again, "police-desk-2", "plum-otter-window").status_code == 303
    replayed = sent(again, "/sign-in/code", code=code)
    assert replayed.status_code == 422, "the code that set it up serves once as well"


def secret_in(text: str) -> bytes:
    """The secret that somebody typed into an authenticator."""
    import base64

    return base64.b32decode(text.replace(" ", ""))


def test_a_first_password_ends_by_itself(app: Flask) -> None:
    first = new_account(app)
    past = (desk_of(app).now() - dt.timedelta(seconds=1)).isoformat()
    with desk_of(app).database.begin() as connection:
        connection.execute(
            update(ACCOUNTS).where(ACCOUNTS.c.login == "police-desk-2").values(first_until=past)
        )
    assert proved(app.test_client(), "police-desk-2", first).status_code == 422


@pytest.mark.parametrize(
    ("password", "code"),
    [
        ("short", "accounts/password-length"),
        ("x" * 129, "accounts/password-length"),
        ("aaaaaaaaaaaaaaaa", "accounts/password-common"),
        ("password123456", "accounts/password-common"),
        ("police-desk-2!!", "accounts/password-common"),
        ("qwertyuiop12", "accounts/password-common"),
    ],
)
def test_a_weak_password_is_refused_with_its_reason(password: str, code: str) -> None:
    from gateway.adapters.passwords import refuse_weak
    from gateway.errors import InputRejected

    with pytest.raises(InputRejected, match=code) as refused:
        refuse_weak(password, login="police-desk-2")
    assert password not in str(refused.value)


@pytest.mark.parametrize("path", ["new-password", "set-up", "code"])
def test_a_step_without_its_session_leads_to_the_beginning(app: Flask, path: str) -> None:
    answer = app.test_client().get(f"/sign-in/{path}")
    assert (answer.status_code, answer.location) == (303, "/sign-in")


def test_a_session_ends_when_it_rests_and_when_its_day_is_over(
    app: Flask, client_as: Callable[[str], Browser]
) -> None:
    desk = desk_of(app)
    for column, ago in (("seen", sessions.RESTS), ("ends", dt.timedelta(0))):
        browser = client_as("analyst")
        session_id = cookie_of(browser)
        assert session_id is not None
        assert b"Signed in as" in browser.get("/").data
        then = (desk.now() - ago).isoformat(timespec="microseconds")
        here = sessions.SESSIONS.c.digest == sessions.digest(session_id)
        with desk.database.begin() as connection:
            connection.execute(update(sessions.SESSIONS).where(here).values({column: then}))
        assert b"Signed in as" not in browser.get("/").data


def test_signing_out_ends_the_session_on_the_server(
    client_as: Callable[[str], Browser], app: Flask
) -> None:
    browser = client_as("analyst")
    kept = cookie_of(browser)
    assert browser.post("/sign-out").status_code == 303
    assert kept is not None
    thief = app.test_client()
    thief.set_cookie(SESSION, kept)
    assert b"Signed in as" not in thief.get("/").data


def test_closing_an_account_ends_its_sessions_at_once(
    client_as: Callable[[str], Browser], app: Flask
) -> None:
    browser = client_as("uploader-2")
    assert b"Signed in as" in browser.get("/").data
    AccountDesk(
        desk_of(app).database, acting="ada", at=desk_of(app).now(), passwords=CHEAP
    ).disable("council-desk")
    assert b"Signed in as" not in browser.get("/").data
    assert proved(app.test_client(), "council-desk").status_code == 422


def test_a_role_that_is_taken_away_is_gone_with_the_next_request(
    client_as: Callable[[str], Browser], app: Flask
) -> None:
    from gateway.adapters import operators

    browser = client_as("auditor")
    assert "auditor" in browser.get("/account").get_data(as_text=True)
    with desk_of(app).database.begin() as connection:
        operators.revoke(connection, "aude", PartyRole.AUDITOR)
    assert browser.get("/account").status_code == 403


def test_the_own_page_shows_the_party_and_changes_the_password(
    client_as: Callable[[str], Browser], app: Flask
) -> None:
    browser, other = client_as("uploader-2"), client_as("uploader-2")
    assert COUNCIL in browser.get("/account").get_data(as_text=True)
    wrong = browser.post("/account/password", data={"current": "no", "new": "plum-otter-window"})
    assert wrong.status_code == 422
    fields = {"current": PASSWORD, "new": "plum-otter-window"}
    assert browser.post("/account/password", data=fields).status_code == 303
    assert browser.get("/account").status_code == 200
    assert other.get("/account").status_code == 303
    assert proved(app.test_client(), "council-desk", "plum-otter-window").status_code == 303


def test_new_recovery_codes_replace_the_old_ones(
    client_as: Callable[[str], Browser], app: Flask
) -> None:
    with desk_of(app).database.begin() as connection:
        old = second_factors.new_recovery_codes(connection, "anna")
    page = client_as("analyst").post("/account/recovery-codes", data={"current": PASSWORD})
    assert page.get_data(as_text=True).count('class="app-code"') == 10
    with desk_of(app).database.begin() as connection:
        assert not second_factors.take_recovery_code(connection, "anna", old[0])


def test_another_authenticator_replaces_the_old_one_only_when_it_has_shown_a_code(
    client_as: Callable[[str], Browser], app: Flask
) -> None:
    browser = client_as("analyst")
    begun = browser.post("/account/authenticator", data={"current": PASSWORD})
    assert begun.location == "/sign-in/set-up?next=/account"
    other = app.test_client()
    proved(other, "anna")
    assert sent(other, "/sign-in/code", code=code_of("anna")).status_code == 303


@pytest.mark.parametrize(
    "goal",
    [
        "//evil.example/",
        "/\\evil.example",
        "https://evil.example/",
        "/%0d%0aX: y",
        "",
        "javascript:",
    ],
)
def test_signing_in_leads_only_to_own_pages(app: Flask, goal: str) -> None:
    browser = app.test_client()
    shown = browser.get("/sign-in", query_string={"next": goal})
    fields = {"csrf_token": token_in(shown), "login": "rosa", "password": PASSWORD, "next": goal}
    step = browser.post("/sign-in", data=fields)
    location = step.location or ""
    assert location.startswith("/sign-in/code?next=/")
    assert "evil" not in location
    assert "\r" not in location


def test_somebody_who_wanted_a_page_comes_to_it(app: Flask) -> None:
    browser = app.test_client()
    stopped = browser.get("/account")
    assert (stopped.status_code, stopped.location) == (303, "/sign-in?next=%2Faccount")
    page = browser.get(stopped.location)
    fields = {"login": "rosa", "password": PASSWORD, "next": "/account"}
    step = browser.post("/sign-in", data={"csrf_token": token_in(page), **fields})
    code = browser.get(step.location)
    last = {"csrf_token": token_in(code), "code": code_of("rosa"), "next": "/account"}
    assert browser.post("/sign-in/code", data=last).location == "/account"


def test_a_disabled_operator_binding_leaves_no_roles(app: Flask) -> None:
    database = desk_of(app).database
    AccountDesk(database, acting="ada", at=desk_of(app).now(), passwords=CHEAP).disable("edith")
    with database.read() as connection:
        assert accounts.known(connection, "edith").roles == frozenset()


ODD = ["\x00", "\ud800", "\u202e" * 40, "'; DROP TABLE accounts; --", "{{7*7}}", "x" * 20_000, "1"]


@pytest.mark.parametrize("odd", ODD, ids=range(len(ODD)))
def test_whatever_is_typed_the_answer_is_the_same_page(app: Flask, odd: str) -> None:
    typed = odd.encode("utf-8", "surrogatepass").decode("latin-1")
    browser = app.test_client()
    answer = proved(browser, typed, typed)
    assert answer.status_code == 422
    assert answer.get_data(as_text=True).replace(token_in(answer), "") == wrong_page(app)
    proved(browser, "rosa")
    assert sent(browser, "/sign-in/code", code=typed).status_code == 422


@pytest.mark.parametrize("cookie", ["", "x", "x" * 5000, "\u00e9" * 30, "a b" * 10, "' OR 1=1"])
def test_whatever_stands_in_the_cookie_nobody_is_signed_in(app: Flask, cookie: str) -> None:
    header = f"{SESSION}={cookie}".encode().decode("latin-1")
    answer = app.test_client().get("/account", environ_overrides={"HTTP_COOKIE": header})
    assert answer.status_code == 303


def test_a_stranger_cannot_fill_the_disk_through_a_form(app: Flask) -> None:
    browser = app.test_client()
    token = token_in(browser.get("/sign-in"))
    form = {"csrf_token": token, "login": "rosa", "password": "x" * 100_000}
    assert browser.post("/sign-in", data=form).status_code == 413
    file = {"login": (io.BytesIO(b"x" * 100_000), "file.csv")}
    headers = {"X-CSRF-Token": token}
    assert browser.post("/sign-in", data=file, headers=headers).status_code == 413


def test_behind_a_proxy_the_address_is_what_the_proxy_saw(office: Office) -> None:
    """What a caller writes into the header stands further left and counts for nothing."""
    app = create_app(settings_of(office, GATEWAY_PROXIES="1"), passwords=CHEAP)
    seen = []
    app.before_request(lambda: seen.append(request.remote_addr))
    headers = {"X-Forwarded-For": "203.0.113.66, 198.51.100.7"}
    app.test_client().get("/", headers=headers)
    desk_of(app).database.close()
    assert seen == ["198.51.100.7"]


def test_without_a_proxy_nobody_is_believed_about_their_address(app: Flask) -> None:
    seen = []
    app.before_request(lambda: seen.append(request.remote_addr))
    app.test_client().get("/", headers={"X-Forwarded-For": "198.51.100.7"})
    assert seen == ["127.0.0.1"]
