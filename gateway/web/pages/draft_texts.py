"""A draft as text, with its faults by line, and a new agreement begun from the template.

Source: docs/reference/policy.md; GOV.UK Design System, "Error message".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask import Blueprint, jsonify, redirect, render_template, request, url_for

from gateway.adapters import policy_drafts
from gateway.adapters.policy_reading import reader
from gateway.errors import GatewayError, HeldForPerson
from gateway.model.permissions import Action
from gateway.policy.places import kind_of
from gateway.web import draft_forms, draft_words, workshop
from gateway.web.callers import Caller, Realm
from gateway.web.desk import desk
from gateway.web.draft_difference import faults_of
from gateway.web.draft_new_agreement import new_agreement
from gateway.web.draft_saving import draft_of, opened, revision, saved
from gateway.web.form_values import Fault, fault
from gateway.web.guards import guarded
from gateway.web.names_taken import agreement_taken
from gateway.web.text_lines import differing_lines
from gateway.workflows.approve import another_agreement

pages = Blueprint("draft_texts", __name__)


@pages.get("/agreements/new")
@guarded(Action.POLICY_PROPOSE, realm=Realm.PERSON)
def new(*, caller: Caller) -> str:
    """Ask what a new agreement needs to begin with."""
    return _new_page()


@pages.post("/agreements/new")
@guarded(Action.POLICY_PROPOSE, realm=Realm.PERSON)
def create(*, caller: Caller) -> Any:
    """Begin a draft of a new agreement from the template."""
    with desk().database.read() as connection:
        documents = workshop.current(connection)
        taken = agreement_taken(connection, request.form.get("id", "").strip())
    made, faults = new_agreement(request.form, documents, taken=taken)
    if made is None:
        return _new_page(faults), 422
    with desk().database.begin() as connection:
        # Asked again where nobody else can write: a form may be sent twice at once.
        taken = agreement_taken(connection, made.id)
        if taken:
            return _new_page([fault(taken, "id")]), 422
        draft = policy_drafts.begin(
            connection,
            f"draft-{desk().new_id()}",
            title=made.title,
            agreement=made.id,
            changes={made.path: made.text},
            by=caller.name,
            at=desk().now(),
        )
    return redirect(url_for("drafts.one", draft=draft.id), 303)


@pages.get("/drafts/<draft>/text")
@guarded(Action.POLICY_PROPOSE, realm=Realm.PERSON)
def text_form(draft: str, *, caller: Caller) -> str:
    """Show a document of the draft as text, with its faults by line."""
    view = opened(draft)
    path = request.args.get("path") or next(iter(view.draft.changes), "")
    with desk().database.read() as connection:
        documents = workshop.current(connection)
    return _text_page(view, path, view.draft.changes.get(path, documents.get(path, "")), documents)


@pages.post("/drafts/<draft>/text")
@guarded(Action.POLICY_PROPOSE, realm=Realm.PERSON)
def set_text(draft: str, *, caller: Caller) -> Any:
    """Save a document of the draft as it was written."""
    view = opened(draft)
    path, text = request.form.get("path", ""), draft_forms.unix_lines(request.form.get("text", ""))
    with desk().database.read() as connection:
        documents = workshop.current(connection)
    if text and path in _of_others(view, documents):
        return _text_page(view, path, text, documents, another_agreement(path)), 409
    try:
        return saved(view, caller, {path: text})
    except HeldForPerson as moved:
        return _text_page(opened(draft), path, text, documents, moved), 409


@pages.post("/drafts/<draft>/check")
@guarded(Action.POLICY_PROPOSE, realm=Realm.PERSON)
def check(draft: str, *, caller: Caller) -> Any:
    """Check a text while it is being written; nothing is saved."""
    view_of = draft_of(draft)
    path, text = request.form.get("path", ""), draft_forms.unix_lines(request.form.get("text", ""))
    with desk().database.read() as connection:
        documents = workshop.current(connection)
    changes = {**view_of.changes, path: text}
    shown = workshop.difference(documents, changes, view_of.agreement)
    faults = faults_of(shown.findings, changes)
    return jsonify(
        faults=[
            {"line": fault.line, "sentence": fault.sentence, "remedy": fault.remedy}
            for fault in faults
            if fault.path == path
        ],
        changes=[shown.untold] if shown.untold else list(shown.changes),
    )


def _text_page(
    view: workshop.DraftView,
    path: str,
    text: str,
    documents: Mapping[str, str],
    moved: GatewayError | None = None,
) -> str:
    changes = {**view.draft.changes, path: text}
    shown = workshop.difference(documents, changes, view.draft.agreement)
    stands = view.draft.changes.get(path, documents.get(path, ""))
    return render_template(
        "drafts/text.html",
        view=view,
        draft=view.draft,
        path=path,
        text=text,
        made_from=revision() if moved else view.draft.revision,
        moved_on=isinstance(moved, HeldForPerson),
        differing=differing_lines(stands, text) if moved else [],
        faults_at=[f for f in faults_of(shown.findings, changes) if f.path == path],
        paths=sorted({*documents, *view.draft.changes} - _of_others(view, documents)),
        moved=moved,
        words=draft_words.words(view.bundle),
    )


def _of_others(view: workshop.DraftView, documents: Mapping[str, str]) -> set[str]:
    """The other agreements' documents: each is changed by a draft of its own."""
    own = workshop.path_of(documents, view.draft.agreement)
    agreements = {path for path in documents if kind_of(path) == "agreements/"}
    # Of one that does not load nobody knows here which text is its own.
    return agreements - {own, *view.draft.changes} if own else set()


def _new_page(faults: Sequence[Fault] = ()) -> str:
    return render_template(
        "drafts/new.html",
        values=request.form,
        chosen=request.form.getlist,
        faults=list(faults),
        known=_knowledge(),
    )


def _knowledge() -> draft_forms.Known:
    with desk().database.read() as connection:
        documents = workshop.current(connection)
    bundle, _ = reader().load(documents)
    return draft_forms.known(bundle)
