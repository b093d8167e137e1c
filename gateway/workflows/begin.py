"""A version that begins later waits, approved, for its first day; what is in force goes on.

Else the approval of next year's version would end this year's sharing at once. On its first
day a waiting version takes its place before anything is decided, if what its approvers
signed is still what the documents give.

Source: docs/reference/policy.md, "Life of a version"; docs/adr/0344; security point 3.
"""

from __future__ import annotations

import datetime as dt

from gateway.policy.rereading import changed
from gateway.workflows.ports_policy import PolicyDesk, Proposal, Shelf


def waits(shelf: Shelf, proposal: Proposal, *, on: dt.date) -> bool:
    """Whether a version that all have approved has to wait, so as not to end what is in force.

    Args:
        shelf: one open transaction.
        proposal: approved for every controller.
        on: today.
    """
    if not shelf.in_force(proposal.agreement):
        return False
    after = shelf.agreements(changed(shelf.bundle(), shelf.changes_of(proposal)))
    return after[proposal.agreement].starts > on


def begin_due(desk: PolicyDesk) -> tuple[Proposal, ...]:
    """Let each version whose first day has come take its place.

    One that its documents have moved away from is left where it is: it says so until it
    is proposed again.

    Returns:
        Those that began now.
    """
    begun = []
    with desk.shelf() as shelf:
        while due := _due(shelf, desk.at.date()):
            shelf.settle(due)
            shelf.record(
                "policy-begun",
                {
                    "document": due.agreement,
                    "document_digest": due.policy_digest,
                    "version": due.version,
                },
            )
            begun.append(due)
    return tuple(begun)


def _due(shelf: Shelf, today: dt.date) -> Proposal | None:
    """One at a time: what begins may be what another one reads."""
    for each in shelf.waiting():
        if each.holds and each.starts is not None and each.starts <= today:
            return each.proposal
    return None
