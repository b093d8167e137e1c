"""Staff sign in at the council's own provider, only as the account that was bound to them.

Source: OpenID Connect Core 1.0; RFC 7636; RFC 9700.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from gateway.adapters import oidc
from gateway.adapters.account_desk import AccountDesk
from gateway.errors import UsageError
from gateway.web import create_app
from gateway.web.cookies import ELSEWHERE, SESSION
from gateway.web.desk import desk_of
from tests.journeys.office import Office
from tests.web import office as offices
from tests.web.office import CHEAP
from tests.web.provider import CLIENT_ID, CLIENT_SECRET, TestProvider, running


@pytest.fixture
def provider() -> Iterator[TestProvider]:
    with running() as started:
        yield started


@pytest.fixture
def app(office: Office, provider: TestProvider, tmp_path: Path) -> Iterator[Flask]:
    """The application with this provider, and ada bound to its subject."""
    secret = tmp_path / "client-secret"
    secret.write_text(CLIENT_SECRET + "\n")
    secret.chmod(0o400)
    settings = offices.settings_of(
        office,
        GATEWAY_OIDC_ISSUER=provider.issuer,
        GATEWAY_OIDC_CLIENT_ID=CLIENT_ID,
        GATEWAY_OIDC_CLIENT_SECRET_FILE=str(secret),
    )
    made = create_app(settings, passwords=CHEAP)
    accounts(made).bind("ada", issuer=provider.issuer, subject=provider.subject)
    yield made
    desk_of(made).database.close()


def accounts(app: Flask) -> AccountDesk:
    desk = desk_of(app)
    return AccountDesk(desk.database, acting="ada", at=desk.now(), passwords=CHEAP)


def sent_away(browser: FlaskClient, goal: str = "/account") -> str:
    """Where the provider sends the browser back to, with its answer."""
    begun = browser.get("/sign-in/elsewhere", query_string={"next": goal})
    assert begun.status_code == 303
    back = httpx.get(str(begun.location)).headers["location"]
    assert back.startswith(offices.ADDRESS + oidc.BACK)
    return str(back.removeprefix(offices.ADDRESS))


def signed_in(browser: FlaskClient) -> bool:
    return b"Signed in as" in browser.get("/").data


def refused(answer: TestResponse, browser: FlaskClient) -> bool:
    page = answer.get_data(as_text=True)
    told = answer.status_code == 422 and "You could not be signed in" in page
    return told and not signed_in(browser)


def test_a_bound_person_comes_in_and_to_the_page_they_wanted(app: Flask) -> None:
    browser = app.test_client()
    answer = browser.get(sent_away(browser))
    page = answer.get_data(as_text=True)
    assert answer.status_code == 200
    assert '<meta http-equiv="refresh" content="0; url=/account">' in page
    assert b"Signed in as ada" in browser.get("/").data


def test_the_cookie_that_crosses_sites_is_lax_and_of_one_use(app: Flask) -> None:
    browser = app.test_client()
    begun = browser.get("/sign-in/elsewhere")
    lax = next(c for c in begun.headers.getlist("Set-Cookie") if c.startswith(ELSEWHERE))
    assert "SameSite=Lax" in lax
    assert "HttpOnly" in lax
    back = sent_away(browser)
    answer = browser.get(back)
    strict = next(c for c in answer.headers.getlist("Set-Cookie") if c.startswith(SESSION))
    assert "SameSite=Strict" in strict
    assert browser.get_cookie(ELSEWHERE) is None


def test_an_answer_serves_once_and_in_the_browser_that_asked(app: Flask) -> None:
    asking, thief = app.test_client(), app.test_client()
    back = sent_away(asking)
    assert refused(thief.get(back), thief)
    assert asking.get(back).status_code == 200
    again = app.test_client()
    assert refused(again.get(back), again)


def test_somebody_whom_nobody_bound_stays_outside(app: Flask, provider: TestProvider) -> None:
    provider.subject = "somebody-else"
    browser = app.test_client()
    assert refused(browser.get(sent_away(browser)), browser)


def test_a_binding_that_waits_for_a_second_person_lets_nobody_in(
    app: Flask, office: Office, provider: TestProvider
) -> None:
    office.must("operators", "add", "bea", "--role", "administrator", "--as", "ada")
    provider.subject = "somebody-else"
    accounts(app).bind("rosa", issuer=provider.issuer, subject="somebody-else")
    browser = app.test_client()
    assert refused(browser.get(sent_away(browser)), browser)
    office.must("accounts", "confirm", "rosa", "--as", "bea")
    browser.get(sent_away(browser))
    assert signed_in(browser)
    accounts(app).reset("rosa")
    browser = app.test_client()
    assert refused(browser.get(sent_away(browser)), browser)


def test_a_closed_account_stays_outside(app: Flask) -> None:
    accounts(app).disable("ada")
    browser = app.test_client()
    assert refused(browser.get(sent_away(browser)), browser)


@pytest.mark.parametrize(
    "fault",
    [
        "state",
        "audience",
        "nonce",
        "expired",
        "token issuer",
        "subject",
        "parties",
        "key",
        "unsigned",
    ],
)
def test_an_answer_with_one_fault_lets_nobody_in(
    app: Flask, provider: TestProvider, fault: str
) -> None:
    provider.fault = fault
    browser = app.test_client()
    assert refused(browser.get(sent_away(browser)), browser)


def test_a_code_that_the_provider_does_not_know_lets_nobody_in(
    app: Flask, provider: TestProvider
) -> None:
    browser = app.test_client()
    back = sent_away(browser)
    provider.codes.clear()
    assert refused(browser.get(back), browser)


def test_a_provider_that_says_it_is_another_is_not_used(app: Flask, provider: TestProvider) -> None:
    provider.fault = "issuer"
    answer = app.test_client().get("/sign-in/elsewhere")
    assert answer.status_code == 503
    assert "accounts/provider" in answer.get_data(as_text=True)


def test_without_a_provider_there_is_no_such_way_in(data: object, office: Office) -> None:
    app = create_app(offices.settings_of(office), passwords=CHEAP)
    browser = app.test_client()
    assert browser.get("/sign-in/elsewhere").status_code == 404
    assert b"council account" not in browser.get("/sign-in").data
    desk_of(app).database.close()


def test_with_a_provider_the_sign_in_page_offers_it(app: Flask) -> None:
    assert b"Sign in with your council account" in app.test_client().get("/sign-in").data


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"GATEWAY_OIDC_ISSUER": "https://id.example"}, "settings/provider-in-part"),
        (
            {
                "GATEWAY_OIDC_ISSUER": "http://id.example",
                "GATEWAY_OIDC_CLIENT_ID": "x",
                "GATEWAY_OIDC_CLIENT_SECRET_FILE": "x",
            },
            "settings/provider-not-https",
        ),
    ],
)
def test_a_provider_that_is_half_set_stops_the_start(
    office_template: Office, more: dict[str, str], code: str
) -> None:
    with pytest.raises(UsageError, match=code):
        oidc.provider_of(offices.settings_of(office_template, **more))


def test_one_subject_is_bound_to_one_account(app: Flask, provider: TestProvider) -> None:
    with pytest.raises(UsageError, match="accounts/subject-taken"):
        accounts(app).bind("rosa", issuer=provider.issuer, subject=provider.subject)
