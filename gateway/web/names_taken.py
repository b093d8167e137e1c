"""Whether a new document's name is somebody's already: current, proposed, or in another's draft.

Two agreements of one id are both refused by the reader; so the second one is refused
here, while it is a form, and not once both have been written.

Source: docs/reference/policy.md, "Life of a version"; GOV.UK Design System, "Error message".
"""

from __future__ import annotations

import sqlalchemy as sa

from gateway.adapters import policy_drafts, policy_store
from gateway.web import workshop

_STANDS = "There is one of this {called} already: choose another {called}"
_PROPOSED = "One of this {called} is proposed: choose another {called}"
_WRITTEN = "A draft of one of this {called} is being written: open it, or choose another {called}"


def agreement_taken(connection: sa.Connection, agreement: str) -> str:
    """Why no new agreement may have an id; "" where it may."""
    path = f"agreements/{agreement}.toml"
    documents = workshop.current(connection)
    if path in documents or workshop.path_of(documents, agreement):
        return _STANDS.format(called="id")
    if workshop.newest(connection, agreement) is not None:
        return _PROPOSED.format(called="id")
    drafts = policy_drafts.listed(connection)
    written = any(each.agreement == agreement or path in each.changes for each in drafts)
    return _WRITTEN.format(called="id") if written else ""


def document_taken(connection: sa.Connection, path: str, *, draft: str) -> str:
    """Why no new document of a draft may have a name; "" where it may.

    Args:
        connection: of the store.
        path: the document that the draft would add.
        draft: its id; what it holds itself is no reason.
    """
    if path in workshop.current(connection):
        return ""  # the form itself says so
    waiting = (each for each in policy_store.proposals(connection) if not each.complete)
    if any(policy_store.changes_of(connection, each).get(path) for each in waiting):
        return _PROPOSED.format(called="name")
    others = (each for each in policy_drafts.listed(connection) if each.id != draft)
    return _WRITTEN.format(called="name") if any(each.changes.get(path) for each in others) else ""
