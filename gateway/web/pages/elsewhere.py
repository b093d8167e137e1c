"""Signing in at the council's own OpenID Connect provider, where one is set.

The browser comes back from another site, so its session cookie does not come
along: a cookie of its own, which crosses sites, binds the answer to the browser
that asked. The answer is a page that leads on by itself, because only from a page
of ours does the browser send the new session's cookie.

Source: OpenID Connect Core 1.0, section 3.1; RFC 6265bis, section 5.5.7 (SameSite).
"""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, abort, make_response, redirect, render_template, request

from gateway.adapters import accounts, sign_ins_elsewhere
from gateway.adapters.accounts import Account
from gateway.adapters.oidc import BACK, Provider
from gateway.web import cookies, goals
from gateway.web.desk import desk
from gateway.web.guards import open_to_all
from gateway.web.signing_in import sign_in_desk, sign_in_steps

pages = Blueprint("elsewhere", __name__)

REFUSED = (
    "You could not be signed in with your council account. Try again, or ask an administrator."
)


@pages.get("/sign-in/elsewhere")
@open_to_all("people begin to sign in at the council's provider here")
def begin() -> Any:
    """Send the browser to the provider."""
    url, asked = _provider().begun(goals.wanted())
    cookie = cookies.fresh()
    with desk().database.begin() as connection:
        sign_ins_elsewhere.keep(connection, cookie, asked, at=desk().now())
    answer = redirect(url, 303)
    cookies.put(answer, cookies.ELSEWHERE, cookie, lax=True)
    return answer


@pages.get(BACK)
@open_to_all("people come back from the council's provider here")
def come_back() -> Response:
    """Take the provider's answer, once and in the browser that asked."""
    provider, now = _provider(), desk().now()
    cookie = cookies.read(request, cookies.ELSEWHERE) or ""
    with desk().database.begin() as connection:
        asked = sign_ins_elsewhere.take(connection, cookie, at=now)
    subject = provider.subject(request.args, asked, at=now) if asked else None
    account = _account(provider, subject)
    if asked is None or account is None:
        answer = make_response(_refused(), 422)
    else:
        step = sign_in_steps().elsewhere(account.login, at=now)
        drawn = render_template("account/signed_in.html", goal=goals.own(asked.goal))
        answer = make_response(drawn)
        cookies.put(answer, cookies.SESSION, step.session_id)
    cookies.drop(answer, cookies.ELSEWHERE)
    return answer


def _provider() -> Provider:
    found = sign_in_desk().provider
    if found is None:
        abort(404)
    return found


def _account(provider: Provider, subject: str | None) -> Account | None:
    """The account that an administrator has bound to this subject, if anybody may come in by it."""
    if subject is None:
        return None
    with desk().database.read() as connection:
        found = accounts.by_subject(connection, issuer=provider.issuer, subject=subject)
    return found if found is not None and found.admitted else None


def _refused() -> str:
    faults = [{"text": REFUSED, "href": "#login"}]
    return render_template("account/sign_in.html", faults=faults, fault="", goal="/")
