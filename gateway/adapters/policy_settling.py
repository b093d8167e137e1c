"""Approved texts become the current ones: at once, or the agreement's own on its first day.

Source: docs/reference/policy.md, "Life of a version"; docs/adr/0344.
"""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa

from gateway.adapters import policy_states, policy_store
from gateway.adapters.policy_tables import PROPOSALS
from gateway.workflows.ports_policy import OWN, Proposal


def settle(
    connection: sa.Connection, proposal: Proposal, *, at: dt.datetime, begins: dt.date | None = None
) -> None:
    """Make a fully approved proposal's texts the current ones; one without a text is none.

    Args:
        connection: one writing transaction.
        proposal: approved for every controller.
        at: now.
        begins: the first day that the agreement's own text waits for.
    """
    changes = {
        path: text for path, text in policy_store.changes_of(connection, proposal).items() if text
    }
    if begins is not None:
        changes = {path: text for path, text in changes.items() if not path.startswith(OWN)}
        _mark(connection, proposal, begins.isoformat())
    policy_store.set_heads(connection, changes, at=at)
    policy_states.keep(connection, proposal.number)


def begin(connection: sa.Connection, proposal: Proposal, *, at: dt.datetime) -> None:
    """Make the agreement's own text, which waited for its first day, the current one."""
    changes = policy_store.changes_of(connection, proposal)
    own = {path: text for path, text in changes.items() if path.startswith(OWN)}
    _mark(connection, proposal, None)
    policy_store.set_heads(connection, own, at=at)
    policy_states.keep(connection, proposal.number)


def _mark(connection: sa.Connection, proposal: Proposal, begins: str | None) -> None:
    mine = sa.update(PROPOSALS).where(PROPOSALS.c.id == proposal.number)
    connection.execute(mine.values(begins=begins))
