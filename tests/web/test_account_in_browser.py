"""Somebody's first sign-in in a real browser, by keyboard alone, with and without JavaScript.

Source: WCAG 2.2 AA; GOV.UK Design System, "Passwords".
"""

from __future__ import annotations

import base64
import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest

from gateway.adapters import second_factors
from tests.journeys.browsing import Visitor, chromium, visiting
from tests.journeys.office import Office
from tests.web import office as offices
from tests.web.office import POLICE
from tests.web.served import serving

CHOSEN = "plum-otter-window"


@pytest.fixture(scope="module")
def office(office_template: Office, tmp_path_factory: pytest.TempPathFactory) -> Office:
    return offices.copied(office_template, tmp_path_factory.mktemp("browser") / "office")


@pytest.fixture(scope="module")
def url(office: Office) -> Iterator[str]:
    with serving(office) as served:
        yield served.url


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as found:
        yield found


def typed(visitor: Visitor, field: str, text: str) -> None:
    """Fill a field and send its form, with the keyboard alone."""
    visitor.page.focus(f"#{field}")
    visitor.page.keyboard.type(text)
    with visitor.page.expect_navigation():
        visitor.page.keyboard.press("Enter")


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no-scripts"])
def test_a_first_sign_in_leads_to_a_password_an_authenticator_and_recovery_codes(
    office: Office, url: str, browser: Any, scripts: bool
) -> None:
    login = "police-first" if scripts else "police-plain"
    words = ("accounts", "add", login, "--party", POLICE, "--role", "uploader", "--as", "ada")
    first = office.ask(*words)["first_password"]
    with visiting(browser, url, scripts=scripts) as visitor:
        visitor.go("/account")
        assert visitor.heading() == "Sign in"
        visitor.page.fill("#login", login)
        typed(visitor, "password", "not-the-password")
        assert "There is a problem" in visitor.text()
        visitor.picture("account-wrong")
        visitor.page.fill("#login", login)
        typed(visitor, "password", first)
        visitor.picture("account-new-password")
        typed(visitor, "password", "password123456")
        assert "among those that are tried first" in visitor.text()
        visitor.check("account-weak")
        typed(visitor, "password", CHOSEN)
        assert visitor.heading() == "Set up your authenticator"
        visitor.picture("account-set-up")
        secret = base64.b32decode(visitor.page.inner_text("main .app-code").replace(" ", ""))
        typed(visitor, "code", second_factors.code_at(secret, dt.datetime.now(dt.UTC)))
        assert visitor.heading() == "Your recovery codes"
        visitor.picture("account-recovery")
        assert visitor.page.locator("main .app-code").count() == 10
        visitor.page.click("main >> text=I have kept them")
        assert visitor.heading() == "Your account"
        visitor.picture("account-own")
        visitor.page.click("text=Sign out")
        assert "Signed in as" not in visitor.text()
        visitor.check("account-signed-out")


def test_the_picture_says_what_the_key_says(office: Office, url: str, browser: Any) -> None:
    """Read back from the drawing: its modules are those of the address of this very key."""
    import segno

    words = ("accounts", "add", "police-scan", "--party", POLICE, "--role", "uploader")
    first = office.ask(*words, "--as", "ada")["first_password"]
    with visiting(browser, url) as visitor:
        visitor.go("/sign-in")
        visitor.page.fill("#login", "police-scan")
        typed(visitor, "password", first)
        typed(visitor, "password", CHOSEN)
        secret = base64.b32decode(visitor.page.inner_text("main .app-code").replace(" ", ""))
        drawn = visitor.page.inner_html("main [role=img]")
    service = "Stronger Families data gateway"
    uri = second_factors.provisioning_uri(secret, login="police-scan", service=service)
    expected = segno.make(uri, error="m").svg_inline(scale=5, dark="#0b0c0c", light="#ffffff")
    assert expected.partition(' d="')[2].partition('"')[0] in drawn


def test_leaving_in_one_window_leaves_in_all(office: Office, url: str, browser: Any) -> None:
    with visiting(browser, url) as visitor:
        visitor.sign_in("anna", office)
        other = visitor.context.new_page()
        other.goto(url + "/account")
        visitor.page.click("text=Sign out")
        other.goto(url + "/account")
        assert other.inner_text("h1") == "Sign in"
        cookies = {each["name"]: each for each in visitor.context.cookies()}
        assert cookies["gateway-session"]["httpOnly"]
        assert cookies["gateway-session"]["sameSite"] == "Strict"
