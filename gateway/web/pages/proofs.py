"""What a release is proved by, and accepting what was unusual about one that is held.

The page says of each promise of the notices whether the release kept it, from the
ledger alone. The file beside it holds exact counts, so it is for those who may read
exact records; they verify it without the gateway.

Source: requirement N17; docs/adr/0294; docs/explanation/disclosure.md, "The tripwire".
"""

from __future__ import annotations

import json
from typing import Any

import sqlalchemy as sa
from flask import Blueprint, Response, redirect, render_template, request, url_for

from gateway.adapters import release_acceptance, release_list, release_proof
from gateway.adapters.release_store import ReleaseRecord
from gateway.errors import UsageError
from gateway.model.permissions import Action, permits
from gateway.web import held_releases, release_choice, states
from gateway.web.callers import Caller, Realm
from gateway.web.desk import desk
from gateway.web.documents import inputs
from gateway.web.guards import guarded

pages = Blueprint("proofs", __name__)


@pages.get("/releases/<release>/proof")
@guarded(Action.RELEASE_READ, realm=Realm.PERSON)
def one(release: str, *, caller: Caller) -> str:
    """Show each promise with its verdict, why, and the entries that show it."""
    with desk().database.read() as connection:
        found = release_list.one(connection, release)
        judged = release_proof.judged(connection, release, on=desk().now().date())
    title, agreement = release_choice.titles(inputs().bundle, found.purpose, found.agreement)
    return render_template(
        "releases/proof.html",
        release=found,
        title=title,
        agreement=agreement,
        verdicts=judged.verdicts,
        outcomes=states.PROMISES,
        checkpoint=judged.signed.checkpoint,
        covered=judged.covered,
        entries={told.index: told.entry for told in judged.entries},
        may_read_entries=bool(permits(Action.AUDIT_READ, caller.roles)),
        may_download=bool(permits(Action.RELEASE_RECORD_READ, caller.roles)),
    )


@pages.get("/releases/<release>/proof.json")
@guarded(Action.RELEASE_RECORD_READ, realm=Realm.PERSON)
def file(release: str, *, caller: Caller) -> Response:
    """Give the file that the stand-alone verifier reads."""
    with desk().database.read() as connection:
        _, document = release_proof.proved(connection, release, on=desk().now().date())
    answer = Response(json.dumps(document, indent=1), mimetype="application/json")
    answer.headers["Content-Disposition"] = f'attachment; filename="proof-{release}.json"'
    return answer


@pages.get("/releases/<release>/accept")
@guarded(Action.RELEASE_ACCEPT, realm=Realm.PERSON)
def accepting(release: str, *, caller: Caller) -> str:
    """Show what was unusual, and ask for the reason why it is as it should be."""
    return _accept_page(release, caller, [])


@pages.post("/releases/<release>/accept")
@guarded(Action.RELEASE_ACCEPT, realm=Realm.PERSON)
def accept(release: str, *, caller: Caller) -> Any:
    """Accept what was unusual, as a second person and with a reason."""
    reason = request.form.get("reason", "").strip()
    if not reason:
        fault = {"text": "Enter why it is as it should be", "href": "#reason"}
        return _accept_page(release, caller, [fault]), 422
    with desk().database.begin() as connection:
        if _waiting(connection, release_list.one(connection, release), caller) is None:
            raise _not_held()
        release_acceptance.accept(
            connection,
            desk().append,
            release,
            by=caller.name,
            reason=reason,
            at=desk().now().isoformat(timespec="seconds"),
        )
    return redirect(url_for("releases.one", release=release), 303)


def _accept_page(release: str, caller: Caller, faults: list[dict[str, str]]) -> str:
    with desk().database.read() as connection:
        found = release_list.one(connection, release)
        held = _waiting(connection, found, caller)
    if held is None:
        raise _not_held()
    title, agreement = release_choice.titles(inputs().bundle, found.purpose, found.agreement)
    return render_template(
        "releases/accept.html",
        release=found,
        title=title,
        agreement=agreement,
        held=held,
        faults=faults,
    )


def _waiting(
    connection: sa.Connection, release: ReleaseRecord, caller: Caller
) -> held_releases.Held | None:
    """How a release is held, unless somebody has accepted it already."""
    held = held_releases.held(connection, release, caller)
    return None if held is None or held.accepted_by else held


def _not_held() -> UsageError:
    return UsageError(
        "release/not-held",
        "No release of that id is held because it was unusual.",
        remedy="`gateway releases` shows their states.",
    )
