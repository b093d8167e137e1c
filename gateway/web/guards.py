"""Every route states who may come in; a route that states nothing stops the start.

    @api.post("/extracts")
    @guarded(Action.EXTRACT_UPLOAD, realm=Realm.MACHINE)
    def take_in(caller: Caller) -> Response: ...

    @pages.get("/sign-in")
    @open_to_all("people sign in here")
    def sign_in() -> str: ...

The documentation's table of routes is made from the guards, and the tests walk
every route as every role and as a stranger.

Source: security points 1, 4; OWASP ASVS 5.0, V8.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from flask import Flask, g, redirect, request

from gateway.errors import RefusedError
from gateway.model.permissions import PERMISSIONS, Action, barred, permits, reason_owed
from gateway.web.callers import Caller, Identifier, Realm
from gateway.web.goals import sign_in_address
from gateway.web.problems import problem, wants_page

V = TypeVar("V", bound=Callable[..., Any])
_IDENTIFIERS = "gateway-identifiers"
_MARK = "__guard__"


@dataclass(frozen=True, slots=True, kw_only=True)
class Guard:
    """Who may call a route: an action of the permission table, or everybody and why."""

    action: Action | None
    realms: frozenset[Realm]
    why_open: str = ""


def guarded(action: Action, *, realm: Realm | frozenset[Realm]) -> Callable[[V], V]:
    """Let in callers whose roles permit the action; the view gets them as `caller`.

    Args:
        action: the row of the permission table.
        realm: how callers of this route come in.
    """
    realms = realm if isinstance(realm, frozenset) else frozenset({realm})
    guard = Guard(action=action, realms=realms)

    def stated(view: V) -> V:
        @functools.wraps(view)
        def checked(*args: Any, **kwargs: Any) -> Any:
            caller = caller_of(guard)
            if caller is None:
                return _stranger(guard)
            g.caller = caller  # the frame of a page names who is signed in
            if barred(action, caller.owes):
                raise reason_owed(action)
            if not permits(action, caller.roles):
                raise _not_permitted(action)
            return view(*args, caller=caller, **kwargs)

        setattr(checked, _MARK, guard)
        return checked  # type: ignore[return-value]

    return stated


def open_to_all(why: str) -> Callable[[V], V]:
    """Say that a route needs no caller, and why."""

    def stated(view: V) -> V:
        setattr(view, _MARK, Guard(action=None, realms=frozenset(), why_open=why))
        return view

    return stated


def guard_of(app: Flask, endpoint: str) -> Guard | None:
    """The guard that a route states."""
    found: Guard | None = getattr(app.view_functions[endpoint], _MARK, None)
    return found


def identify_by(app: Flask, realm: Realm, identifier: Identifier) -> None:
    """Say how callers of a realm are known."""
    app.extensions.setdefault(_IDENTIFIERS, {})[realm] = identifier


def caller_of(guard: Guard) -> Caller | None:
    """Who is asking, by one of the ways that the guard allows."""
    from flask import current_app

    known = current_app.extensions.get(_IDENTIFIERS, {})
    for realm in sorted(guard.realms):
        found: Caller | None = known[realm](request) if realm in known else None
        if found is not None:
            return found
    return None


def install(app: Flask) -> None:
    """Refuse to start with a route that states no guard.

    Raises:
        RuntimeError: names the endpoint.
    """
    setattr(
        app.view_functions["static"],
        _MARK,
        Guard(action=None, realms=frozenset(), why_open="assets"),
    )
    for endpoint in app.view_functions:
        if guard_of(app, endpoint) is None:
            raise RuntimeError(f"The route {endpoint} states no guard.")


def _stranger(guard: Guard) -> Any:
    if wants_page() and Realm.PERSON in guard.realms:
        return redirect(sign_in_address(request.path if request.method == "GET" else "/"), 303)
    return problem(
        401,
        "access/not-signed-in",
        "This needs a valid access token or session.",
        remedy="Ask /oauth/token for an access token, or sign in.",
        headers={"WWW-Authenticate": 'Bearer realm="gateway"'},
    )


def _not_permitted(action: Action) -> RefusedError:
    wanted = ", ".join(sorted(PERMISSIONS.get(action, frozenset()))) or "nobody"
    return RefusedError(
        "access/not-permitted",
        f'You may not do "{action}".',
        remedy=f"Roles that may: {wanted}.",
        action=action.value,
    )
