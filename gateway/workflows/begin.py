"""A version that begins later waits, approved, for its first day; what is in force goes on.

Else the approval of next year's version would end this year's sharing at once. Only the
agreement's own text waits. On its first day it takes its place before anything is decided,
if what its approvers signed is still what the documents give.

Source: docs/reference/policy.md, "Life of a version"; docs/adr/0344; security point 3.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from gateway.policy.rereading import changed
from gateway.workflows.ports_policy import OWN, PolicyDesk, Proposal, Shelf


def first_day(shelf: Shelf, proposal: Proposal, *, on: dt.date) -> dt.date | None:
    """The day that an approved version has to wait for, so as not to end what stands; or None.

    Args:
        shelf: one open transaction.
        proposal: approved for every controller.
        on: today.
    """
    changes = shelf.changes_of(proposal)
    starts = shelf.agreements(changed(shelf.bundle(), changes))[proposal.agreement].starts
    shared = changed(shelf.bundle(), _part(changes, own=False))
    until = shelf.stands(shared, proposal.agreement)
    waits = starts > on and until is not None and until < starts and _part(changes, own=True)
    return starts if waits else None


def begin_due(desk: PolicyDesk) -> tuple[Proposal, ...]:
    """Let each version whose first day has come take its place.

    One that its documents have moved away from is left where it is: it says so until it
    is proposed again.

    Returns:
        Those that began now.
    """
    with desk.shelf() as shelf:
        found = (each for each in shelf.waiting() if each.holds)
        due = [each.proposal for each in found if each.starts <= desk.at.date()]
        for proposal in due:
            shelf.begin(proposal)
            shelf.record(
                "policy-begun",
                {
                    "document": proposal.agreement,
                    "document_digest": proposal.policy_digest,
                    "version": proposal.version,
                },
            )
    return tuple(due)


def _part(changes: Mapping[str, str], *, own: bool) -> dict[str, str]:
    return {path: text for path, text in changes.items() if path.startswith(OWN) is own}
