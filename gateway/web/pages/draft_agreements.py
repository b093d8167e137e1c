"""Writing a change of the agreement itself by form: its parts, prohibitions, a new purpose.

Source: docs/reference/policy.md, "Life of a version"; requirement N4.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import Blueprint, render_template, request

from gateway.adapters import policy_editing as editing
from gateway.adapters.policy_templates import add_purpose
from gateway.model.permissions import Action
from gateway.web import draft_agreement_forms as forms
from gateway.web import draft_forms
from gateway.web.callers import Caller, Realm
from gateway.web.draft_saving import edited, opened, revision
from gateway.web.form_values import Fault
from gateway.web.guards import guarded
from gateway.web.workshop import DraftView

pages = Blueprint("draft_agreements", __name__)


@pages.get("/drafts/<draft>/agreement")
@guarded(Action.POLICY_PROPOSE, realm=Realm.PERSON)
def agreement_form(draft: str, *, caller: Caller) -> str:
    """Show what a form may set of the agreement itself."""
    return _page("drafts/agreement.html", opened(draft))


@pages.post("/drafts/<draft>/agreement")
@guarded(Action.POLICY_PROPOSE, realm=Realm.PERSON)
def set_agreement(draft: str, *, caller: Caller) -> Any:
    """Set title, benefits, parties, contact, impact assessment, review and last day."""
    view = opened(draft)
    parts, faults = forms.agreement_parts(request.form)
    if faults:
        return _page("drafts/agreement.html", view, faults), 422
    return edited(
        view,
        caller,
        lambda text: editing.set_agreement(text, parts),
        lambda found: _page("drafts/agreement.html", view, found),
    )


@pages.get("/drafts/<draft>/prohibition")
@guarded(Action.POLICY_PROPOSE, realm=Realm.PERSON)
def prohibition_form(draft: str, *, caller: Caller) -> str:
    """Ask what never leaves, whatever permits it."""
    return _page("drafts/prohibition.html", opened(draft))


@pages.post("/drafts/<draft>/prohibition")
@guarded(Action.POLICY_PROPOSE, realm=Realm.PERSON)
def prohibit(draft: str, *, caller: Caller) -> Any:
    """Say that a field never leaves."""
    view = opened(draft)
    parts, faults = forms.prohibition(request.form)
    if faults:
        return _page("drafts/prohibition.html", view, faults), 422
    rule = {"clause": parts["clause"], "reason": parts["because"]}
    return edited(
        view,
        caller,
        lambda text: editing.prohibit(text, parts["field"], **rule),
        lambda found: _page("drafts/prohibition.html", view, found),
    )


@pages.get("/drafts/<draft>/purposes/new")
@guarded(Action.POLICY_PROPOSE, realm=Realm.PERSON)
def purpose_form(draft: str, *, caller: Caller) -> str:
    """Ask what a new purpose needs to begin with."""
    return _page("drafts/new_purpose.html", opened(draft))


@pages.post("/drafts/<draft>/purposes/new")
@guarded(Action.POLICY_PROPOSE, realm=Realm.PERSON)
def new_purpose(draft: str, *, caller: Caller) -> Any:
    """Add a purpose with its first output; its fields are added afterwards."""
    view = opened(draft)
    made, faults = forms.new_purpose(request.form, view)
    if made is None:
        return _page("drafts/new_purpose.html", view, faults), 422
    return edited(
        view,
        caller,
        lambda text: add_purpose(text, made),
        lambda found: _page("drafts/new_purpose.html", view, found),
    )


def _page(template: str, view: DraftView, faults: Sequence[Fault] = ()) -> str:
    return render_template(
        template,
        view=view,
        draft=view.draft,
        values=request.form if faults else {},
        chosen=request.form.getlist,
        known=draft_forms.purpose_choices(view),
        offered=forms.offered(view),
        faults=list(faults),
        revision=revision() if faults else view.draft.revision,
    )
