"""One's own account: the password, the authenticator, recovery codes, and where one is signed in.

What changes how one signs in asks for the password once more, and ends the other sessions.

Source: OWASP ASVS 5.0, V6.2, V7.4, V7.5.
"""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, make_response, redirect, render_template, request

from gateway.adapters import accounts, notice_addresses, second_factors, sessions
from gateway.adapters.notice_desk import set_address
from gateway.adapters.passwords import refuse_weak
from gateway.adapters.sessions import Session, Stage
from gateway.errors import InputRejected
from gateway.model.permissions import Action
from gateway.web import cookies
from gateway.web.callers import Caller, Realm
from gateway.web.desk import desk
from gateway.web.guards import guarded
from gateway.web.signing_in import current_session, sign_in_desk, sign_in_steps

pages = Blueprint("own_account", __name__)

WRONG = "Your password is not right, or there were too many tries."


@pages.get("/account")
@guarded(Action.OWN_ACCOUNT, realm=Realm.PERSON)
def own_account(*, caller: Caller) -> Response:
    """Show one's own account."""
    return _page(caller)


@pages.post("/account/password")
@guarded(Action.OWN_ACCOUNT, realm=Realm.PERSON)
def change_password(*, caller: Caller) -> Any:
    """Take a new password; every other session ends."""
    session = _session()
    if not _proved(session):
        return _page(caller, fault=WRONG, at_field="current")
    chosen = request.form.get("new", "")
    try:
        refuse_weak(chosen, login=session.login)
    except InputRejected as fault:
        return _page(caller, fault=f"{fault.sentence} {fault.remedy}", at_field="new")
    encoded = sign_in_desk().passwords.hashed(chosen)
    with desk().database.begin() as connection:
        accounts.set_password(connection, session.login, encoded, first_until=None)
        sessions.end_all(connection, session.login, but=session.number)
    return redirect("/account?changed=password", 303)


@pages.post("/account/recovery-codes")
@guarded(Action.OWN_ACCOUNT, realm=Realm.PERSON)
def new_recovery_codes(*, caller: Caller) -> Any:
    """Replace the recovery codes and show them once."""
    session = _session()
    if not _proved(session):
        return _page(caller, fault=WRONG, at_field="current-codes")
    with desk().database.begin() as connection:
        codes = second_factors.new_recovery_codes(connection, session.login)
    return render_template("account/recovery.html", codes=codes, goal="/account")


@pages.post("/account/authenticator")
@guarded(Action.OWN_ACCOUNT, realm=Realm.PERSON)
def new_authenticator(*, caller: Caller) -> Any:
    """Set up another authenticator; the old one serves until the new one has shown a code."""
    session = _session()
    if not _proved(session):
        return _page(caller, fault=WRONG, at_field="current-authenticator")
    with desk().database.begin() as connection:
        sessions.end_all(connection, session.login)
        fresh = sessions.begin(connection, session.login, Stage.ENROL, at=desk().now())
    answer = redirect("/sign-in/set-up?next=/account", 303)
    cookies.put(answer, cookies.SESSION, fresh)
    return answer


@pages.post("/account/notices")
@guarded(Action.OWN_ACCOUNT, realm=Realm.PERSON)
def change_address(*, caller: Caller) -> Any:
    """Take where one is told what waits for one; nothing means nowhere."""
    given = request.form.get("address", "")
    try:
        with desk().database.begin() as connection:
            at = desk().now()
            set_address(connection, caller.name, given, acting=caller.name, at=at)
    except InputRejected as fault:
        return _page(caller, fault=f"{fault.sentence} {fault.remedy}", at_field="address")
    return redirect("/account?changed=address", 303)


@pages.post("/account/sessions/end")
@guarded(Action.OWN_ACCOUNT, realm=Realm.PERSON)
def end_sessions(*, caller: Caller) -> Any:
    """End every other session of one's own."""
    session = _session()
    with desk().database.begin() as connection:
        sessions.end_all(connection, session.login, but=session.number)
    return redirect("/account?changed=sessions", 303)


def _session() -> Session:
    session = current_session(request, Stage.WHOLE)
    if session is None:  # ended between the guard's look and this one
        raise InputRejected(
            "access/session-ended",
            "Your session has ended: sign in again.",
            remedy="Sign in and do it again.",
        )
    return session


def _proved(session: Session) -> bool:
    return sign_in_steps().proves(
        session.login,
        request.form.get("current", ""),
        address=request.remote_addr or "",
        at=desk().now(),
    )


def _page(caller: Caller, *, fault: str = "", at_field: str = "") -> Response:
    session = _session()
    with desk().database.read() as connection:
        account = accounts.known(connection, session.login)
        open_sessions = sessions.of_account(connection, session.login, at=desk().now())
        address = notice_addresses.find(connection, caller.name)
        codes_left = second_factors.recovery_codes_left(connection, session.login)
    drawn = render_template(
        "account/own.html",
        faults=[{"text": fault, "href": f"#{at_field}"}] if fault else [],
        fault=fault,
        at_field=at_field,
        account=account,
        address=request.form.get("address", address),
        session=session,
        sessions=open_sessions,
        codes_left=codes_left,
        changed=request.args.get("changed", ""),
    )
    return make_response(drawn, 422 if fault else 200)
