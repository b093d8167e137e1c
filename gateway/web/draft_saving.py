"""What the pages of a draft share: opening it, saving an edit over the revision it was made from.

Source: docs/reference/policy.md, "Life of a version".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from flask import redirect, render_template, request, url_for

from gateway.adapters import policy_drafts
from gateway.adapters.policy_drafts import Draft
from gateway.adapters.policy_reading import reader
from gateway.errors import GatewayError, HeldForPerson
from gateway.policy.rereading import changed
from gateway.web import workshop
from gateway.web.callers import Caller
from gateway.web.desk import desk
from gateway.web.form_values import Fault, fault

# How the form of a purpose names what it asks of each output, by the key in the document.
OF_OUTPUTS: Mapping[str, str] = {
    "recipient": "recipient",
    "identifiers": "form",
    "disclosure": "k",
    "k": "k",
    "on_small_group": "small",
    "key_variables": "groups",
}
# What the page puts into each form itself.
_OF_THE_PAGE = frozenset({"csrf_token", "revision", "over"})


def edited(
    view: workshop.DraftView,
    caller: Caller,
    edit: Callable[[str], str],
    again: Callable[[Sequence[Fault]], Any],
) -> Any:
    """Apply an edit of the agreement's own document and save it, unless it then would not load.

    Args:
        view: the draft as it is.
        caller: who saves.
        edit: makes the new text of the old.
        again: shows the form once more, with what the strict reader found.
    """
    path = next((p for p in view.draft.changes if p.startswith("agreements/")), "")
    text = edit(view.draft.changes.get(path, ""))
    faults = _refused(view, path, text) if revision() == view.draft.revision else []
    if faults:
        return again(faults), 422
    try:
        return saved(view, caller, {path: text})
    except HeldForPerson as moved:
        return moved_page(view, moved), 409


def _refused(view: workshop.DraftView, path: str, text: str) -> list[Fault]:
    """What the strict reader finds in the draft with this text that it did not find before."""
    with desk().database.read() as connection:
        texts = changed(workshop.current(connection), view.draft.changes)
    before = {(each.document, each.where, each.sentence) for each in reader().load(texts)[1]}
    return [
        fault(_told(each.where, each.sentence, each.remedy), _asked_at(each.path))
        for each in reader().load({**texts, path: text})[1]
        if (each.document, each.where, each.sentence) not in before
    ]


def _told(where: str, sentence: str, remedy: str) -> str:
    told = f"{where}: {sentence} {remedy}" if where else f"{sentence} {remedy}"
    return f"{told[:1].upper()}{told[1:]}".strip()


def _asked_at(place: Sequence[str | int]) -> str:
    """The part of the form that a finding is about; the reason, which each form asks, if none."""
    keys = [str(each) for each in place]
    if "outputs" in keys[:-1]:
        output = keys[keys.index("outputs") + 1]
        parts = (OF_OUTPUTS.get(each, "") for each in reversed(keys))
        named = (f"{part}.{output}" for part in parts if part)
        if f"recipient.{output}" in request.form:
            return next(named, f"recipient.{output}")
    asked = (each for each in reversed(keys) if each in request.form)
    return next(asked, "reason")


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
    """Say that somebody saved meanwhile; show what stands now, and what was sent and not saved."""
    fresh = opened(view.draft.id)
    return render_template(
        "drafts/moved.html", view=fresh, draft=fresh.draft, moved=moved, typed=_typed()
    )


def _typed() -> list[tuple[str, list[str]]]:
    """What the form sent, part by part, but for what nobody typed or chose."""
    sent = ((name, request.form.getlist(name)) for name in request.form if name not in _OF_THE_PAGE)
    return [(name, values) for name, values in sent if any(values)]


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
    """The revision that is saved over; 0 where the form says none.

    It is the one that the form was made from, or the newer one that its author was shown
    beside their own text and chose to replace (`over`).
    """
    text = request.form.get("over", "") or request.form.get("revision", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 9 else 0
