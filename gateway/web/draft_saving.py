"""What the pages of a draft share: opening it, saving an edit over the revision it was made from.

Source: docs/reference/policy.md, "Life of a version".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from flask import redirect, render_template, request, url_for

from gateway.adapters import policy_drafts
from gateway.adapters.policy_drafts import Draft
from gateway.errors import GatewayError, HeldForPerson
from gateway.web import workshop
from gateway.web.callers import Caller
from gateway.web.desk import desk


def edited(view: workshop.DraftView, caller: Caller, edit: Callable[[str], str]) -> Any:
    """Apply an edit of the agreement's own document and save it."""
    path = next((p for p in view.draft.changes if p.startswith("agreements/")), "")
    try:
        return saved(view, caller, {path: edit(view.draft.changes.get(path, ""))})
    except HeldForPerson as moved:
        return moved_page(view, moved), 409


def saved(view: workshop.DraftView, caller: Caller, changes: Mapping[str, str]) -> Any:
    """Save texts, with the reason that the form gives, and show the draft."""
    with desk().database.begin() as connection:
        policy_drafts.save(
            connection,
            view.draft.id,
            revision=revision(),
            changes=changes,
            reason=request.form.get("reason", ""),
            by=caller.name,
            at=desk().now(),
        )
    return redirect(url_for("drafts.one", draft=view.draft.id), 303)


def moved_page(view: workshop.DraftView, moved: GatewayError) -> str:
    """Say that somebody saved meanwhile, and show what stands now."""
    fresh = opened(view.draft.id)
    return render_template("drafts/moved.html", view=fresh, draft=fresh.draft, moved=moved)


def opened(draft: str) -> workshop.DraftView:
    """A draft over the current documents."""
    with desk().database.read() as connection:
        found = policy_drafts.find(connection, draft)
        documents = workshop.current(connection)
    return workshop.view(found, documents=documents)


def draft_of(draft: str) -> Draft:
    """A draft at its newest revision."""
    with desk().database.read() as connection:
        return policy_drafts.find(connection, draft)


def revision() -> int:
    """The revision that the form was made from; 0 where it says none."""
    text = request.form.get("revision", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 9 else 0
