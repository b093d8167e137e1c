"""Writing a change of vocabulary, legal bases, recipients and datasets by form, in a draft.

Source: docs/reference/policy.md, "Life of a version"; security point 3.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for

from gateway.adapters import policy_removal
from gateway.errors import HeldForPerson
from gateway.model.permissions import Action
from gateway.policy.rereading import changed
from gateway.web import document_forms as forms
from gateway.web import workshop
from gateway.web.callers import Caller, Realm
from gateway.web.desk import desk
from gateway.web.document_forms import MOST_FAULTS
from gateway.web.draft_saving import moved_page, opened, revision, saved
from gateway.web.entry_kinds import kind_of
from gateway.web.form_values import Fault, fault, several
from gateway.web.guards import guarded
from gateway.web.names_taken import document_taken

pages = Blueprint("draft_documents", __name__)


@pages.get("/drafts/<draft>/documents")
@guarded(Action.POLICY_PROPOSE, realm=Realm.PERSON)
def every(draft: str, *, caller: Caller) -> str:
    """Ask which field, legal basis, recipient or dataset the draft is to change."""
    view = opened(draft)
    known = forms.known(_texts(view))
    gone = [path for path, text in view.draft.changes.items() if not text]
    return render_template(
        "drafts/documents.html", view=view, draft=view.draft, known=known, gone=gone
    )


@pages.get("/drafts/<draft>/documents/<kind>")
@guarded(Action.POLICY_PROPOSE, realm=Realm.PERSON)
def entry(draft: str, kind: str, *, caller: Caller) -> str:
    """Show the form of an entry of a document, or of a new one."""
    view = opened(draft)
    shown = _asked(view, kind, request.args)
    return _page(view, shown, shown.shown())


@pages.post("/drafts/<draft>/documents/<kind>")
@guarded(Action.POLICY_PROPOSE, realm=Realm.PERSON)
def set_entry(draft: str, kind: str, *, caller: Caller) -> Any:
    """Save an entry of a document; comments and order stay."""
    view = opened(draft)
    shown = _asked(view, kind, request.form)
    changes, faults = forms.written(shown, request.form, view, _texts(view))
    if not faults and shown.kind.whole and not shown.name:
        faults = _taken(view, changes)
    return _saved(view, caller, shown, changes, faults)


@pages.post("/drafts/<draft>/documents/<kind>/remove")
@guarded(Action.POLICY_PROPOSE, realm=Realm.PERSON)
def remove_entry(draft: str, kind: str, *, caller: Caller) -> Any:
    """Take an entry out of its document, unless something else needs it."""
    view = opened(draft)
    shown = _asked(view, kind, request.form)
    changes, faults = forms.without(shown, view, _texts(view))
    if shown.kind.whole:
        faults = _needed(view, changes)
    return _saved(view, caller, shown, changes, faults)


@pages.post("/drafts/<draft>/documents/keep")
@guarded(Action.POLICY_PROPOSE, realm=Realm.PERSON)
def keep(draft: str, *, caller: Caller) -> Any:
    """Keep a document after all that the draft would take out."""
    view, path = opened(draft), request.form.get("path", "")
    with desk().database.read() as connection:
        text = workshop.current(connection).get(path)
    if text is None or view.draft.changes.get(path) != "":
        raise forms.nothing()
    try:
        return saved(view, caller, {path: text})
    except HeldForPerson as moved:
        return moved_page(view, moved), 409


def _taken(view: workshop.DraftView, changes: Mapping[str, str]) -> list[Fault]:
    """Whether another's draft or proposal adds a document of this name too."""
    with desk().database.read() as connection:
        told = (document_taken(connection, path, draft=view.draft.id) for path in changes)
        return [fault(each, "new-name") for each in told if each]


def _needed(view: workshop.DraftView, changes: Mapping[str, str]) -> list[Fault]:
    """What still needs a document that is to be taken out."""
    with desk().database.read() as connection:
        found = policy_removal.uses(
            connection, view.draft.agreement, {**view.draft.changes, **changes}
        )
    return [fault(f"Needed by {each}", "take-out") for each in found[:MOST_FAULTS]]


def _saved(
    view: workshop.DraftView,
    caller: Caller,
    shown: forms.Entry,
    changes: Mapping[str, str],
    faults: Sequence[Fault],
) -> Any:
    if faults:
        return _page(view, shown, _typed(shown), faults), 422
    if not changes:
        return redirect(url_for("drafts.one", draft=view.draft.id), 303)
    try:
        return saved(view, caller, changes)
    except HeldForPerson as moved:
        return moved_page(view, moved), 409


def _asked(view: workshop.DraftView, kind: str, given: Mapping[str, str]) -> forms.Entry:
    return forms.entry(
        kind_of(kind),
        view,
        _texts(view),
        path=given.get("path", ""),
        name=given.get("name", ""),
    )


def _texts(view: workshop.DraftView) -> dict[str, str]:
    """Every document as the draft would have it."""
    with desk().database.read() as connection:
        documents = workshop.current(connection)
    return changed(documents, view.draft.changes)


def _typed(shown: forms.Entry) -> dict[str, str | Sequence[str]]:
    """What was typed, as it was typed."""
    return {
        part.key: several(request.form, part.key)
        if part.takes == "choices"
        else request.form.get(part.key, "")
        for part in shown.parts
    }


def _page(
    view: workshop.DraftView,
    shown: forms.Entry,
    values: Mapping[str, str | Sequence[str]],
    faults: Sequence[Fault] = (),
) -> str:
    return render_template(
        "drafts/entry.html",
        view=view,
        draft=view.draft,
        entry=shown,
        values=values,
        faults=list(faults),
        at={each["href"].removeprefix("#"): each["text"] for each in faults},
        typed=request.form,
        revision=revision() if faults else view.draft.revision,
    )
