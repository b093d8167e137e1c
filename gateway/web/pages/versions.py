"""The versions of an agreement: who wrote each and why, who signed it, and what it changed.

Source: docs/reference/policy.md, "Life of a version"; UK GDPR Art 5(2); requirement N1.
"""

from __future__ import annotations

from flask import Blueprint, render_template

from gateway.adapters import policy_versions
from gateway.model.permissions import Action
from gateway.web import differences, version_standings, workshop
from gateway.web.callers import Caller, Realm
from gateway.web.desk import desk
from gateway.web.documents import agreement_title, inputs, known_agreement, party_title
from gateway.web.guards import guarded

pages = Blueprint("versions", __name__)


@pages.get("/agreements/<agreement>/versions")
@guarded(Action.AGREEMENT_READ, realm=Realm.PERSON)
def every(agreement: str, *, caller: Caller) -> str:
    """List every version that was ever proposed, with who signed it."""
    with desk().database.read() as connection:
        found = version_standings.of(connection, agreement)
        there = workshop.newest(connection, agreement) or agreement in inputs().bundle.agreements
    if not found:
        known_agreement(inputs().bundle, agreement)
    return render_template(
        "policies/versions.html",
        agreement=agreement,
        there=bool(there),
        title=agreement_title(inputs().bundle, agreement),
        versions=found,
    )


@pages.get("/agreements/<agreement>/versions/<number>")
@guarded(Action.AGREEMENT_READ, realm=Realm.PERSON)
def one(agreement: str, number: str, *, caller: Caller) -> str:
    """Show one version: what it changed in sentences, why, and whose signatures it has."""
    with desk().database.read() as connection:
        found = policy_versions.version_of(connection, agreement, number)
        _, after = policy_versions.texts_of(connection, found)
        draft = policy_versions.draft_of(connection, agreement, after)
        why = policy_versions.reasons(connection, draft)
        shown = differences.of_version(connection, found)
    return render_template(
        "policies/version.html",
        version=found,
        title=agreement_title(inputs().bundle, agreement),
        shown=shown,
        controllers={each: party_title(inputs().bundle, each) for each in found.controllers},
        reasons=why,
    )
