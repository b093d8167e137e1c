"""Cases of a draft: what a lead expects of the decisions, and whether it comes out so.

Source: docs/reference/policy.md, "Cases".
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import Blueprint, render_template, request

from gateway.adapters.policy_cases import book_of, with_case, without_case
from gateway.errors import HeldForPerson
from gateway.model.permissions import Action
from gateway.policy.rereading import changed
from gateway.web import draft_case_forms as forms
from gateway.web import workshop
from gateway.web.callers import Caller, Realm
from gateway.web.desk import desk
from gateway.web.draft_saving import moved_page, opened, revision, saved
from gateway.web.form_values import Fault, fault
from gateway.web.guards import guarded

pages = Blueprint("draft_cases", __name__)


@pages.get("/drafts/<draft>/cases")
@guarded(Action.POLICY_PROPOSE, realm=Realm.PERSON)
def every(draft: str, *, caller: Caller) -> str:
    """List what is expected of the agreement's decisions, with what the draft makes of it."""
    return _page(opened(draft))


@pages.post("/drafts/<draft>/cases")
@guarded(Action.POLICY_PROPOSE, realm=Realm.PERSON)
def add(draft: str, *, caller: Caller) -> Any:
    """Add a case that comes out as expected; the one of the same name gives way to it."""
    view = opened(draft)
    case, faults = forms.case_of(request.form, view, desk().now().date())
    if case is None:
        return _page(view, faults), 422
    path = book_of(view.bundle, view.draft.agreement)
    return _saved(view, caller, path, with_case(_text(view, path), case))


@pages.post("/drafts/<draft>/cases/remove")
@guarded(Action.POLICY_PROPOSE, realm=Realm.PERSON)
def remove(draft: str, *, caller: Caller) -> Any:
    """Take a case out."""
    view, path = opened(draft), request.form.get("path", "")
    known = {(each.document, each.name) for each in _results(view)}
    if (path, request.form.get("name", "")) not in known:
        return _page(view, [fault("There is no such case any more", "cases")]), 422
    text = without_case(_text(view, path), request.form["name"])
    if not text:
        told = "It is the last of its document: add another case first"
        return _page(view, [fault(told, "cases")]), 422
    return _saved(view, caller, path, text)


def _saved(view: workshop.DraftView, caller: Caller, path: str, text: str) -> Any:
    try:
        return saved(view, caller, {path: text})
    except HeldForPerson as moved:
        return moved_page(view, moved), 409


def _text(view: workshop.DraftView, path: str) -> str:
    with desk().database.read() as connection:
        documents = workshop.current(connection)
    return changed(documents, view.draft.changes).get(path, "")


def _results(view: workshop.DraftView) -> Any:
    return workshop.cases(view.bundle, view.draft.agreement)


def _page(view: workshop.DraftView, faults: Sequence[Fault] = ()) -> str:
    asked = request.form if faults else request.args
    return render_template(
        "drafts/cases.html",
        view=view,
        draft=view.draft,
        results=_results(view),
        offered=forms.offer(view, asked.get("purpose", "")),
        expectations=forms.EXPECTATIONS,
        values=asked,
        faults=list(faults),
        revision=revision() if faults else view.draft.revision,
    )
