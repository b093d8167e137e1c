"""Signing in and out: password, a password of one's own, an authenticator, a code.

Each step is its own page and its own session id. What is wrong is said in one
sentence that is the same whoever asked, and every form works without JavaScript.

Source: GOV.UK Design System, "Passwords", "Confirm a phone number"; OWASP ASVS 5.0, V6 and V7.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from flask import Blueprint, Response, make_response, redirect, render_template, request
from markupsafe import Markup

from gateway.adapters import second_factors, sessions
from gateway.adapters.sessions import Session, Stage
from gateway.adapters.sign_in import Step
from gateway.errors import InputRejected
from gateway.web import cookies, goals
from gateway.web.desk import desk
from gateway.web.guards import open_to_all
from gateway.web.signing_in import current_session, sign_in_steps

pages = Blueprint("account", __name__)

PATHS = {
    Stage.NEW_PASSWORD: "/sign-in/new-password",
    Stage.ENROL: "/sign-in/set-up",
    Stage.CODE: "/sign-in/code",
}
WRONG = (
    "Your login or password is not right, or there were too many tries. "
    "Check both; after ten tries wait 15 minutes."
)
WRONG_CODE = (
    "That code is not right, was used before, or there were too many tries. "
    "Wait for the next code and enter that one."
)
TOO_MANY_CODES = (
    "There were too many wrong codes, so you begin again. Enter your login and password"
)


@pages.get("/sign-in")
@open_to_all("people sign in here")
def sign_in() -> Any:
    """Ask for login and password; somebody signed in goes on."""
    if current_session(request, Stage.WHOLE):
        return redirect(goals.wanted(), 303)
    return _page("account/sign_in.html")


@pages.post("/sign-in")
@open_to_all("people sign in here")
def prove_password() -> Any:
    """Take login and password."""
    step = sign_in_steps().password(
        request.form.get("login", "").strip(),
        request.form.get("password", ""),
        address=request.remote_addr or "",
        at=desk().now(),
    )
    if step is None:
        return _page("account/sign_in.html", fault=WRONG, at_field="login")
    return _led_to(step)


@pages.get("/sign-in/new-password")
@open_to_all("only a session that began with a first password is answered")
def new_password() -> Any:
    """Ask for a password of one's own."""
    session = current_session(request, Stage.NEW_PASSWORD)
    return _page("account/new_password.html", session=session) if session else _again()


@pages.post("/sign-in/new-password")
@open_to_all("only a session that began with a first password is answered")
def choose_password() -> Any:
    """Take a password of one's own."""
    session = current_session(request, Stage.NEW_PASSWORD)
    if session is None:
        return _again()
    chosen = request.form.get("password", "")
    try:
        step = sign_in_steps().new_password(session, chosen, at=desk().now())
    except InputRejected as fault:
        said = f"{fault.sentence} {fault.remedy}".strip()
        return _page("account/new_password.html", fault=said, at_field="password", session=session)
    return _led_to(step)


@pages.get("/sign-in/set-up")
@open_to_all("only a session whose password was right is answered")
def set_up() -> Any:
    """Show the authenticator's secret as a code to scan and as text."""
    session = current_session(request, Stage.ENROL)
    return _set_up(session) if session else _again()


@pages.post("/sign-in/set-up")
@open_to_all("only a session whose password was right is answered")
def confirm_set_up() -> Any:
    """Take the authenticator's first code; show the recovery codes once."""
    session = current_session(request, Stage.ENROL)
    if session is None:
        return _again()
    step = sign_in_steps().enrol(session, request.form.get("code", ""), at=desk().now())
    if step is None:
        return _set_up(session, fault=WRONG_CODE)
    answer = make_response(
        render_template("account/recovery.html", codes=step.recovery_codes, goal=goals.wanted())
    )
    cookies.put(answer, cookies.SESSION, step.session_id)
    return answer


@pages.get("/sign-in/code")
@open_to_all("only a session whose password was right is answered")
def code() -> Any:
    """Ask for the authenticator's code."""
    session = current_session(request, Stage.CODE)
    return _page("account/code.html", session=session) if session else _again()


@pages.post("/sign-in/code")
@open_to_all("only a session whose password was right is answered")
def prove_code() -> Any:
    """Take a code of the authenticator, or a recovery code."""
    session = current_session(request, Stage.CODE)
    if session is None:
        return _again()
    step = sign_in_steps().code(
        session,
        request.form.get("code", ""),
        address=request.remote_addr or "",
        at=desk().now(),
    )
    if step is None and current_session(request, Stage.CODE) is None:
        return _page("account/sign_in.html", fault=TOO_MANY_CODES, at_field="login")
    if step is None:
        return _page("account/code.html", fault=WRONG_CODE, at_field="code", session=session)
    return _led_to(step)


@pages.post("/sign-out")
@open_to_all("whoever is signed in may always leave")
def sign_out() -> Any:
    """End the session."""
    session = current_session(request, *Stage)
    if session is not None:
        with desk().database.begin() as connection:
            sessions.end(connection, session)
    answer = redirect("/", 303)
    cookies.drop(answer, cookies.SESSION)
    return answer


def _led_to(step: Step) -> Any:
    """The next page, with the fresh id in the cookie."""
    goal = goals.wanted()
    path = PATHS.get(step.stage)
    to = goal if path is None else f"{path}?next={quote(goal)}"
    answer = redirect(to, 303)
    cookies.put(answer, cookies.SESSION, step.session_id)
    return answer


def _again() -> Any:
    """Somebody whose step is over, or who was never at it, begins at the beginning."""
    return redirect(goals.sign_in_address(goals.wanted()), 303)


def _set_up(session: Session, *, fault: str = "") -> Response:
    secret = sign_in_steps().secret_to_enrol(session)
    service = desk().settings.council_name
    uri = second_factors.provisioning_uri(secret, login=session.login, service=service)
    import segno  # when somebody sets up their second factor

    picture = segno.make(uri, error="m").svg_inline(scale=5, dark="#0b0c0c", light="#ffffff")
    text = second_factors.secret_text(secret)
    return _page(
        "account/set_up.html",
        fault=fault,
        at_field="code",
        session=session,
        drawn=Markup(picture),  # noqa: S704 - our own drawing of the code, nobody's text
        secret=" ".join(text[start : start + 4] for start in range(0, len(text), 4)),
    )


def _page(template: str, *, fault: str = "", at_field: str = "", **told: Any) -> Response:
    faults = [{"text": fault, "href": f"#{at_field}"}] if fault else []
    drawn = render_template(template, faults=faults, fault=fault, goal=goals.wanted(), **told)
    return make_response(drawn, 422 if fault else 200)
