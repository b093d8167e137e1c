"""Writing a change by form, with its effect in sentences.

Each save says which revision it was made from, so that nobody overwrites another.
Nothing here is in force: a draft is proposed, then approved by others.

Source: docs/reference/policy.md, "Life of a version"; security point 3.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask import Blueprint, abort, redirect, render_template, request, url_for

from gateway.adapters import jobs, policy_drafts
from gateway.adapters import policy_editing as editing
from gateway.adapters.jobs import JobKind
from gateway.adapters.policy_drafts import DraftState
from gateway.adapters.policy_templates import remove_purpose as remove_purpose_of
from gateway.errors import HeldForPerson
from gateway.model.permissions import Action
from gateway.web import (
    draft_agreement_forms,
    draft_forms,
    draft_purpose_forms,
    reaching,
    version_standings,
    workshop,
)
from gateway.web.callers import Caller, Realm
from gateway.web.desk import desk
from gateway.web.documents import agreement_title, inputs
from gateway.web.draft_saving import draft_of, edited, moved_page, opened, revision
from gateway.web.form_values import Fault
from gateway.web.guards import guarded

pages = Blueprint("drafts", __name__)


@pages.post("/agreements/<agreement>/drafts")
@guarded(Action.POLICY_PROPOSE, realm=Realm.PERSON)
def begin(agreement: str, *, caller: Caller) -> Any:
    """Begin a draft of an agreement from its current text."""
    title = agreement_title(inputs().bundle, agreement)
    with desk().database.begin() as connection:
        documents = workshop.current(connection)
        path = workshop.path_of(documents, agreement)
        draft = policy_drafts.begin(
            connection,
            f"draft-{desk().new_id()}",
            title=f"Change of {title}",
            agreement=agreement,
            changes={path: draft_forms.next_version(documents, path)} if path else {},
            by=caller.name,
            at=desk().now(),
        )
    return redirect(url_for("drafts.one", draft=draft.id), 303)


@pages.get("/drafts/<draft>")
@guarded(Action.AGREEMENT_READ, realm=Realm.PERSON)
def one(draft: str, *, caller: Caller) -> str:
    """Show a draft: what it changes, what stops it, and what to edit."""
    return _draft_page(draft)


def _draft_page(draft: str, faults: Sequence[Fault] = ()) -> str:
    with desk().database.read() as connection:
        found = policy_drafts.find(connection, draft)
        documents = workshop.current(connection)
        saves = policy_drafts.history(connection, draft)
        previews = jobs.listed(connection, kind=JobKind.PREVIEW, subject=draft, limit=5)
        became = version_standings.of_draft(connection, found)
    view = workshop.view(found, documents=documents)
    return render_template(
        "drafts/one.html",
        view=view,
        draft=found,
        became=became,
        saves=saves,
        previews=previews,
        faults=[{"text": each["text"]} for each in faults],
        tables=draft_forms.tables(view),
        failed=[] if view.untold else workshop.failed_cases(view.bundle, view.draft.agreement),
        reach=reaching.reach(
            view.before, view.before if view.untold else view.bundle, view.draft.agreement
        ),
    )


def _with(draft: str, purpose: str, output: str = "", field: str = "") -> workshop.DraftView:
    """A draft that has what is asked of it: there is no form of what is not there."""
    view = opened(draft)
    if not draft_forms.has(view, purpose, output, field):
        abort(404)
    return view


@pages.get("/drafts/<draft>/field/<purpose>/<output>")
@guarded(Action.POLICY_PROPOSE, realm=Realm.PERSON)
def field(draft: str, purpose: str, output: str, *, caller: Caller) -> str:
    """Show the form of one field of an output."""
    name = request.args.get("field", "")
    view = _with(draft, purpose, output, name)
    return _field_page(view, purpose, output, draft_forms.field_values(view, purpose, output, name))


@pages.post("/drafts/<draft>/field/<purpose>/<output>")
@guarded(Action.POLICY_PROPOSE, realm=Realm.PERSON)
def set_field(draft: str, purpose: str, output: str, *, caller: Caller) -> Any:
    """Add a field to an output, or change it."""
    view = _with(draft, purpose, output)
    edit, faults = draft_forms.field_edit(request.form)
    if edit is not None and revision() == view.draft.revision:
        faults = draft_forms.name_taken(view, purpose, output, request.form)
        faults = faults or draft_forms.field_refused(view, _documents(), purpose, output, edit)
    if edit is None or faults:
        return _field_page(view, purpose, output, request.form, faults), 422
    return edited(
        view,
        caller,
        lambda text: editing.set_field(text, purpose, output, edit),
        lambda found: _field_page(view, purpose, output, request.form, found),
    )


def _documents() -> dict[str, str]:
    with desk().database.read() as connection:
        return workshop.current(connection)


def _field_page(
    view: workshop.DraftView,
    purpose: str,
    output: str,
    values: Mapping[str, str],
    faults: Sequence[Fault] = (),
) -> str:
    return render_template(
        "drafts/field.html",
        view=view,
        draft=view.draft,
        purpose=purpose,
        output=output,
        choices=draft_forms.field_choices(view, purpose, output),
        treatments=draft_forms.treatments,
        values=values,
        faults=list(faults),
        at={each["href"].removeprefix("#"): each["text"] for each in faults},
        revision=revision() if faults else view.draft.revision,
    )


@pages.post("/drafts/<draft>/field/<purpose>/<output>/remove")
@guarded(Action.POLICY_PROPOSE, realm=Realm.PERSON)
def remove_field(draft: str, purpose: str, output: str, *, caller: Caller) -> Any:
    """Take a field out of an output."""
    name = request.form.get("field", "")
    return edited(
        opened(draft),
        caller,
        lambda text: editing.remove_field(text, purpose, output, name),
        lambda found: _draft_page(draft, found),
    )


@pages.get("/drafts/<draft>/purpose/<purpose>")
@guarded(Action.POLICY_PROPOSE, realm=Realm.PERSON)
def purpose_form(draft: str, purpose: str, *, caller: Caller) -> str:
    """Show what a form may set of a purpose."""
    view = _with(draft, purpose)
    return _purpose_page(view, purpose, draft_purpose_forms.purpose_values(view, purpose))


@pages.post("/drafts/<draft>/purpose/<purpose>")
@guarded(Action.POLICY_PROPOSE, realm=Realm.PERSON)
def set_purpose(draft: str, purpose: str, *, caller: Caller) -> Any:
    """Set what a purpose is: whom it is about, by what right, how long, and who receives it."""
    view = _with(draft, purpose)
    edit, faults = draft_purpose_forms.purpose_edit(request.form, view, purpose)
    if faults:
        return _purpose_again(view, purpose, faults), 422
    return edited(
        view,
        caller,
        lambda text: edit.applied(text, purpose),
        lambda found: _purpose_again(view, purpose, found),
    )


@pages.post("/drafts/<draft>/purpose/<purpose>/remove")
@guarded(Action.POLICY_PROPOSE, realm=Realm.PERSON)
def remove_purpose(draft: str, purpose: str, *, caller: Caller) -> Any:
    """Take a purpose out, with all that leaves for it."""
    view = opened(draft)
    return edited(
        view,
        caller,
        lambda text: remove_purpose_of(text, purpose),
        lambda found: _purpose_again(view, purpose, found),
    )


def _purpose_again(view: workshop.DraftView, purpose: str, faults: Sequence[Fault]) -> str:
    typed = draft_purpose_forms.purpose_typed(request.form, view, purpose)
    return _purpose_page(view, purpose, typed, faults)


def _purpose_page(
    view: workshop.DraftView,
    purpose: str,
    values: draft_purpose_forms.PurposeForm | None,
    faults: Sequence[Fault] = (),
) -> str:
    return render_template(
        "drafts/purpose.html",
        view=view,
        draft=view.draft,
        purpose=purpose,
        values=values,
        known=draft_forms.purpose_choices(view),
        offered=draft_agreement_forms.offered(view),
        row_forms=draft_agreement_forms.ROW_FORMS,
        faults=list(faults),
        revision=revision() if faults else view.draft.revision,
    )


@pages.post("/drafts/<draft>/preview")
@guarded(Action.POLICY_PROPOSE, realm=Realm.PERSON)
def preview(draft: str, *, caller: Caller) -> Any:
    """Ask the worker what the draft would change of who and what leaves."""
    found = draft_of(draft)
    with desk().database.begin() as connection:
        job = jobs.enqueue(
            connection,
            JobKind.PREVIEW,
            subject=found.id,
            by=caller.name,
            request={
                "revision": revision(),
                "agreement": found.agreement,
                "draft": found.id,
                "reason": "policy-change",
            },
            at=desk().now(),
        )
    return redirect(url_for("jobs.one", job=job), 303)


@pages.post("/drafts/<draft>/propose")
@guarded(Action.POLICY_PROPOSE, realm=Realm.PERSON)
def propose(draft: str, *, caller: Caller) -> Any:
    """Ask the worker to propose the draft, signed as the editor."""
    found = draft_of(draft)
    with desk().database.begin() as connection:
        job = jobs.enqueue(
            connection,
            JobKind.PROPOSE,
            subject=found.id,
            by=caller.name,
            request={"revision": revision(), "agreement": found.agreement},
            at=desk().now(),
        )
    return redirect(url_for("jobs.one", job=job), 303)


@pages.post("/drafts/<draft>/drop")
@guarded(Action.POLICY_PROPOSE, realm=Realm.PERSON)
def drop(draft: str, *, caller: Caller) -> Any:
    """Drop a draft as it was read; its history stays."""
    try:
        with desk().database.begin() as connection:
            policy_drafts.close(connection, draft, DraftState.DROPPED, revision=revision())
    except HeldForPerson as moved:
        return moved_page(opened(draft), moved), 409
    return redirect(url_for("policies.every"), 303)
